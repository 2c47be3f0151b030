"""The answers that a load balancer makes itself: which status, which body, which headers.

Source: aws/alb-vpc-terraform.md section 1.10. The proxy has its own statuses and texts for the same events; the reply
configuration made here turns them into a load balancer's.
"""

from typing import Any

SERVER = "awselb/2.0"
REASONS = {
    301: "Moved Permanently",
    302: "Found",
    400: "Bad Request",
    405: "Not Allowed",
    408: "Request Time-out",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
    463: "",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
    505: "HTTP Version Not Supported",
}
_OWN_CONTENT = '["direct_response", "lua_response"]'
_CONNECT_TIMEOUT = 'response.code_details.contains("connection_timeout")'
_TARGET_FAILED = 'response.code_details.startsWith("upstream_reset_before_response_started")'
_NOT_OWN_CONTENT = f"!(response.code_details in {_OWN_CONTENT})"


def html(status: int) -> str:
    """Return the body of a load balancer's own answer, with its CRLF line ends."""
    title = f"{status} {REASONS[status]}".rstrip()
    lines = (
        "<html>",
        f"<head><title>{title}</title></head>",
        "<body>",
        f"<center><h1>{title}</h1></center>",
        "</body>",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "</html>"))


def header(name: str, value: str) -> dict[str, Any]:
    """Return a header to set, in place of one that is there."""
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def direct_response(status: int, content_type: str, body: str) -> dict[str, Any]:
    """Return the part of a route that answers by itself with exactly this content."""
    response: dict[str, Any] = {"status": status}
    headers = [header("server", SERVER)]
    if body:
        response["body"] = {"inline_string": body}
        headers.append(header("content-type", content_type))
    return {"direct_response": response, "response_headers_to_add": headers}


def html_response(status: int) -> dict[str, Any]:
    """Return the part of a route that answers as a load balancer does for this status."""
    return direct_response(status, "text/html", html(status))


def reply_configuration() -> dict[str, Any]:
    """Return the `local_reply_config` that makes the proxy's own answers those of a load balancer.

    A dropped and a refused connection have the same status in the proxy and differ only in the details. The order
    matters: the first mapper that matches decides.
    """
    mappers = [_mapper(_expression(_CONNECT_TIMEOUT), 504), _mapper(_expression(_TARGET_FAILED), 502)]
    mappers += [_mapper(_status_of_proxy(status), 400) for status in (400, 431)]
    mappers += [_mapper(_status_of_proxy(status), status) for status in (408, 413, 414, 500, 501, 502, 503, 504, 505)]
    return {"mappers": mappers}


def _mapper(condition: dict[str, Any], status: int) -> dict[str, Any]:
    return {
        "filter": condition,
        "status_code": status,
        "body": {"inline_string": html(status)},
        "body_format_override": {
            "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
            "content_type": "text/html",
        },
        "headers_to_add": [header("server", SERVER)],
    }


def _status_of_proxy(status: int) -> dict[str, Any]:
    comparison = {"op": "EQ", "value": {"default_value": status, "runtime_key": f"tsubo.status.{status}"}}
    conditions = [{"status_code_filter": {"comparison": comparison}}, _expression(_NOT_OWN_CONTENT)]
    return {"and_filter": {"filters": conditions}}


def _expression(expression: str) -> dict[str, Any]:
    return {
        "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
                "expression": expression,
            },
        }
    }
