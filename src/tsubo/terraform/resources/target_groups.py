"""Target groups and single targets. Calls and defaults: aws/alb-vpc-terraform.md sections 1.6, 1.7 and 6.2."""

from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import block, changed, first, given, name_of, tag_list
from tsubo.terraform.resources.load_balancers import attribute_list, attribute_text, retag_elbv2, tags_of
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

LONGEST_NAME = 32
DEFAULT_PREFIX = "tf-"

_ATTRIBUTES = {
    "deregistration_delay": "deregistration_delay.timeout_seconds",
    "load_balancing_algorithm_type": "load_balancing.algorithm.type",
    "load_balancing_anomaly_mitigation": "load_balancing.algorithm.anomaly_mitigation",
    "load_balancing_cross_zone_enabled": "load_balancing.cross_zone.enabled",
    "slow_start": "slow_start.duration_seconds",
}
_HEALTH = (
    ("dns_failover", "target_group_health.dns_failover"),
    ("unhealthy_state_routing", "target_group_health.unhealthy_state_routing"),
)
_THRESHOLDS = (
    ("minimum_healthy_targets_count", "minimum_healthy_targets.count"),
    ("minimum_healthy_targets_percentage", "minimum_healthy_targets.percentage"),
)


def _wanted_attributes(values: Values) -> dict[str, str]:
    wanted = {
        attribute: attribute_text(values[name])
        for name, attribute in _ATTRIBUTES.items()
        if values.get(name) not in (None, "", 0)
    }
    stickiness = block(values, "stickiness")
    if stickiness is not None:
        wanted |= _stickiness_attributes(stickiness)
    health = block(values, "target_group_health") or {}
    for name, prefix in _HEALTH:
        part = block(health, name) or {}
        wanted |= {f"{prefix}.{key}": attribute_text(part[n]) for n, key in _THRESHOLDS if part.get(n) is not None}
    return wanted


def _stickiness_attributes(stickiness: Values) -> dict[str, str]:
    kind = stickiness["type"]
    wanted = {"stickiness.enabled": attribute_text(bool(stickiness["enabled"])), "stickiness.type": kind}
    if kind in ("lb_cookie", "app_cookie"):
        wanted[f"stickiness.{kind}.duration_seconds"] = attribute_text(stickiness["cookie_duration"])
    if kind == "app_cookie" and stickiness.get("cookie_name"):
        wanted["stickiness.app_cookie.cookie_name"] = stickiness["cookie_name"]
    return wanted


def _health_check(values: Values) -> dict[str, Any]:
    check = block(values, "health_check")
    if check is None:
        return {}
    matcher = {"GrpcCode" if values.get("protocol_version") == "GRPC" else "HttpCode": check["matcher"]}
    return given(
        HealthCheckEnabled=check.get("enabled"),
        HealthCheckPath=check.get("path") or None,
        HealthCheckPort=check.get("port"),
        HealthCheckProtocol=check.get("protocol"),
        HealthCheckIntervalSeconds=check.get("interval"),
        HealthCheckTimeoutSeconds=check.get("timeout") or None,
        HealthyThresholdCount=check.get("healthy_threshold"),
        UnhealthyThresholdCount=check.get("unhealthy_threshold"),
        Matcher=matcher if check.get("matcher") else None,
    )


def _create(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "elbv2",
        "create_target_group",
        Name=name_of(values, LONGEST_NAME, DEFAULT_PREFIX),
        Protocol=values.get("protocol"),
        ProtocolVersion=values.get("protocol_version"),
        Port=values.get("port"),
        VpcId=values.get("vpc_id"),
        TargetType=values.get("target_type"),
        IpAddressType=values.get("ip_address_type"),
        Tags=tag_list(values),
        **_health_check(values),
    )
    return {"id": answer["TargetGroups"][0]["TargetGroupArn"]}


def _complete(aws: Aws, values: Values) -> None:
    _set_attributes(aws, {}, values)


def _set_attributes(aws: Aws, before: dict[str, str], values: Values) -> None:
    wanted = {key: value for key, value in _wanted_attributes(values).items() if before.get(key) != value}
    if wanted:
        attributes = attribute_list(wanted)
        aws.call("elbv2", "modify_target_group_attributes", TargetGroupArn=values["id"], Attributes=attributes)


def _read(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("elbv2", "describe_target_groups", TargetGroupArns=[values["id"]]) or {}
    group = first(answer.get("TargetGroups"))
    if group is None:
        return None
    arn = group["TargetGroupArn"]
    answer = aws.call("elbv2", "describe_target_group_attributes", TargetGroupArn=arn)
    attributes = {attribute["Key"]: attribute["Value"] for attribute in answer["Attributes"]}
    actual: Values = {name: attributes[key] for name, key in _ATTRIBUTES.items() if key in attributes}
    return actual | {
        "arn": arn,
        "arn_suffix": arn.rpartition(":")[2],
        "name": group["TargetGroupName"],
        "name_prefix": values.get("name_prefix") or "",
        "port": group.get("Port"),
        "protocol": group.get("Protocol"),
        "protocol_version": group.get("ProtocolVersion", ""),
        "target_type": group["TargetType"],
        "vpc_id": group.get("VpcId", ""),
        "ip_address_type": group.get("IpAddressType", "ipv4"),
        "load_balancer_arns": group.get("LoadBalancerArns") or [],
        "connection_termination": None,
        "preserve_client_ip": None,
        "health_check": [_health_values(group)],
        "stickiness": [_stickiness_values(attributes)],
        "target_group_health": [_group_health_values(attributes)],
        "tags": tags_of(aws, arn),
    }


def _health_values(group: dict[str, Any]) -> Values:
    matcher = group.get("Matcher") or {}
    return {
        "enabled": group.get("HealthCheckEnabled", True),
        "healthy_threshold": group["HealthyThresholdCount"],
        "unhealthy_threshold": group["UnhealthyThresholdCount"],
        "interval": group["HealthCheckIntervalSeconds"],
        "timeout": group["HealthCheckTimeoutSeconds"],
        "port": group["HealthCheckPort"],
        "protocol": group["HealthCheckProtocol"],
        "path": group.get("HealthCheckPath", ""),
        "matcher": matcher.get("HttpCode") or matcher.get("GrpcCode") or "",
    }


def _stickiness_values(attributes: dict[str, str]) -> Values:
    kind = attributes.get("stickiness.type", "lb_cookie")
    return {
        "enabled": attributes.get("stickiness.enabled", "false"),
        "type": kind,
        "cookie_duration": attributes.get(f"stickiness.{kind}.duration_seconds", "86400"),
        "cookie_name": attributes.get("stickiness.app_cookie.cookie_name", ""),
    }


def _group_health_values(attributes: dict[str, str]) -> Values:
    defaults = {"dns_failover": "off", "unhealthy_state_routing": "1"}
    return {
        name: [
            {
                "minimum_healthy_targets_count": attributes.get(
                    f"{prefix}.minimum_healthy_targets.count", defaults[name]
                ),
                "minimum_healthy_targets_percentage": attributes.get(
                    f"{prefix}.minimum_healthy_targets.percentage", "off"
                ),
            }
        ]
        for name, prefix in _HEALTH
    }


def _update(aws: Aws, before: Values, values: Values) -> None:
    if changed(before, values, "health_check"):
        aws.call("elbv2", "modify_target_group", TargetGroupArn=values["id"], **_health_check(values))
    _set_attributes(aws, _wanted_attributes(before), values)


def _delete(aws: Aws, values: Values) -> None:
    aws.call("elbv2", "delete_target_group", TargetGroupArn=values["id"])


def _target(values: Values) -> dict[str, Any]:
    zone = values.get("availability_zone") or None
    return given(Id=values["target_id"], Port=values.get("port"), AvailabilityZone=zone)


def _create_target(aws: Aws, values: Values) -> Values:
    arn = values["target_group_arn"]
    aws.call("elbv2", "register_targets", TargetGroupArn=arn, Targets=[_target(values)])
    return {"id": f"{arn}-{values['target_id']}-{values.get('port') or ''}"}


def _read_target(aws: Aws, values: Values) -> Values | None:
    answer = aws.find(
        "elbv2", "describe_target_health", TargetGroupArn=values["target_group_arn"], Targets=[_target(values)]
    )
    for description in (answer or {}).get("TargetHealthDescriptions") or ():
        if description["TargetHealth"].get("Reason") not in ("Target.NotRegistered", "Target.DeregistrationInProgress"):
            return {}
    return None


def _delete_target(aws: Aws, values: Values) -> None:
    arn = values["target_group_arn"]
    aws.call("elbv2", "deregister_targets", TargetGroupArn=arn, Targets=[_target(values)])


_GROUP = ResourceType(create=_create, complete=_complete, read=_read, update=_update, delete=_delete, retag=retag_elbv2)
_ATTACHMENT = ResourceType(create=_create_target, read=_read_target, delete=_delete_target)
RESOURCES = {
    "aws_lb_target_group": _GROUP,
    "aws_alb_target_group": _GROUP,
    "aws_lb_target_group_attachment": _ATTACHMENT,
    "aws_alb_target_group_attachment": _ATTACHMENT,
}
