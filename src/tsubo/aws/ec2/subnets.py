"""Subnets. A new one is associated with the VPC's default network ACL; interfaces take addresses out of it.

Source: aws/alb-vpc-terraform.md section 2.8.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network

from tsubo.aws.ec2.cidr import is_block_size, parse_cidr
from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.errors import dependency_violation, invalid_value, refuse_members, required, unsupported
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.lookup import find, missing, regional
from tsubo.aws.ec2.nat_gateways import occupies_subnet
from tsubo.aws.ec2.network_acls import associate_acl, default_acl, dissociate_acl
from tsubo.aws.ec2.route_tables import dissociate_table
from tsubo.aws.ec2.tags import shown_tags, tags_asked
from tsubo.aws.ec2.vpc_endpoints import uses
from tsubo.aws.ec2.zones import zones_of
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.supply import resource_id
from tsubo.model.vpc import NatGateway, NetworkInterface, Subnet, Vpc, VpcEndpoint

RESERVED_ADDRESSES = 5
"""The network's address, the router's, the resolver's, one for the future, and the last one."""

HOSTNAME_TYPES = ("ip-name", "resource-name")
NOT_RUN = ("Ipv6CidrBlock", "Ipv6Native", "Ipv4IpamPoolId", "Ipv6IpamPoolId", "OutpostArn")
NOT_RUN_ATTRIBUTES = (
    "AssignIpv6AddressOnCreation",
    "EnableDns64",
    "EnableResourceNameDnsAAAARecordOnLaunch",
    "MapCustomerOwnedIpOnLaunch",
)
FILTERS = {
    "availability-zone": "AvailabilityZone",
    "availabilityZone": "AvailabilityZone",
    "availability-zone-id": "AvailabilityZoneId",
    "availabilityZoneId": "AvailabilityZoneId",
    "available-ip-address-count": "AvailableIpAddressCount",
    "cidr": "CidrBlock",
    "cidr-block": "CidrBlock",
    "cidrBlock": "CidrBlock",
    "default-for-az": "DefaultForAz",
    "defaultForAz": "DefaultForAz",
    "map-public-ip-on-launch": "MapPublicIpOnLaunch",
    "owner-id": "OwnerId",
    "state": "State",
    "subnet-arn": "SubnetArn",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}


def create_subnet(call: Call, request: Request) -> Response:
    refuse_members(request, *NOT_RUN)
    vpc = find(call, Vpc, required(request, "VpcId"))
    network = _network_asked(call, vpc, required(request, "CidrBlock"))
    zone = _zone_asked(call, request)
    tags = tags_asked(request, "subnet")
    subnet = Subnet(resource_id(call.supply, "subnet"), vpc.vpc_id, call.region, zone, str(network), tags=tags)
    call.put(subnet)
    associate_acl(call, default_acl(call, vpc.vpc_id), subnet)
    return {"Subnet": _view(call, subnet, 0)}


def delete_subnet(call: Call, request: Request) -> None:
    subnet = find(call, Subnet, required(request, "SubnetId"))
    interfaces = any(one.subnet_id == subnet.subnet_id for one in regional(call, NetworkInterface))
    nat_gateways = any(one.subnet_id == subnet.subnet_id and occupies_subnet(one) for one in regional(call, NatGateway))
    load_balancers = any(subnet.subnet_id in one.subnet_ids for one in call.world.load_balancers.values())
    endpoints = any(uses(one, subnet.subnet_id) for one in regional(call, VpcEndpoint))
    if interfaces or nat_gateways or load_balancers or endpoints:
        raise dependency_violation("subnet", subnet.subnet_id)
    dissociate_table(call, subnet)
    dissociate_acl(call, subnet)
    call.delete(subnet)


def describe_subnets(call: Call, request: Request) -> Response:
    taken: dict[str, int] = {}
    for interface in regional(call, NetworkInterface):
        taken[interface.subnet_id] = taken.get(interface.subnet_id, 0) + 1
    views = [_view(call, subnet, taken.get(subnet.subnet_id, 0)) for subnet in regional(call, Subnet)]
    views = chosen(views, "SubnetId", request.get("SubnetIds"), missing(Subnet))
    return listed("Subnets", views, request, FILTERS, by="SubnetId")


def modify_subnet_attribute(call: Call, request: Request) -> None:
    subnet = find(call, Subnet, required(request, "SubnetId"))
    for member in NOT_RUN_ATTRIBUTES:
        if (request.get(member) or {}).get("Value"):
            raise unsupported(f"The subnet attribute {member}")
    if request.get("MapPublicIpOnLaunch") is not None:
        value = bool(request["MapPublicIpOnLaunch"].get("Value"))
        subnet = dataclasses.replace(subnet, map_public_ip_on_launch=value)
    if request.get("EnableResourceNameDnsARecordOnLaunch") is not None:
        value = bool(request["EnableResourceNameDnsARecordOnLaunch"].get("Value"))
        subnet = dataclasses.replace(subnet, resource_name_dns_a_record=value)
    hostname_type = request.get("PrivateDnsHostnameTypeOnLaunch")
    if hostname_type is not None:
        if hostname_type not in HOSTNAME_TYPES:
            raise invalid_value(f"Value ({hostname_type}) for parameter privateDnsHostnameTypeOnLaunch is invalid.")
        subnet = dataclasses.replace(subnet, hostname_type=hostname_type)
    call.put(subnet)


def _network_asked(call: Call, vpc: Vpc, text: str) -> IPv4Network:
    network = parse_cidr(text)
    if not is_block_size(network) or not network.subnet_of(IPv4Network(vpc.cidr)):
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{text}' is invalid.")
    for other in regional(call, Subnet):
        if other.vpc_id == vpc.vpc_id and network.overlaps(IPv4Network(other.cidr)):
            raise AwsError("InvalidSubnet.Conflict", f"The CIDR '{text}' conflicts with another subnet")
    return network


def _zone_asked(call: Call, request: Request) -> str:
    zones = zones_of(call.region)
    if request.get("AvailabilityZoneId"):
        for name, identifier in zones.items():
            if identifier == request["AvailabilityZoneId"]:
                return name
        raise _invalid_zone(request["AvailabilityZoneId"], "availabilityZoneId", zones.values())
    zone = str(request.get("AvailabilityZone") or next(iter(zones)))
    if zone not in zones:
        raise _invalid_zone(zone, "availabilityZone", zones)
    return zone


def _invalid_zone(value: str, parameter: str, zones: Iterable[str]) -> AwsError:
    return invalid_value(
        f"Value ({value}) for parameter {parameter} is invalid. Subnets can currently only be created in the "
        f"following availability zones: {', '.join(zones)}."
    )


def _view(call: Call, subnet: Subnet, taken: int) -> View:
    return {
        "SubnetId": subnet.subnet_id,
        "SubnetArn": call.arn("ec2", f"subnet/{subnet.subnet_id}"),
        "VpcId": subnet.vpc_id,
        "OwnerId": call.account_id,
        "State": "available",
        "CidrBlock": subnet.cidr,
        "Ipv6CidrBlockAssociationSet": [],
        "AvailabilityZone": subnet.availability_zone,
        "AvailabilityZoneId": zones_of(call.region)[subnet.availability_zone],
        "AvailableIpAddressCount": IPv4Network(subnet.cidr).num_addresses - RESERVED_ADDRESSES - taken,
        "DefaultForAz": subnet.default_for_az,
        "MapPublicIpOnLaunch": subnet.map_public_ip_on_launch,
        "MapCustomerOwnedIpOnLaunch": False,
        "AssignIpv6AddressOnCreation": False,
        "EnableDns64": False,
        "Ipv6Native": False,
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": subnet.hostname_type,
            "EnableResourceNameDnsARecord": subnet.resource_name_dns_a_record,
            "EnableResourceNameDnsAAAARecord": False,
        },
        "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
        **shown_tags(subnet.tags),
    }


OPERATIONS: Mapping[str, Operation] = {
    "CreateSubnet": create_subnet,
    "DeleteSubnet": delete_subnet,
    "DescribeSubnets": describe_subnets,
    "ModifySubnetAttribute": modify_subnet_attribute,
}
