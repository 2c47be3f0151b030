"""Security groups: create, delete, describe. Their rules are in `security_group_rules`.

Source: aws/alb-vpc-terraform.md section 2.2.
"""

import re
from collections.abc import Iterable, Mapping

from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.errors import invalid_value, missing_parameter, required
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.lookup import default_vpc, find, missing, regional
from tsubo.aws.ec2.permissions import ALL, DESCRIPTION_CHARACTERS, LONGEST_DESCRIPTION, group_named, ip_permissions
from tsubo.aws.ec2.tags import shown_tags, tag_list, tags_asked
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.elbv2 import LoadBalancer
from tsubo.model.supply import resource_id
from tsubo.model.vpc import NetworkInterface, SecurityGroup, SecurityGroupRule, Vpc, VpcEndpoint

DEFAULT_NAME = "default"
ANYWHERE = "0.0.0.0/0"
_RULE_FILTERS = {
    "cidr": "IpRanges.CidrIp",
    "from-port": "FromPort",
    "group-id": "UserIdGroupPairs.GroupId",
    "group-name": "UserIdGroupPairs.GroupName",
    "ipv6-cidr": "Ipv6Ranges.CidrIpv6",
    "prefix-list-id": "PrefixListIds.PrefixListId",
    "protocol": "IpProtocol",
    "to-port": "ToPort",
    "user-id": "UserIdGroupPairs.UserId",
}
FILTERS = {
    "description": "Description",
    "group-id": "GroupId",
    "group-name": "GroupName",
    "owner-id": "OwnerId",
    "vpc-id": "VpcId",
    **{f"ip-permission.{name}": f"IpPermissions.{path}" for name, path in _RULE_FILTERS.items()},
    **{f"egress.ip-permission.{name}": f"IpPermissionsEgress.{path}" for name, path in _RULE_FILTERS.items()},
}


def new_default_group(call: Call, vpc_id: str) -> tuple[SecurityGroup | SecurityGroupRule, ...]:
    """Return the group that a new VPC has, with its rules: all from itself in, all out."""
    group = SecurityGroup(
        resource_id(call.supply, "sg"), vpc_id, call.region, DEFAULT_NAME, "default VPC security group"
    )
    ingress = SecurityGroupRule(
        resource_id(call.supply, "sgr"), group.group_id, call.region, False, ALL, referenced_group_id=group.group_id
    )
    return (group, ingress, allow_all_egress(call, group))


def allow_all_egress(call: Call, group: SecurityGroup) -> SecurityGroupRule:
    """Return the egress rule that every new group has."""
    return SecurityGroupRule(resource_id(call.supply, "sgr"), group.group_id, call.region, True, ALL, cidr=ANYWHERE)


def rules_of(call: Call, group: SecurityGroup) -> list[SecurityGroupRule]:
    """Return a group's rules."""
    return [rule for rule in regional(call, SecurityGroupRule) if rule.group_id == group.group_id]


def group_of(call: Call, request: Request) -> SecurityGroup:
    """Return the group that a request names by GroupId or, in the default VPC, by GroupName."""
    if request.get("GroupId"):
        return find(call, SecurityGroup, request["GroupId"])
    if request.get("GroupName"):
        return group_named(call, request["GroupName"])
    raise AwsError("MissingParameter", "The request must contain the parameter groupName or groupId")


def create_security_group(call: Call, request: Request) -> Response:
    name = _checked_name(required(request, "GroupName"))
    if not request.get("Description"):
        raise missing_parameter("GroupDescription")
    description = _checked_description(request["Description"])
    vpc_id = _vpc_id_asked(call, request)
    if any(group.name == name and group.vpc_id == vpc_id for group in regional(call, SecurityGroup)):
        raise AwsError("InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc_id}'")
    tags = tags_asked(request, "security-group")
    group = SecurityGroup(resource_id(call.supply, "sg"), vpc_id, call.region, name, description, tags)
    call.put(group, allow_all_egress(call, group))
    return {"GroupId": group.group_id, "SecurityGroupArn": _arn(call, group), "Tags": tag_list(tags)}


def delete_security_group(call: Call, request: Request) -> Response:
    group = group_of(call, request)
    if group.name == DEFAULT_NAME:
        raise AwsError(
            "CannotDelete",
            f'the specified group: "{group.group_id}" name: "{group.name}" cannot be deleted by a user',
        )
    if is_used(call, group):
        raise AwsError("DependencyViolation", f"resource {group.group_id} has a dependent object")
    call.delete(group, *rules_of(call, group))
    return {"Return": True, "GroupId": group.group_id}


def is_used(call: Call, group: SecurityGroup) -> bool:
    """Say whether an interface, endpoint or load balancer carries the group, or another group's rule names it."""
    carriers: Iterable[NetworkInterface | VpcEndpoint | LoadBalancer] = (
        *regional(call, NetworkInterface),
        *regional(call, VpcEndpoint),
        *call.world.load_balancers.values(),
    )
    return any(group.group_id in carrier.security_group_ids for carrier in carriers) or any(
        rule.referenced_group_id == group.group_id and rule.group_id != group.group_id
        for rule in regional(call, SecurityGroupRule)
    )


def describe_security_groups(call: Call, request: Request) -> Response:
    rules: dict[str, list[SecurityGroupRule]] = {}
    for rule in regional(call, SecurityGroupRule):
        rules.setdefault(rule.group_id, []).append(rule)
    views = [_view(call, group, rules.get(group.group_id, [])) for group in regional(call, SecurityGroup)]
    views = chosen(views, "GroupId", request.get("GroupIds"), missing(SecurityGroup))
    if request.get("GroupNames"):
        named = {group_named(call, name).group_id for name in request["GroupNames"]}
        views = [view for view in views if view["GroupId"] in named]
    return listed("SecurityGroups", views, request, FILTERS, by="GroupId")


def _vpc_id_asked(call: Call, request: Request) -> str:
    if request.get("VpcId"):
        return find(call, Vpc, request["VpcId"]).vpc_id
    standing = default_vpc(call)
    if standing is None:
        raise AwsError("VPCIdNotSpecified", "No default VPC for this user")
    return standing.vpc_id


def _checked_name(name: str) -> str:
    if name.lower().startswith("sg-"):
        raise invalid_value(f"Invalid group name: {name}. Group names may not be in the format sg-*")
    if name == DEFAULT_NAME:
        raise invalid_value(f"Cannot use reserved security group name: {name}")
    _check_characters(name, "GroupName", "name")
    return name


def _checked_description(description: str) -> str:
    _check_characters(description, "GroupDescription", "description")
    return description


def _check_characters(text: str, parameter: str, noun: str) -> None:
    if not text.isascii():
        raise invalid_value(
            f"Value ({text}) for parameter {parameter} is invalid. Character sets beyond ASCII are not supported."
        )
    if len(text) > LONGEST_DESCRIPTION or not re.fullmatch(DESCRIPTION_CHARACTERS, text):
        raise invalid_value(
            f"Invalid security group {noun}. Valid {noun}s are strings less than 256 characters from the following "
            "set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
        )


def _arn(call: Call, group: SecurityGroup) -> str:
    return call.arn("ec2", f"security-group/{group.group_id}")


def _view(call: Call, group: SecurityGroup, rules: list[SecurityGroupRule]) -> View:
    return {
        "GroupId": group.group_id,
        "GroupName": group.name,
        "Description": group.description,
        "VpcId": group.vpc_id,
        "OwnerId": call.account_id,
        "SecurityGroupArn": _arn(call, group),
        "IpPermissions": ip_permissions((rule for rule in rules if not rule.is_egress), call.account_id),
        "IpPermissionsEgress": ip_permissions((rule for rule in rules if rule.is_egress), call.account_id),
        **shown_tags(group.tags),
    }


OPERATIONS: Mapping[str, Operation] = {
    "CreateSecurityGroup": create_security_group,
    "DeleteSecurityGroup": delete_security_group,
    "DescribeSecurityGroups": describe_security_groups,
}
