"""Rules of security groups: authorize, revoke, describe, modify. Each request holds whole or not at all.

Source: aws/alb-vpc-terraform.md sections 2.2, 2.3 and 6.8.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from tsubo.aws.ec2.cidr import canonical_cidr
from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.errors import invalid_value, required
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.lookup import find, missing, regional
from tsubo.aws.ec2.permissions import (
    ALL,
    checked_description,
    port_range,
    protocol_name,
    referenced_group,
    rules_asked,
    traffic,
)
from tsubo.aws.ec2.prefix_lists import require_prefix_list
from tsubo.aws.ec2.security_groups import group_of, rules_of
from tsubo.aws.ec2.tags import tag_list, tags_asked
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.supply import resource_id
from tsubo.model.vpc import SecurityGroup, SecurityGroupRule

FILTERS = {"group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId"}


def authorize(call: Call, request: Request, is_egress: bool) -> Response:
    """Add rules to a group; InvalidPermission.Duplicate if one of them is there already."""
    group = group_of(call, request)
    standing = {traffic(rule) for rule in rules_of(call, group)}
    tags = tags_asked(request, "security-group-rule")
    added = [
        dataclasses.replace(rule, rule_id=resource_id(call.supply, "sgr"), tags=tags)
        for rule in rules_asked(call, request, group, is_egress)
    ]
    for rule in added:
        if traffic(rule) in standing:
            raise _duplicate(rule)
    call.put(*added)
    return {"Return": True, "SecurityGroupRules": [_view(call, rule) for rule in added]}


def revoke(call: Call, request: Request, is_egress: bool) -> Response:
    """Remove rules, named by identifier or by what they allow; InvalidPermission.NotFound if one is not there."""
    group = group_of(call, request)
    if request.get("SecurityGroupRuleIds"):
        revoked = [_rule_of(call, group, identifier, is_egress) for identifier in request["SecurityGroupRuleIds"]]
    else:
        standing = {traffic(rule): rule for rule in rules_of(call, group)}
        asked = [traffic(rule) for rule in rules_asked(call, request, group, is_egress)]
        if any(each not in standing for each in asked):
            raise AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
        revoked = [standing[each] for each in asked]
    call.delete(*revoked)
    return {"Return": True, "RevokedSecurityGroupRules": [_revoked_view(rule) for rule in revoked]}


def describe_security_group_rules(call: Call, request: Request) -> Response:
    views = [_view(call, rule) for rule in regional(call, SecurityGroupRule)]
    views = chosen(views, "SecurityGroupRuleId", request.get("SecurityGroupRuleIds"), missing(SecurityGroupRule))
    return listed("SecurityGroupRules", views, request, FILTERS, by="SecurityGroupRuleId")


def modify_security_group_rules(call: Call, request: Request) -> Response:
    """Give rules another protocol, ports, peer or description. Their direction and identifiers stay."""
    group = find(call, SecurityGroup, required(request, "GroupId"))
    for update in required(request, "SecurityGroupRules"):
        rule = _rule_of(call, group, required(update, "SecurityGroupRuleId"))
        changed = _changed(call, group, rule, update.get("SecurityGroupRule") or {})
        others = {traffic(other) for other in rules_of(call, group) if other.rule_id != rule.rule_id}
        if traffic(changed) in others:
            raise _duplicate(changed)
        call.put(changed)
    return {"Return": True}


def update_descriptions(call: Call, request: Request, is_egress: bool) -> Response:
    """Replace the descriptions of rules, named by their identifiers or by what they allow."""
    group = group_of(call, request)
    if request.get("SecurityGroupRuleDescriptions"):
        for each in request["SecurityGroupRuleDescriptions"]:
            rule = _rule_of(call, group, required(each, "SecurityGroupRuleId"), is_egress)
            call.put(dataclasses.replace(rule, description=checked_description(each.get("Description"))))
        return {"Return": True}
    standing = {traffic(rule): rule for rule in rules_of(call, group)}
    for asked in rules_asked(call, request, group, is_egress):
        if traffic(asked) not in standing:
            raise AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
        call.put(dataclasses.replace(standing[traffic(asked)], description=asked.description))
    return {"Return": True}


def _rule_of(call: Call, group: SecurityGroup, identifier: str, is_egress: bool | None = None) -> SecurityGroupRule:
    rule = find(call, SecurityGroupRule, identifier)
    if rule.group_id != group.group_id or is_egress not in (None, rule.is_egress):
        raise missing(SecurityGroupRule)([identifier])
    return rule


def _changed(call: Call, group: SecurityGroup, rule: SecurityGroupRule, update: Mapping[str, Any]) -> SecurityGroupRule:
    peers = [member for member in PEERS if update.get(member)]
    if len(peers) != 1:
        raise invalid_value("A security group rule must have exactly one source or destination.")
    field, value_of = PEERS[peers[0]]
    protocol = protocol_name(str(update.get("IpProtocol") or ALL))
    from_port, to_port = port_range(protocol, update.get("FromPort"), update.get("ToPort"))
    without_peer = dataclasses.replace(
        rule,
        protocol=protocol,
        from_port=from_port,
        to_port=to_port,
        cidr=None,
        cidr_ipv6=None,
        referenced_group_id=None,
        prefix_list_id=None,
        description=checked_description(update.get("Description")),
    )
    peer: dict[str, Any] = {field: value_of(call, group, update[peers[0]])}
    return dataclasses.replace(without_peer, **peer)


PEERS: Mapping[str, tuple[str, Callable[[Call, SecurityGroup, str], str]]] = {
    "CidrIpv4": ("cidr", lambda call, group, value: canonical_cidr(value)),
    "CidrIpv6": ("cidr_ipv6", lambda call, group, value: canonical_cidr(value)),
    "ReferencedGroupId": (
        "referenced_group_id",
        lambda call, group, value: referenced_group(call, {"GroupId": value}, group),
    ),
    "PrefixListId": (
        "prefix_list_id",
        lambda call, group, value: require_prefix_list(call.region, value).prefix_list_id,
    ),
}
"""Per member of a rule request that names a peer: the record's field, and how its value is checked."""


def _duplicate(rule: SecurityGroupRule) -> AwsError:
    peer = rule.cidr or rule.cidr_ipv6 or rule.referenced_group_id or rule.prefix_list_id
    if rule.protocol == ALL:
        words = f"peer: {peer}, ALL, ALLOW"
    else:
        words = f"peer: {peer}, {rule.protocol.upper()}, from port: {rule.from_port}, to port: {rule.to_port}, ALLOW"
    return AwsError("InvalidPermission.Duplicate", f'the specified rule "{words}" already exists')


def _common_view(rule: SecurityGroupRule) -> View:
    optional = {
        "CidrIpv4": rule.cidr,
        "CidrIpv6": rule.cidr_ipv6,
        "PrefixListId": rule.prefix_list_id,
        "Description": rule.description,
    }
    return {
        "SecurityGroupRuleId": rule.rule_id,
        "GroupId": rule.group_id,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.protocol,
        "FromPort": rule.from_port,
        "ToPort": rule.to_port,
        **{member: value for member, value in optional.items() if value},
    }


def _view(call: Call, rule: SecurityGroupRule) -> View:
    view = _common_view(rule) | {
        "GroupOwnerId": call.account_id,
        "SecurityGroupRuleArn": call.arn("ec2", f"security-group-rule/{rule.rule_id}"),
        "Tags": tag_list(rule.tags),
    }
    if rule.referenced_group_id:
        view["ReferencedGroupInfo"] = {"GroupId": rule.referenced_group_id, "UserId": call.account_id}
    return view


def _revoked_view(rule: SecurityGroupRule) -> View:
    view = _common_view(rule)
    if rule.referenced_group_id:
        view["ReferencedGroupId"] = rule.referenced_group_id
    return view


def _ingress(operation: Callable[[Call, Request, bool], Response]) -> Operation:
    return lambda call, request: operation(call, request, False)


def _egress(operation: Callable[[Call, Request, bool], Response]) -> Operation:
    return lambda call, request: operation(call, request, True)


OPERATIONS: Mapping[str, Operation] = {
    "AuthorizeSecurityGroupIngress": _ingress(authorize),
    "AuthorizeSecurityGroupEgress": _egress(authorize),
    "RevokeSecurityGroupIngress": _ingress(revoke),
    "RevokeSecurityGroupEgress": _egress(revoke),
    "DescribeSecurityGroupRules": describe_security_group_rules,
    "ModifySecurityGroupRules": modify_security_group_rules,
    "UpdateSecurityGroupRuleDescriptionsIngress": _ingress(update_descriptions),
    "UpdateSecurityGroupRuleDescriptionsEgress": _egress(update_descriptions),
}
