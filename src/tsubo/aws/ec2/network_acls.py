"""Network ACLs: numbered rules for traffic across a subnet's border. Every subnet is associated with exactly one.

A protocol is kept as the API writes it: the protocol's number as text, `-1` for all. Source: aws/alb-vpc-terraform.md
section 2.4.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tsubo.aws.ec2.cidr import canonical_cidr, parse_cidr
from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.errors import dependency_violation, invalid_value, missing_parameter, required
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.lookup import find, missing, regional
from tsubo.aws.ec2.tags import tag_list, tags_asked
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.supply import resource_id
from tsubo.model.vpc import NetworkAcl, NetworkAclAssociation, NetworkAclEntry, Subnet, Tags, Vpc

ANYWHERE = "0.0.0.0/0"
HIGHEST_RULE_NUMBER = 32766
FINAL_RULE_NUMBER = 32767
PROTOCOL_NUMBERS = {"all": "-1", "icmp": "1", "tcp": "6", "udp": "17", "icmpv6": "58"}
WITH_PORTS = ("6", "17")
WITH_ICMP_TYPE = ("1", "58")
FILTERS = {
    "association.association-id": "Associations.NetworkAclAssociationId",
    "association.network-acl-id": "Associations.NetworkAclId",
    "association.subnet-id": "Associations.SubnetId",
    "default": "IsDefault",
    "entry.cidr": "Entries.CidrBlock",
    "entry.ipv6-cidr": "Entries.Ipv6CidrBlock",
    "entry.icmp.code": "Entries.IcmpTypeCode.Code",
    "entry.icmp.type": "Entries.IcmpTypeCode.Type",
    "entry.port-range.from": "Entries.PortRange.From",
    "entry.port-range.to": "Entries.PortRange.To",
    "entry.protocol": "Entries.Protocol",
    "entry.rule-action": "Entries.RuleAction",
    "entry.rule-number": "Entries.RuleNumber",
    "entry.egress": "Entries.Egress",
    "network-acl-id": "NetworkAclId",
    "owner-id": "OwnerId",
    "vpc-id": "VpcId",
}


def new_default_acl(call: Call, vpc_id: str) -> NetworkAcl:
    """Return the network ACL that a new VPC has: 100 allows all, both ways."""
    entries = tuple(NetworkAclEntry(100, is_egress, "-1", True, ANYWHERE) for is_egress in (False, True))
    return NetworkAcl(resource_id(call.supply, "acl"), vpc_id, call.region, is_default=True, entries=entries)


def default_acl(call: Call, vpc_id: str) -> NetworkAcl:
    """Return a VPC's default network ACL."""
    return next(acl for acl in regional(call, NetworkAcl) if acl.vpc_id == vpc_id and acl.is_default)


def associate_acl(call: Call, acl: NetworkAcl, subnet: Subnet) -> str:
    """Associate a subnet with an ACL, away from the one it had; return the association's identifier."""
    dissociate_acl(call, subnet)
    acl = find(call, NetworkAcl, acl.network_acl_id)
    association = NetworkAclAssociation(resource_id(call.supply, "aclassoc"), subnet.subnet_id)
    call.put(dataclasses.replace(acl, associations=(*acl.associations, association)))
    return association.association_id


def dissociate_acl(call: Call, subnet: Subnet) -> None:
    """Take a subnet's association out of the ACL that has it."""
    for acl in regional(call, NetworkAcl):
        kept = tuple(one for one in acl.associations if one.subnet_id != subnet.subnet_id)
        if kept != acl.associations:
            call.put(dataclasses.replace(acl, associations=kept))


def create_network_acl(call: Call, request: Request) -> Response:
    vpc = find(call, Vpc, required(request, "VpcId"))
    tags: Tags = tags_asked(request, "network-acl")
    acl = NetworkAcl(resource_id(call.supply, "acl"), vpc.vpc_id, call.region, tags=tags)
    call.put(acl)
    return {"NetworkAcl": _view(call, acl)}


def delete_network_acl(call: Call, request: Request) -> None:
    acl = find(call, NetworkAcl, required(request, "NetworkAclId"))
    if acl.is_default:
        raise invalid_value(f"cannot delete default network ACL {acl.network_acl_id}")
    if acl.associations:
        raise dependency_violation("networkAcl", acl.network_acl_id)
    call.delete(acl)


def describe_network_acls(call: Call, request: Request) -> Response:
    views = [_view(call, acl) for acl in regional(call, NetworkAcl)]
    views = chosen(views, "NetworkAclId", request.get("NetworkAclIds"), missing(NetworkAcl))
    return listed("NetworkAcls", views, request, FILTERS, by="NetworkAclId")


def create_network_acl_entry(call: Call, request: Request) -> None:
    acl = find(call, NetworkAcl, required(request, "NetworkAclId"))
    entry = _entry_asked(request)
    if any(_same_place(entry, other) for other in acl.entries):
        raise AwsError(
            "NetworkAclEntryAlreadyExists",
            f"The network acl entry identified by {entry.rule_number} already exists.",
        )
    call.put(dataclasses.replace(acl, entries=(*acl.entries, entry)))


def replace_network_acl_entry(call: Call, request: Request) -> None:
    acl = find(call, NetworkAcl, required(request, "NetworkAclId"))
    entry = _entry_asked(request)
    if not any(_same_place(entry, other) for other in acl.entries):
        raise _no_such_entry(entry.rule_number)
    entries = tuple(entry if _same_place(entry, other) else other for other in acl.entries)
    call.put(dataclasses.replace(acl, entries=entries))


def delete_network_acl_entry(call: Call, request: Request) -> None:
    acl = find(call, NetworkAcl, required(request, "NetworkAclId"))
    number, is_egress = required(request, "RuleNumber"), required(request, "Egress")
    kept = tuple(entry for entry in acl.entries if (entry.rule_number, entry.is_egress) != (number, is_egress))
    if kept == acl.entries:
        raise _no_such_entry(number)
    call.put(dataclasses.replace(acl, entries=kept))


def replace_network_acl_association(call: Call, request: Request) -> Response:
    association_id = required(request, "AssociationId")
    acl = find(call, NetworkAcl, required(request, "NetworkAclId"))
    for other in regional(call, NetworkAcl):
        for association in other.associations:
            if association.association_id == association_id:
                subnet = find(call, Subnet, association.subnet_id)
                if subnet.vpc_id != acl.vpc_id:
                    raise invalid_value(
                        f"network acl {acl.network_acl_id} and subnet {subnet.subnet_id} belong to different networks"
                    )
                return {"NewAssociationId": associate_acl(call, acl, subnet)}
    raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{association_id}' does not exist")


def _entry_asked(request: Request) -> NetworkAclEntry:
    number = int(required(request, "RuleNumber"))
    if not 1 <= number <= HIGHEST_RULE_NUMBER:
        raise invalid_value(f"Value ({number}) for parameter ruleNumber is invalid. Must be between 1 and 32766.")
    action = required(request, "RuleAction")
    if action not in ("allow", "deny"):
        raise invalid_value(f"Value ({action}) for parameter ruleAction is invalid. Unknown rule action.")
    entry = NetworkAclEntry(
        rule_number=number,
        is_egress=bool(required(request, "Egress")),
        protocol=_protocol_number(str(required(request, "Protocol"))),
        allow=action == "allow",
        cidr=_range_asked(request),
    )
    return _with_ports(entry, request)


def _range_asked(request: Request) -> str:
    """Return the range of an entry, of either version; both are kept in one field."""
    if request.get("Ipv6CidrBlock"):
        return canonical_cidr(request["Ipv6CidrBlock"])
    return str(parse_cidr(required(request, "CidrBlock")))


def _with_ports(entry: NetworkAclEntry, request: Request) -> NetworkAclEntry:
    if entry.protocol in WITH_PORTS:
        ports = request.get("PortRange") or {}
        if "From" not in ports or "To" not in ports:
            raise missing_parameter("PortRange")
        if not 0 <= ports["From"] <= ports["To"] <= 65535:
            raise invalid_value(f"Invalid TCP/UDP port range ({ports['From']}:{ports['To']})")
        return dataclasses.replace(entry, from_port=ports["From"], to_port=ports["To"])
    if entry.protocol in WITH_ICMP_TYPE:
        icmp = request.get("IcmpTypeCode") or {}
        if "Type" not in icmp or "Code" not in icmp:
            raise missing_parameter("IcmpTypeCode")
        return dataclasses.replace(entry, icmp_type=icmp["Type"], icmp_code=icmp["Code"])
    return entry


def _protocol_number(text: str) -> str:
    number = PROTOCOL_NUMBERS.get(text.lower(), text)
    if number != "-1" and not (number.isdecimal() and int(number) <= 255):
        raise invalid_value(f"Invalid value '{text}' for IP protocol. Unknown protocol.")
    return number


def _same_place(entry: NetworkAclEntry, other: NetworkAclEntry) -> bool:
    return (entry.rule_number, entry.is_egress) == (other.rule_number, other.is_egress)


def _no_such_entry(number: int) -> AwsError:
    return AwsError("InvalidNetworkAclEntry.NotFound", f"The network acl entry identified by {number} does not exist.")


def _view(call: Call, acl: NetworkAcl) -> View:
    final = tuple(NetworkAclEntry(FINAL_RULE_NUMBER, is_egress, "-1", False, ANYWHERE) for is_egress in (True, False))
    entries = sorted((*acl.entries, *final), key=lambda entry: (not entry.is_egress, entry.rule_number))
    return {
        "NetworkAclId": acl.network_acl_id,
        "VpcId": acl.vpc_id,
        "OwnerId": call.account_id,
        "IsDefault": acl.is_default,
        "Entries": [_entry_view(entry) for entry in entries],
        "Associations": [
            {
                "NetworkAclAssociationId": association.association_id,
                "NetworkAclId": acl.network_acl_id,
                "SubnetId": association.subnet_id,
            }
            for association in acl.associations
        ],
        "Tags": tag_list(acl.tags),
    }


def _entry_view(entry: NetworkAclEntry) -> dict[str, Any]:
    view: dict[str, Any] = {
        "RuleNumber": entry.rule_number,
        "Egress": entry.is_egress,
        "Protocol": entry.protocol,
        "RuleAction": "allow" if entry.allow else "deny",
        "Ipv6CidrBlock" if ":" in entry.cidr else "CidrBlock": entry.cidr,
    }
    if entry.protocol in WITH_PORTS:
        view["PortRange"] = {"From": entry.from_port, "To": entry.to_port}
    if entry.protocol in WITH_ICMP_TYPE:
        view["IcmpTypeCode"] = {"Type": entry.icmp_type, "Code": entry.icmp_code}
    return view


OPERATIONS: Mapping[str, Operation] = {
    "CreateNetworkAcl": create_network_acl,
    "DeleteNetworkAcl": delete_network_acl,
    "DescribeNetworkAcls": describe_network_acls,
    "CreateNetworkAclEntry": create_network_acl_entry,
    "ReplaceNetworkAclEntry": replace_network_acl_entry,
    "DeleteNetworkAclEntry": delete_network_acl_entry,
    "ReplaceNetworkAclAssociation": replace_network_acl_association,
}
