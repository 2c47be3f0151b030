"""Security groups, the default one, and single rules of both kinds.

A new group loses EC2's default egress rule, as with the real provider. Source: aws/alb-vpc-terraform.md sections 2.3,
6.2 and 6.8.
"""

import zlib
from typing import Any, Literal

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.resources.common import (
    first,
    given,
    name_of,
    retag_ec2,
    same_folded,
    tag_map,
    tag_specifications,
)
from tsubo.terraform.resources.permissions import (
    Rule,
    blocks_of,
    normal_protocol,
    permissions_of,
    rules_of_block,
    rules_of_blocks,
    rules_of_permissions,
)
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

Direction = Literal["ingress", "egress"]
_DIRECTIONS: tuple[Direction, Direction] = ("ingress", "egress")
_PERMISSIONS = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}


def find_group(aws: Aws, group_id: str) -> Any:
    """Return a group as EC2 describes it, or None."""
    answer = aws.find("ec2", "describe_security_groups", GroupIds=[group_id]) or {}
    return first(answer.get("SecurityGroups"))


def group_rules(aws: Aws, group: Any, direction: Direction) -> set[Rule]:
    """Return the rules of a group in one direction."""
    return rules_of_permissions(group.get(_PERMISSIONS[direction]) or (), aws.account_id)


def authorize(aws: Aws, group_id: str, direction: Direction, rules: set[Rule]) -> None:
    if rules:
        operation = f"authorize_security_group_{direction}"
        aws.call("ec2", operation, GroupId=group_id, IpPermissions=permissions_of(rules))


def revoke(aws: Aws, group_id: str, direction: Direction, rules: set[Rule]) -> None:
    if rules:
        operation = f"revoke_security_group_{direction}"
        aws.call("ec2", operation, GroupId=group_id, IpPermissions=permissions_of(rules))


def _replace_rules(aws: Aws, group_id: str, direction: Direction, old: set[Rule], new: set[Rule]) -> None:
    """Change only what differs, so that a connection that stays allowed is never cut."""
    added, removed = new - old, old - new
    same_target = {rule.target for rule in added}
    revoke(aws, group_id, direction, {rule for rule in removed if rule.target in same_target})
    authorize(aws, group_id, direction, added)
    revoke(aws, group_id, direction, {rule for rule in removed if rule.target not in same_target})


def _create(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "ec2",
        "create_security_group",
        GroupName=name_of(values),
        Description=values["description"],
        VpcId=values.get("vpc_id"),
        TagSpecifications=tag_specifications(values, "security-group"),
    )
    return {"id": answer["GroupId"]}


def _complete(aws: Aws, values: Values) -> None:
    group = find_group(aws, values["id"])
    for direction in _DIRECTIONS:
        wanted = rules_of_blocks(values.get(direction), values["id"])
        _replace_rules(aws, values["id"], direction, group_rules(aws, group, direction), wanted)


def _read(aws: Aws, values: Values) -> Values | None:
    group = find_group(aws, values["id"])
    if group is None:
        return None
    rules = {
        direction: blocks_of(group_rules(aws, group, direction), values.get(direction), values["id"])
        for direction in _DIRECTIONS
    }
    return rules | {
        "arn": aws.arn("ec2", f"security-group/{group['GroupId']}"),
        "owner_id": group.get("OwnerId", aws.account_id),
        "name": group["GroupName"],
        "name_prefix": values.get("name_prefix") or "",
        "description": group["Description"],
        "vpc_id": group.get("VpcId", ""),
        "tags": tag_map(group.get("Tags")),
    }


def _update(aws: Aws, before: Values, values: Values) -> None:
    for direction in _DIRECTIONS:
        old, new = (rules_of_blocks(state.get(direction), values["id"]) for state in (before, values))
        _replace_rules(aws, values["id"], direction, old, new)


def _delete(aws: Aws, values: Values) -> None:
    if values.get("revoke_rules_on_delete"):
        group = find_group(aws, values["id"]) or {}
        for direction in _DIRECTIONS:
            revoke(aws, values["id"], direction, group_rules(aws, group, direction))
    aws.call("ec2", "delete_security_group", GroupId=values["id"])


def _adopt_default(aws: Aws, values: Values) -> Values:
    """The default group exists with its VPC; Terraform takes it over with its rules."""
    conditions = {"group-name": "default"} | given(**{"vpc-id": values.get("vpc_id")})
    filters = [{"Name": name, "Values": [value]} for name, value in conditions.items()]
    group = first(aws.call("ec2", "describe_security_groups", Filters=filters)["SecurityGroups"])
    if group is None:
        raise CallError(f"the VPC {values.get('vpc_id')} has no default security group")
    return {"id": group["GroupId"]}


def _complete_default(aws: Aws, values: Values) -> None:
    _complete(aws, values)
    if values.get("tags_all"):
        retag_ec2(aws, values, values["tags_all"], [])


def _create_rule(aws: Aws, values: Values) -> Values:
    group_id = values["security_group_id"]
    rules = set(rules_of_block(values, group_id))
    if not rules:
        raise CallError(f"the rule of {group_id} names no source or destination")
    authorize(aws, group_id, values["type"], rules)
    text = f"{group_id}-{values['type']}-{sorted(rules)}"
    return {"id": f"sgrule-{zlib.crc32(text.encode())}"}


def _read_rule(aws: Aws, values: Values) -> Values | None:
    """A rule of which a part is gone shows what is left, so that Terraform makes it whole."""
    group_id = values["security_group_id"]
    group = find_group(aws, group_id)
    if group is None:
        return None
    wanted = set(rules_of_block(values, group_id))
    found = wanted & group_rules(aws, group, values["type"])
    if not found:
        return None
    actual: Values = {"security_group_rule_id": ""}
    if found != wanted:
        for kind in ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"):
            actual[kind] = [rule.peer for rule in sorted(found) if rule.peer_kind == kind]
    return actual


def _update_rule(aws: Aws, before: Values, values: Values) -> None:
    group_id = values["security_group_id"]
    old, new = (set(rules_of_block(state, group_id)) for state in (before, values))
    _replace_rules(aws, group_id, values["type"], old, new)


def _delete_rule(aws: Aws, values: Values) -> None:
    group_id = values["security_group_id"]
    revoke(aws, group_id, values["type"], set(rules_of_block(values, group_id)))


def _same_protocol(one: str, other: str) -> bool:
    return normal_protocol(one) == normal_protocol(other)


RESOURCES = {
    "aws_security_group": ResourceType(
        create=_create, complete=_complete, read=_read, update=_update, delete=_delete, retag=retag_ec2
    ),
    "aws_default_security_group": ResourceType(
        create=_adopt_default, complete=_complete_default, read=_read, update=_update, retag=retag_ec2
    ),
    "aws_security_group_rule": ResourceType(
        create=_create_rule,
        read=_read_rule,
        update=_update_rule,
        delete=_delete_rule,
        alike={"protocol": _same_protocol, "type": same_folded},
    ),
}
