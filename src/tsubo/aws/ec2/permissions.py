"""Security group permissions: from a request's IpPermissions to rules, and from rules back to what AWS shows.

A request's permission names one protocol and port range and any number of peers; a rule has one peer. Describing
merges rules of the same protocol and ports again. Source: aws/alb-vpc-terraform.md sections 2.2 and 6.9.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv6Network, ip_network
from typing import Any

from tsubo.aws.ec2.cidr import canonical_cidr
from tsubo.aws.ec2.errors import invalid_value
from tsubo.aws.ec2.lookup import default_vpc, find, regional
from tsubo.aws.ec2.prefix_lists import require_prefix_list
from tsubo.aws.operations import AwsError, Call, Request
from tsubo.model.vpc import SecurityGroup, SecurityGroupRule

ALL = "-1"
PROTOCOL_NAMES = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": ALL}
NAMED_PROTOCOLS = (ALL, "icmp", "icmpv6", "tcp", "udp")
DESCRIPTION_CHARACTERS = r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]*"
LONGEST_DESCRIPTION = 255

Traffic = tuple[bool, str, int, int, str | None, str | None, str | None, str | None]


def traffic(rule: SecurityGroupRule) -> Traffic:
    """Return what a rule allows, by which AWS tells whether two rules of a group are the same one."""
    peers = (rule.cidr, rule.cidr_ipv6, rule.referenced_group_id, rule.prefix_list_id)
    return (rule.is_egress, rule.protocol, rule.from_port, rule.to_port, *peers)


def rules_asked(call: Call, request: Request, group: SecurityGroup, is_egress: bool) -> list[SecurityGroupRule]:
    """Return the rules that a request's permissions mean, without identifiers.

    Raises InvalidParameterValue, InvalidPermission.Malformed, InvalidGroup.NotFound or MissingParameter.
    """
    permissions = request.get("IpPermissions") or _flat_permission(request)
    if not permissions:
        raise AwsError("MissingParameter", "The request must contain the parameter ipPermissions")
    rules = [rule for permission in permissions for rule in _expanded(call, permission, group, is_egress)]
    if len({traffic(rule) for rule in rules}) < len(rules):
        raise invalid_value("The same permission must not appear multiple times")
    return rules


def port_range(protocol: str, from_port: int | None, to_port: int | None) -> tuple[int, int]:
    """Return the ports (or ICMP type and code) that a rule keeps, -1 for all; raise where AWS refuses them."""
    if protocol in ("icmp", "icmpv6"):
        return (-1 if from_port is None else from_port, -1 if to_port is None else to_port)
    if protocol not in ("tcp", "udp"):
        return (-1, -1)
    if from_port is None or to_port is None or -1 in (from_port, to_port):
        raise invalid_value("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
    if not 0 <= from_port <= to_port <= 65535:
        raise AwsError("InvalidPermission.Malformed", f"Invalid TCP/UDP port range ({from_port}:{to_port})")
    return (from_port, to_port)


def protocol_name(text: str) -> str:
    """Return a protocol as EC2 keeps it: a name for TCP, UDP and ICMP, `-1` for all, the number otherwise."""
    name = PROTOCOL_NAMES.get(text.lower(), text.lower())
    if name not in NAMED_PROTOCOLS and not (name.isdecimal() and int(name) <= 255):
        raise invalid_value(f"Invalid value '{text}' for IP protocol. Unknown protocol.")
    return name


def checked_description(text: str | None) -> str:
    """Return a rule's description, or raise if AWS would refuse its characters."""
    text = text or ""
    if len(text) > LONGEST_DESCRIPTION or not re.fullmatch(DESCRIPTION_CHARACTERS, text):
        raise invalid_value(
            "Invalid rule description. Valid descriptions are strings less than 256 characters from the following "
            "set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
        )
    return text


def referenced_group(call: Call, pair: Mapping[str, Any], group: SecurityGroup) -> str:
    """Return the identifier of the group that a rule of `group` names as its peer; a name is one of the default VPC."""
    if pair.get("GroupId"):
        other = find(call, SecurityGroup, pair["GroupId"])
        if other.vpc_id != group.vpc_id:
            raise AwsError(
                "InvalidGroup.NotFound", "You have specified two resources that belong to different networks."
            )
        return other.group_id
    return group_named(call, str(pair.get("GroupName"))).group_id


def group_named(call: Call, name: str) -> SecurityGroup:
    """Return the default VPC's group of this name; names alone find nothing elsewhere."""
    standing = default_vpc(call)
    for group in regional(call, SecurityGroup):
        if standing and group.vpc_id == standing.vpc_id and group.name == name:
            return group
    vpc_id = standing.vpc_id if standing else "none"
    raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC '{vpc_id}'")


def ip_permissions(rules: Iterable[SecurityGroupRule], account_id: str) -> list[dict[str, Any]]:
    """Return rules as IpPermissions: one per protocol and port range, with all its peers."""
    merged: dict[tuple[str, int, int], dict[str, Any]] = {}
    for rule in sorted(rules, key=lambda rule: rule.rule_id):
        place = (rule.protocol, rule.from_port, rule.to_port)
        if place not in merged:
            merged[place] = _empty_permission(*place)
        member, peer = _peer_view(rule, account_id)
        merged[place][member].append(peer | ({"Description": rule.description} if rule.description else {}))
    return list(merged.values())


def _flat_permission(request: Request) -> Sequence[Mapping[str, Any]]:
    """Return the one permission of the request's old form: its members IpProtocol, CidrIp and so on."""
    if not request.get("IpProtocol") and not request.get("SourceSecurityGroupName"):
        return []
    permission: dict[str, Any] = {member: request.get(member) for member in ("IpProtocol", "FromPort", "ToPort")}
    if request.get("CidrIp"):
        permission["IpRanges"] = [{"CidrIp": request["CidrIp"]}]
    if request.get("SourceSecurityGroupName"):
        permission["UserIdGroupPairs"] = [{"GroupName": request["SourceSecurityGroupName"]}]
    return [permission]


def _expanded(
    call: Call, permission: Mapping[str, Any], group: SecurityGroup, is_egress: bool
) -> Iterator[SecurityGroupRule]:
    protocol = protocol_name(str(permission.get("IpProtocol") or ALL))
    from_port, to_port = port_range(protocol, permission.get("FromPort"), permission.get("ToPort"))
    base = SecurityGroupRule("", group.group_id, call.region, is_egress, protocol, from_port, to_port)
    peers = list(_peers(call, permission, group))
    if not peers:
        raise AwsError("MissingParameter", "The request must contain a source or destination for each permission")
    for field, value, description in peers:
        peer: dict[str, Any] = {field: value}
        yield dataclasses.replace(base, description=checked_description(description), **peer)


def _peers(call: Call, permission: Mapping[str, Any], group: SecurityGroup) -> Iterator[tuple[str, str, str | None]]:
    """Yield the rule's field, its value and the description of each peer of a permission."""
    for each in permission.get("IpRanges") or []:
        yield "cidr", _range_of_version(each.get("CidrIp") or "", 4), each.get("Description")
    for each in permission.get("Ipv6Ranges") or []:
        yield "cidr_ipv6", _range_of_version(each.get("CidrIpv6") or "", 6), each.get("Description")
    for each in permission.get("UserIdGroupPairs") or []:
        yield "referenced_group_id", referenced_group(call, each, group), each.get("Description")
    for each in permission.get("PrefixListIds") or []:
        known = require_prefix_list(call.region, each.get("PrefixListId") or "")
        yield "prefix_list_id", known.prefix_list_id, each.get("Description")


def _range_of_version(text: str, version: int) -> str:
    cidr = canonical_cidr(text)
    if isinstance(ip_network(cidr), IPv6Network) != (version == 6):
        raise invalid_value(f"CIDR block {text} is malformed")
    return cidr


def _empty_permission(protocol: str, from_port: int, to_port: int) -> dict[str, Any]:
    # For "all protocols", and for protocols without ports, AWS leaves the ports out.
    has_ports = protocol in NAMED_PROTOCOLS and protocol != ALL
    return {
        "IpProtocol": protocol,
        **({"FromPort": from_port, "ToPort": to_port} if has_ports else {}),
        "IpRanges": [],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
        "UserIdGroupPairs": [],
    }


def _peer_view(rule: SecurityGroupRule, account_id: str) -> tuple[str, dict[str, str]]:
    if rule.cidr is not None:
        return "IpRanges", {"CidrIp": rule.cidr}
    if rule.cidr_ipv6 is not None:
        return "Ipv6Ranges", {"CidrIpv6": rule.cidr_ipv6}
    if rule.prefix_list_id is not None:
        return "PrefixListIds", {"PrefixListId": rule.prefix_list_id}
    return "UserIdGroupPairs", {"GroupId": rule.referenced_group_id or "", "UserId": account_id}
