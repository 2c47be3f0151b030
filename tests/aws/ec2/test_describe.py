"""Filters, pages, tags, zones, regions and prefix lists: what all Describe operations share."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aws.ec2.conftest import REGION, Ec2
from tsubo.aws.ec2.filters import values_at, wildcard_pattern
from tsubo.aws.ec2.zones import zones_of


@pytest.mark.parametrize(
    ("value", "matching", "other"),
    [
        ("ELB app/*", ["ELB app/", "ELB app/a/1"], ["ELB net/a", "my ELB app/a"]),
        ("w?b", ["web", "w*b"], ["wb", "weeb"]),
        (r"100\*", ["100*"], ["1000"]),
        ("a.b", ["a.b"], ["aXb"]),
        ("[ab]", ["[ab]"], ["a"]),
        ("", [""], ["a"]),
    ],
)
def test_wildcards(value: str, matching: list[str], other: list[str]) -> None:
    pattern = wildcard_pattern(value)
    assert all(pattern.fullmatch(text) for text in matching)
    assert not any(pattern.fullmatch(text) for text in other)


@given(st.text())
def test_a_value_without_wildcards_matches_itself_only(text: str) -> None:
    escaped = re.sub(r"([\\*?])", r"\\\1", text)
    assert wildcard_pattern(escaped).fullmatch(text)
    assert not wildcard_pattern(escaped).fullmatch(text + "x")


def test_a_path_walks_through_lists() -> None:
    view = {"A": [{"B": [{"C": 1}, {"C": True}]}, {"B": [{}]}, {}], "D": None}
    assert list(values_at(view, "A.B.C")) == ["1", "true"]
    assert list(values_at(view, "D")) == []


def tagged(ec2: Ec2, name: str, **tags: str) -> str:
    vpc_id = ec2.vpc()
    pairs = [{"Key": key, "Value": value} for key, value in {"Name": name, **tags}.items()]
    ec2("CreateTags", Resources=[vpc_id], Tags=pairs)
    return vpc_id


def found(ec2: Ec2, *filters: tuple[str, list[str]]) -> set[str]:
    asked = [{"Name": name, "Values": values} for name, values in filters]
    return {vpc["VpcId"] for vpc in ec2("DescribeVpcs", Filters=asked)["Vpcs"]}


def test_all_filters_hold_and_any_value_of_one(ec2: Ec2) -> None:
    blue, green, plain = tagged(ec2, "blue", env="prod"), tagged(ec2, "green", env="test"), ec2.vpc("10.1.0.0/16")
    assert found(ec2, ("tag:Name", ["blue", "green"])) == {blue, green}
    assert found(ec2, ("tag:Name", ["blue", "green"]), ("tag:env", ["te*"])) == {green}
    assert found(ec2, ("tag-key", ["env"])) == {blue, green}
    assert found(ec2, ("cidr-block", ["10.1.0.0/16"])) == {plain}
    assert found(ec2, ("is-default", ["false"]), ("state", ["available"])) == {blue, green, plain}
    assert found(ec2, ("tag:Name", [])) == set()
    code = ec2.error("DescribeVpcs", Filters=[{"Name": "colour", "Values": ["blue"]}])
    assert code == "InvalidParameterValue"


def test_pages_hold_every_item_once(ec2: Ec2) -> None:
    made = {ec2.vpc() for _ in range(12)}
    shown: list[str] = []
    request: dict[str, object] = {"MaxResults": 5}
    sizes = []
    while True:
        answer = ec2("DescribeVpcs", **request)
        sizes.append(len(answer["Vpcs"]))
        shown += [vpc["VpcId"] for vpc in answer["Vpcs"]]
        if "NextToken" not in answer:
            break
        request["NextToken"] = answer["NextToken"]
    assert sizes == [5, 5, 2]
    assert len(shown) == 12
    assert set(shown) == made
    assert ec2.error("DescribeVpcs", MaxResults=4) == "InvalidParameterValue"
    assert ec2.error("DescribeVpcs", NextToken="made up") == "InvalidNextToken"


def test_tags_are_added_replaced_and_removed(ec2: Ec2) -> None:
    vpc_id = tagged(ec2, "old", env="prod", team="web")
    ec2("CreateTags", Resources=[vpc_id], Tags=[{"Key": "Name", "Value": "new"}])
    ec2("DeleteTags", Resources=[vpc_id], Tags=[{"Key": "env", "Value": "test"}, {"Key": "team"}])
    assert ec2.world.vpcs[vpc_id].tags == {"Name": "new", "env": "prod"}
    ec2("DeleteTags", Resources=[vpc_id])
    assert ec2.world.vpcs[vpc_id].tags == {}


def test_tags_of_every_kind_of_resource(ec2: Ec2) -> None:
    vpc_id = ec2.vpc()
    subnet_id = ec2.subnet(vpc_id)
    allocation_id = ec2("AllocateAddress")["AllocationId"]
    nat = ec2("CreateNatGateway", SubnetId=subnet_id, AllocationId=allocation_id)["NatGateway"]["NatGatewayId"]
    world = ec2.world
    kinds = {
        "dhcp-options": next(iter(world.dhcp_options)),
        "elastic-ip": allocation_id,
        "internet-gateway": ec2.internet_gateway(vpc_id),
        "natgateway": nat,
        "network-acl": next(iter(world.network_acls)),
        "network-interface": ec2.interface(subnet_id, "10.0.1.5").network_interface_id,
        "route-table": next(iter(world.route_tables)),
        "security-group": next(iter(world.security_groups)),
        "security-group-rule": next(iter(world.security_group_rules)),
        "subnet": subnet_id,
        "vpc": vpc_id,
    }
    ec2("CreateTags", Resources=list(kinds.values()), Tags=[{"Key": "Name", "Value": "all"}])
    tags = ec2("DescribeTags")["Tags"]
    assert {tag["ResourceType"]: tag["ResourceId"] for tag in tags} == kinds
    assert set(tags[0]) == {"Key", "Value", "ResourceId", "ResourceType"}
    only_vpc = [{"Name": "resource-type", "Values": ["vpc"]}, {"Name": "tag:Name", "Values": ["a*"]}]
    assert [tag["ResourceId"] for tag in ec2("DescribeTags", Filters=only_vpc)["Tags"]] == [vpc_id]


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"Key": "aws:mine", "Value": ""}], "InvalidParameterValue"),
        ([{"Key": "", "Value": "a"}], "InvalidParameterValue"),
        ([{"Key": "k" * 129, "Value": ""}], "InvalidParameterValue"),
        ([{"Key": "k", "Value": "v" * 257}], "InvalidParameterValue"),
        ([{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}], "InvalidParameterValue"),
        ([{"Key": str(number), "Value": ""} for number in range(51)], "TagLimitExceeded"),
    ],
)
def test_tags_that_aws_refuses(ec2: Ec2, tags: list[dict[str, str]], code: str) -> None:
    specification = [{"ResourceType": "vpc", "Tags": tags}]
    assert ec2.error("CreateVpc", CidrBlock="10.0.0.0/16", TagSpecifications=specification) == code
    assert ec2.error("CreateTags", Resources=[ec2.vpc()], Tags=tags) == code


def test_tags_go_to_the_resource_that_is_made(ec2: Ec2) -> None:
    specification = [{"ResourceType": "subnet", "Tags": [{"Key": "Name", "Value": "x"}]}]
    code = ec2.error("CreateVpc", CidrBlock="10.0.0.0/16", TagSpecifications=specification)
    assert code == "InvalidParameterValue"
    assert ec2.error("CreateTags", Resources=["i-1"], Tags=[{"Key": "a", "Value": "b"}]) == "InvalidID"
    assert ec2.error("CreateTags", Resources=["vpc-1"], Tags=[{"Key": "a", "Value": "b"}]) == "InvalidVpcID.NotFound"


def test_zones_of_regions_that_are_known_and_of_one_that_is_not(ec2: Ec2) -> None:
    assert zones_of("ap-northeast-1") == {
        "ap-northeast-1a": "apne1-az4",
        "ap-northeast-1c": "apne1-az1",
        "ap-northeast-1d": "apne1-az2",
    }
    assert [name[-1] for name in zones_of("us-east-1")] == list("abcdef")
    assert zones_of("us-gov-west-1")["us-gov-west-1a"] == "usgw1-az1"
    assert list(zones_of("me-central-1").values()) == ["mec1-az1", "mec1-az2", "mec1-az3"]
    filters = [{"Name": "state", "Values": ["available"]}, {"Name": "opt-in-status", "Values": ["opt-in-not-required"]}]
    zones = ec2("DescribeAvailabilityZones", Filters=filters)["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in zones] == [f"{REGION}{letter}" for letter in "acd"]
    assert ec2.error("DescribeAvailabilityZones", ZoneNames=[f"{REGION}b"]) == "InvalidParameterValue"


def test_regions(ec2: Ec2) -> None:
    ec2.region = "xx-north-9"
    names = [region["RegionName"] for region in ec2("DescribeRegions")["Regions"]]
    assert {"ap-northeast-1", "us-east-1", "xx-north-9"} <= set(names)
    assert names == sorted(names)


def test_prefix_lists_by_name_and_in_rules(ec2: Ec2) -> None:
    by_name = [{"Name": "prefix-list-name", "Values": [f"com.amazonaws.{REGION}.s3"]}]
    [s3] = ec2("DescribePrefixLists", Filters=by_name)["PrefixLists"]
    assert s3["PrefixListId"] == "pl-61a54008"
    cloudfront = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.global.cloudfront.origin-facing"]}]
    [managed] = ec2("DescribeManagedPrefixLists", Filters=cloudfront)["PrefixLists"]
    entries = ec2("GetManagedPrefixListEntries", PrefixListId=managed["PrefixListId"])["Entries"]
    assert len(entries) == 2
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    permission |= {"PrefixListIds": [{"PrefixListId": managed["PrefixListId"]}]}
    group_id = ec2.group(ec2.vpc())
    ec2("AuthorizeSecurityGroupIngress", GroupId=group_id, IpPermissions=[permission])
    [group] = ec2("DescribeSecurityGroups", GroupIds=[group_id])["SecurityGroups"]
    assert group["IpPermissions"][0]["PrefixListIds"] == [{"PrefixListId": managed["PrefixListId"]}]


def test_account_attributes(ec2: Ec2) -> None:
    names = ["supported-platforms"]
    [attribute] = ec2("DescribeAccountAttributes", AttributeNames=names)["AccountAttributes"]
    assert attribute["AttributeValues"] == [{"AttributeValue": "VPC"}]
    assert ec2.error("DescribeAccountAttributes", AttributeNames=["colour"]) == "InvalidParameterValue"
