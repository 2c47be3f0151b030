"""Network ACLs as nftables blocks: stateless, ordered, per subnet, in both directions.

They are not consulted inside one subnet, nor for DNS (which ends in the router and is never forwarded). A subnet whose
ACL lets everything through, as a VPC's default one does, costs nothing. Source: aws/alb-vpc-terraform.md section 2.4.
"""

from tsubo.core import route_tables
from tsubo.core.nft_text import chain_block, map_block, quoted, set_block
from tsubo.core.packet_match import address_match, protocol_match, statement
from tsubo.model.identity import device_name
from tsubo.model.vpc import NetworkAcl, NetworkAclEntry, Subnet
from tsubo.model.world import World


def acl_blocks(world: World, vpc_id: str, log_group: int) -> list[str]:
    """Return the sets, maps and chains of those ACLs of a VPC that deny anything; none if none does."""
    guarded = {
        subnet.subnet_id: acl
        for subnet in route_tables.subnets_of(world, vpc_id)
        if (acl := _acl_of(world, subnet)) is not None and not _is_open(acl)
    }
    if not guarded:
        return []
    devices: dict[str, list[str]] = {subnet_id: [] for subnet_id in guarded}
    for interface in route_tables.interfaces_of(world, vpc_id):
        if interface.subnet_id in guarded:
            devices[interface.subnet_id].append(quoted(device_name(interface.network_interface_id)))
    blocks = [set_block(f"s_{subnet_id}", "ifname", names) for subnet_id, names in devices.items()]
    for direction in ("out", "in"):
        verdicts = {name: f"jump a_{direction}_{subnet}" for subnet, names in devices.items() for name in names}
        blocks.append(map_block(f"m_acl_{direction}", "ifname : verdict", verdicts))
    for subnet_id, acl in guarded.items():
        blocks += [_chain(subnet_id, acl, is_egress=True), _chain(subnet_id, acl, is_egress=False)]
    base = (
        "type filter hook forward priority filter - 10; policy accept;",
        "iifname vmap @m_acl_out",
        "oifname vmap @m_acl_in",
    )
    denials = (chain_block(f"c_acl_deny_{direction}", _denial(direction, log_group)) for direction in ("out", "in"))
    return [*blocks, *denials, chain_block("c_acl", base)]


def _acl_of(world: World, subnet: Subnet) -> NetworkAcl | None:
    """Return the ACL associated with a subnet, else the VPC's default one."""
    acls = [acl for acl in world.network_acls.values() if acl.vpc_id == subnet.vpc_id]
    for acl in acls:
        if any(association.subnet_id == subnet.subnet_id for association in acl.associations):
            return acl
    return next((acl for acl in acls if acl.is_default), None)


def _entries(acl: NetworkAcl, *, is_egress: bool) -> list[NetworkAclEntry]:
    """Return the IPv4 entries of one direction in the order they are tried."""
    entries = (e for e in acl.entries if e.is_egress == is_egress and ":" not in e.cidr)
    return sorted(entries, key=lambda e: e.rule_number)


def _is_open(acl: NetworkAcl) -> bool:
    """Say whether the first entry of either direction lets everything through."""
    for is_egress in (True, False):
        first = next(iter(_entries(acl, is_egress=is_egress)), None)
        if first is None or not first.allow or _match(first) != "":
            return False
    return True


def _chain(subnet_id: str, acl: NetworkAcl, *, is_egress: bool) -> str:
    direction, other_end = ("out", "oifname") if is_egress else ("in", "iifname")
    deny = f"goto c_acl_deny_{direction}"
    statements = [f"{other_end} @s_{subnet_id} return"]
    for entry in _entries(acl, is_egress=is_egress):
        match = _match(entry)
        if match is not None:
            statements.append(statement(match, "return" if entry.allow else deny))
    return chain_block(f"a_{direction}_{subnet_id}", (*statements, deny))


def _denial(direction: str, log_group: int) -> tuple[str, ...]:
    """Return how a packet is denied; the log tells one of a connection that was let through before from a new one."""
    return (
        f'ct state established,related log prefix "deny-acl-{direction} tracked" group {log_group} drop',
        f'log prefix "deny-acl-{direction}" group {log_group}',
        "drop",
    )


def _match(entry: NetworkAclEntry) -> str | None:
    protocol = protocol_match(entry.protocol, (entry.from_port, entry.to_port), (entry.icmp_type, entry.icmp_code))
    address = address_match("daddr" if entry.is_egress else "saddr", entry.cidr)
    return None if protocol is None else statement(address, protocol)
