"""The way of a packet through the VPC and the internet: routes, network ACLs, security groups, gateways, and back.

    sender's route -> its subnet's ACL out -> its groups -> [NAT gateway | internet gateway] -> the receiver's subnet's
    ACL in -> the receiver's groups -> the replies' ACLs and, from outside, their route

A NAT gateway sends on as a sender of its own; what goes out by an internet gateway may come in by one again. Written
apart from the router and the firewall on purpose. Source: aws/alb-vpc-terraform.md sections 2.1, 2.5, 2.6 and 2.10.
"""

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from typing import NoReturn

from tsubo.core import why_acls, why_groups, why_routes, why_terraform
from tsubo.core.dns import LINK_LOCAL_RESOLVER, resolver_addresses
from tsubo.core.why_match import Flow, in_range
from tsubo.core.why_trail import Trail, named, owner_name, subnet_name
from tsubo.model.ecs import Task
from tsubo.model.vpc import NetworkInterface, Subnet, Vpc

CLOSED_INTERNET = ("198.51.100.0/24", why_terraform.CLOSED_INTERNET_CLIENTS)
"""The addresses that hosts and clients of the closed internet have; no other is anyone's there."""
DNS_PORT = (53, 53)


@dataclass(frozen=True)
class Arrival:
    """Where a packet ends, and whom its receiver sees as the sender. Without an `interface` that is a host of the
    internet, or the `resolver` of the sender's VPC."""

    source: str
    interface: NetworkInterface | None = None
    resolver: bool = False


def from_interface(trail: Trail, sender: NetworkInterface, flow: Flow, passed: tuple[str, ...] = ()) -> Arrival:
    """Follow a packet that an interface sends. `passed` are the NAT gateways on the way here. Stops where denied."""
    world = trail.world
    if flow.destination == sender.private_ip:
        trail.allow(
            "address", f"{flow.destination} is the sender's own address: the packets never leave its interface."
        )
        return Arrival(flow.source, sender)
    vpc, subnet = world.vpcs[sender.vpc_id], world.subnets[sender.subnet_id]
    if flow.destination == LINK_LOCAL_RESOLVER or flow.destination in _resolvers(vpc):
        return _to_resolver(trail, vpc, flow)
    route = why_routes.choose(world, subnet, flow.destination)
    _say_route(trail, subnet, route, sender, flow)
    if route.kind == "local":
        return _inside(trail, sender, flow)
    if route.interface is not None:
        return _through_nat_gateway(trail, sender, route.interface, flow, passed)
    return _out_by_internet_gateway(trail, sender, route.target, flow)


def from_internet(trail: Trail, flow: Flow) -> Arrival:
    """Follow a packet that is on the internet. Stops where denied."""
    world = trail.world
    receiver = next((i for i in world.network_interfaces.values() if i.public_ip == flow.destination), None)
    if receiver is None:
        return _to_internet_host(trail, flow)
    subnet = world.subnets[receiver.subnet_id]
    gateway = why_routes.gateway_of(world, receiver.vpc_id)
    _require_public_subnet(trail, receiver, subnet, gateway)
    text = f"{gateway} maps {flow.destination} to {receiver.private_ip}, {owner_name(world, receiver)}."
    trail.allow("internet gateway", text, gateway or "", receiver.network_interface_id)
    inward = replace(flow, destination=receiver.private_ip)
    why_acls.pass_in(trail, subnet, inward)
    _require_receiver(trail, receiver)
    why_groups.pass_ingress(trail, receiver, inward)
    _require_way_back(trail, receiver, subnet, flow.source)
    why_acls.pass_replies(trail, subnet, None, inward.reply(), any_client_port=True)
    return Arrival(flow.source, receiver)


def _resolvers(vpc: Vpc) -> tuple[str, ...]:
    return resolver_addresses(vpc) if vpc.enable_dns_support else ()


def _to_resolver(trail: Trail, vpc: Vpc, flow: Flow) -> Arrival:
    if flow.destination in _resolvers(vpc) and flow.protocol != "icmp" and flow.ports == DNS_PORT:
        text = f"{flow.destination} is the resolver of {vpc.vpc_id}; no security group or network ACL blocks DNS to it."
        trail.allow("address", text, vpc.vpc_id)
        return Arrival(flow.source, resolver=True)
    if not vpc.enable_dns_support:
        remedy = why_terraform.vpc_setting(trail, vpc.vpc_id, "enable_dns_support")
        trail.deny("address", f"{vpc.vpc_id} has no resolver: its DNS support is off.", vpc.vpc_id, remedy=remedy)
    trail.deny("address", f"{flow.destination} is the resolver of {vpc.vpc_id}, which answers DNS alone.", vpc.vpc_id)


def _say_route(trail: Trail, subnet: Subnet, route: why_routes.Choice, sender: NetworkInterface, flow: Flow) -> None:
    where = subnet_name(trail.world, subnet.subnet_id)
    if route.table is None:
        if route.kind == "none":
            trail.deny("route", _capital(f"{where} has no route table."), subnet.subnet_id)
        trail.allow("route", f"{flow.destination} is in the VPC of {where}: the local route.", subnet.subnet_id)
        return
    table = f"Route table {named(route.table.route_table_id, route.table.tags)} of {where}"
    ids = (route.table.route_table_id, subnet.subnet_id, "" if route.kind == "local" else route.target)
    if route.kind == "none":
        remedy = why_terraform.way_out(trail, subnet, route.table, sender)
        text = f"{table} has no route to {flow.destination}: the subnet has no way out, and packets vanish."
        trail.deny("route", text, *ids, remedy=remedy)
    if route.kind == "blackhole":
        remedy = why_terraform.way_out(trail, subnet, route.table, sender)
        text = f"{table} leads {flow.destination} to {route.target} ({route.cidr}), a black hole: {route.reason}."
        trail.deny("route", text, *ids, remedy=remedy)
    way = f"keeps {flow.destination} in the VPC (local route"
    if route.kind != "local":
        way = f"leads {flow.destination} to {route.target} (route"
    trail.allow("route", f"{table} {way} {route.cidr}).", *ids)


def _inside(trail: Trail, sender: NetworkInterface, flow: Flow) -> Arrival:
    """Follow a packet to an address of the VPC."""
    world = trail.world
    receiver = why_groups.carrier(world, sender.vpc_id, flow.destination)
    if receiver is None:
        _nobody(trail, sender.vpc_id, flow.destination)
    left, entered = world.subnets[sender.subnet_id], world.subnets[receiver.subnet_id]
    crosses = left.subnet_id != entered.subnet_id
    if crosses:
        why_acls.pass_out(trail, left, flow)
    why_groups.pass_egress(trail, sender, flow)
    if crosses:
        why_acls.pass_in(trail, entered, flow)
    _require_receiver(trail, receiver)
    why_groups.pass_ingress(trail, receiver, flow)
    if crosses:
        why_acls.pass_replies(trail, entered, left, flow.reply(), any_client_port=sender.owner != "task")
    return Arrival(flow.source, receiver)


def _require_receiver(trail: Trail, receiver: NetworkInterface) -> None:
    if receiver.owner == "nat_gateway":
        text = f"{owner_name(trail.world, receiver)} admits no connection: a NAT gateway only lets replies in."
        trail.deny("nat gateway", text, receiver.owner_id, receiver.network_interface_id)


def _nobody(trail: Trail, vpc_id: str, address: str) -> NoReturn:
    """Stop at an address of the VPC that no interface has, and say whose it was."""
    world = trail.world
    instance = next((i for i in world.instances.values() if i.attributes.get("AWS_INSTANCE_IPV4") == address), None)
    former = _former_task(trail, address)
    details = []
    if instance is not None:
        details.append(f"stale DNS: Cloud Map instance {instance.instance_id} of {instance.service_id} still names it")
    if former is not None:
        service = world.services.get(former.service_arn or "")
        details.append(
            f"task {former.task_id}{f' of {service.name}' if service else ''} had it and has stopped: a client that "
            "resolved the name once and never again still calls it"
        )
    text = f"No interface in {vpc_id} has the address {address}: packets to it vanish."
    trail.deny("address", text, vpc_id, *([instance.service_id] if instance else []), details=details)


def _former_task(trail: Trail, address: str) -> Task | None:
    tasks = [t for t in trail.world.tasks.values() if t.private_ip == address and t.last_status == "STOPPED"]
    return max(tasks, key=lambda t: t.created_at, default=None)


def _through_nat_gateway(
    trail: Trail, sender: NetworkInterface, nat: NetworkInterface, flow: Flow, passed: tuple[str, ...]
) -> Arrival:
    world = trail.world
    if nat == sender or nat.owner_id in passed:
        text = f"{nat.owner_id} stands in a subnet whose route leads to itself: packets go round until they die."
        trail.deny("nat gateway", text, nat.owner_id)
    left, entered = world.subnets[sender.subnet_id], world.subnets[nat.subnet_id]
    crosses = left.subnet_id != entered.subnet_id
    if crosses:
        why_acls.pass_out(trail, left, flow)
    why_groups.pass_egress(trail, sender, flow)
    if crosses:
        why_acls.pass_in(trail, entered, flow)
    text = f"{nat.owner_id} sends it on from its own address {nat.private_ip}, with a port of its own."
    trail.allow("nat gateway", text, nat.owner_id, nat.network_interface_id)
    arrival = from_interface(trail, nat, replace(flow, source=nat.private_ip), (*passed, nat.owner_id))
    if crosses:
        why_acls.pass_replies(trail, entered, left, flow.reply(), any_client_port=False)
    return arrival


def _out_by_internet_gateway(trail: Trail, sender: NetworkInterface, gateway: str, flow: Flow) -> Arrival:
    world = trail.world
    subnet = world.subnets[sender.subnet_id]
    why_acls.pass_out(trail, subnet, flow)
    why_groups.pass_egress(trail, sender, flow)
    if sender.public_ip is None:
        text = (
            f"{owner_name(world, sender)} has no public address, and {gateway} passes nothing on without one. "
            "A task has one only if its service says so, whatever the subnet says."
        )
        remedy = why_terraform.public_address(trail, sender)
        trail.deny("internet gateway", _capital(text), gateway, sender.network_interface_id, remedy=remedy)
    text = f"{gateway} sends it on as {sender.public_ip}, the public address of {sender.private_ip}."
    trail.allow("internet gateway", text, gateway, sender.network_interface_id)
    arrival = from_internet(trail, replace(flow, source=sender.public_ip))
    why_acls.pass_replies(trail, None, subnet, flow.reply(), any_client_port=sender.owner != "task")
    return arrival


def _to_internet_host(trail: Trail, flow: Flow) -> Arrival:
    """Follow a packet to a host of the internet, or stop where there is none."""
    address = flow.destination
    if any(in_range(address, cidr) for cidr in CLOSED_INTERNET):
        trail.allow("internet", f"{address} is a host of the closed internet.")
        return Arrival(flow.source)
    allocation = next((a for a in trail.world.addresses.values() if a.public_ip == address), None)
    if allocation is not None:
        text = f"{address} is the Elastic IP address {allocation.allocation_id}, which belongs to no interface now."
        trail.deny("internet", text, allocation.allocation_id)
    if _is_private(address):
        trail.deny("internet", f"{address} is a private address: the internet leads nowhere with it.")
    text = f"Nobody has {address}: the internet here is closed, with the stack's own public addresses in it."
    trail.deny("internet", text, details=[f"hosts of tests are in {CLOSED_INTERNET[0]}"])


def _require_public_subnet(trail: Trail, receiver: NetworkInterface, subnet: Subnet, gateway: str | None) -> None:
    """Stop where a public address does not work: without an internet gateway and a route to it, it is only a number."""
    if gateway is None:
        text = f"{receiver.public_ip} does not work: {receiver.vpc_id} has no internet gateway."
        trail.deny("internet gateway", text, receiver.vpc_id)
    if not why_routes.leads_to_internet(trail.world, subnet):
        table = why_routes.table_of(trail.world, subnet)
        remedy = why_terraform.route(trail, subnet, table, ("gateway_id", trail.reference(gateway)))
        text = (
            f"{receiver.public_ip} does not work: the route table of "
            f"{subnet_name(trail.world, subnet.subnet_id)} has no route to {gateway}."
        )
        trail.deny(
            "internet gateway", text, table.route_table_id if table else subnet.subnet_id, gateway, remedy=remedy
        )


def _require_way_back(trail: Trail, receiver: NetworkInterface, subnet: Subnet, client: str) -> None:
    """Stop where replies to a client on the internet do not leave as they came."""
    back = why_routes.choose(trail.world, subnet, client)
    if back.kind != "internet":
        table = back.table.route_table_id if back.table else "no route table"
        text = (
            f"The connection gets to {receiver.private_ip}, its replies do not get back: {table} leads {client} to "
            f"{back.target or 'nowhere'}, not to the internet gateway."
        )
        gateway = why_routes.gateway_of(trail.world, receiver.vpc_id) or ""
        remedy = why_terraform.route(trail, subnet, back.table, ("gateway_id", trail.reference(gateway)))
        trail.deny("replies", text, table, remedy=remedy)


def _is_private(address: str) -> bool:
    ranges = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")
    return any(IPv4Address(address) in IPv4Network(cidr) for cidr in ranges)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
