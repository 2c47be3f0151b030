"""The health check of a target group: what a request asks for, within AWS's limits, and its form in answers.

Source: aws/alb-vpc-terraform.md section 1.7.
"""

import re
from dataclasses import dataclass

from tsubo.aws.elbv2.lookup import invalid
from tsubo.aws.operations import Request, Response
from tsubo.model.elbv2 import HealthCheck

PROTOCOLS = ("HTTP", "HTTPS")
LONGEST_PATH = 1024
HTTP_CODES = (200, 499)
GRPC_CODES = (0, 99)

_HTTP_DEFAULT = HealthCheck()
_GRPC_DEFAULT = HealthCheck(path="/AWS.ALB/healthcheck", matcher="12")


@dataclass(frozen=True)
class _Number:
    """A member of requests, its limits, and what errors call it."""

    member: str
    low: int
    high: int
    words: str


_INTERVAL = _Number("HealthCheckIntervalSeconds", 5, 300, "Health check interval")
_TIMEOUT = _Number("HealthCheckTimeoutSeconds", 2, 120, "Health check timeout")
_HEALTHY = _Number("HealthyThresholdCount", 2, 10, "Healthy threshold count")
_UNHEALTHY = _Number("UnhealthyThresholdCount", 2, 10, "Unhealthy threshold count")


def default_health_check(protocol_version: str) -> HealthCheck:
    """Return what a target group's check is when nothing is asked for."""
    return _GRPC_DEFAULT if protocol_version == "GRPC" else _HTTP_DEFAULT


def requested_health_check(request: Request, standing: HealthCheck, protocol_version: str) -> HealthCheck:
    """Return the health check after a request, which changes only what it names. Raises ValidationError."""
    interval = _number(request, _INTERVAL, standing.interval_seconds)
    timeout = _number(request, _TIMEOUT, standing.timeout_seconds)
    if timeout >= interval:
        raise invalid(f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'")
    if request.get("HealthCheckEnabled") is False:
        raise invalid("Health check enabled must be true for target groups with target type 'ip'")
    return HealthCheck(
        protocol=_protocol(request.get("HealthCheckProtocol") or standing.protocol),
        port=_port(str(request.get("HealthCheckPort") or standing.port)),
        path=_path(request.get("HealthCheckPath") or standing.path),
        matcher=_matcher(request, standing.matcher, protocol_version),
        interval_seconds=interval,
        timeout_seconds=timeout,
        healthy_threshold=_number(request, _HEALTHY, standing.healthy_threshold),
        unhealthy_threshold=_number(request, _UNHEALTHY, standing.unhealthy_threshold),
    )


def health_check_shape(check: HealthCheck, protocol_version: str) -> Response:
    """Return a health check as the members of a target group's answer."""
    return {
        "HealthCheckProtocol": check.protocol,
        "HealthCheckPort": check.port,
        "HealthCheckEnabled": check.enabled,
        "HealthCheckIntervalSeconds": check.interval_seconds,
        "HealthCheckTimeoutSeconds": check.timeout_seconds,
        "HealthyThresholdCount": check.healthy_threshold,
        "UnhealthyThresholdCount": check.unhealthy_threshold,
        "HealthCheckPath": check.path,
        "Matcher": {"GrpcCode" if protocol_version == "GRPC" else "HttpCode": check.matcher},
    }


def _number(request: Request, number: _Number, standing: int) -> int:
    value = request.get(number.member)
    if value is None:
        return standing
    if not number.low <= int(value) <= number.high:
        raise invalid(f"{number.words} '{value}' must be between '{number.low}' and '{number.high}'")
    return int(value)


def _protocol(protocol: str) -> str:
    if protocol not in PROTOCOLS:
        raise invalid(f"Health check protocol '{protocol}' must be one of '[{', '.join(PROTOCOLS)}]'")
    return protocol


def _port(port: str) -> str:
    if port != "traffic-port" and not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise invalid(f"Health check port '{port}' must be 'traffic-port' or in the range '1-65535'")
    return port


def _path(path: str) -> str:
    if not path.startswith("/") or len(path) > LONGEST_PATH:
        raise invalid(f"Health check path '{path}' must begin with '/' and have at most '{LONGEST_PATH}' characters")
    return path


def _matcher(request: Request, standing: str, protocol_version: str) -> str:
    """Return the codes that mean healthy: one, a list, a range, or a list of ranges."""
    matcher = request.get("Matcher") or {}
    kind, (low, high) = ("GrpcCode", GRPC_CODES) if protocol_version == "GRPC" else ("HttpCode", HTTP_CODES)
    codes = matcher.get(kind) or standing
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", codes):
        raise invalid(f"Health check matcher '{codes}' must be codes and ranges such as '200,301' or '200-299'")
    if any(not low <= int(code) <= high for code in re.findall(r"\d+", codes)):
        raise invalid(f"Health check matcher code '{codes}' must be within '{low}-{high}' inclusive")
    return str(codes)
