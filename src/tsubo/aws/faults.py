"""Errors on the wire: an `AwsError` in the form of each protocol.

Goes in: an error, the protocol, the request's id. Comes out: the response that botocore, the Go SDK and the AWS CLI
read back as that code and message. ECS and Cloud Map: a bare `__type` and a lower-case `message`
(aws/ecs-cloudmap-exec.md section 1).
"""

import json
from collections.abc import Mapping
from xml.sax.saxutils import escape

from tsubo.aws.message import HttpResponse
from tsubo.aws.operations import AwsError
from tsubo.aws.wire import PROTOCOLS, Protocol, error_status, service_model

INTERNAL_ERRORS: Mapping[str, str] = {"ecs": "ServerException", "ecr": "ServerException", "ec2": "InternalError"}


def error_response(error: AwsError, service: str, protocol: Protocol, request_id: str) -> HttpResponse:
    """Return the response that says an error in the protocol of its service."""
    headers = {"x-amzn-RequestId": request_id}
    status = error_status(service, error)
    if protocol in ("json", "rest-json"):
        headers["Content-Type"] = "application/x-amz-json-1.1" if protocol == "json" else "application/json"
        headers["x-amzn-ErrorType"] = error.code
        content = {"__type": error.code, "message": error.message, **error.members}
        return HttpResponse(status, headers, json.dumps(content, default=str).encode())
    headers["Content-Type"] = "text/xml"
    return HttpResponse(status, headers, error_document(error, service, protocol, request_id, status).encode())


def error_document(error: AwsError, service: str, protocol: Protocol, request_id: str, status: int) -> str:
    """Return an error as XML: EC2's form, S3's, or the one of the query and the other REST services."""
    code = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
    if protocol == "ec2":
        errors = f"<Errors><Error>{code}</Error></Errors>"
        return f"{declaration}<Response>{errors}<RequestID>{request_id}</RequestID></Response>"
    if service not in PROTOCOLS and protocol == "rest-xml":
        return f"{declaration}<Error>{code}<RequestId>{request_id}</RequestId></Error>"
    namespace = service_model(service).metadata.get("xmlNamespace") if service in PROTOCOLS else None
    attribute = f' xmlns="{namespace}"' if isinstance(namespace, str) else ""
    fault = "Sender" if status < 500 else "Receiver"
    return (
        f"{declaration}<ErrorResponse{attribute}><Error><Type>{fault}</Type>{code}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def internal_error(service: str) -> AwsError:
    """Return what a service says when it failed and the caller did nothing wrong."""
    code = INTERNAL_ERRORS.get(service, "InternalFailure")
    return AwsError(code, "The request processing has failed because of an unknown error.", status=500)


def unknown_operation(service: str, operation: str | None, protocol: Protocol, known_to_aws: bool) -> AwsError:
    """Return the refusal of an operation that there is not: not in AWS, or not in Tsubo."""
    reason = f"Tsubo does not implement {service}:{operation}." if known_to_aws else None
    if protocol in ("ec2", "query"):
        return AwsError("InvalidAction", reason or f"The action {operation} is not valid for this web service.")
    status = 404 if protocol == "rest-xml" else 400
    return AwsError("UnknownOperationException", reason or "The requested operation is not known.", status)
