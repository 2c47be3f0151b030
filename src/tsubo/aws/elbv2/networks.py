"""The subnets and security groups of a load balancer: which it may have.

Source: aws/alb-vpc-terraform.md section 1.1.
"""

import ipaddress
from collections.abc import Iterable

from tsubo.aws.elbv2.lookup import invalid
from tsubo.aws.operations import AwsError, Call, Request
from tsubo.model.vpc import Subnet

FEWEST_ZONES = 2
FEWEST_FREE_ADDRESSES = 8
RESERVED_ADDRESSES = 5
LARGEST_PREFIX = 27


def requested_subnet_ids(request: Request) -> list[str]:
    """Return the subnets a request names, in Subnets or in SubnetMappings (whose addresses only other types take)."""
    mappings = request.get("SubnetMappings") or ()
    return list(request.get("Subnets") or ()) + [mapping["SubnetId"] for mapping in mappings]


def check_subnets(call: Call, subnet_ids: Iterable[str], standing_in: frozenset[str] = frozenset()) -> list[Subnet]:
    """Return the subnets of a load balancer.

    `standing_in` are those where it has a node already, which needs no more room. Raises SubnetNotFound,
    ValidationError (fewer than two zones), InvalidConfigurationRequest, InvalidSubnet (too little room).
    """
    subnets = [_subnet(call, subnet_id) for subnet_id in subnet_ids]
    zones = {subnet.availability_zone for subnet in subnets}
    if len(zones) < len(subnets):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if len(zones) < FEWEST_ZONES:
        raise invalid("At least two subnets in two different Availability Zones must be specified")
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        raise AwsError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
    for subnet in subnets:
        if subnet.subnet_id not in standing_in:
            _check_room(call, subnet)
    return subnets


def check_internet_gateway(call: Call, vpc_id: str) -> None:
    """Raise InvalidSubnet unless the VPC has an internet gateway, which an internet-facing load balancer needs."""
    if not any(gateway.vpc_id == vpc_id for gateway in call.world.internet_gateways.values()):
        raise AwsError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")


def check_security_groups(call: Call, vpc_id: str, group_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the groups of a load balancer: those named, or its VPC's default one when none is."""
    group_ids = tuple(group_ids)
    of_vpc = {group.group_id: group for group in call.world.security_groups.values() if group.vpc_id == vpc_id}
    if not set(group_ids) <= set(of_vpc):
        raise AwsError("InvalidConfigurationRequest", "One or more security groups are invalid")
    return group_ids or tuple(group_id for group_id, group in of_vpc.items() if group.name == "default")


def _subnet(call: Call, subnet_id: str) -> Subnet:
    subnet = call.world.subnets.get(subnet_id)
    if subnet is None or subnet.region != call.region:
        raise AwsError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")
    return subnet


def _check_room(call: Call, subnet: Subnet) -> None:
    network = ipaddress.ip_network(subnet.cidr)
    used = sum(interface.subnet_id == subnet.subnet_id for interface in call.world.network_interfaces.values())
    free = network.num_addresses - RESERVED_ADDRESSES - used
    if network.prefixlen > LARGEST_PREFIX or free < FEWEST_FREE_ADDRESSES:
        raise AwsError(
            "InvalidSubnet",
            f"Not enough IP space available in {subnet.subnet_id}. "
            f"ELB requires at least {FEWEST_FREE_ADDRESSES} free IP addresses in each subnet.",
        )
