"""Target groups: their operations and those on their attributes. Source: aws/alb-vpc-terraform.md section 1.6."""

import dataclasses
import re
from typing import Any

from tsubo.aws.elbv2.arns import target_group_arn
from tsubo.aws.elbv2.attributes import TARGET_GROUP_ATTRIBUTES, changed, defaults, listed
from tsubo.aws.elbv2.health_checks import default_health_check, health_check_shape, requested_health_check
from tsubo.aws.elbv2.lookup import find_load_balancer, find_target_group, invalid, of_region, paged, required
from tsubo.aws.elbv2.tags import parse_tags
from tsubo.aws.elbv2.usage import load_balancers_by_target_group
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.elbv2 import TargetGroup
from tsubo.model.world import World

LONGEST_NAME = 32
PROTOCOLS = ("HTTP", "HTTPS")
PROTOCOL_VERSIONS = ("HTTP1", "HTTP2", "GRPC")
TARGET_TYPES = ("ip", "instance")


def create_target_group(call: Call, request: Request) -> Response:
    """CreateTargetGroup. The same name with the same settings is the same target group."""
    new = _requested(call, request)
    for standing in of_region(call, TargetGroup):
        if standing.name == new.name:
            if dataclasses.replace(new, arn=standing.arn, attributes=standing.attributes) != standing:
                raise AwsError(
                    "DuplicateTargetGroupName",
                    f"A target group with the same name '{new.name}' exists, but with different settings",
                )
            return {"TargetGroups": [target_group_shape(call.world, standing)]}
    call.put(new)
    return {"TargetGroups": [target_group_shape(call.world, new)]}


def modify_target_group(call: Call, request: Request) -> Response:
    """ModifyTargetGroup: its health check, what the request names of it."""
    group = _target_group(call, request)
    check = requested_health_check(request, group.health_check, group.protocol_version)
    group = dataclasses.replace(group, health_check=check)
    call.put(group)
    return {"TargetGroups": [target_group_shape(call.world, group)]}


def describe_target_groups(call: Call, request: Request) -> Response:
    """DescribeTargetGroups: all, those of a load balancer, or those named by Names or TargetGroupArns."""
    shown, more = paged(request, _chosen(call, request))
    return {"TargetGroups": [target_group_shape(call.world, group) for group in shown], **more}


def delete_target_group(call: Call, request: Request) -> Response:
    """DeleteTargetGroup: with its targets. One that does not exist is deleted already."""
    group = call.world.target_groups.get(required(request, "TargetGroupArn", "A target group ARN"))
    if group is None:
        return {}
    if group.arn in load_balancers_by_target_group(call.world):
        raise AwsError("ResourceInUse", f"Target group '{group.arn}' is currently in use by a listener or a rule")
    call.delete(group, *(each for each in call.world.targets.values() if each.target_group_arn == group.arn))
    return {}


def modify_target_group_attributes(call: Call, request: Request) -> Response:
    """ModifyTargetGroupAttributes: those named; answers all."""
    group = _target_group(call, request)
    attributes = changed("Target group", TARGET_GROUP_ATTRIBUTES, group.attributes, request.get("Attributes") or ())
    _check_together(attributes)
    call.put(dataclasses.replace(group, attributes=attributes))
    return {"Attributes": listed(TARGET_GROUP_ATTRIBUTES, attributes)}


def describe_target_group_attributes(call: Call, request: Request) -> Response:
    """DescribeTargetGroupAttributes: all of them."""
    return {"Attributes": listed(TARGET_GROUP_ATTRIBUTES, _target_group(call, request).attributes)}


def target_group_shape(world: World, group: TargetGroup) -> Response:
    """Return a target group in the form AWS answers."""
    return {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        "Protocol": group.protocol,
        "ProtocolVersion": group.protocol_version,
        "Port": group.port,
        "VpcId": group.vpc_id,
        "TargetType": group.target_type,
        "IpAddressType": group.ip_address_type,
        "LoadBalancerArns": sorted(load_balancers_by_target_group(world).get(group.arn, ())),
        **health_check_shape(group.health_check, group.protocol_version),
    }


def _chosen(call: Call, request: Request) -> list[TargetGroup]:
    names, arns, load_balancer = (request.get(name) for name in ("Names", "TargetGroupArns", "LoadBalancerArn"))
    if sum(bool(given) for given in (names, arns, load_balancer)) > 1:
        raise invalid(
            "Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time"
        )
    groups = sorted(of_region(call, TargetGroup), key=lambda group: group.name)
    if load_balancer:
        find_load_balancer(call, load_balancer)
        users = load_balancers_by_target_group(call.world)
        return [group for group in groups if load_balancer in users.get(group.arn, ())]
    if not names and not arns:
        return groups
    wanted = set(names or arns or ())
    chosen = [group for group in groups if (group.name if names else group.arn) in wanted]
    if len(chosen) < len(wanted):
        raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    return chosen


def _requested(call: Call, request: Request) -> TargetGroup:
    name = _check_name(required(request, "Name", "A target group name"))
    target_type = request.get("TargetType") or "instance"
    if target_type not in TARGET_TYPES:
        raise AwsError("InvalidConfigurationRequest", f"The target type '{target_type}' is not supported by Tsubo")
    protocol = required(request, "Protocol", "A protocol")
    if protocol not in PROTOCOLS:
        raise AwsError(
            "InvalidConfigurationRequest", f"Target groups with the protocol '{protocol}' are not supported by Tsubo"
        )
    version = request.get("ProtocolVersion") or "HTTP1"
    _check_one_of("Protocol version", version, PROTOCOL_VERSIONS)
    _check_one_of("IP address type", request.get("IpAddressType") or "ipv4", ("ipv4",))
    return TargetGroup(
        arn=target_group_arn(call, name),
        name=name,
        region=call.region,
        protocol=protocol,
        port=_check_port(request),
        vpc_id=_check_vpc(call, required(request, "VpcId", "A VPC ID")),
        target_type=target_type,
        health_check=requested_health_check(request, default_health_check(version), version),
        protocol_version=version,
        attributes=defaults(TARGET_GROUP_ATTRIBUTES),
        tags=parse_tags(request.get("Tags")),
    )


def _check_name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise invalid(f"Target group name '{name}' cannot be longer than '{LONGEST_NAME}' characters")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise invalid(
            f"Target group name '{name}' can only contain characters that are alphanumeric characters or hyphens(-)"
        )
    if name.startswith("-") or name.endswith("-"):
        raise invalid(f"Target group name '{name}' cannot begin or end with '-'")
    return name


def _check_port(request: Request) -> int:
    port = int(required(request, "Port", "A port"))
    if not 1 <= port <= 65535:
        raise invalid(f"Port '{port}' must be between '1' and '65535'")
    return port


def _check_vpc(call: Call, vpc_id: str) -> str:
    vpc = call.world.vpcs.get(vpc_id)
    if vpc is None or vpc.region != call.region:
        raise invalid(f"The VPC ID '{vpc_id}' is not found")
    return vpc_id


def _check_one_of(what: str, value: Any, values: tuple[str, ...]) -> None:
    if value not in values:
        raise invalid(f"{what} '{value}' must be one of '[{', '.join(values)}]'")


def _check_together(attributes: dict[str, str]) -> None:
    """Raise InvalidConfigurationRequest for attributes that exclude each other."""
    if (
        attributes["stickiness.enabled"] == "true"
        and attributes["stickiness.type"] == "app_cookie"
        and not attributes["stickiness.app_cookie.cookie_name"]
    ):
        raise AwsError(
            "InvalidConfigurationRequest",
            "You must set an application cookie name to enable stickiness of type 'app_cookie'",
        )
    algorithm = attributes["load_balancing.algorithm.type"]
    if attributes["slow_start.duration_seconds"] != "0" and algorithm != "round_robin":
        raise AwsError(
            "InvalidConfigurationRequest",
            f"You cannot enable slow start with the load balancing algorithm '{algorithm}'",
        )
    if attributes["load_balancing.algorithm.anomaly_mitigation"] == "on" and algorithm != "weighted_random":
        raise AwsError(
            "InvalidConfigurationRequest", "Anomaly mitigation needs the load balancing algorithm 'weighted_random'"
        )


def _target_group(call: Call, request: Request) -> TargetGroup:
    return find_target_group(call, required(request, "TargetGroupArn", "A target group ARN"))
