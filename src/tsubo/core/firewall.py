"""What a VPC's router lets through: security groups, network ACLs, the internet gateway's translation, as one nft file.

In: the world and a VPC. Out: the text of table `inet sg`, equal for equal worlds, replaced as a whole. A packet's way:

    c_source  (raw)      an interface sends from its own address; gateways carry other senders' packets
    c_dnat    (dstnat)   the internet gateway: public destination -> private
    c_lost    (dstnat)   what no route leads on: its sender's groups (e_*), then nothing
    c_acl     (forward)  network ACLs, where one denies anything
    c_forward (forward)  replies pass; else the sender's groups (e_*), then the receiver's (i_*); nothing else
    c_snat    (srcnat)   the internet gateway: private source -> public
    c_input              what ends in the router: its local services (DNS, task metadata, the AWS endpoint), which
                         groups cannot block

Each distinct set of groups has a chain that asks its groups in turn; two verdict maps lead to it from an interface's
device. Packets that go no further are logged to netlink group 5 with a prefix that says why (`core/flow_log.py`), and
so is a refusal, which ends a connection before anybody could look at it. Established flows live on when their rule is
taken away. Sources: aws/alb-vpc-terraform.md sections 2.1, 2.2, 2.6; dataplane.md section 1.
"""

from collections.abc import Iterable
from typing import Literal

from tsubo.core import ipam, route_tables
from tsubo.core.network_acls import acl_blocks
from tsubo.core.nft_text import atomic_table, chain_block, map_block, quoted, set_block
from tsubo.core.packet_match import address_match, protocol_match, statement
from tsubo.model.identity import device_name
from tsubo.model.metadata import ENDPOINT_PORT, LINK_LOCAL_ADDRESS, METADATA_PORT
from tsubo.model.vpc import NetworkInterface, SecurityGroupRule
from tsubo.model.world import World

INTERNET_DEVICE = "igw"
"""The router's device towards the internet."""
LOG_GROUP = 5
"""The netlink log group of packets that go no further, and of refusals."""

RESOLVER_SERVICES = ("udp dport 53", "tcp dport 53")
"""What tasks may reach at the resolver's addresses."""
TASK_SERVICES = f"ip daddr {LINK_LOCAL_ADDRESS} tcp dport {{ {METADATA_PORT}, {ENDPOINT_PORT} }} accept"
"""Metadata and credentials, and the AWS endpoint."""

NAT_GATEWAY_RULESET = atomic_table(
    "inet nat",
    (
        chain_block(
            "c_input",
            ("type filter hook input priority filter; policy drop;", "ct state established,related accept"),
        ),
        chain_block(
            "c_snat", ("type nat hook postrouting priority srcnat; policy accept;", 'oifname "eth0" masquerade')
        ),
    ),
)
"""A NAT gateway's own rules: everything that leaves takes its address; it answers to nothing."""

INTERNET_RULESET = atomic_table(
    "inet internet",
    (
        chain_block(
            "c_nowhere",
            ("type filter hook prerouting priority raw; policy accept;", 'iifname "lo" fib daddr type != local drop'),
        ),
    ),
)
"""The closed internet's rules: what is for an address that nobody has is routed to the loopback, and vanishes there.
A black hole in the routing table would be an error at once for a client on the internet itself."""

GroupSet = tuple[str, ...]


def ruleset(world: World, vpc_id: str) -> str:
    """Return the nft file of a VPC's router."""
    interfaces = route_tables.interfaces_of(world, vpc_id)
    group_sets = sorted({_groups(i) for i in interfaces if i.owner != "nat_gateway"})
    rules = _rules_by_group({group for groups in group_sets for group in groups}, world)
    return atomic_table(
        "inet sg",
        (
            *_address_blocks(world, vpc_id, interfaces),
            *_member_blocks(interfaces, rules),
            *_verdict_blocks(interfaces, group_sets),
            *_group_blocks(group_sets, rules),
            *acl_blocks(world, vpc_id, LOG_GROUP),
            *_gateway_blocks(),
            *_base_chains(),
        ),
    )


def _address_blocks(world: World, vpc_id: str, interfaces: list[NetworkInterface]) -> Iterable[str]:
    """Yield who sends from where, who may send for others, the resolver, and what the internet gateway translates."""
    vpc = world.vpcs[vpc_id]
    nat_gateways = [i for i in interfaces if i.owner == "nat_gateway"]
    public = route_tables.public_interfaces(world, vpc_id)
    resolvers = (ipam.resolver_address(vpc.cidr), ipam.LINK_LOCAL_RESOLVER) if vpc.enable_dns_support else ()
    sources = (f"{_device(i)} . {i.private_ip}" for i in interfaces if i.owner != "nat_gateway")
    yield set_block("s_sources", "ifname . ipv4_addr", sources)
    yield set_block("s_gateways", "ifname", ['"lo"', quoted(INTERNET_DEVICE), *map(_device, nat_gateways)])
    yield set_block("s_nat_gateways", "ipv4_addr", (i.private_ip for i in nat_gateways))
    yield set_block("s_resolvers", "ipv4_addr", resolvers)
    yield set_block("s_public", "ipv4_addr", (i.private_ip for i in public))
    yield map_block("m_public_in", "ipv4_addr : ipv4_addr", {str(i.public_ip): i.private_ip for i in public})
    yield map_block("m_public_out", "ipv4_addr : ipv4_addr", {i.private_ip: str(i.public_ip) for i in public})


def _member_blocks(interfaces: list[NetworkInterface], rules: dict[str, list[SecurityGroupRule]]) -> Iterable[str]:
    """Yield, for each group that a rule refers to, the private addresses of the interfaces that carry it."""
    referenced = {rule.referenced_group_id for group in rules.values() for rule in group if rule.referenced_group_id}
    for group_id in sorted(referenced):
        members = (i.private_ip for i in interfaces if group_id in i.security_group_ids)
        yield set_block(f"s_{group_id}", "ipv4_addr", members)


def _verdict_blocks(interfaces: list[NetworkInterface], group_sets: list[GroupSet]) -> Iterable[str]:
    """Yield the maps from a device to what its sender, and what its receiver, must pass."""
    numbers = {groups: number for number, groups in enumerate(group_sets, start=1)}
    leaving = {quoted(INTERNET_DEVICE): "goto c_to"}
    arriving = {quoted(INTERNET_DEVICE): "goto c_to_internet"}
    for interface in interfaces:
        device = _device(interface)
        if interface.owner == "nat_gateway":
            leaving[device], arriving[device] = "goto c_to", "goto c_to_nat"
        else:
            number = numbers[_groups(interface)]
            leaving[device], arriving[device] = f"goto e_set{number}", f"goto i_set{number}"
    yield map_block("m_from", "ifname : verdict", leaving)
    yield map_block("m_to", "ifname : verdict", arriving)


def _group_blocks(group_sets: list[GroupSet], rules: dict[str, list[SecurityGroupRule]]) -> Iterable[str]:
    """Yield two chains for each group (its egress, its ingress) and two for each set of groups."""
    for group_id, group_rules in sorted(rules.items()):
        for prefix, is_egress, verdict in (("e", True, "goto c_to"), ("i", False, "accept")):
            rules_of_direction = (rule for rule in group_rules if rule.is_egress == is_egress)
            matches = {match for rule in rules_of_direction if (match := _match(rule)) is not None}
            yield chain_block(f"{prefix}_{group_id}", [statement(match, verdict) for match in sorted(matches)])
    for number, groups in enumerate(group_sets, start=1):
        for prefix, denial in (("e", _denied("deny-out")), ("i", _denied("deny-in"))):
            asked = [f"jump {prefix}_{group_id}" for group_id in groups]
            yield chain_block(f"{prefix}_set{number}", (*asked, *denial))


def _gateway_blocks() -> Iterable[str]:
    yield chain_block(
        "c_to_nat",
        ("ip daddr != @s_nat_gateways meta l4proto { tcp, udp, icmp } accept", *_denied("deny-in")),
    )
    yield chain_block("c_to_internet", ("ip saddr @s_public accept", *_denied("deny-igw")))
    # A packet without a route has no device to leave by: nobody has its address, or its route leads nowhere.
    yield chain_block("c_to", ("oifname vmap @m_to", *_denied("no-route")))


def _base_chains() -> Iterable[str]:
    internet = quoted(INTERNET_DEVICE)
    yield chain_block(
        "c_source",
        (
            "type filter hook prerouting priority raw; policy accept;",
            f'iifname != @s_gateways iifname . ip saddr != @s_sources log prefix "spoof" group {LOG_GROUP} drop',
            "ip daddr @s_resolvers udp dport 53 notrack",
        ),
    )
    yield chain_block(
        "c_answers",
        (
            "type filter hook output priority raw; policy accept;",
            "ip saddr @s_resolvers udp sport 53 notrack",
            # A resolver that restarts, or an interface just gone, is silent: AWS tells no sender "unreachable" either.
            "icmp type destination-unreachable icmp code != frag-needed drop",
        ),
    )
    yield chain_block(
        "c_dnat",
        (
            "type nat hook prerouting priority dstnat; policy accept;",
            f"iifname {internet} dnat ip to ip daddr map @m_public_in",
        ),
    )
    yield chain_block(
        "c_lost",
        (
            "type filter hook prerouting priority dstnat + 10; policy accept;",
            "ct state new fib daddr type unicast fib daddr oif missing iifname vmap @m_from",
        ),
    )
    yield chain_block(
        "c_input",
        (
            "type filter hook input priority filter; policy drop;",
            'iifname "lo" accept',
            f"iifname {internet} drop",
            *(f"ip daddr @s_resolvers {service} accept" for service in RESOLVER_SERVICES),
            TASK_SERVICES,
        ),
    )
    yield chain_block(
        "c_forward",
        (
            "type filter hook forward priority filter; policy drop;",
            # A reset that answers the first packet ends the connection here already: it is never seen among others.
            f'tcp flags & rst == rst ct status dying log prefix "refused" group {LOG_GROUP}',
            "ct state established,related accept",
            "ct state invalid drop",
            "iifname vmap @m_from",
        ),
    )
    yield chain_block(
        "c_snat",
        (
            "type nat hook postrouting priority srcnat; policy accept;",
            f"oifname {internet} snat ip to ip saddr map @m_public_out",
        ),
    )


def _denied(prefix: str) -> tuple[str, str]:
    return f'log prefix "{prefix}" group {LOG_GROUP}', "drop"


def _groups(interface: NetworkInterface) -> GroupSet:
    return tuple(sorted(set(interface.security_group_ids)))


def _rules_by_group(group_ids: set[str], world: World) -> dict[str, list[SecurityGroupRule]]:
    rules: dict[str, list[SecurityGroupRule]] = {group_id: [] for group_id in group_ids}
    for rule in world.security_group_rules.values():
        if rule.group_id in rules:
            rules[rule.group_id].append(rule)
    return rules


def _match(rule: SecurityGroupRule) -> str | None:
    """Return what a rule matches; None for peers that no IPv4 packet here has (IPv6 ranges, prefix lists)."""
    ports = (rule.from_port, rule.to_port)
    protocol = protocol_match(rule.protocol, ports, ports)
    side: Literal["saddr", "daddr"] = "daddr" if rule.is_egress else "saddr"
    if protocol is None:
        return None
    if rule.referenced_group_id is not None:
        return statement(f"ip {side} @s_{rule.referenced_group_id}", protocol)
    if rule.cidr is not None:
        return statement(address_match(side, rule.cidr), protocol)
    return None


def _device(interface: NetworkInterface) -> str:
    return quoted(device_name(interface.network_interface_id))
