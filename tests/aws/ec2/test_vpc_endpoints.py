"""VPC endpoints as records."""

from typing import Any

import pytest

from tests.aws.ec2.conftest import REGION, Ec2

S3 = f"com.amazonaws.{REGION}.s3"
LOGS = f"com.amazonaws.{REGION}.logs"


@pytest.fixture
def vpc_id(ec2: Ec2) -> str:
    vpc_id = ec2.vpc()
    ec2("ModifyVpcAttribute", VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    return vpc_id


@pytest.fixture
def subnet_id(ec2: Ec2, vpc_id: str) -> str:
    return ec2.subnet(vpc_id)


def made(ec2: Ec2, **request: Any) -> dict[str, Any]:
    endpoint: dict[str, Any] = ec2("CreateVpcEndpoint", **request)["VpcEndpoint"]
    return endpoint


def described(ec2: Ec2, **request: Any) -> list[dict[str, Any]]:
    endpoints: list[dict[str, Any]] = ec2("DescribeVpcEndpoints", **request)["VpcEndpoints"]
    return endpoints


def test_a_gateway_endpoint(ec2: Ec2, vpc_id: str) -> None:
    table = ec2("CreateRouteTable", VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    tags = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Name", "Value": "s3"}]}]
    endpoint = made(ec2, VpcId=vpc_id, ServiceName=S3, RouteTableIds=[table], TagSpecifications=tags)
    assert (endpoint["VpcEndpointType"], endpoint["State"]) == ("Gateway", "available")
    assert endpoint["RouteTableIds"] == [table]
    assert '"Effect": "Allow"' in endpoint["PolicyDocument"]
    assert not endpoint["PrivateDnsEnabled"]
    found = described(ec2, Filters=[{"Name": "service-name", "Values": [S3]}, {"Name": "tag:Name", "Values": ["s3"]}])
    assert found == [endpoint]
    again = {"VpcId": vpc_id, "ServiceName": S3, "RouteTableIds": [table]}
    assert ec2.error("CreateVpcEndpoint", **again) == "RouteAlreadyExists"
    assert ec2.error("CreateVpcEndpoint", VpcId=vpc_id, ServiceName=LOGS) == "InvalidServiceName"


def test_an_interface_endpoint_holds_what_it_names(ec2: Ec2, vpc_id: str, subnet_id: str) -> None:
    group = ec2.group(vpc_id)
    asked = {"VpcId": vpc_id, "ServiceName": LOGS, "VpcEndpointType": "Interface", "SubnetIds": [subnet_id]}
    endpoint = made(ec2, **asked, SecurityGroupIds=[group])
    identifier = endpoint["VpcEndpointId"]
    assert endpoint["PrivateDnsEnabled"]
    assert endpoint["Groups"] == [{"GroupId": group, "GroupName": "web"}]
    assert endpoint["DnsEntries"][0]["DnsName"].endswith(f".logs.{REGION}.vpce.amazonaws.com")
    assert ec2.error("CreateVpcEndpoint", **asked) == "InvalidParameter", "the private name is taken"
    assert ec2.error("DeleteSubnet", SubnetId=subnet_id) == "DependencyViolation"
    assert ec2.error("DeleteSecurityGroup", GroupId=group) == "DependencyViolation"
    assert ec2.error("DeleteVpc", VpcId=vpc_id) == "DependencyViolation"
    assert ec2("DeleteVpcEndpoints", VpcEndpointIds=[identifier]) == {"Unsuccessful": []}
    assert ec2.error("DescribeVpcEndpoints", VpcEndpointIds=[identifier]) == "InvalidVpcEndpointId.NotFound"
    ec2("DeleteSubnet", SubnetId=subnet_id)
    ec2("DeleteSecurityGroup", GroupId=group)
    ec2("DeleteVpc", VpcId=vpc_id)


def test_private_names_need_the_vpcs_names(ec2: Ec2) -> None:
    plain = ec2.vpc("10.1.0.0/16")
    asked = {"VpcId": plain, "ServiceName": LOGS, "VpcEndpointType": "Interface"}
    assert ec2.error("CreateVpcEndpoint", **asked) == "InvalidParameter"
    endpoint = made(ec2, **asked, PrivateDnsEnabled=False)
    assert endpoint["Groups"][0]["GroupName"] == "default"


def test_an_endpoint_is_changed(ec2: Ec2, vpc_id: str, subnet_id: str) -> None:
    asked = {"VpcId": vpc_id, "ServiceName": LOGS, "VpcEndpointType": "Interface", "SubnetIds": [subnet_id]}
    identifier = made(ec2, **asked)["VpcEndpointId"]
    other = ec2.subnet(vpc_id, "10.0.2.0/24", f"{REGION}c")
    ec2("ModifyVpcEndpoint", VpcEndpointId=identifier, AddSubnetIds=[other], RemoveSubnetIds=[subnet_id])
    ec2("ModifyVpcEndpoint", VpcEndpointId=identifier, PolicyDocument='{"Statement": []}', PrivateDnsEnabled=False)
    [changed] = described(ec2, VpcEndpointIds=[identifier])
    assert changed["SubnetIds"] == [other]
    assert changed["PolicyDocument"] == '{"Statement": []}'
    assert not changed["PrivateDnsEnabled"]
    ec2("ModifyVpcEndpoint", VpcEndpointId=identifier, ResetPolicy=True)
    assert '"Effect": "Allow"' in described(ec2)[0]["PolicyDocument"]
    bad = {"VpcEndpointId": identifier, "PolicyDocument": "{"}
    assert ec2.error("ModifyVpcEndpoint", **bad) == "InvalidPolicyDocument"
    ec2("CreateTags", Resources=[identifier], Tags=[{"Key": "Name", "Value": "logs"}])
    assert described(ec2)[0]["Tags"] == [{"Key": "Name", "Value": "logs"}]


def test_deleting_one_that_is_not_there_is_told_in_the_answer(ec2: Ec2) -> None:
    [failure] = ec2("DeleteVpcEndpoints", VpcEndpointIds=["vpce-00000000000000009"])["Unsuccessful"]
    assert failure["Error"]["Code"] == "InvalidVpcEndpointId.NotFound"
