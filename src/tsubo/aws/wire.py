"""The wire formats of our services: request to parameters, result to response.

The shapes are botocore's models. The walking of them is moto's (`moto.core.parse`, `moto.core.serialize`,
`moto.core.model`), reached into only here and in `parsers.py`; the version is pinned, and the tests go round through
botocore's own serializers and parsers. Parameters and results have the form that boto3 gives and takes,
except that a result's timestamp may also be seconds since the epoch.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from botocore.loaders import Loader
from botocore.utils import parse_timestamp
from moto.core.model import OperationModel, ServiceModel
from moto.core.serialize import SERIALIZERS, SerializationContext, TimestampSerializer
from werkzeug.datastructures import Headers, MultiDict

from tsubo.aws.message import HttpRequest, HttpResponse
from tsubo.aws.operations import AwsError
from tsubo.aws.parsers import PARSERS, MalformedRequest

Protocol = Literal["ec2", "query", "json", "rest-xml", "rest-json"]

PROTOCOLS: Mapping[str, Protocol] = {
    "ec2": "ec2",
    "ecs": "json",
    "elbv2": "query",
    "route53": "rest-xml",
    "servicediscovery": "json",
    "acm": "json",
    "application-autoscaling": "json",
    "ecr": "json",
    "ssm": "json",
    "sts": "query",
}
"""Our services and the protocol we speak for each; a model may list more (Cloud Map's lists CBOR first)."""

REQUIRED_MEMBER_ERRORS: Mapping[str, str] = {
    "ec2": "MissingParameter",
    "ecs": "InvalidParameterException",
    "elbv2": "ValidationError",
    "route53": "InvalidInput",
    "servicediscovery": "InvalidInput",
    "acm": "ValidationException",
    "application-autoscaling": "ValidationException",
    "ecr": "InvalidParameterException",
    "ssm": "ValidationException",
    "sts": "ValidationError",
}
MALFORMED_ERRORS: Mapping[Protocol, str] = {
    "ec2": "InvalidParameterValue",
    "query": "MalformedInput",
    "json": "SerializationException",
    "rest-xml": "MalformedInput",
    "rest-json": "SerializationException",
}


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of one of our services."""
    description = Loader().load_service_model(service, "service-2")
    description["metadata"]["protocol"] = PROTOCOLS[service]
    return ServiceModel(description, service)


def operation_model(service: str, operation: str) -> OperationModel | None:
    """Return the model of an operation, or None where AWS has none of that name."""
    model = service_model(service)
    return model.operation_model(operation) if operation in model.operation_names else None


def parse_request(
    service: str, operation: str, request: HttpRequest, uri_parameters: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return an operation's parameters, absent members absent, checked for types and required members.

    Raises AwsError, in the service's own words, for a body that cannot be read and for a member that is missing.
    """
    protocol = PROTOCOLS[service]
    model = service_model(service).operation_model(operation)
    parser = PARSERS[protocol](model, timestamp_parser=parse_utc)
    try:
        parameters: dict[str, Any] = parser.parse(
            {
                "method": request.method,
                "url_path": request.path,
                "url_params": dict(uri_parameters or {}),
                "headers": Headers(list(request.headers.items())),
                "values": parameter_values(protocol, request),
                "body": request.body,
            }
        )
    except MalformedRequest as malformed:
        raise AwsError(MALFORMED_ERRORS[protocol], str(malformed)) from malformed
    except Exception as unreadable:
        # The parser sees nothing but what the caller sent, so whatever it stumbles over is the caller's.
        raise AwsError(MALFORMED_ERRORS[protocol], f"The request could not be read: {unreadable}") from unreadable
    missing = list(missing_members(model.input_shape, parameters)) if model.input_shape else []
    if missing:
        raise missing_member_error(service, missing)
    return parameters


def parameter_values(protocol: Protocol, request: HttpRequest) -> "MultiDict[str, str]":
    """Return the decoded parameters: of the form for a query service, of the URL for a REST service."""
    if protocol in ("ec2", "query"):
        return MultiDict(request.form_parameters())
    return MultiDict(request.query_parameters())


def missing_members(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each required member that is absent, as AWS writes it: `listeners.1.member.port`."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in shape.required_members:
            if name not in value:
                yield f"{path}{name[:1].lower()}{name[1:]}"
        for name, member in value.items():
            if name in shape.members:
                yield from missing_members(shape.members[name], member, f"{path}{name[:1].lower()}{name[1:]}.")
    elif shape.type_name == "list":
        for position, element in enumerate(value, start=1):
            yield from missing_members(shape.member, element, f"{path}{position}.member.")
    elif shape.type_name == "map":
        for key, element in value.items():
            yield from missing_members(shape.value, element, f"{path}{key}.member.")


def missing_member_error(service: str, missing: list[str]) -> AwsError:
    """Return the error of a service for required members that are absent."""
    code = REQUIRED_MEMBER_ERRORS[service]
    if service == "ec2":
        return AwsError(code, f"The request must contain the parameter {missing[0]}")
    if service == "ecs":
        return AwsError(code, f"{missing[0]} can not be blank.")
    noun = "error" if len(missing) == 1 else "errors"
    constraints = "; ".join(
        f"Value null at '{path}' failed to satisfy constraint: Member must not be null" for path in missing
    )
    return AwsError(code, f"{len(missing)} validation {noun} detected: {constraints}")


def serialize_result(service: str, operation: str, result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
    """Return the response that carries an operation's result."""
    protocol = PROTOCOLS[service]
    model = service_model(service).operation_model(operation)
    serializer = SERIALIZERS[protocol](operation_model=model, context=SerializationContext(request_id))
    # moto writes a number in the machine's own time zone and leaves out milliseconds.
    serializer._timestamp_serializer = UtcTimestamps(serializer.DEFAULT_TIMESTAMP_FORMAT)
    response = serializer.serialize(result or {})
    body = response["body"]
    return HttpResponse(
        response["status_code"],
        {**response["headers"], "x-amzn-RequestId": request_id},
        body if isinstance(body, bytes) else body.encode(),
    )


def error_status(service: str, error: AwsError) -> int:
    """Return an error's HTTP status: what the operation said, or what the service's model says of the code."""
    if error.status == 400 and service in PROTOCOLS:
        for shape in service_model(service).error_shapes:
            if error.code in (shape.name, shape.error_code):
                return int(shape.metadata.get("error", {}).get("httpStatusCode", error.status))
    return error.status


def parse_utc(value: Any) -> datetime:
    """Return a timestamp, in any form a client may send, as an aware datetime in UTC."""
    moment = parse_timestamp(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


class UtcTimestamps(TimestampSerializer):  # type: ignore[misc]
    """Timestamps as AWS writes them: UTC, and milliseconds where there are any."""

    ISO8601_MICRO = "%Y-%m-%dT%H:%M:%S.{milliseconds:03d}Z"

    def _timestamp_iso8601(self, value: datetime) -> str:
        text: str = super()._timestamp_iso8601(value)
        return text.format(milliseconds=value.microsecond // 1000)

    def _convert_timestamp_to_str(self, value: Any, timestamp_format: str) -> Any:
        moment = value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        return super()._convert_timestamp_to_str(moment, timestamp_format)
