"""What can be changed on a load balancer: groups, subnets, address type, attributes; and its capacity, which cannot."""

import dataclasses

from tsubo.aws.elbv2.attributes import LOAD_BALANCER_ATTRIBUTES, changed, listed
from tsubo.aws.elbv2.load_balancers import availability_zones, check_ip_address_type
from tsubo.aws.elbv2.lookup import find_load_balancer, invalid, required
from tsubo.aws.elbv2.networks import check_security_groups, check_subnets, requested_subnet_ids
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.elbv2 import LoadBalancer


def set_security_groups(call: Call, request: Request) -> Response:
    """SetSecurityGroups: in place of those it has; the loop gives them to the nodes."""
    load_balancer = _load_balancer(call, request)
    requested = request.get("SecurityGroups") or ()
    if not requested:
        raise invalid("At least one security group must be specified")
    groups = check_security_groups(call, load_balancer.vpc_id, requested)
    call.put(dataclasses.replace(load_balancer, security_group_ids=groups))
    return {"SecurityGroupIds": list(groups)}


def set_subnets(call: Call, request: Request) -> Response:
    """SetSubnets: in place of those it has; the loop moves the nodes."""
    load_balancer = _load_balancer(call, request)
    standing_in = frozenset(load_balancer.subnet_ids)
    subnets = check_subnets(call, requested_subnet_ids(request), standing_in)
    if subnets[0].vpc_id != load_balancer.vpc_id:
        raise AwsError("InvalidConfigurationRequest", f"All subnets must belong to VPC '{load_balancer.vpc_id}'")
    moved = dataclasses.replace(load_balancer, subnet_ids=tuple(subnet.subnet_id for subnet in subnets))
    call.put(moved)
    return {"AvailabilityZones": availability_zones(call, moved), "IpAddressType": moved.ip_address_type}


def set_ip_address_type(call: Call, request: Request) -> Response:
    """SetIpAddressType: to ipv4, the one there is."""
    load_balancer = _load_balancer(call, request)
    kind = check_ip_address_type(required(request, "IpAddressType", "An IP address type"))
    call.put(dataclasses.replace(load_balancer, ip_address_type=kind))
    return {"IpAddressType": kind}


def modify_load_balancer_attributes(call: Call, request: Request) -> Response:
    """ModifyLoadBalancerAttributes: those named; answers all."""
    load_balancer = _load_balancer(call, request)
    attributes = changed(
        "Load balancer", LOAD_BALANCER_ATTRIBUTES, load_balancer.attributes, request.get("Attributes") or ()
    )
    call.put(dataclasses.replace(load_balancer, attributes=attributes))
    return {"Attributes": listed(LOAD_BALANCER_ATTRIBUTES, attributes)}


def describe_load_balancer_attributes(call: Call, request: Request) -> Response:
    """DescribeLoadBalancerAttributes: all of them."""
    return {"Attributes": listed(LOAD_BALANCER_ATTRIBUTES, _load_balancer(call, request).attributes)}


def describe_capacity_reservation(call: Call, request: Request) -> Response:
    """DescribeCapacityReservation: there is none, which the Terraform provider reads (section 6.8)."""
    _load_balancer(call, request)
    return {"DecreaseRequestsRemaining": 2, "CapacityReservationState": []}


def _load_balancer(call: Call, request: Request) -> LoadBalancer:
    return find_load_balancer(call, required(request, "LoadBalancerArn", "A load balancer ARN"))
