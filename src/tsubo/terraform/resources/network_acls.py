"""Network ACLs, their rules and associations, and the default one.

A subnet always has one ACL: to take one away from it is to give it the VPC's default. Calls:
aws/alb-vpc-terraform.md section 2.4.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.resources.common import first, given, retag_ec2, tag_map, tag_specifications
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

_NUMBERS = {"all": "-1", "icmp": "1", "tcp": "6", "udp": "17", "icmpv6": "58"}
_NAMES = {number: name for name, number in _NUMBERS.items() if name != "all"}
_WITH_ICMP_TYPE = ("1", "58")
_WITH_PORTS = ("6", "17")
_HIGHEST_NUMBER = 32766
_DIRECTIONS = {"ingress": False, "egress": True}


@dataclass(frozen=True, order=True)
class Entry:
    """One rule as EC2 keeps it; what its protocol does not have is 0."""

    egress: bool
    number: int
    action: str
    protocol: str
    cidr: str
    from_port: int
    to_port: int
    icmp_type: int
    icmp_code: int

    @property
    def place(self) -> tuple[bool, int]:
        return self.egress, self.number


def _entry(values: Values, egress: bool, number: str, action: str) -> Entry:
    protocol = _NUMBERS.get(str(values["protocol"]).lower(), str(values["protocol"]))
    ports, icmp = protocol in _WITH_PORTS, protocol in _WITH_ICMP_TYPE
    return Entry(
        egress,
        int(values[number]),
        str(values[action]).lower(),
        protocol,
        values.get("cidr_block") or values.get("ipv6_cidr_block") or "",
        int(values.get("from_port") or 0) if ports else 0,
        int(values.get("to_port") or 0) if ports else 0,
        int(values.get("icmp_type") or 0) if icmp else 0,
        int(values.get("icmp_code") or 0) if icmp else 0,
    )


def _entries(values: Values) -> set[Entry]:
    """Return the entries of the `ingress` and `egress` blocks."""
    return {
        _entry(block, egress, "rule_no", "action")
        for direction, egress in _DIRECTIONS.items()
        for block in values.get(direction) or ()
    }


def _described(entry: Any) -> Entry:
    """Return an entry as EC2 describes it."""
    ports, icmp = entry.get("PortRange") or {}, entry.get("IcmpTypeCode") or {}
    return Entry(
        entry["Egress"],
        entry["RuleNumber"],
        entry["RuleAction"],
        entry["Protocol"],
        entry.get("CidrBlock") or entry.get("Ipv6CidrBlock") or "",
        ports.get("From", 0),
        ports.get("To", 0),
        icmp.get("Type", 0),
        icmp.get("Code", 0),
    )


def _put(aws: Aws, operation: str, acl_id: str, entry: Entry) -> None:
    aws.call(
        "ec2",
        operation,
        NetworkAclId=acl_id,
        RuleNumber=entry.number,
        Egress=entry.egress,
        RuleAction=entry.action,
        Protocol=entry.protocol,
        CidrBlock=None if ":" in entry.cidr else entry.cidr,
        Ipv6CidrBlock=entry.cidr if ":" in entry.cidr else None,
        PortRange={"From": entry.from_port, "To": entry.to_port} if entry.protocol in _WITH_PORTS else None,
        IcmpTypeCode={"Type": entry.icmp_type, "Code": entry.icmp_code} if entry.protocol in _WITH_ICMP_TYPE else None,
    )


def _remove(aws: Aws, acl_id: str, entry: Entry) -> None:
    aws.call("ec2", "delete_network_acl_entry", NetworkAclId=acl_id, RuleNumber=entry.number, Egress=entry.egress)


def _bring(aws: Aws, acl_id: str, wanted: set[Entry]) -> None:
    """Make an ACL's entries the wanted ones; an entry whose number stays is replaced in one call."""
    there = _own_entries(_find(aws, acl_id) or {})
    taken = {entry.place for entry in there}
    for entry in sorted(wanted - there):
        _put(aws, f"{'replace' if entry.place in taken else 'create'}_network_acl_entry", acl_id, entry)
    kept = {entry.place for entry in wanted}
    for entry in sorted(there):
        if entry.place not in kept:
            _remove(aws, acl_id, entry)


def _own_entries(acl: Any) -> set[Entry]:
    return {_described(entry) for entry in acl.get("Entries") or () if entry["RuleNumber"] <= _HIGHEST_NUMBER}


def _find(aws: Aws, acl_id: str) -> Any:
    answer = aws.find("ec2", "describe_network_acls", NetworkAclIds=[acl_id]) or {}
    return first(answer.get("NetworkAcls"))


def _find_by(aws: Aws, name: str, value: str, **more: str) -> Any:
    """Return the ACL that a filter finds."""
    filters = [{"Name": key, "Values": [wanted]} for key, wanted in ({name: value} | more).items()]
    return first(aws.call("ec2", "describe_network_acls", Filters=filters)["NetworkAcls"])


def _associate(aws: Aws, acl_id: str, subnet_id: str) -> str:
    """Give a subnet this ACL in place of the one it has; return the association's id."""
    present = _find_by(aws, "association.subnet-id", subnet_id)
    association = first(a for a in (present or {}).get("Associations") or () if a["SubnetId"] == subnet_id)
    if association is None:
        raise CallError(f"the subnet {subnet_id} does not exist", "InvalidSubnetID.NotFound")
    answer = aws.call(
        "ec2",
        "replace_network_acl_association",
        AssociationId=association["NetworkAclAssociationId"],
        NetworkAclId=acl_id,
    )
    identifier: str = answer["NewAssociationId"]
    return identifier


def _release(aws: Aws, acl: Any, subnet_ids: Iterable[str]) -> None:
    """Give subnets their VPC's default ACL."""
    subnet_ids = sorted(subnet_ids)
    if subnet_ids:
        default = _find_by(aws, "vpc-id", acl["VpcId"], default="true")
        for subnet_id in subnet_ids:
            _associate(aws, default["NetworkAclId"], subnet_id)


def _create(aws: Aws, values: Values) -> Values:
    specifications = tag_specifications(values, "network-acl")
    answer = aws.call("ec2", "create_network_acl", VpcId=values["vpc_id"], TagSpecifications=specifications)
    return {"id": answer["NetworkAcl"]["NetworkAclId"]}


def _complete(aws: Aws, values: Values) -> None:
    _bring(aws, values["id"], _entries(values))
    for subnet_id in sorted(values.get("subnet_ids") or ()):
        _associate(aws, values["id"], subnet_id)


def _read(aws: Aws, values: Values) -> Values | None:
    acl = _find(aws, values["id"])
    if acl is None:
        return None
    there = _own_entries(acl)
    blocks = {name: _blocks(there, values.get(name), egress) for name, egress in _DIRECTIONS.items()}
    return blocks | {
        "arn": aws.arn("ec2", f"network-acl/{values['id']}"),
        "owner_id": acl["OwnerId"],
        "vpc_id": acl["VpcId"],
        "subnet_ids": sorted(association["SubnetId"] for association in acl["Associations"]),
        "tags": tag_map(acl.get("Tags")),
    }


def _blocks(there: set[Entry], known: Iterable[Values] | None, egress: bool) -> list[Values]:
    """Return one direction's entries as blocks: those that Terraform knows in its words, and the rest."""
    rest = {entry for entry in there if entry.egress == egress}
    blocks = []
    for block in known or ():
        entry = _entry(block, egress, "rule_no", "action")
        if entry in rest:
            blocks.append(block)
            rest.remove(entry)
    return [*blocks, *map(_block, sorted(rest))]


def _block(entry: Entry) -> Values:
    return {
        "rule_no": entry.number,
        "action": entry.action,
        "protocol": _NAMES.get(entry.protocol, entry.protocol),
        "cidr_block": "" if ":" in entry.cidr else entry.cidr,
        "ipv6_cidr_block": entry.cidr if ":" in entry.cidr else "",
        "from_port": entry.from_port,
        "to_port": entry.to_port,
        "icmp_type": entry.icmp_type,
        "icmp_code": entry.icmp_code,
    }


def _update(aws: Aws, before: Values, values: Values) -> None:
    _bring(aws, values["id"], _entries(values))
    old, new = (set(state.get("subnet_ids") or ()) for state in (before, values))
    _release(aws, _find(aws, values["id"]), old - new)
    for subnet_id in sorted(new - old):
        _associate(aws, values["id"], subnet_id)


def _delete(aws: Aws, values: Values) -> None:
    acl = _find(aws, values["id"])
    if acl is not None:
        _release(aws, acl, (association["SubnetId"] for association in acl["Associations"]))
        aws.call("ec2", "delete_network_acl", NetworkAclId=values["id"])


def _adopt_default(aws: Aws, values: Values) -> Values:
    return {"id": values["default_network_acl_id"]}


def _complete_default(aws: Aws, values: Values) -> None:
    _complete(aws, values)
    if values.get("tags_all"):
        retag_ec2(aws, values, values["tags_all"], [])


def _update_default(aws: Aws, before: Values, values: Values) -> None:
    """The default ACL cannot let a subnet go; those that another ACL takes leave it by themselves."""
    _bring(aws, values["id"], _entries(values))
    for subnet_id in sorted(set(values.get("subnet_ids") or ()) - set(before.get("subnet_ids") or ())):
        _associate(aws, values["id"], subnet_id)


def _rule_entry(values: Values) -> Entry:
    return _entry(values, bool(values.get("egress")), "rule_number", "rule_action")


def _create_rule(aws: Aws, values: Values) -> Values:
    entry = _rule_entry(values)
    _put(aws, "create_network_acl_entry", values["network_acl_id"], entry)
    return {"id": f"nacl-{values['network_acl_id']}-{entry.number}-{str(entry.egress).lower()}-{entry.protocol}"}


def _read_rule(aws: Aws, values: Values) -> Values | None:
    wanted = _rule_entry(values)
    found = first(e for e in _own_entries(_find(aws, values["network_acl_id"]) or {}) if e.place == wanted.place)
    if found is None:
        return None
    if found == wanted:
        return {}
    block = _block(found)
    return {"rule_action": block.pop("action"), "rule_number": block.pop("rule_no"), **block}


def _delete_rule(aws: Aws, values: Values) -> None:
    _remove(aws, values["network_acl_id"], _rule_entry(values))


def _create_association(aws: Aws, values: Values) -> Values:
    return {"id": _associate(aws, values["network_acl_id"], values["subnet_id"])}


def _read_association(aws: Aws, values: Values) -> Values | None:
    acl = _find_by(aws, "association.association-id", values["id"])
    if acl is None:
        return None
    association = next(a for a in acl["Associations"] if a["NetworkAclAssociationId"] == values["id"])
    return {"network_acl_id": acl["NetworkAclId"], "subnet_id": association["SubnetId"]}


def _delete_association(aws: Aws, values: Values) -> None:
    acl = _find(aws, values["network_acl_id"])
    if acl is not None and any(a["NetworkAclAssociationId"] == values["id"] for a in acl["Associations"]):
        _release(aws, acl, [values["subnet_id"]])


def _same_protocol(one: str, other: str) -> bool:
    return _NUMBERS.get(one.lower(), one) == _NUMBERS.get(other.lower(), other)


RESOURCES = {
    "aws_network_acl": ResourceType(
        create=_create, complete=_complete, read=_read, update=_update, delete=_delete, retag=retag_ec2
    ),
    "aws_default_network_acl": ResourceType(
        create=_adopt_default,
        complete=_complete_default,
        read=_read,
        update=_update_default,
        retag=retag_ec2,
        import_values=lambda identifier: given(id=identifier, default_network_acl_id=identifier),
    ),
    "aws_network_acl_rule": ResourceType(
        create=_create_rule, read=_read_rule, delete=_delete_rule, alike={"protocol": _same_protocol}
    ),
    "aws_network_acl_association": ResourceType(
        create=_create_association, read=_read_association, delete=_delete_association
    ),
}
