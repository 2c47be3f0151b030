"""A small VPC to test with: a public, a private and an isolated subnet, an internet gateway, a NAT gateway, groups."""

from tsubo.core.ipam import mac_address
from tsubo.model.identity import EngineIdentity
from tsubo.model.vpc import (
    InterfaceOwner,
    InternetGateway,
    NatGateway,
    NetworkInterface,
    Route,
    RouteTable,
    RouteTableAssociation,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from tsubo.model.world import Record, World

REGION = "ap-northeast-1"


def empty_world(engine_id: str = "0a1b2c3d") -> World:
    return World(EngineIdentity(engine_id))


def vpc_records(name: str, nat_public_ip: str) -> list[Record]:
    """Return the VPC `vpc-NAME` (10.0.0.0/16): its subnets, route tables and gateways, all named after it."""
    vpc_id, nat_id = f"vpc-{name}", f"nat-{name}"
    nat = interface(f"nat-{name}", name, "public", "10.0.1.5", (), owner="nat_gateway", public_ip=nat_public_ip)
    return [
        Vpc(vpc_id, REGION, "10.0.0.0/16"),
        subnet(name, "public", "10.0.1.0/24"),
        subnet(name, "private", "10.0.10.0/24"),
        subnet(name, "isolated", "10.0.20.0/24"),
        InternetGateway(f"igw-{name}", REGION, vpc_id),
        nat,
        NatGateway(
            nat_id, nat.subnet_id, vpc_id, REGION, 0.0, state="available", network_interface_id=nat.network_interface_id
        ),
        table(name, "main", (), RouteTableAssociation(f"main-{name}", main=True)),
        table(name, "public", (Route("0.0.0.0/0", gateway_id=f"igw-{name}"),), associated(name, "public")),
        table(name, "private", (Route("0.0.0.0/0", nat_gateway_id=nat_id),), associated(name, "private")),
    ]


def subnet(vpc: str, kind: str, cidr: str) -> Subnet:
    return Subnet(f"subnet-{kind}-{vpc}", f"vpc-{vpc}", REGION, f"{REGION}a", cidr)


def table(vpc: str, kind: str, routes: tuple[Route, ...], association: RouteTableAssociation) -> RouteTable:
    return RouteTable(f"rtb-{kind}-{vpc}", f"vpc-{vpc}", REGION, routes, (association,))


def associated(vpc: str, kind: str) -> RouteTableAssociation:
    return RouteTableAssociation(f"rtbassoc-{kind}-{vpc}", f"subnet-{kind}-{vpc}")


def interface(
    name: str,
    vpc: str,
    subnet_kind: str,
    private_ip: str,
    groups: tuple[str, ...],
    *,
    owner: InterfaceOwner = "task",
    public_ip: str | None = None,
) -> NetworkInterface:
    """Return the interface `eni-NAME`."""
    return NetworkInterface(
        network_interface_id=f"eni-{name}",
        subnet_id=f"subnet-{subnet_kind}-{vpc}",
        vpc_id=f"vpc-{vpc}",
        region=REGION,
        availability_zone=f"{REGION}a",
        private_ip=private_ip,
        mac=mac_address(private_ip),
        owner=owner,
        owner_id=name,
        attachment_id=f"attach-{name}",
        created_at=0.0,
        security_group_ids=groups,
        public_ip=public_ip,
    )


def group(group_id: str, vpc: str, *rules: SecurityGroupRule) -> list[Record]:
    return [SecurityGroup(group_id, f"vpc-{vpc}", REGION, group_id, "for a test"), *rules]


def ingress(
    group_id: str,
    protocol: str = "tcp",
    ports: tuple[int, int] = (80, 80),
    *,
    cidr: str | None = None,
    source: str | None = None,
    cidr_ipv6: str | None = None,
) -> SecurityGroupRule:
    key = f"sgr-in-{group_id}-{protocol}-{ports[0]}-{cidr or source or cidr_ipv6}"
    return SecurityGroupRule(
        key, group_id, REGION, False, protocol, *ports, cidr=cidr, cidr_ipv6=cidr_ipv6, referenced_group_id=source
    )


def egress(
    group_id: str, protocol: str = "-1", ports: tuple[int, int] = (-1, -1), cidr: str = "0.0.0.0/0"
) -> SecurityGroupRule:
    return SecurityGroupRule(
        f"sgr-out-{group_id}-{protocol}-{ports[0]}-{cidr}", group_id, REGION, True, protocol, *ports, cidr=cidr
    )
