"""Security group rules between three forms: Terraform's blocks, single rules, and EC2's permissions.

Terraform's block and EC2's IpPermission each bundle several rules, and not in the same way: EC2 merges what has one
protocol and port range. A `Rule` is one protocol, one port range, one peer; sets of rules are compared and changed.
Source: aws/alb-vpc-terraform.md sections 2.3 and 6.9 (4).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from tsubo.terraform.values import Values

PeerKind = Literal["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups"]

_PROTOCOL_NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_MEMBERS: dict[PeerKind, tuple[str, str]] = {
    "cidr_blocks": ("IpRanges", "CidrIp"),
    "ipv6_cidr_blocks": ("Ipv6Ranges", "CidrIpv6"),
    "prefix_list_ids": ("PrefixListIds", "PrefixListId"),
    "security_groups": ("UserIdGroupPairs", "GroupId"),
}


@dataclass(frozen=True, order=True)
class Rule:
    protocol: str
    from_port: int
    to_port: int
    peer_kind: PeerKind
    peer: str
    description: str

    @property
    def target(self) -> tuple[str, int, int, str, str]:
        """What makes a rule another one to EC2: all but its description."""
        return (self.protocol, self.from_port, self.to_port, self.peer_kind, self.peer)


def normal_protocol(protocol: str) -> str:
    """Return a protocol as EC2 names it: `tcp` for 6, `-1` for all."""
    lowered = protocol.lower()
    return _PROTOCOL_NUMBERS.get(lowered, lowered)


def _ports(protocol: str, from_port: Any, to_port: Any) -> tuple[int, int]:
    if protocol == "-1":
        return (0, 0)
    return (int(from_port if from_port is not None else -1), int(to_port if to_port is not None else -1))


def rules_of_block(values: Values, group_id: str) -> Iterator[Rule]:
    """Yield the rules of an `ingress` or `egress` block, or of an `aws_security_group_rule`."""
    protocol = normal_protocol(values["protocol"])
    ports = _ports(protocol, values.get("from_port"), values.get("to_port"))
    peers: list[tuple[PeerKind, str]] = [
        (kind, peer) for kind in _MEMBERS for peer in values.get(kind) or () if peer != group_id
    ]
    if values.get("self") or group_id in (values.get("security_groups") or ()):
        peers.append(("security_groups", group_id))
    if values.get("source_security_group_id"):
        peers.append(("security_groups", values["source_security_group_id"]))
    for kind, peer in peers:
        yield Rule(protocol, *ports, kind, peer, values.get("description") or "")


def rules_of_blocks(blocks: Iterable[Values] | None, group_id: str) -> set[Rule]:
    return {rule for block in blocks or () for rule in rules_of_block(block, group_id)}


def rules_of_permissions(permissions: Iterable[dict[str, Any]], account_id: str) -> set[Rule]:
    """Return the rules that EC2 tells. A group of another account is written `ACCOUNT/GROUP`."""
    rules = set()
    for permission in permissions:
        protocol = normal_protocol(permission["IpProtocol"])
        ports = _ports(protocol, permission.get("FromPort"), permission.get("ToPort"))
        for kind, (member, key) in _MEMBERS.items():
            for peer in permission.get(member) or ():
                name = peer[key]
                if kind == "security_groups" and peer.get("UserId", account_id) != account_id:
                    name = f"{peer['UserId']}/{name}"
                rules.add(Rule(protocol, *ports, kind, name, peer.get("Description", "")))
    return rules


def permission_of(rule: Rule) -> dict[str, Any]:
    """Return a rule as EC2 takes it."""
    member, key = _MEMBERS[rule.peer_kind]
    account, _, group = rule.peer.rpartition("/") if rule.peer_kind == "security_groups" else ("", "", rule.peer)
    peer = {key: group} | ({"UserId": account} if account else {})
    if rule.description:
        peer["Description"] = rule.description
    permission: dict[str, Any] = {"IpProtocol": rule.protocol, member: [peer]}
    if rule.protocol != "-1":
        permission |= {"FromPort": rule.from_port, "ToPort": rule.to_port}
    return permission


def permissions_of(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    return [permission_of(rule) for rule in sorted(rules)]


def blocks_of(rules: set[Rule], known: Iterable[Values] | None, group_id: str) -> list[Values]:
    """Return rules as blocks: those that Terraform knows, where all their rules stand, and new ones for the rest."""
    blocks: list[Values] = []
    rest = set(rules)
    for block in known or ():
        wanted = set(rules_of_block(block, group_id))
        if wanted and wanted <= rules:
            blocks.append(block)
            rest -= wanted
    for key, group in groupby(sorted(rest, key=_bundle), key=_bundle):
        blocks.append(_new_block(key, list(group), group_id))
    return blocks


def _bundle(rule: Rule) -> tuple[str, int, int, str]:
    return (rule.protocol, rule.from_port, rule.to_port, rule.description)


def _new_block(key: tuple[str, int, int, str], rules: list[Rule], group_id: str) -> Values:
    protocol, from_port, to_port, description = key
    peers: Values = {
        kind: sorted(rule.peer for rule in rules if rule.peer_kind == kind and rule.peer != group_id)
        for kind in _MEMBERS
    }
    return peers | {
        "protocol": protocol,
        "from_port": from_port,
        "to_port": to_port,
        "description": description,
        "self": any(rule.peer == group_id for rule in rules),
    }
