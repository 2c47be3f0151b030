"""Finding scalable targets, checking what names one, and cutting lists into pages.

Source: botocore's model of the service (errors, members); the words are AWS's own where incident reports show them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tsubo.aws import paging
from tsubo.aws.ecs.lookup import find_cluster, find_service
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.aws.wire import service_model
from tsubo.model.scaling import ScalableTarget

SERVICE = "application-autoscaling"
MOST_RESULTS = 50


def validation_error(message: str) -> AwsError:
    """Return a ValidationException."""
    return AwsError("ValidationException", message)


def target_key(call: Call, request: Request) -> str:
    """Return the key of the target that a request names. Raises ValidationException for what AWS does not have."""
    namespace, dimension = request["ServiceNamespace"], request["ScalableDimension"]
    for shape, value, member in (
        ("ServiceNamespace", namespace, "serviceNamespace"),
        ("ScalableDimension", dimension, "scalableDimension"),
    ):
        allowed = service_model(SERVICE).shape_for(shape).enum
        if value not in allowed:
            raise validation_error(
                f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(allowed)}]"
            )
    if dimension.partition(":")[0] != namespace:
        raise validation_error(f"Unsupported service namespace, resource type or scalable dimension: {dimension}")
    return f"{call.region}/{dimension}/{request['ResourceId']}"


def find_target(call: Call, request: Request) -> ScalableTarget:
    """Return the target that a request names. Raises ObjectNotFoundException."""
    target = call.world.scalable_targets.get(target_key(call, request))
    if target is None:
        raise not_found("No scalable target registered for", request)
    return target


def not_found(words: str, request: Request, *more: str) -> AwsError:
    """Return an ObjectNotFoundException that names the target of a request."""
    named = [
        f"service namespace: {request['ServiceNamespace']}",
        f"resource ID: {request['ResourceId']}",
        f"scalable dimension: {request['ScalableDimension']}",
        *more,
    ]
    return AwsError("ObjectNotFoundException", f"{words} {', '.join(named)}")


def require_resource(call: Call, request: Request) -> None:
    """Refuse a target that is a service which ECS does not have; other services' resources are taken as named."""
    if request["ServiceNamespace"] != "ecs":
        return
    kind, _, name = request["ResourceId"].partition("/")
    cluster_name, _, service_name = name.partition("/")
    if kind != "service" or not service_name:
        raise validation_error(f"Unsupported resource ID: {request['ResourceId']}")
    cluster = find_cluster(call, cluster_name)
    service = find_service(call, cluster, service_name) if cluster else None
    if service is None or service.status == "INACTIVE":
        raise validation_error(f"ECS service doesn't exist: {request['ResourceId']}")


def of_target(record_key: str, call: Call, request: Request) -> bool:
    """Say whether the target of that key is one that a Describe request asks for."""
    target = call.world.scalable_targets[record_key]
    return (
        target.region == call.region
        and target.namespace == request["ServiceNamespace"]
        and request.get("ResourceId") in (None, target.resource_id)
        and request.get("ScalableDimension") in (None, target.dimension)
    )


def target_members(target: ScalableTarget) -> Response:
    """Return the three members by which every answer names a target."""
    return {
        "ServiceNamespace": target.namespace,
        "ResourceId": target.resource_id,
        "ScalableDimension": target.dimension,
    }


def moment(seconds: float) -> datetime:
    """Return a time as an answer has it."""
    return datetime.fromtimestamp(seconds, UTC)


def listed(member: str, views: Sequence[Mapping[str, object]], request: Request) -> Response:
    """Return one page of views under a member. Raises InvalidNextTokenException."""
    size = min(int(request.get("MaxResults") or MOST_RESULTS), MOST_RESULTS)
    try:
        shown, token = paging.page(views, request.get("NextToken"), size)
    except paging.InvalidToken:
        raise AwsError("InvalidNextTokenException", "The next token is not valid.") from None
    return {member: shown, "NextToken": token} if token else {member: shown}
