"""A VPC's route tables as AWS sees them: which table a subnet uses, where its routes lead, whose public address works.

The router (where packets go) and the firewall (what the internet gateway maps) both ask here, so that they cannot
disagree. Source: aws/alb-vpc-terraform.md sections 2.5 and 2.6.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tsubo.model.vpc import NetworkInterface, Route, RouteTable, Subnet
from tsubo.model.world import World


@dataclass(frozen=True)
class Destination:
    """Where a route of a table leads. `interface` is the NAT gateway's where the kind is `nat`."""

    cidr: str
    kind: Literal["internet", "nat", "blackhole"]
    interface: NetworkInterface | None = None


def subnets_of(world: World, vpc_id: str) -> list[Subnet]:
    """Return a VPC's subnets, by id."""
    return sorted((s for s in world.subnets.values() if s.vpc_id == vpc_id), key=lambda s: s.subnet_id)


def interfaces_of(world: World, vpc_id: str) -> list[NetworkInterface]:
    """Return those of a VPC's interfaces that have something behind them, by id.

    An interface of a user stands alone here (there are no instances to attach it to): nothing answers at it.
    """
    interfaces = (i for i in world.network_interfaces.values() if i.vpc_id == vpc_id and i.owner != "user")
    return sorted(interfaces, key=lambda i: i.network_interface_id)


def attached_gateway(world: World, vpc_id: str) -> str | None:
    """Return the id of the internet gateway attached to a VPC, if one is."""
    return min((g.internet_gateway_id for g in world.internet_gateways.values() if g.vpc_id == vpc_id), default=None)


def table_of(world: World, subnet: Subnet) -> RouteTable | None:
    """Return the table a subnet uses: the one associated with it, else the VPC's main one."""
    main = None
    for table in world.route_tables.values():
        if table.vpc_id != subnet.vpc_id:
            continue
        for association in table.associations:
            if association.subnet_id == subnet.subnet_id:
                return table
            if association.main:
                main = table
    return main


def destinations(world: World, table: RouteTable) -> Iterator[Destination]:
    """Yield where a table's IPv4 routes lead, in no order (the longest prefix wins); not the implied local route."""
    for route in table.routes:
        if ":" not in route.destination_cidr:
            yield _destination(world, table.vpc_id, route)


def public_interfaces(world: World, vpc_id: str) -> list[NetworkInterface]:
    """Return the VPC's interfaces whose public address works: their subnet has a route to the internet gateway."""
    if attached_gateway(world, vpc_id) is None:
        return []
    public = {s.subnet_id for s in subnets_of(world, vpc_id) if _is_public(world, s)}
    return [i for i in interfaces_of(world, vpc_id) if i.public_ip is not None and i.subnet_id in public]


def _is_public(world: World, subnet: Subnet) -> bool:
    table = table_of(world, subnet)
    return table is not None and any(d.kind == "internet" for d in destinations(world, table))


def _destination(world: World, vpc_id: str, route: Route) -> Destination:
    """Return where a route leads; a route whose target is gone, detached or not run is a black hole."""
    if route.gateway_id is not None and route.gateway_id == attached_gateway(world, vpc_id):
        return Destination(route.destination_cidr, "internet")
    nat_gateway = world.nat_gateways.get(route.nat_gateway_id or "")
    if nat_gateway is not None and nat_gateway.vpc_id == vpc_id:
        interface = world.network_interfaces.get(nat_gateway.network_interface_id or "")
        if interface is not None and interface.owner == "nat_gateway":
            return Destination(route.destination_cidr, "nat", interface)
    return Destination(route.destination_cidr, "blackhole")
