"""Network ACLs (aws/alb-vpc-terraform.md section 2.4)."""

from typing import Any

import pytest

from tests.aws.ec2.conftest import Ec2

DENY_ALL = {"RuleNumber": 32767, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"}
WEB: dict[str, Any] = {
    "RuleNumber": 100,
    "Egress": False,
    "Protocol": "6",
    "RuleAction": "allow",
    "CidrBlock": "10.0.0.0/16",
    "PortRange": {"From": 80, "To": 80},
}


@pytest.fixture
def vpc_id(ec2: Ec2) -> str:
    return ec2.vpc()


@pytest.fixture
def acl_id(ec2: Ec2, vpc_id: str) -> str:
    return str(ec2("CreateNetworkAcl", VpcId=vpc_id)["NetworkAcl"]["NetworkAclId"])


def described(ec2: Ec2, acl_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2("DescribeNetworkAcls", NetworkAclIds=[acl_id])["NetworkAcls"][0]
    return found


def test_the_default_acl_allows_all_and_a_new_one_nothing(ec2: Ec2, vpc_id: str, acl_id: str) -> None:
    [default] = ec2("DescribeNetworkAcls", Filters=[{"Name": "default", "Values": ["true"]}])["NetworkAcls"]
    actions = [(entry["Egress"], entry["RuleNumber"], entry["RuleAction"]) for entry in default["Entries"]]
    assert actions == [(True, 100, "allow"), (True, 32767, "deny"), (False, 100, "allow"), (False, 32767, "deny")]
    assert described(ec2, acl_id)["Entries"] == [{**DENY_ALL, "Egress": True}, {**DENY_ALL, "Egress": False}]
    assert ec2.error("DeleteNetworkAcl", NetworkAclId=default["NetworkAclId"]) == "InvalidParameterValue"


def test_entries_are_made_replaced_and_deleted_by_number(ec2: Ec2, acl_id: str) -> None:
    at = {"NetworkAclId": acl_id}
    assert ec2.error("ReplaceNetworkAclEntry", **at, **WEB) == "InvalidNetworkAclEntry.NotFound"
    ec2("CreateNetworkAclEntry", **at, **WEB)
    assert ec2.error("CreateNetworkAclEntry", **at, **WEB) == "NetworkAclEntryAlreadyExists"
    ec2("CreateNetworkAclEntry", **at, **(WEB | {"Egress": True}))
    ec2("ReplaceNetworkAclEntry", **at, **(WEB | {"RuleAction": "deny"}))
    entries = [entry for entry in described(ec2, acl_id)["Entries"] if entry["RuleNumber"] == 100]
    assert entries == [WEB | {"Egress": True}, WEB | {"RuleAction": "deny"}]
    ec2("DeleteNetworkAclEntry", **at, RuleNumber=100, Egress=False)
    code = ec2.error("DeleteNetworkAclEntry", **at, RuleNumber=100, Egress=False)
    assert code == "InvalidNetworkAclEntry.NotFound"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"RuleNumber": 32767}, "InvalidParameterValue"),
        ({"RuleAction": "maybe"}, "InvalidParameterValue"),
        ({"Protocol": "256"}, "InvalidParameterValue"),
        ({"CidrBlock": "10.0.0.0"}, "InvalidParameterValue"),
        ({"PortRange": {}}, "MissingParameter"),
        ({"PortRange": {"From": 90, "To": 80}}, "InvalidParameterValue"),
        ({"Protocol": "icmp"}, "MissingParameter"),
    ],
)
def test_entries_that_cannot_be(ec2: Ec2, acl_id: str, change: dict[str, Any], code: str) -> None:
    assert ec2.error("CreateNetworkAclEntry", NetworkAclId=acl_id, **(WEB | change)) == code


def test_other_protocols_and_ipv6(ec2: Ec2, acl_id: str) -> None:
    ping = {"Protocol": "icmp", "IcmpTypeCode": {"Type": 8, "Code": -1}, "RuleNumber": 1}
    ec2("CreateNetworkAclEntry", NetworkAclId=acl_id, **(WEB | ping))
    everything_v6 = {"Protocol": "-1", "RuleNumber": 2, "CidrBlock": "", "Ipv6CidrBlock": "::/0"}
    ec2("CreateNetworkAclEntry", NetworkAclId=acl_id, **(WEB | everything_v6))
    by_number = {entry["RuleNumber"]: entry for entry in described(ec2, acl_id)["Entries"] if not entry["Egress"]}
    assert (by_number[1]["Protocol"], by_number[1]["IcmpTypeCode"]) == ("1", {"Type": 8, "Code": -1})
    assert by_number[2]["Ipv6CidrBlock"] == "::/0"
    assert "PortRange" not in by_number[2]


def test_a_subnet_moves_from_one_acl_to_another(ec2: Ec2, vpc_id: str, acl_id: str) -> None:
    subnet_id = ec2.subnet(vpc_id)
    by_subnet = [{"Name": "association.subnet-id", "Values": [subnet_id]}]
    [default] = ec2("DescribeNetworkAcls", Filters=by_subnet)["NetworkAcls"]
    assert default["IsDefault"]
    old = default["Associations"][0]["NetworkAclAssociationId"]
    replaced = ec2("ReplaceNetworkAclAssociation", AssociationId=old, NetworkAclId=acl_id)
    [acl] = ec2("DescribeNetworkAcls", Filters=by_subnet)["NetworkAcls"]
    assert acl["NetworkAclId"] == acl_id
    assert acl["Associations"][0]["NetworkAclAssociationId"] == replaced["NewAssociationId"]
    assert ec2.error("DeleteNetworkAcl", NetworkAclId=acl_id) == "DependencyViolation"
    code = ec2.error("ReplaceNetworkAclAssociation", AssociationId=old, NetworkAclId=acl_id)
    assert code == "InvalidAssociationID.NotFound"
    foreign = ec2("CreateNetworkAcl", VpcId=ec2.vpc())["NetworkAcl"]["NetworkAclId"]
    request = {"AssociationId": replaced["NewAssociationId"], "NetworkAclId": foreign}
    assert ec2.error("ReplaceNetworkAclAssociation", **request) == "InvalidParameterValue"
