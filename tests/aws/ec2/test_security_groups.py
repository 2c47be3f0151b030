"""Security groups and their rules (aws/alb-vpc-terraform.md sections 2.2, 2.3 and 6.8)."""

from typing import Any

import pytest

from tests.aws.ec2.conftest import Ec2
from tsubo.model.elbv2 import LoadBalancer


def tcp(port: int, *cidrs: str, **peers: Any) -> dict[str, Any]:
    permission: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peers}
    return permission | {"IpRanges": [{"CidrIp": cidr} for cidr in cidrs]}


@pytest.fixture
def vpc_id(ec2: Ec2) -> str:
    return ec2.vpc()


@pytest.fixture
def group_id(ec2: Ec2, vpc_id: str) -> str:
    return ec2.group(vpc_id)


def ingress(ec2: Ec2, group_id: str) -> list[dict[str, Any]]:
    [group] = ec2("DescribeSecurityGroups", GroupIds=[group_id])["SecurityGroups"]
    permissions: list[dict[str, Any]] = group["IpPermissions"]
    return permissions


def allow(ec2: Ec2, group_id: str, *permissions: dict[str, Any]) -> list[dict[str, Any]]:
    request = {"GroupId": group_id, "IpPermissions": list(permissions)}
    rules: list[dict[str, Any]] = ec2("AuthorizeSecurityGroupIngress", **request)["SecurityGroupRules"]
    return rules


def test_a_new_group_lets_nothing_in_and_everything_out(ec2: Ec2, group_id: str) -> None:
    [group] = ec2("DescribeSecurityGroups", GroupIds=[group_id])["SecurityGroups"]
    assert group["IpPermissions"] == []
    assert group["IpPermissionsEgress"] == [
        {
            "IpProtocol": "-1",
            "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [],
        }
    ]


@pytest.mark.parametrize(
    ("name", "description", "code"),
    [
        ("web", "again", "InvalidGroup.Duplicate"),
        ("default", "mine", "InvalidParameterValue"),
        ("sg-web", "reserved prefix", "InvalidParameterValue"),
        ("new", "ロードバランサー", "InvalidParameterValue"),
        ("new", "what?", "InvalidParameterValue"),
        ("new", "", "MissingParameter"),
        ("", "nameless", "MissingParameter"),
    ],
)
def test_names_and_descriptions_that_aws_refuses(
    ec2: Ec2, vpc_id: str, group_id: str, name: str, description: str, code: str
) -> None:
    request = {"GroupName": name, "Description": description, "VpcId": vpc_id}
    assert ec2.error("CreateSecurityGroup", **request) == code


def test_one_name_may_stand_in_two_vpcs(ec2: Ec2, group_id: str) -> None:
    assert ec2.group(ec2.vpc("10.1.0.0/16"), "web") != group_id


def test_rules_of_equal_ports_show_as_one_permission(ec2: Ec2, vpc_id: str, group_id: str) -> None:
    other = ec2.group(vpc_id, "other")
    described = {"CidrIp": "10.1.0.0/16", "Description": "office"}
    allow(ec2, group_id, tcp(80, "10.0.0.0/16"), tcp(443, "0.0.0.0/0"))
    allow(ec2, group_id, tcp(80, UserIdGroupPairs=[{"GroupId": other}]) | {"IpRanges": [described]})
    by_port = {permission["FromPort"]: permission for permission in ingress(ec2, group_id)}
    assert by_port.keys() == {80, 443}
    assert by_port[80]["IpRanges"] == [{"CidrIp": "10.0.0.0/16"}, described]
    assert by_port[80]["UserIdGroupPairs"] == [{"GroupId": other, "UserId": "123456789012"}]


def test_a_rule_stands_once(ec2: Ec2, group_id: str) -> None:
    allow(ec2, group_id, tcp(80, "10.0.0.0/16"))
    again = {"GroupId": group_id, "IpPermissions": [tcp(81, "10.0.0.0/16"), tcp(80, "10.0.0.0/16")]}
    assert ec2.error("AuthorizeSecurityGroupIngress", **again) == "InvalidPermission.Duplicate"
    twice = {"GroupId": group_id, "IpPermissions": [tcp(82, "10.0.0.0/16", "10.0.0.0/16")]}
    assert ec2.error("AuthorizeSecurityGroupIngress", **twice) == "InvalidParameterValue"
    ec2("AuthorizeSecurityGroupEgress", GroupId=group_id, IpPermissions=[tcp(80, "10.0.0.0/16")])


@pytest.mark.parametrize(
    ("permission", "code"),
    [
        (tcp(80) | {"IpProtocol": "carrier-pigeon"}, "InvalidParameterValue"),
        (tcp(80, "10.0.0.0/33"), "InvalidParameterValue"),
        (tcp(80, "::/0"), "InvalidParameterValue"),
        (tcp(80), "MissingParameter"),
        (tcp(80, "10.0.0.0/8") | {"ToPort": 79}, "InvalidPermission.Malformed"),
        (tcp(65536, "10.0.0.0/8"), "InvalidPermission.Malformed"),
        ({"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}, "InvalidParameterValue"),
        (tcp(80, UserIdGroupPairs=[{"GroupId": "sg-1"}]), "InvalidGroup.NotFound"),
        (tcp(80, UserIdGroupPairs=[{"GroupName": "web"}]), "InvalidGroup.NotFound"),
        (tcp(80, PrefixListIds=[{"PrefixListId": "pl-1"}]), "InvalidPrefixListID.NotFound"),
        (tcp(80) | {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "<all>"}]}, "InvalidParameterValue"),
    ],
)
def test_permissions_that_aws_refuses(ec2: Ec2, group_id: str, permission: dict[str, Any], code: str) -> None:
    request = {"GroupId": group_id, "IpPermissions": [permission]}
    assert ec2.error("AuthorizeSecurityGroupIngress", **request) == code


def test_a_group_of_another_vpc_is_no_peer(ec2: Ec2, group_id: str) -> None:
    foreign = ec2.group(ec2.vpc("10.1.0.0/16"))
    request = {"GroupId": group_id, "IpPermissions": [tcp(80, UserIdGroupPairs=[{"GroupId": foreign}])]}
    assert ec2.error("AuthorizeSecurityGroupIngress", **request) == "InvalidGroup.NotFound"


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"IpProtocol": "6", "FromPort": 80, "ToPort": 81}, ("tcp", 80, 81)),
        ({"IpProtocol": "UDP", "FromPort": 53, "ToPort": 53}, ("udp", 53, 53)),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}, ("icmp", 8, -1)),
        ({"IpProtocol": "icmp"}, ("icmp", -1, -1)),
        ({"IpProtocol": "-1", "FromPort": 0, "ToPort": 0}, ("-1", -1, -1)),
        ({"IpProtocol": "50", "FromPort": 0, "ToPort": 0}, ("50", -1, -1)),
    ],
)
def test_protocols_and_ports_as_aws_keeps_them(
    ec2: Ec2, group_id: str, asked: dict[str, Any], kept: tuple[str, int, int]
) -> None:
    [rule] = allow(ec2, group_id, asked | {"IpRanges": [{"CidrIp": "10.0.0.5/16"}]})
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == kept
    assert rule["CidrIpv4"] == "10.0.0.0/16"


def test_the_old_form_of_a_request_means_one_rule(ec2: Ec2, group_id: str) -> None:
    request = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.0.0.0/8"}
    ec2("AuthorizeSecurityGroupIngress", GroupId=group_id, **request)
    assert ingress(ec2, group_id)[0]["IpRanges"] == [{"CidrIp": "10.0.0.0/8"}]
    ec2("RevokeSecurityGroupIngress", GroupId=group_id, **request)
    assert ingress(ec2, group_id) == []


def test_revoking_is_by_meaning_and_whole_or_not_at_all(ec2: Ec2, group_id: str) -> None:
    allow(ec2, group_id, tcp(80, "10.0.0.0/16", "10.1.0.0/16"))
    some = {"GroupId": group_id, "IpPermissions": [tcp(80, "10.0.0.0/16"), tcp(80, "10.2.0.0/16")]}
    assert ec2.error("RevokeSecurityGroupIngress", **some) == "InvalidPermission.NotFound"
    one = {"GroupId": group_id, "IpPermissions": [tcp(80, "10.0.0.0/16")]}
    [revoked] = ec2("RevokeSecurityGroupIngress", **one)["RevokedSecurityGroupRules"]
    assert revoked["CidrIpv4"] == "10.0.0.0/16"
    assert ingress(ec2, group_id)[0]["IpRanges"] == [{"CidrIp": "10.1.0.0/16"}]


def test_one_rule_resources_work_by_rule_identifier(ec2: Ec2, vpc_id: str, group_id: str) -> None:
    """The calls of aws_vpc_security_group_ingress_rule (section 6.8)."""
    other = ec2.group(vpc_id, "other")
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "Name", "Value": "http"}]}]
    request = {"GroupId": group_id, "IpPermissions": [tcp(80, "10.0.0.0/16")], "TagSpecifications": tags}
    [made] = ec2("AuthorizeSecurityGroupIngress", **request)["SecurityGroupRules"]
    rule_id = made["SecurityGroupRuleId"]
    [rule] = ec2("DescribeSecurityGroupRules", SecurityGroupRuleIds=[rule_id])["SecurityGroupRules"]
    assert rule == made
    assert rule["Tags"] == [{"Key": "Name", "Value": "http"}]
    update = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "ReferencedGroupId": other, "Description": "new"}
    updates = [{"SecurityGroupRuleId": rule_id, "SecurityGroupRule": update}]
    ec2("ModifySecurityGroupRules", GroupId=group_id, SecurityGroupRules=updates)
    filters = [{"Name": "group-id", "Values": [group_id]}, {"Name": "tag:Name", "Values": ["http"]}]
    [rule] = ec2("DescribeSecurityGroupRules", Filters=filters)["SecurityGroupRules"]
    assert "CidrIpv4" not in rule
    assert rule["ReferencedGroupInfo"]["GroupId"] == other
    assert (rule["FromPort"], rule["Description"], rule["IsEgress"]) == (8080, "new", False)
    assert ec2.error("RevokeSecurityGroupEgress", GroupId=group_id, SecurityGroupRuleIds=[rule_id]) == (
        "InvalidSecurityGroupRuleId.NotFound"
    )
    ec2("RevokeSecurityGroupIngress", GroupId=group_id, SecurityGroupRuleIds=[rule_id])
    code = ec2.error("DescribeSecurityGroupRules", SecurityGroupRuleIds=[rule_id])
    assert code == "InvalidSecurityGroupRuleId.NotFound"


def test_a_modified_rule_must_not_equal_another(ec2: Ec2, group_id: str) -> None:
    [first, second] = allow(ec2, group_id, tcp(80, "10.0.0.0/16"), tcp(81, "10.0.0.0/16"))
    update = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIpv4": "10.0.0.0/16"}
    updates = [{"SecurityGroupRuleId": second["SecurityGroupRuleId"], "SecurityGroupRule": update}]
    code = ec2.error("ModifySecurityGroupRules", GroupId=group_id, SecurityGroupRules=updates)
    assert code == "InvalidPermission.Duplicate"
    updates[0]["SecurityGroupRuleId"] = first["SecurityGroupRuleId"]
    ec2("ModifySecurityGroupRules", GroupId=group_id, SecurityGroupRules=updates)
    both = update | {"CidrIpv6": "::/0"}
    updates = [{"SecurityGroupRuleId": first["SecurityGroupRuleId"], "SecurityGroupRule": both}]
    code = ec2.error("ModifySecurityGroupRules", GroupId=group_id, SecurityGroupRules=updates)
    assert code == "InvalidParameterValue"


def test_descriptions_change_alone(ec2: Ec2, group_id: str) -> None:
    [rule] = allow(ec2, group_id, tcp(80, "10.0.0.0/16"))
    permission = tcp(80) | {"IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": "office"}]}
    update = "UpdateSecurityGroupRuleDescriptionsIngress"
    ec2(update, GroupId=group_id, IpPermissions=[permission])
    assert ingress(ec2, group_id)[0]["IpRanges"][0]["Description"] == "office"
    by_id = [{"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Description": "home"}]
    ec2(update, GroupId=group_id, SecurityGroupRuleDescriptions=by_id)
    assert ingress(ec2, group_id)[0]["IpRanges"][0]["Description"] == "home"
    missing = {"GroupId": group_id, "IpPermissions": [tcp(99, "10.0.0.0/16")]}
    assert ec2.error(update, **missing) == "InvalidPermission.NotFound"


def test_a_group_in_use_stays(ec2: Ec2, vpc_id: str, group_id: str) -> None:
    interface = ec2.interface(ec2.subnet(vpc_id), "10.0.1.5", security_group_ids=(group_id,))
    assert ec2.error("DeleteSecurityGroup", GroupId=group_id) == "DependencyViolation"
    ec2.remove(interface)
    balancer = LoadBalancer(
        "arn", "lb", ec2.region, "lb.elb.amazonaws.com", "Z", "internal", vpc_id, (), (group_id,), 1.0
    )
    ec2.put(balancer)
    assert ec2.error("DeleteSecurityGroup", GroupId=group_id) == "DependencyViolation"
    ec2.remove(balancer)
    allow(ec2, group_id, tcp(80, UserIdGroupPairs=[{"GroupId": group_id}]))
    ec2("DeleteSecurityGroup", GroupId=group_id)
    assert all(rule.group_id != group_id for rule in ec2.world.security_group_rules.values())
    assert ec2.error("DescribeSecurityGroups", GroupIds=[group_id]) == "InvalidGroup.NotFound"


def test_the_default_group_cannot_be_deleted(ec2: Ec2, vpc_id: str) -> None:
    filters = [{"Name": "group-name", "Values": ["default"]}]
    [group] = ec2("DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    assert ec2.error("DeleteSecurityGroup", GroupId=group["GroupId"]) == "CannotDelete"


def test_groups_are_found_by_what_their_rules_say(ec2: Ec2, vpc_id: str, group_id: str) -> None:
    allow(ec2, group_id, tcp(443, "10.0.0.0/16"))
    ec2.group(vpc_id, "other")
    for name, value in (("ip-permission.cidr", "10.0.*"), ("ip-permission.from-port", "443")):
        found = ec2("DescribeSecurityGroups", Filters=[{"Name": name, "Values": [value]}])["SecurityGroups"]
        assert [group["GroupId"] for group in found] == [group_id]
