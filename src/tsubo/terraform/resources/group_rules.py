"""One-rule resources of security groups: aws_vpc_security_group_{ingress,egress}_rule.

They live by the rule's own id. Source: aws/alb-vpc-terraform.md section 6.8.
"""

from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import first, given, retag_ec2, tag_map, tag_specifications
from tsubo.terraform.resources.permissions import normal_protocol
from tsubo.terraform.resources.security_groups import Direction
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values


def _rule_type(direction: Direction) -> ResourceType:
    def create(aws: Aws, values: Values) -> Values:
        answer = aws.call(
            "ec2",
            f"authorize_security_group_{direction}",
            GroupId=values["security_group_id"],
            IpPermissions=[_permission(values)],
            TagSpecifications=tag_specifications(values, "security-group-rule"),
        )
        return {"id": answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]}

    def delete(aws: Aws, values: Values) -> None:
        aws.call(
            "ec2",
            f"revoke_security_group_{direction}",
            GroupId=values["security_group_id"],
            SecurityGroupRuleIds=[values["id"]],
        )

    return ResourceType(
        create=create,
        read=_read,
        update=_update,
        delete=delete,
        retag=retag_ec2,
        alike={"ip_protocol": lambda one, other: normal_protocol(one) == normal_protocol(other)},
    )


def _permission(values: Values) -> dict[str, Any]:
    description = given(Description=values.get("description"))
    peers = {
        "IpRanges": given(CidrIp=values.get("cidr_ipv4")),
        "Ipv6Ranges": given(CidrIpv6=values.get("cidr_ipv6")),
        "PrefixListIds": given(PrefixListId=values.get("prefix_list_id")),
        "UserIdGroupPairs": _group_pair(values.get("referenced_security_group_id")),
    }
    return given(
        IpProtocol=normal_protocol(values["ip_protocol"]),
        FromPort=values.get("from_port"),
        ToPort=values.get("to_port"),
    ) | {member: [peer | description] for member, peer in peers.items() if peer}


def _group_pair(reference: str | None) -> dict[str, str]:
    """A group of another account is written `ACCOUNT/GROUP`."""
    if not reference:
        return {}
    account, _, group = reference.rpartition("/")
    return {"GroupId": group} | ({"UserId": account} if account else {})


def _read(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("ec2", "describe_security_group_rules", SecurityGroupRuleIds=[values["id"]]) or {}
    rule = first(answer.get("SecurityGroupRules"))
    if rule is None:
        return None
    everything = rule["IpProtocol"] == "-1"
    reference = rule.get("ReferencedGroupInfo") or {}
    return {
        "arn": aws.arn("ec2", f"security-group-rule/{values['id']}"),
        "security_group_rule_id": values["id"],
        "security_group_id": rule["GroupId"],
        "ip_protocol": rule["IpProtocol"],
        "from_port": None if everything else rule.get("FromPort"),
        "to_port": None if everything else rule.get("ToPort"),
        "cidr_ipv4": rule.get("CidrIpv4"),
        "cidr_ipv6": rule.get("CidrIpv6"),
        "prefix_list_id": rule.get("PrefixListId"),
        "referenced_security_group_id": reference.get("GroupId"),
        "description": rule.get("Description"),
        "tags": tag_map(rule.get("Tags")),
    }


def _update(aws: Aws, _before: Values, values: Values) -> None:
    rule = given(
        IpProtocol=normal_protocol(values["ip_protocol"]),
        FromPort=values.get("from_port"),
        ToPort=values.get("to_port"),
        CidrIpv4=values.get("cidr_ipv4"),
        CidrIpv6=values.get("cidr_ipv6"),
        PrefixListId=values.get("prefix_list_id"),
        ReferencedGroupId=values.get("referenced_security_group_id"),
        Description=values.get("description"),
    )
    aws.call(
        "ec2",
        "modify_security_group_rules",
        GroupId=values["security_group_id"],
        SecurityGroupRules=[{"SecurityGroupRuleId": values["id"], "SecurityGroupRule": rule}],
    )


RESOURCES = {
    "aws_vpc_security_group_ingress_rule": _rule_type("ingress"),
    "aws_vpc_security_group_egress_rule": _rule_type("egress"),
}
