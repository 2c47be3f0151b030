"""CreateDefaultVpc: the VPC, public subnets, internet gateway and route that AWS gives a new account, on request.

No region has them from the start (see `vpcs`).
"""

import dataclasses
from collections.abc import Mapping
from ipaddress import IPv4Network

from tsubo.aws.ec2.internet_gateways import attach_internet_gateway, create_internet_gateway
from tsubo.aws.ec2.lookup import default_vpc, find, regional
from tsubo.aws.ec2.route_tables import is_main
from tsubo.aws.ec2.routes import create_route
from tsubo.aws.ec2.subnets import create_subnet
from tsubo.aws.ec2.vpcs import create_vpc, describe_vpcs
from tsubo.aws.ec2.zones import zones_of
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.vpc import RouteTable, Subnet, Vpc

CIDR = "172.31.0.0/16"
SUBNET_PREFIX = 20


def create_default_vpc(call: Call, request: Request) -> Response:
    if default_vpc(call):
        raise AwsError("DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region.")
    vpc_id = create_vpc(call, {"CidrBlock": CIDR})["Vpc"]["VpcId"]
    vpc = find(call, Vpc, vpc_id)
    call.put(dataclasses.replace(vpc, is_default=True, enable_dns_hostnames=True))
    for zone, network in zip(zones_of(call.region), IPv4Network(CIDR).subnets(new_prefix=SUBNET_PREFIX), strict=False):
        created = create_subnet(call, {"VpcId": vpc_id, "CidrBlock": str(network), "AvailabilityZone": zone})
        subnet = find(call, Subnet, created["Subnet"]["SubnetId"])
        call.put(dataclasses.replace(subnet, map_public_ip_on_launch=True, default_for_az=True))
    _open_to_internet(call, vpc_id)
    return {"Vpc": describe_vpcs(call, {"VpcIds": [vpc_id]})["Vpcs"][0]}


def _open_to_internet(call: Call, vpc_id: str) -> None:
    gateway_id = create_internet_gateway(call, {})["InternetGateway"]["InternetGatewayId"]
    attach_internet_gateway(call, {"InternetGatewayId": gateway_id, "VpcId": vpc_id})
    main = next(table for table in regional(call, RouteTable) if table.vpc_id == vpc_id and is_main(table))
    create_route(
        call,
        {"RouteTableId": main.route_table_id, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway_id},
    )


OPERATIONS: Mapping[str, Operation] = {"CreateDefaultVpc": create_default_vpc}
