"""Cloud Map's operations: what an asynchronous call answers with, and how it went.

Here every operation is over when the call returns; a client that polls sees SUCCESS (or FAIL) at its first look.
Source: aws/ecs-cloudmap-exec.md section 8.
"""

from collections.abc import Callable, Mapping

from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.aws.servicediscovery.lookup import invalid_input, listed
from tsubo.model import cloudmap
from tsubo.model.supply import ALPHANUMERIC


def finish(
    call: Call, operation_type: str, targets: Mapping[str, str], failure: tuple[str, str] | None = None
) -> Response:
    """Record an operation that is over, and return its id. `failure` is an error code and message."""
    code, message = failure or (None, None)
    operation = cloudmap.Operation(
        operation_id=f"{call.supply.text(32, ALPHANUMERIC)}-{call.supply.text(8, ALPHANUMERIC)}",
        type=operation_type,
        region=call.region,
        created_at=call.now,
        updated_at=call.now,
        status="FAIL" if failure else "SUCCESS",
        targets=targets,
        error_code=code,
        error_message=message,
    )
    call.put(operation)
    return {"OperationId": operation.operation_id}


def operation_of(call: Call, operation_type: str, target: str, identifier: str) -> Response | None:
    """Return the id of the last operation of a type on a target: what a repeated request answers with."""
    found = [
        o for o in call.world.operations.values() if o.type == operation_type and o.targets.get(target) == identifier
    ]
    return {"OperationId": max(found, key=lambda o: o.created_at).operation_id} if found else None


def get_operation(call: Call, request: Request) -> Response:
    """Return one operation. Raises OperationNotFound."""
    operation = call.world.operations.get(request["OperationId"])
    if operation is None or operation.region != call.region:
        raise AwsError("OperationNotFound", request["OperationId"], 404)
    view: Response = {
        "Id": operation.operation_id,
        "OwnerAccount": call.account_id,
        "Type": operation.type,
        "Status": operation.status,
        "CreateDate": operation.created_at,
        "UpdateDate": operation.updated_at,
        "Targets": dict(operation.targets),
    }
    if operation.error_code is not None:
        view.update(ErrorCode=operation.error_code, ErrorMessage=operation.error_message)
    return {"Operation": view}


def list_operations(call: Call, request: Request) -> Response:
    """List operations, the newest first, that pass every filter. Those of a namespace that is gone went with it."""
    filters = [_filter(item) for item in request.get("Filters") or ()]
    found = [
        o
        for o in call.world.operations.values()
        if o.region == call.region
        and (o.status == "FAIL" or o.targets.get("NAMESPACE") in (None, *call.world.namespaces))
        and all(passes(o) for passes in filters)
    ]
    found.sort(key=lambda o: o.updated_at, reverse=True)
    return listed("Operations", [{"Id": o.operation_id, "Status": o.status} for o in found], request)


def _filter(item: Request) -> Callable[[cloudmap.Operation], bool]:
    name, values = item["Name"], item["Values"]
    if name == "UPDATE_DATE":
        return _date_filter(values)
    if name in ("NAMESPACE_ID", "SERVICE_ID"):
        target = name.removesuffix("_ID")
        return lambda operation: operation.targets.get(target) in values
    if name == "STATUS":
        return lambda operation: operation.status in values
    if name == "TYPE":
        return lambda operation: operation.type in values
    raise invalid_input(f"Unknown filter {name}.")


def _date_filter(values: list[str]) -> Callable[[cloudmap.Operation], bool]:
    """A start and an end in seconds since the epoch."""
    try:
        start, end = (float(value) for value in values)
    except ValueError as error:
        raise invalid_input("The UPDATE_DATE filter takes a start date and an end date in Unix time.") from error
    return lambda operation: start <= operation.updated_at <= end


OPERATIONS: dict[str, Operation] = {"GetOperation": get_operation, "ListOperations": list_operations}
