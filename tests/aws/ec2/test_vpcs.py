"""VPCs, their attributes, DHCP options, and the default VPC on request."""

import pytest

from tests.aws.ec2.conftest import REGION, Ec2


@pytest.mark.parametrize(
    ("cidr", "code"),
    [
        ("10.0.0.0/8", "InvalidVpc.Range"),
        ("10.0.0.0/29", "InvalidVpc.Range"),
        ("10.0.0.0", "InvalidParameterValue"),
        ("10.0.0.256/16", "InvalidParameterValue"),
        ("", "MissingParameter"),
    ],
)
def test_a_block_that_is_no_vpc_is_refused(ec2: Ec2, cidr: str, code: str) -> None:
    assert ec2.error("CreateVpc", CidrBlock=cidr) == code


@pytest.mark.parametrize(("cidr", "kept"), [("10.0.0.0/16", "10.0.0.0/16"), ("100.68.0.18/18", "100.68.0.0/18")])
def test_a_block_is_kept_in_canonical_form(ec2: Ec2, cidr: str, kept: str) -> None:
    assert ec2("CreateVpc", CidrBlock=cidr)["Vpc"]["CidrBlock"] == kept


def test_a_vpc_shows_what_it_was_made_of(ec2: Ec2) -> None:
    tags = [{"Key": "Name", "Value": "main"}]
    specification = [{"ResourceType": "vpc", "Tags": tags}]
    vpc_id = ec2("CreateVpc", CidrBlock="10.0.0.0/16", TagSpecifications=specification)["Vpc"]["VpcId"]
    [vpc] = ec2("DescribeVpcs", VpcIds=[vpc_id])["Vpcs"]
    assert vpc["State"] == "available"
    assert vpc["Tags"] == tags
    assert vpc["CidrBlockAssociationSet"][0]["CidrBlockState"] == {"State": "associated"}
    assert not vpc["IsDefault"]


def test_no_vpc_stands_at_the_start_and_a_group_without_one_is_refused(ec2: Ec2) -> None:
    assert ec2("DescribeVpcs")["Vpcs"] == []
    assert ec2.error("CreateSecurityGroup", GroupName="web", Description="web") == "VPCIdNotSpecified"
    attributes = ec2("DescribeAccountAttributes", AttributeNames=["default-vpc"])["AccountAttributes"]
    assert attributes[0]["AttributeValues"] == [{"AttributeValue": "none"}]


def test_the_default_vpc_is_made_once_and_is_public(ec2: Ec2) -> None:
    vpc = ec2("CreateDefaultVpc")["Vpc"]
    assert vpc["IsDefault"]
    subnets = ec2("DescribeSubnets", Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    assert sorted(subnet["AvailabilityZone"] for subnet in subnets) == [f"{REGION}{zone}" for zone in "acd"]
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    [table] = ec2("DescribeRouteTables")["RouteTables"]
    assert [route["DestinationCidrBlock"] for route in table["Routes"]] == ["172.31.0.0/16", "0.0.0.0/0"]
    assert ec2.error("CreateDefaultVpc") == "DefaultVpcAlreadyExists"
    group_id = ec2("CreateSecurityGroup", GroupName="web", Description="web")["GroupId"]
    assert ec2("DescribeSecurityGroups", GroupNames=["web"])["SecurityGroups"][0]["GroupId"] == group_id


@pytest.mark.parametrize("attribute", ["DnsSupport", "DnsHostnames", "NetworkAddressUsageMetrics"])
def test_an_attribute_is_changed_alone(ec2: Ec2, attribute: str) -> None:
    vpc_id = ec2.vpc()
    before = ec2("DescribeVpcAttribute", VpcId=vpc_id, Attribute=f"enable{attribute}")[f"Enable{attribute}"]["Value"]
    ec2("ModifyVpcAttribute", VpcId=vpc_id, **{f"Enable{attribute}": {"Value": not before}})
    after = ec2("DescribeVpcAttribute", VpcId=vpc_id, Attribute=f"enable{attribute}")
    assert after == {"VpcId": vpc_id, f"Enable{attribute}": {"Value": not before}}
    both = {"EnableDnsSupport": {"Value": True}, "EnableDnsHostnames": {"Value": True}}
    assert ec2.error("ModifyVpcAttribute", VpcId=vpc_id, **both) == "InvalidParameterCombination"


def test_an_identifier_names_one_region(ec2: Ec2) -> None:
    vpc_id = ec2.vpc()
    ec2.region = "us-east-1"
    assert ec2.error("DescribeVpcs", VpcIds=[vpc_id]) == "InvalidVpcID.NotFound"
    assert ec2("DescribeVpcs")["Vpcs"] == []


def test_unknown_and_malformed_identifiers(ec2: Ec2) -> None:
    assert ec2.error("DescribeVpcs", VpcIds=["vpc-1"]) == "InvalidVpcID.NotFound"
    assert ec2.error("DeleteVpc", VpcId="main") == "InvalidVpcID.Malformed"


def test_classic_link_is_gone(ec2: Ec2) -> None:
    assert ec2.error("DescribeVpcClassicLink", VpcIds=[ec2.vpc()]) == "UnsupportedOperation"
    assert ec2.error("DescribeVpcClassicLinkDnsSupport") == "UnsupportedOperation"


@pytest.mark.parametrize("kind", ["subnet", "group", "gateway", "table", "acl"])
def test_a_vpc_with_something_in_it_stays(ec2: Ec2, kind: str) -> None:
    vpc_id = ec2.vpc()
    match kind:
        case "subnet":
            ec2.subnet(vpc_id)
        case "group":
            ec2.group(vpc_id)
        case "gateway":
            ec2.internet_gateway(vpc_id)
        case "table":
            ec2("CreateRouteTable", VpcId=vpc_id)
        case "acl":
            ec2("CreateNetworkAcl", VpcId=vpc_id)
    assert ec2.error("DeleteVpc", VpcId=vpc_id) == "DependencyViolation"


def test_ipv6_is_refused_rather_than_forgotten(ec2: Ec2) -> None:
    code = ec2.error("CreateVpc", CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)
    assert code == "UnsupportedOperation"


def test_vpcs_of_a_region_share_its_default_dhcp_options(ec2: Ec2) -> None:
    first, second = ec2.vpc(), ec2.vpc("10.1.0.0/16")
    [options] = ec2("DescribeDhcpOptions")["DhcpOptions"]
    vpcs = ec2("DescribeVpcs", VpcIds=[first, second])["Vpcs"]
    assert {vpc["DhcpOptionsId"] for vpc in vpcs} == {options["DhcpOptionsId"]}
    values = {each["Key"]: each["Values"][0]["Value"] for each in options["DhcpConfigurations"]}
    assert values == {
        "domain-name": "ap-northeast-1.compute.internal",
        "domain-name-servers": "AmazonProvidedDNS",
    }


def test_dhcp_options_of_ones_own(ec2: Ec2) -> None:
    vpc_id = ec2.vpc()
    configuration = [{"Key": "domain-name", "Values": ["corp.example"]}]
    made = ec2("CreateDhcpOptions", DhcpConfigurations=configuration)["DhcpOptions"]["DhcpOptionsId"]
    ec2("AssociateDhcpOptions", DhcpOptionsId=made, VpcId=vpc_id)
    assert ec2("DescribeVpcs", VpcIds=[vpc_id])["Vpcs"][0]["DhcpOptionsId"] == made
    assert ec2.error("DeleteDhcpOptions", DhcpOptionsId=made) == "DependencyViolation"
    ec2("AssociateDhcpOptions", DhcpOptionsId="default", VpcId=vpc_id)
    ec2("DeleteDhcpOptions", DhcpOptionsId=made)
    assert ec2.error("DescribeDhcpOptions", DhcpOptionsIds=[made]) == "InvalidDhcpOptionID.NotFound"
    unknown = [{"Key": "colour", "Values": ["blue"]}]
    assert ec2.error("CreateDhcpOptions", DhcpConfigurations=unknown) == "InvalidParameterValue"


def test_a_dry_run_changes_nothing(ec2: Ec2) -> None:
    assert ec2.error("CreateVpc", CidrBlock="10.0.0.0/16", DryRun=True) == "DryRunOperation"
    assert ec2.error("CreateVpc", CidrBlock="10.0.0.0/8", DryRun=True) == "InvalidVpc.Range"
