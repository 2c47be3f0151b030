"""VPCs, subnets and security groups that exist already."""

from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.data_sources.filters import filters_of
from tsubo.terraform.resources.common import tag_map
from tsubo.terraform.resources.vpc import RESOURCES as VPC_RESOURCES
from tsubo.terraform.table import DataSource
from tsubo.terraform.values import Values


def _one(kind: str, found: list[Any]) -> Any:
    """Return the one thing that was found. Raises CallError, in the real provider's words."""
    if not found:
        raise CallError(f"no matching {kind} found")
    if len(found) > 1:
        raise CallError(f"multiple {kind}s matched; use additional constraints to reduce matches to a single {kind}")
    return found[0]


def _vpc(aws: Aws, values: Values) -> Values:
    filters = filters_of(values, cidr_block="cidr", default="isDefault", state="state", id="vpc-id")
    found = aws.call("ec2", "describe_vpcs", Filters=filters)["Vpcs"]
    if values.get("default") and not found:
        # On AWS every region has one. Here it comes to be when a configuration asks for it.
        found = [aws.call("ec2", "create_default_vpc")["Vpc"]]
    vpc = _one("EC2 VPC", found)
    actual = VPC_RESOURCES["aws_vpc"].read(aws, {"id": vpc["VpcId"]}) or {}
    associations = vpc.get("CidrBlockAssociationSet") or ()
    return actual | {
        "id": vpc["VpcId"],
        "default": vpc.get("IsDefault", False),
        "state": vpc.get("State", "available"),
        "cidr_block_associations": [
            {
                "association_id": association["AssociationId"],
                "cidr_block": association["CidrBlock"],
                "state": association["CidrBlockState"]["State"],
            }
            for association in associations
        ],
    }


def _vpcs(aws: Aws, values: Values) -> Values:
    found = aws.call("ec2", "describe_vpcs", Filters=filters_of(values))["Vpcs"]
    return {"id": aws.region, "ids": [vpc["VpcId"] for vpc in found]}


def _subnet(aws: Aws, values: Values) -> Values:
    filters = filters_of(
        values,
        id="subnet-id",
        vpc_id="vpc-id",
        cidr_block="cidr-block",
        availability_zone="availability-zone",
        availability_zone_id="availability-zone-id",
        default_for_az="default-for-az",
        state="state",
    )
    subnet = _one("EC2 Subnet", aws.call("ec2", "describe_subnets", Filters=filters)["Subnets"])
    actual = VPC_RESOURCES["aws_subnet"].read(aws, {"id": subnet["SubnetId"]}) or {}
    return actual | {
        "id": subnet["SubnetId"],
        "available_ip_address_count": subnet.get("AvailableIpAddressCount", 0),
        "default_for_az": subnet.get("DefaultForAz", False),
        "state": subnet.get("State", "available"),
    }


def _subnets(aws: Aws, values: Values) -> Values:
    found = aws.call("ec2", "describe_subnets", Filters=filters_of(values))["Subnets"]
    return {"id": aws.region, "ids": [subnet["SubnetId"] for subnet in found]}


def _security_group(aws: Aws, values: Values) -> Values:
    filters = filters_of(values, id="group-id", name="group-name", vpc_id="vpc-id")
    group = _one("EC2 Security Group", aws.call("ec2", "describe_security_groups", Filters=filters)["SecurityGroups"])
    return {
        "id": group["GroupId"],
        "arn": aws.arn("ec2", f"security-group/{group['GroupId']}"),
        "name": group["GroupName"],
        "description": group["Description"],
        "vpc_id": group.get("VpcId", ""),
        "tags": tag_map(group.get("Tags")),
    }


DATA_SOURCES = {
    "aws_vpc": DataSource(_vpc),
    "aws_vpcs": DataSource(_vpcs),
    "aws_subnet": DataSource(_subnet),
    "aws_subnets": DataSource(_subnets),
    "aws_security_group": DataSource(_security_group),
}
