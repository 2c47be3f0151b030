"""Which task can fetch an image from ECR: aws/alb-vpc-terraform.md sections 2.7 and 5.3."""

from dataclasses import replace

import pytest

from tsubo.core.registry_road import unreachable_service
from tsubo.model.identity import EngineIdentity
from tsubo.model.vpc import (
    InterfaceOwner,
    InternetGateway,
    NatGateway,
    NetworkInterface,
    Route,
    RouteTable,
    RouteTableAssociation,
    Subnet,
    Vpc,
    VpcEndpoint,
)
from tsubo.model.world import World

REGION = "eu-west-1"
VPC = Vpc("vpc-1", REGION, "10.0.0.0/16")
PUBLIC = Subnet("subnet-public", VPC.vpc_id, REGION, f"{REGION}a", "10.0.1.0/24")
PRIVATE = Subnet("subnet-private", VPC.vpc_id, REGION, f"{REGION}a", "10.0.2.0/24")
GATEWAY = InternetGateway("igw-1", REGION, VPC.vpc_id)


def table(name: str, subnet: Subnet, *routes: Route) -> RouteTable:
    return RouteTable(name, VPC.vpc_id, REGION, routes, (RouteTableAssociation(f"assoc-{name}", subnet.subnet_id),))


def interface(
    subnet: Subnet, public_ip: str | None = None, owner: InterfaceOwner = "task", name: str = "eni-1"
) -> NetworkInterface:
    return NetworkInterface(
        name,
        subnet.subnet_id,
        VPC.vpc_id,
        REGION,
        subnet.availability_zone,
        subnet.cidr.replace(".0/24", ".10" if owner == "task" else ".20"),
        "02:00:00:00:00:01",
        owner,
        "owner",
        "eni-attach-1",
        0.0,
        public_ip=public_ip,
    )


NAT_INTERFACE = interface(PUBLIC, "203.0.113.5", "nat_gateway", "eni-nat")
NAT = NatGateway("nat-1", PUBLIC.subnet_id, VPC.vpc_id, REGION, 0.0, network_interface_id="eni-nat", state="available")
TO_INTERNET = Route("0.0.0.0/0", gateway_id="igw-1")
TO_NAT = Route("0.0.0.0/0", nat_gateway_id="nat-1")
WORLD = World(EngineIdentity("0011aabb")).with_records(
    VPC,
    PUBLIC,
    PRIVATE,
    GATEWAY,
    NAT,
    NAT_INTERFACE,
    table("rtb-public", PUBLIC, TO_INTERNET),
    table("rtb-private", PRIVATE),
)


def endpoint(service: str, kind: str, *tables: str, private_dns: bool = True) -> VpcEndpoint:
    return VpcEndpoint(
        f"vpce-{service}",
        VPC.vpc_id,
        REGION,
        f"com.amazonaws.{REGION}.{service}",
        0.0,
        kind,  # type: ignore[arg-type]
        route_table_ids=tables,
        private_dns_enabled=private_dns,
    )


API, DKR = endpoint("ecr.api", "Interface"), endpoint("ecr.dkr", "Interface")
S3 = endpoint("s3", "Gateway", "rtb-private")


def test_a_public_subnet_needs_a_public_address() -> None:
    for address, missing in (("203.0.113.9", None), (None, "ecr.api")):
        task = interface(PUBLIC, address)
        assert unreachable_service(WORLD.with_records(task), task) == missing


def test_a_private_subnet_needs_a_nat_gateway_that_has_a_road_itself() -> None:
    task = interface(PRIVATE)
    world = WORLD.with_records(task, table("rtb-private", PRIVATE, TO_NAT))
    assert unreachable_service(world, task) is None
    assert unreachable_service(world.without(GATEWAY), task) == "ecr.api"
    assert unreachable_service(world.with_records(replace(NAT_INTERFACE, public_ip=None)), task) == "ecr.api"


@pytest.mark.parametrize(
    ("endpoints", "missing"),
    [
        ((), "ecr.api"),
        ((API,), "ecr.dkr"),
        ((API, DKR), "s3"),
        ((API, DKR, S3), None),
        ((replace(API, private_dns_enabled=False), DKR, S3), "ecr.api"),
        ((API, DKR, replace(S3, route_table_ids=("rtb-public",))), "s3"),
        ((API, DKR, replace(S3, type="Interface", private_dns_enabled=False)), None),
        ((API, replace(DKR, vpc_id="vpc-2"), S3), "ecr.dkr"),
    ],
)
def test_a_subnet_without_either_needs_all_three_endpoints(
    endpoints: tuple[VpcEndpoint, ...], missing: str | None
) -> None:
    task = interface(PRIVATE)
    assert unreachable_service(WORLD.with_records(task, *endpoints), task) == missing
