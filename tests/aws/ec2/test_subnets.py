"""Subnets: their ranges, zones, attributes, and how many addresses are left (aws/alb-vpc-terraform.md section 2.8)."""

import pytest

from tests.aws.ec2.conftest import REGION, Ec2


@pytest.mark.parametrize(
    ("cidr", "code"),
    [
        ("10.1.0.0/24", "InvalidSubnet.Range"),
        ("10.0.0.0/15", "InvalidSubnet.Range"),
        ("10.0.0.0/29", "InvalidSubnet.Range"),
        ("10.0.1.128/25", "InvalidSubnet.Conflict"),
        ("10.0.0.0/16", "InvalidSubnet.Conflict"),
        ("ten", "InvalidParameterValue"),
    ],
)
def test_a_range_that_does_not_fit_is_refused(ec2: Ec2, cidr: str, code: str) -> None:
    vpc_id = ec2.vpc()
    ec2.subnet(vpc_id, "10.0.1.0/24")
    assert ec2.error("CreateSubnet", VpcId=vpc_id, CidrBlock=cidr) == code


def test_vpcs_may_overlap(ec2: Ec2) -> None:
    assert ec2.subnet(ec2.vpc()) != ec2.subnet(ec2.vpc())


def test_zones_are_named_either_way(ec2: Ec2) -> None:
    vpc_id = ec2.vpc()
    by_id = ec2("CreateSubnet", VpcId=vpc_id, CidrBlock="10.0.1.0/24", AvailabilityZoneId="apne1-az1")["Subnet"]
    assert by_id["AvailabilityZone"] == f"{REGION}c"
    unnamed = ec2("CreateSubnet", VpcId=vpc_id, CidrBlock="10.0.2.0/24")["Subnet"]
    assert (unnamed["AvailabilityZone"], unnamed["AvailabilityZoneId"]) == (f"{REGION}a", "apne1-az4")
    for zone in ({"AvailabilityZone": f"{REGION}b"}, {"AvailabilityZoneId": "use1-az1"}):
        code = ec2.error("CreateSubnet", VpcId=vpc_id, CidrBlock="10.0.3.0/24", **zone)
        assert code == "InvalidParameterValue"


def test_each_interface_takes_an_address_and_holds_its_subnet(ec2: Ec2) -> None:
    subnet_id = ec2.subnet(ec2.vpc())
    assert ec2("DescribeSubnets")["Subnets"][0]["AvailableIpAddressCount"] == 251
    interface = ec2.interface(subnet_id, "10.0.1.5")
    assert ec2("DescribeSubnets")["Subnets"][0]["AvailableIpAddressCount"] == 250
    assert ec2.error("DeleteSubnet", SubnetId=subnet_id) == "DependencyViolation"
    ec2.remove(interface)
    ec2("DeleteSubnet", SubnetId=subnet_id)


def test_a_deleted_subnet_leaves_no_association(ec2: Ec2) -> None:
    vpc_id = ec2.vpc()
    subnet_id = ec2.subnet(vpc_id)
    table_id = ec2("CreateRouteTable", VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    ec2("AssociateRouteTable", RouteTableId=table_id, SubnetId=subnet_id)
    ec2("DeleteSubnet", SubnetId=subnet_id)
    assert ec2.world.route_tables[table_id].associations == ()
    assert all(not acl.associations for acl in ec2.world.network_acls.values())


def test_attributes_that_are_kept_and_one_that_is_not_run(ec2: Ec2) -> None:
    subnet_id = ec2.subnet(ec2.vpc())
    for change in (
        {"MapPublicIpOnLaunch": {"Value": True}},
        {"EnableResourceNameDnsARecordOnLaunch": {"Value": True}},
        {"PrivateDnsHostnameTypeOnLaunch": "resource-name"},
        {"EnableDns64": {"Value": False}},
    ):
        ec2("ModifySubnetAttribute", SubnetId=subnet_id, **change)
    [subnet] = ec2("DescribeSubnets", SubnetIds=[subnet_id])["Subnets"]
    assert subnet["MapPublicIpOnLaunch"]
    assert subnet["PrivateDnsNameOptionsOnLaunch"] == {
        "HostnameType": "resource-name",
        "EnableResourceNameDnsARecord": True,
        "EnableResourceNameDnsAAAARecord": False,
    }
    code = ec2.error("ModifySubnetAttribute", SubnetId=subnet_id, EnableDns64={"Value": True})
    assert code == "UnsupportedOperation"
