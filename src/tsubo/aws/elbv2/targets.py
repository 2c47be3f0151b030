"""Targets: RegisterTargets, DeregisterTargets, DescribeTargetHealth.

A target is an address and a port. Its health is what the engine's loop wrote from the health checker's reports; the
loop also removes a drained one. Sources: aws/alb-vpc-terraform.md sections 1.6 and 1.7.
"""

import dataclasses
import ipaddress
from dataclasses import dataclass

from tsubo.aws.elbv2.lookup import find_target_group, invalid, required
from tsubo.aws.elbv2.usage import load_balancers_by_target_group
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.elbv2 import Target, TargetGroup

PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(cidr) for cidr in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
)
NOT_IN_USE = {
    "State": "unused",
    "Reason": "Target.NotInUse",
    "Description": "Target group is not configured to receive traffic from the load balancer",
}
NOT_REGISTERED = {
    "State": "unused",
    "Reason": "Target.NotRegistered",
    "Description": "Target is not registered to the target group",
}
DRAINING = {
    "State": "draining",
    "Reason": "Target.DeregistrationInProgress",
    "Description": "Target deregistration is in progress",
}
NO_OVERRIDE = {
    "State": "no_override",
    "Reason": "AdministrativeOverride.NoOverride",
    "Description": "No override is currently active on target",
}


@dataclass(frozen=True)
class _Place:
    """What a TargetDescription names."""

    address: str
    port: int
    availability_zone: str | None


def register_targets(call: Call, request: Request) -> Response:
    """RegisterTargets: those not registered yet begin `initial`. Raises InvalidTarget, ValidationError."""
    group = _target_group(call, request)
    standing = _targets(call, group)
    for place in _places(request, group):
        zone = _zone(call, group, place)
        target = standing.get((place.address, place.port))
        if target is None:
            call.put(Target(group.arn, place.address, place.port, call.now, zone))
        elif target.draining_since is not None:
            raise AwsError(
                "InvalidTarget",
                f"The following targets are being deregistered and cannot be registered: '{place.address}'",
            )
    return {}


def deregister_targets(call: Call, request: Request) -> Response:
    """DeregisterTargets: drain them; without a port, on every port. Those not registered are passed over."""
    group = _target_group(call, request)
    for description in request.get("Targets") or ():
        for target in _targets(call, group).values():
            named = target.address == description["Id"] and description.get("Port") in (None, target.port)
            if named and target.draining_since is None:
                call.put(_draining(target, call.now))
    return {}


def describe_target_health(call: Call, request: Request) -> Response:
    """DescribeTargetHealth: of every target, or of those asked for."""
    group = _target_group(call, request)
    standing = _targets(call, group)
    in_use = group.arn in load_balancers_by_target_group(call.world)
    if not request.get("Targets"):
        return {"TargetHealthDescriptions": [_described(group, target, in_use) for target in standing.values()]}
    descriptions = []
    for place in _places(request, group):
        target = standing.get((place.address, place.port))
        if target is None:
            asked = {"Id": place.address, "Port": place.port}
            descriptions.append({"Target": asked, "TargetHealth": dict(NOT_REGISTERED)})
        else:
            descriptions.append(_described(group, target, in_use))
    return {"TargetHealthDescriptions": descriptions}


def _described(group: TargetGroup, target: Target, in_use: bool) -> Response:
    shown: Response = {"Id": target.address, "Port": target.port}
    if target.availability_zone is not None:
        shown["AvailabilityZone"] = target.availability_zone
    port = group.health_check.port
    return {
        "Target": shown,
        "HealthCheckPort": str(target.port) if port == "traffic-port" else port,
        "TargetHealth": _health(target, in_use),
        "AdministrativeOverride": dict(NO_OVERRIDE),
    }


def _health(target: Target, in_use: bool) -> Response:
    if target.draining_since is not None:
        return dict(DRAINING)
    if not in_use:
        return dict(NOT_IN_USE)
    health = {"State": target.state, "Reason": target.reason, "Description": target.description}
    return {name: value for name, value in health.items() if value is not None}


def _draining(target: Target, now: float) -> Target:
    return dataclasses.replace(
        target,
        draining_since=now,
        state="draining",
        reason=DRAINING["Reason"],
        description=DRAINING["Description"],
    )


def _places(request: Request, group: TargetGroup) -> list[_Place]:
    descriptions = request.get("Targets") or ()
    if not descriptions:
        raise invalid("At least one target must be specified")
    return [
        _Place(each["Id"], int(each.get("Port") or group.port), each.get("AvailabilityZone")) for each in descriptions
    ]


def _zone(call: Call, group: TargetGroup, place: _Place) -> str | None:
    """Return the zone of a target that may be registered: its subnet's, or `all` outside the VPC."""
    if group.target_type == "instance":
        raise AwsError("InvalidTarget", f"The following targets are not instances that exist: '{place.address}'")
    address = _address(place.address)
    if not 1 <= place.port <= 65535:
        raise invalid(f"Port '{place.port}' must be between '1' and '65535'")
    for subnet in call.world.subnets.values():
        if subnet.vpc_id == group.vpc_id and address in ipaddress.ip_network(subnet.cidr):
            return subnet.availability_zone
    if not any(address in network for network in PRIVATE_NETWORKS):
        raise invalid(
            f"The IP address '{address}' is not valid: it must be from the subnets of VPC '{group.vpc_id}' or from the "
            "ranges " + ", ".join(str(network) for network in PRIVATE_NETWORKS)
        )
    if address not in ipaddress.ip_network(call.world.vpcs[group.vpc_id].cidr) and place.availability_zone != "all":
        raise invalid(f"The IP address '{address}' is outside of the VPC; its Availability Zone must be 'all'")
    return place.availability_zone


def _address(text: str) -> ipaddress.IPv4Address:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError as error:
        raise invalid(f"The IP address '{text}' is not a valid IPv4 address") from error


def _targets(call: Call, group: TargetGroup) -> dict[tuple[str, int], Target]:
    targets = [each for each in call.world.targets.values() if each.target_group_arn == group.arn]
    return {(each.address, each.port): each for each in targets}


def _target_group(call: Call, request: Request) -> TargetGroup:
    return find_target_group(call, required(request, "TargetGroupArn", "A target group ARN"))
