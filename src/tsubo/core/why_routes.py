"""Where a subnet's route table leads an address: the longest prefix, with the reason where it leads nowhere.

Written apart from the router on purpose. Source: aws/alb-vpc-terraform.md sections 2.5 and 2.6.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

from tsubo.core.why_match import in_range
from tsubo.model.vpc import NatGateway, NetworkInterface, Route, RouteTable, Subnet
from tsubo.model.world import World


@dataclass(frozen=True)
class Choice:
    """The route that decides. `table` is None in a VPC without tables, `cidr` None where no route fits; `target` is
    the gateway's id. Of a black hole, `reason` says why it is one; of a NAT gateway, `interface` is where it stands."""

    kind: Literal["local", "internet", "nat", "blackhole", "none"]
    table: RouteTable | None
    cidr: str | None = None
    target: str = ""
    reason: str = ""
    interface: NetworkInterface | None = None


def choose(world: World, subnet: Subnet, address: str) -> Choice:
    """Return the route that packets from a subnet to an address take."""
    table = table_of(world, subnet)
    local_cidr = world.vpcs[subnet.vpc_id].cidr
    fitting = [r for r in (table.routes if table else ()) if in_range(address, r.destination_cidr)]
    longest = max(fitting, key=lambda r: _prefix_length(r.destination_cidr), default=None)
    if in_range(address, local_cidr) and (
        longest is None or _prefix_length(local_cidr) >= _prefix_length(longest.destination_cidr)
    ):
        return Choice("local", table, local_cidr, "local")
    return Choice("none", table) if longest is None or table is None else _follow(world, table, longest)


def table_of(world: World, subnet: Subnet) -> RouteTable | None:
    """Return a subnet's route table: its own, else the main one of its VPC."""
    tables = [t for t in world.route_tables.values() if t.vpc_id == subnet.vpc_id]
    own = [t for t in tables if any(a.subnet_id == subnet.subnet_id for a in t.associations)]
    main = [t for t in tables if any(a.main for a in t.associations)]
    return next(iter(own or main), None)


def leads_to_internet(world: World, subnet: Subnet) -> bool:
    """Say whether a subnet is public: a route of its table leads to the VPC's own internet gateway."""
    table = table_of(world, subnet)
    return table is not None and any(_follow(world, table, r).kind == "internet" for r in table.routes)


def gateway_of(world: World, vpc_id: str) -> str | None:
    """Return the id of a VPC's internet gateway, if it has one."""
    return next((g.internet_gateway_id for g in world.internet_gateways.values() if g.vpc_id == vpc_id), None)


def _prefix_length(cidr: str) -> int:
    return IPv4Network(cidr, strict=False).prefixlen


def _follow(world: World, table: RouteTable, route: Route) -> Choice:
    cidr = route.destination_cidr
    if route.gateway_id is not None:
        gateway = world.internet_gateways.get(route.gateway_id)
        if gateway is not None and gateway.vpc_id == table.vpc_id:
            return Choice("internet", table, cidr, route.gateway_id)
        reason = "does not exist" if gateway is None else f"is not attached to {table.vpc_id}"
        return Choice("blackhole", table, cidr, route.gateway_id, f"the internet gateway {reason}")
    if route.nat_gateway_id is not None:
        return _follow_nat(world, table, cidr, route.nat_gateway_id)
    target = route.vpc_peering_connection_id or route.vpc_endpoint_id or route.network_interface_id or ""
    return Choice("blackhole", table, cidr, target, "Tsubo does not run such a target, and drops what goes there")


def _follow_nat(world: World, table: RouteTable, cidr: str, gateway_id: str) -> Choice:
    gateway = world.nat_gateways.get(gateway_id)
    interface = world.network_interfaces.get(gateway.network_interface_id or "") if gateway else None
    if gateway is None or gateway.vpc_id != table.vpc_id or interface is None:
        return Choice("blackhole", table, cidr, gateway_id, _why_gone(gateway))
    return Choice("nat", table, cidr, gateway_id, interface=interface)


def _why_gone(gateway: NatGateway | None) -> str:
    if gateway is None:
        return "the NAT gateway does not exist"
    failure = f": {gateway.failure_message}" if gateway.failure_message else ""
    return f"the NAT gateway is {gateway.state}{failure}"
