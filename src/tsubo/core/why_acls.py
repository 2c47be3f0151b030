"""What network ACLs say of packets: stateless, ordered, at the border of a subnet, in both directions.

Replies are judged for every port that the client may have chosen. Written apart from the code that compiles ACLs, on
purpose. Source: aws/alb-vpc-terraform.md section 2.4.
"""

from dataclasses import dataclass

from tsubo.core import why_terraform
from tsubo.core.why_match import AWS_CLIENT_PORTS, Flow, in_range, means_icmp, means_protocol, port_limits
from tsubo.core.why_trail import Trail, subnet_name
from tsubo.model.vpc import NetworkAcl, NetworkAclEntry, Subnet


@dataclass(frozen=True)
class Ruling:
    """What an ACL says of a flow. `ports` are those of the flow that the entry decides; no entry is the final `*`."""

    allowed: bool
    entry: NetworkAclEntry | None
    ports: tuple[int, int]

    @property
    def entry_text(self) -> str:
        return "its final * entry" if self.entry is None else f"entry {self.entry.rule_number}"


def acl_of(trail: Trail, subnet: Subnet) -> NetworkAcl | None:
    """Return a subnet's ACL: its own, else the VPC's default one."""
    acls = [acl for acl in trail.world.network_acls.values() if acl.vpc_id == subnet.vpc_id]
    own = [acl for acl in acls if any(a.subnet_id == subnet.subnet_id for a in acl.associations)]
    return next(iter(own or [acl for acl in acls if acl.is_default]), None)


def pass_out(trail: Trail, subnet: Subnet, flow: Flow) -> None:
    """Say whether a subnet's ACL lets a flow out of it."""
    _pass(trail, subnet, flow, is_egress=True)


def pass_in(trail: Trail, subnet: Subnet, flow: Flow) -> None:
    """Say whether a subnet's ACL lets a flow into it."""
    _pass(trail, subnet, flow, is_egress=False)


def pass_replies(
    trail: Trail, leaving: Subnet | None, entering: Subnet | None, reply: Flow, *, any_client_port: bool
) -> None:
    """Say whether replies get out of one subnet and into the other (None: that end is outside the VPC).

    With `any_client_port` the client is one that AWS gives other ports than Linux has, which is noted.
    """
    passed = []
    for subnet, is_egress in ((leaving, True), (entering, False)):
        acl = None if subnet is None else acl_of(trail, subnet)
        if subnet is None or acl is None:
            continue
        ruling = judge(acl, reply, is_egress=is_egress)
        if not ruling.allowed:
            _deny_reply(trail, subnet, acl, reply, ruling, is_egress=is_egress)
        passed.append(f"{'out of' if is_egress else 'into'} {subnet_name(trail.world, subnet.subnet_id)} ({acl.key})")
        _note_other_ports(trail, acl, reply, any_client_port=any_client_port, is_egress=is_egress)
    if passed:
        trail.allow("replies", f"Network ACLs let the replies ({reply.text}) {' and '.join(passed)}.")


def judge(acl: NetworkAcl, flow: Flow, *, is_egress: bool) -> Ruling:
    """Return what an ACL says of a flow: of one with several ports, the first denial among them, if there is one."""
    peer = flow.destination if is_egress else flow.source
    entries = [
        e
        for e in sorted(acl.entries, key=lambda e: e.rule_number)
        if e.is_egress == is_egress and in_range(peer, e.cidr) and _means_kind(e, flow)
    ]
    if flow.protocol == "icmp":
        entry = next(iter(entries), None)
        return Ruling(entry is not None and entry.allow, entry, flow.ports)
    rulings = _rulings_by_port(entries, flow.ports)
    return next((ruling for ruling in rulings if not ruling.allowed), rulings[0])


def _means_kind(entry: NetworkAclEntry, flow: Flow) -> bool:
    if not means_protocol(entry.protocol, flow):
        return False
    return flow.protocol != "icmp" or means_icmp(entry.protocol, (entry.icmp_type, entry.icmp_code), flow)


def _rulings_by_port(entries: list[NetworkAclEntry], ports: tuple[int, int]) -> list[Ruling]:
    """Return the rulings on a range of ports, cut where another entry may begin to decide."""
    first, last = ports
    limits = [port_limits(e.protocol, (e.from_port, e.to_port)) for e in entries]
    cuts = {first} | {cut for low, high in limits for cut in (low, high + 1) if first < cut <= last}
    starts = sorted(cuts)
    rulings = []
    for start, end in zip(starts, [*(s - 1 for s in starts[1:]), last], strict=True):
        fitting = (e for e, (low, high) in zip(entries, limits, strict=True) if low <= start <= high)
        entry = next(fitting, None)
        rulings.append(Ruling(entry is not None and entry.allow, entry, (start, end)))
    return rulings


def _pass(trail: Trail, subnet: Subnet, flow: Flow, *, is_egress: bool) -> None:
    acl = acl_of(trail, subnet)
    if acl is None:
        return
    step = f"network acl {'out' if is_egress else 'in'}"
    ruling = judge(acl, flow, is_egress=is_egress)
    where = f"{acl.key} of {subnet_name(trail.world, subnet.subnet_id)}"
    way = f"{flow.text} to {flow.destination} out" if is_egress else f"{flow.text} from {flow.source} in"
    if ruling.allowed:
        trail.allow(step, f"Network ACL {where} lets {way} ({ruling.entry_text}).", acl.key)
    else:
        remedy = why_terraform.acl_entry(trail, acl, flow, ruling.entry, is_egress=is_egress)
        trail.deny(step, f"Network ACL {where} denies {way}: {ruling.entry_text}.", acl.key, remedy=remedy)


def _deny_reply(trail: Trail, subnet: Subnet, acl: NetworkAcl, reply: Flow, ruling: Ruling, *, is_egress: bool) -> None:
    way = "out of" if is_egress else "into"
    what = reply.text if reply.protocol == "icmp" else f"{reply.protocol} {ruling.ports[0]}-{ruling.ports[1]}"
    text = (
        f"The connection gets there, its replies do not come back: network ACL {acl.key} denies {what} {way} "
        f"{subnet_name(trail.world, subnet.subnet_id)} by {ruling.entry_text}. ACLs keep no state, so the ports that "
        f"clients choose ({reply.text}) must be open."
    )
    remedy = why_terraform.acl_entry(trail, acl, reply, ruling.entry, is_egress=is_egress)
    trail.deny("replies", text, acl.key, remedy=remedy)


def _note_other_ports(trail: Trail, acl: NetworkAcl, reply: Flow, *, any_client_port: bool, is_egress: bool) -> None:
    if reply.protocol == "icmp" or not any_client_port:
        return
    wide = Flow(reply.source, reply.destination, reply.protocol, AWS_CLIENT_PORTS)
    ruling = judge(acl, wide, is_egress=is_egress)
    if not ruling.allowed:
        text = (
            f"On AWS this client's ports are {AWS_CLIENT_PORTS[0]}-{AWS_CLIENT_PORTS[1]}, and {acl.key} denies replies "
            f"to {ruling.ports[0]}-{ruling.ports[1]} ({ruling.entry_text}): some connections would hang there."
        )
        trail.note("replies", text, acl.key)
