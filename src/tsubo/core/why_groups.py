"""What security groups say of a connection: which rule admits it, or what each rule would have needed.

Groups only allow; those of an interface are one union; a reference to a group means the private addresses of those
that carry it. Written apart from the firewall on purpose. Source: aws/alb-vpc-terraform.md section 2.2.
"""

from tsubo.core import why_terraform
from tsubo.core.why_match import Flow, in_range, means_icmp, means_protocol, port_limits, ports_text
from tsubo.core.why_trail import Trail, owner_name
from tsubo.model.vpc import NetworkInterface, SecurityGroupRule
from tsubo.model.world import World


def pass_egress(trail: Trail, sender: NetworkInterface, flow: Flow) -> None:
    """Say whether the sender's groups let it call the flow's destination. A NAT gateway has no groups."""
    if sender.owner != "nat_gateway":
        _pass(trail, sender, flow, flow.destination, is_egress=True)


def pass_ingress(trail: Trail, receiver: NetworkInterface, flow: Flow) -> None:
    """Say whether the receiver's groups admit the flow's source."""
    _pass(trail, receiver, flow, flow.source, is_egress=False)


def _pass(trail: Trail, interface: NetworkInterface, flow: Flow, peer: str, *, is_egress: bool) -> None:
    world = trail.world
    step = "security group egress" if is_egress else "security group ingress"
    rules = _rules(world, interface, is_egress=is_egress)
    whom = f"{flow.text} {'to' if is_egress else 'from'} {peer}"
    for rule in rules:
        if not _shortcomings(world, rule, interface, flow, peer):
            verb = "lets out" if is_egress else "admits"
            text = f"{_group_name(world, rule.group_id)} {verb} {whom} (rule: {_rule_text(trail, rule)})."
            trail.allow(step, text, rule.rule_id, rule.group_id)
            return
    groups = interface.security_group_ids
    text = _denial(world, groups, rules, whom, is_egress=is_egress)
    details = [f"{_rule_text(trail, r)}: {'; '.join(_shortcomings(world, r, interface, flow, peer))}" for r in rules]
    other = carrier(world, interface.vpc_id, peer)
    remedy = why_terraform.group_rule(trail, interface, flow, peer, other, is_egress=is_egress)
    trail.deny(step, text, *groups, details=details, remedy=remedy)


def carrier(world: World, vpc_id: str, address: str) -> NetworkInterface | None:
    """Return the interface of a VPC that has a private address and something behind it."""
    interfaces = (i for i in world.network_interfaces.values() if i.vpc_id == vpc_id and i.owner != "user")
    return next((i for i in interfaces if i.private_ip == address), None)


def _rules(world: World, interface: NetworkInterface, *, is_egress: bool) -> list[SecurityGroupRule]:
    groups = interface.security_group_ids
    own = [r for r in world.security_group_rules.values() if r.group_id in groups and r.is_egress == is_egress]
    return sorted(own, key=lambda r: r.rule_id)


def _shortcomings(
    world: World, rule: SecurityGroupRule, interface: NetworkInterface, flow: Flow, peer: str
) -> list[str]:
    """Return what the connection lacks to fit a rule; nothing if it fits."""
    lacking = []
    if not means_protocol(rule.protocol, flow):
        lacking.append(f"it is for another protocol than {flow.protocol}")
    elif flow.protocol == "icmp":
        if not means_icmp(rule.protocol, (rule.from_port, rule.to_port), flow):
            lacking.append("it is for other ICMP messages")
    else:
        first, last = port_limits(rule.protocol, (rule.from_port, rule.to_port))
        if not first <= flow.ports[0] <= last:
            lacking.append(f"it is for another port than {flow.ports[0]}")
    stranger = _why_not_peer(world, rule, interface.vpc_id, peer)
    return [*lacking, *([stranger] if stranger else [])]


def _why_not_peer(world: World, rule: SecurityGroupRule, vpc_id: str, peer: str) -> str | None:
    if rule.cidr is not None:
        return None if in_range(peer, rule.cidr) else f"{peer} is not in {rule.cidr}"
    if rule.cidr_ipv6 is not None:
        return "it is for IPv6 addresses"
    if rule.prefix_list_id is not None:
        return "it is for a prefix list, which no address here is in"
    other = carrier(world, vpc_id, peer)
    if other is None:
        return f"{peer} is not a private address of this VPC, and a reference to a group means private addresses alone"
    if rule.referenced_group_id in other.security_group_ids:
        return None
    carried = ", ".join(other.security_group_ids) or "no group"
    return f"{owner_name(world, other)} does not carry {rule.referenced_group_id}; it carries {carried}"


def _rule_text(trail: Trail, rule: SecurityGroupRule) -> str:
    peer = rule.cidr or rule.cidr_ipv6 or rule.prefix_list_id or ""
    if rule.referenced_group_id is not None:
        peer = "itself" if rule.referenced_group_id == rule.group_id else _group_id_text(trail, rule)
    ports = ports_text(rule.protocol, (rule.from_port, rule.to_port))
    return f"{ports} {'to' if rule.is_egress else 'from'} {peer}"


def _group_id_text(trail: Trail, rule: SecurityGroupRule) -> str:
    group = trail.world.security_groups.get(rule.referenced_group_id or "")
    return f"{group.name} ({group.group_id})" if group else f"{rule.referenced_group_id}, which does not exist"


def _group_name(world: World, group_id: str) -> str:
    group = world.security_groups.get(group_id)
    return f"Security group {group.name} ({group_id})" if group else f"Security group {group_id}"


def _denial(
    world: World, groups: tuple[str, ...], rules: list[SecurityGroupRule], whom: str, *, is_egress: bool
) -> str:
    if not groups:
        return f"The interface carries no security group, so nothing {'leaves' if is_egress else 'is admitted'}."
    names = " and ".join(_group_name(world, group_id) for group_id in groups)
    verb = ("let" if is_egress else "admit") + ("" if len(groups) > 1 else "s")
    whom = f"{whom} out" if is_egress else whom
    if rules:
        fit = f"none of {len(rules)} rules fits" if len(rules) > 1 else "the one rule does not fit"
        return f"{names} {verb} no {whom}: {fit}."
    if is_egress:
        return (
            f"{names} {verb} nothing out: there is no egress rule. Terraform takes AWS's default one away from a group "
            "that has no `egress` block."
        )
    return f"{names} {verb} nothing: there is no ingress rule."
