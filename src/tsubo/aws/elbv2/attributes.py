"""The attributes of load balancers, target groups and listeners: their defaults, and what may be set.

Sources: aws/alb-vpc-terraform.md sections 1.2, 1.6 and 1.9; botocore's text of LoadBalancerAttribute,
TargetGroupAttribute and ListenerAttribute. An attribute is text by name, as AWS has it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tsubo.aws.elbv2.lookup import invalid

Problem = str | None


@dataclass(frozen=True)
class Attribute:
    """`problem` returns what is wrong with a value (the words after "value 'x'"), or None."""

    default: str
    problem: Callable[[str], Problem]


AttributeTable = Mapping[str, Attribute]


def _one_of(default: str, *others: str) -> Attribute:
    values = (default, *others)
    return Attribute(default, lambda value: None if value in values else f"must be one of [{', '.join(values)}]")


def _text(default: str = "") -> Attribute:
    return Attribute(default, lambda _: None)


def _number(default: str, low: int, high: int, *words: str) -> Attribute:
    def problem(value: str) -> Problem:
        if value in words or (value.isdecimal() and low <= int(value) <= high):
            return None
        return f"must be between '{low}-{high}' inclusive"

    return Attribute(default, problem)


_OFF = _one_of("false", "true")
_ON = _one_of("true", "false")
_ANY_COUNT = 1_000_000

LOAD_BALANCER_ATTRIBUTES: AttributeTable = {
    "access_logs.s3.enabled": _OFF,
    "access_logs.s3.bucket": _text(),
    "access_logs.s3.prefix": _text(),
    "connection_logs.s3.enabled": _OFF,
    "connection_logs.s3.bucket": _text(),
    "connection_logs.s3.prefix": _text(),
    "health_check_logs.s3.enabled": _OFF,
    "health_check_logs.s3.bucket": _text(),
    "health_check_logs.s3.prefix": _text(),
    "client_keep_alive.seconds": _number("3600", 60, 604_800),
    "deletion_protection.enabled": _OFF,
    "idle_timeout.timeout_seconds": _number("60", 1, 4000),
    "ipv6.deny_all_igw_traffic": _OFF,
    "load_balancing.cross_zone.enabled": _one_of("true"),
    "routing.http.desync_mitigation_mode": _one_of("defensive", "monitor", "strictest"),
    "routing.http.drop_invalid_header_fields.enabled": _OFF,
    "routing.http.preserve_host_header.enabled": _OFF,
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": _OFF,
    "routing.http.xff_client_port.enabled": _OFF,
    "routing.http.xff_header_processing.mode": _one_of("append", "preserve", "remove"),
    "routing.http2.enabled": _ON,
    "waf.fail_open.enabled": _OFF,
    "zonal_shift.config.enabled": _OFF,
}

TARGET_GROUP_ATTRIBUTES: AttributeTable = {
    "deregistration_delay.timeout_seconds": _number("300", 0, 3600),
    "load_balancing.algorithm.type": _one_of("round_robin", "least_outstanding_requests", "weighted_random"),
    "load_balancing.algorithm.anomaly_mitigation": _one_of("off", "on"),
    "load_balancing.cross_zone.enabled": _one_of("use_load_balancer_configuration", "true", "false"),
    "slow_start.duration_seconds": _number("0", 30, 900, "0"),
    "stickiness.enabled": _OFF,
    "stickiness.type": _one_of("lb_cookie", "app_cookie"),
    "stickiness.lb_cookie.duration_seconds": _number("86400", 1, 604_800),
    "stickiness.app_cookie.cookie_name": _text(),
    "stickiness.app_cookie.duration_seconds": _number("86400", 1, 604_800),
    "target_group_health.dns_failover.minimum_healthy_targets.count": _number("1", 1, _ANY_COUNT, "off"),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": _number("off", 1, 100, "off"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": _number("1", 1, _ANY_COUNT),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": _number("off", 1, 100, "off"),
}

_RESPONSE_HEADERS = (
    "strict_transport_security",
    "access_control_allow_origin",
    "access_control_allow_methods",
    "access_control_allow_headers",
    "access_control_allow_credentials",
    "access_control_expose_headers",
    "access_control_max_age",
    "content_security_policy",
    "x_content_type_options",
    "x_frame_options",
)
_REQUEST_HEADERS = (
    "x_amzn_mtls_clientcert",
    "x_amzn_mtls_clientcert_serial_number",
    "x_amzn_mtls_clientcert_issuer",
    "x_amzn_mtls_clientcert_subject",
    "x_amzn_mtls_clientcert_validity",
    "x_amzn_mtls_clientcert_leaf",
    "x_amzn_tls_version",
    "x_amzn_tls_cipher_suite",
)
HTTP_LISTENER_ATTRIBUTES: AttributeTable = {
    "routing.http.response.server.enabled": _ON,
    **{f"routing.http.response.{name}.header_value": _text() for name in _RESPONSE_HEADERS},
}
HTTPS_LISTENER_ATTRIBUTES: AttributeTable = {
    **HTTP_LISTENER_ATTRIBUTES,
    **{f"routing.http.request.{name}.header_name": _text() for name in _REQUEST_HEADERS},
}


def defaults(table: AttributeTable) -> dict[str, str]:
    """Return every attribute of a table with its default."""
    return {key: attribute.default for key, attribute in table.items()}


def changed(
    kind: str, table: AttributeTable, current: Mapping[str, str], requested: Iterable[Mapping[str, str]]
) -> dict[str, str]:
    """Return the attributes after a Modify*Attributes call.

    `kind` ("Load balancer", ...) goes into the errors, whose "is not recognized" the Terraform provider looks for
    (aws/alb-vpc-terraform.md section 6.8). Raises ValidationError.
    """
    attributes = {**defaults(table), **current}
    for pair in requested:
        key, value = pair.get("Key", ""), pair.get("Value", "")
        if key not in table:
            raise invalid(f"{kind} attribute key '{key}' is not recognized")
        problem = table[key].problem(value)
        if problem:
            raise invalid(f"'{key}' value '{value}' {problem}")
        attributes[key] = value
    return attributes


def listed(table: AttributeTable, current: Mapping[str, str]) -> list[dict[str, str]]:
    """Return attributes, complete, in the shape AWS answers them."""
    return [{"Key": key, "Value": value} for key, value in {**defaults(table), **current}.items()]
