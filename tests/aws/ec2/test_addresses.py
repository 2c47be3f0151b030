"""Elastic IP addresses, NAT gateways, and the interfaces they are seen on (aws/alb-vpc-terraform.md section 2.6)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.aws.ec2.conftest import NOW, REGION, Ec2


def interfaces(ec2: Ec2, **filters: str) -> list[dict[str, Any]]:
    asked = [{"Name": name.replace("__", ".").replace("_", "-"), "Values": [value]} for name, value in filters.items()]
    found: list[dict[str, Any]] = ec2("DescribeNetworkInterfaces", Filters=asked)["NetworkInterfaces"]
    return found


def test_addresses_skip_those_in_use_and_those_of_the_network(ec2: Ec2) -> None:
    subnet_id = ec2.subnet(ec2.vpc())
    ec2.interface(subnet_id, "10.0.1.5", "load_balancer", public_ip="203.0.113.3")
    given = [ec2("AllocateAddress")["PublicIp"] for _ in range(2)]
    assert given == ["203.0.113.2", "203.0.113.4"]


def test_the_range_ends(ec2: Ec2) -> None:
    given = {ec2("AllocateAddress")["PublicIp"] for _ in range(253)}
    assert len(given) == 253
    assert not given & {"203.0.113.0", "203.0.113.1", "203.0.113.255"}
    assert ec2.error("AllocateAddress") == "InsufficientAddressCapacity"


def test_a_released_address_can_be_asked_for(ec2: Ec2) -> None:
    first, second = ec2("AllocateAddress"), ec2("AllocateAddress")
    ec2("ReleaseAddress", AllocationId=first["AllocationId"])
    assert ec2.error("ReleaseAddress", AllocationId=first["AllocationId"]) == "InvalidAllocationID.NotFound"
    assert ec2("AllocateAddress", Address=first["PublicIp"])["PublicIp"] == first["PublicIp"]
    for taken in (second["PublicIp"], "198.51.100.7", "203.0.113.1", "nonsense"):
        assert ec2.error("AllocateAddress", Address=taken) == "InvalidAddress.NotFound"


def test_addresses_are_described_by_either_name(ec2: Ec2) -> None:
    tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "Name", "Value": "nat"}]}]
    made = ec2("AllocateAddress", Domain="vpc", TagSpecifications=tags)
    ec2("AllocateAddress")
    by_tag = [{"Name": "tag:Name", "Values": ["nat"]}]
    for request in ({"PublicIps": [made["PublicIp"]]}, {"Filters": by_tag}):
        [address] = ec2("DescribeAddresses", **request)["Addresses"]
        assert (address["AllocationId"], address["Domain"]) == (made["AllocationId"], "vpc")
        assert "AssociationId" not in address
    assert ec2.error("DescribeAddresses", PublicIps=["203.0.113.99"]) == "InvalidAddress.NotFound"
    attribute = {"AllocationIds": [made["AllocationId"]], "Attribute": "domain-name"}
    assert ec2("DescribeAddressesAttribute", **attribute) == {"Addresses": []}


def test_an_address_moves_only_when_it_may(ec2: Ec2) -> None:
    vpc_id = ec2.vpc()
    subnet_id = ec2.subnet(vpc_id)
    allocation_id = ec2("AllocateAddress")["AllocationId"]
    first = ec2.interface(subnet_id, "10.0.1.5", "user").network_interface_id
    second = ec2.interface(subnet_id, "10.0.1.6", "user").network_interface_id
    to_first = {"AllocationId": allocation_id, "NetworkInterfaceId": first}
    to_second = {"AllocationId": allocation_id, "NetworkInterfaceId": second}
    assert ec2.error("AssociateAddress", **to_first) == "Gateway.NotAttached"
    ec2.internet_gateway(vpc_id)
    ec2("AssociateAddress", **to_first)
    assert ec2.error("AssociateAddress", **to_second) == "Resource.AlreadyAssociated"
    association_id = ec2("AssociateAddress", **to_second, AllowReassociation=True)["AssociationId"]
    assert ec2.world.network_interfaces[first].public_ip is None
    assert ec2.world.network_interfaces[second].public_ip == "203.0.113.2"
    assert ec2.error("ReleaseAddress", AllocationId=allocation_id) == "InvalidIPAddress.InUse"
    ec2("DisassociateAddress", AssociationId=association_id)
    assert ec2.world.network_interfaces[second].public_ip is None
    assert ec2.error("DisassociateAddress", AssociationId=association_id) == "InvalidAssociationID.NotFound"


def test_interfaces_of_services_are_not_the_users_to_change(ec2: Ec2) -> None:
    vpc_id = ec2.vpc()
    ec2.internet_gateway(vpc_id)
    task = ec2.interface(ec2.subnet(vpc_id), "10.0.1.5")
    request = {
        "AllocationId": ec2("AllocateAddress")["AllocationId"],
        "NetworkInterfaceId": task.network_interface_id,
    }
    assert ec2.error("AssociateAddress", **request) == "AuthFailure"


def test_the_address_of_a_nat_gateway_is_in_use_from_the_start(ec2: Ec2) -> None:
    vpc_id = ec2.vpc()
    subnet_id = ec2.subnet(vpc_id)
    allocation_id = ec2("AllocateAddress")["AllocationId"]
    made = ec2("CreateNatGateway", SubnetId=subnet_id, AllocationId=allocation_id)["NatGateway"]
    assert (made["State"], made["ConnectivityType"]) == ("pending", "public")
    assert made["NatGatewayAddresses"][0]["AllocationId"] == allocation_id
    assert ec2.error("ReleaseAddress", AllocationId=allocation_id) == "InvalidIPAddress.InUse"
    assert ec2.error("DeleteSubnet", SubnetId=subnet_id) == "DependencyViolation"
    ec2.nat_gateway_comes_up(made["NatGatewayId"], "10.0.1.4")
    assert ec2.error("DisassociateAddress", AssociationId="eipassoc-1") == "AuthFailure"


def test_a_nat_gateway_that_failed_says_why_and_holds_nothing(ec2: Ec2) -> None:
    subnet_id = ec2.subnet(ec2.vpc())
    allocation_id = ec2("AllocateAddress")["AllocationId"]
    made = ec2("CreateNatGateway", SubnetId=subnet_id, AllocationId=allocation_id)["NatGateway"]
    pending = ec2.world.nat_gateways[made["NatGatewayId"]]
    ec2.put(replace(pending, state="failed", failure_code="Gateway.NotAttached", failure_message="no gateway"))
    [failed] = ec2("DescribeNatGateways", Filter=[{"Name": "state", "Values": ["failed"]}])["NatGateways"]
    assert (failed["FailureCode"], failed["FailureMessage"]) == ("Gateway.NotAttached", "no gateway")
    ec2("ReleaseAddress", AllocationId=allocation_id)
    ec2("DeleteSubnet", SubnetId=subnet_id)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, "MissingParameter"),
        ({"AllocationId": "eipalloc-1"}, "InvalidAllocationID.NotFound"),
        ({"ConnectivityType": "private", "AllocationId": "eipalloc-1"}, "InvalidParameter"),
        ({"ConnectivityType": "secret"}, "InvalidParameterValue"),
        ({"AvailabilityMode": "regional"}, "UnsupportedOperation"),
        ({"SubnetId": "subnet-1"}, "InvalidSubnetID.NotFound"),
    ],
)
def test_nat_gateways_that_cannot_be(ec2: Ec2, request_: dict[str, str], code: str) -> None:
    subnet_id = ec2.subnet(ec2.vpc())
    assert ec2.error("CreateNatGateway", **{"SubnetId": subnet_id, **request_}) == code


def test_a_private_nat_gateway_needs_no_address(ec2: Ec2) -> None:
    made = ec2("CreateNatGateway", SubnetId=ec2.subnet(ec2.vpc()), ConnectivityType="private")["NatGateway"]
    assert "AllocationId" not in made["NatGatewayAddresses"][0]


def test_an_unknown_nat_gateway_has_an_error_of_its_own(ec2: Ec2) -> None:
    assert ec2.error("DescribeNatGateways", NatGatewayIds=["nat-1"]) == "NatGatewayNotFound"
    assert ec2.error("DeleteNatGateway", NatGatewayId="nat-1") == "NatGatewayNotFound"


def test_terraform_finds_the_interfaces_of_a_load_balancer(ec2: Ec2) -> None:
    """aws/alb-vpc-terraform.md sections 1.1 and 6.6."""
    vpc_id = ec2.vpc()
    subnet_id, group_id = ec2.subnet(vpc_id), ec2.group(vpc_id)
    ec2("ModifyVpcAttribute", VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    ec2.interface(subnet_id, "10.0.1.9")
    ec2.interface(
        subnet_id, "10.0.1.5", "load_balancer", description="ELB app/site/1", public_ip="203.0.113.7",
        security_group_ids=(group_id,),
    )  # fmt: skip
    [node] = interfaces(ec2, attachment__instance_owner_id="amazon-elb", description="ELB app/site/1")
    assert (node["InterfaceType"], node["RequesterManaged"], node["Status"]) == ("interface", True, "in-use")
    assert node["Groups"] == [{"GroupId": group_id, "GroupName": "web"}]
    assert node["PrivateDnsName"] == f"ip-10-0-1-5.{REGION}.compute.internal"
    assert node["Association"] == {
        "PublicIp": "203.0.113.7",
        "IpOwnerId": "amazon-elb",
        "PublicDnsName": f"ec2-203-0-113-7.{REGION}.compute.amazonaws.com",
    }
    assert node["Attachment"]["AttachTime"].timestamp() == NOW
    assert interfaces(ec2, attachment__instance_owner_id="amazon-aws", attachment__attachment_id="ela-attach-*") == []


def test_every_filter_finds_the_one_task(ec2: Ec2) -> None:
    vpc_id = ec2.vpc()
    subnet_id, group_id = ec2.subnet(vpc_id), ec2.group(vpc_id)
    other_subnet = ec2.subnet(ec2.vpc(), "10.0.2.0/24", f"{REGION}c")
    ec2.interface(other_subnet, "10.0.2.5", "nat_gateway", description="other", mac="02:00:0a:00:02:05")
    task = ec2.interface(subnet_id, "10.0.1.5", security_group_ids=(group_id,), description="arn:aws:ecs:x")
    filters = {
        "addresses__private_ip_address": "10.0.1.5",
        "attachment__attachment_id": "eni-attach-*",
        "availability_zone": f"{REGION}a",
        "description": "arn:aws:ecs:*",
        "group_id": group_id,
        "group_name": "we?",
        "interface_type": "interface",
        "mac_address": task.mac,
        "network_interface_id": task.network_interface_id,
        "private_ip_address": "10.0.1.5",
        "subnet_id": subnet_id,
        "vpc_id": vpc_id,
    }
    for name, value in filters.items():
        found = interfaces(ec2, **{name: value})
        assert [one["NetworkInterfaceId"] for one in found] == [task.network_interface_id], name
    code = ec2.error("DescribeNetworkInterfaces", NetworkInterfaceIds=["eni-1"])
    assert code == "InvalidNetworkInterfaceID.NotFound"


def test_the_interface_of_a_nat_gateway(ec2: Ec2) -> None:
    subnet_id = ec2.subnet(ec2.vpc())
    address = ec2("AllocateAddress")
    made = ec2("CreateNatGateway", SubnetId=subnet_id, AllocationId=address["AllocationId"])["NatGateway"]
    ec2.nat_gateway_comes_up(made["NatGatewayId"], "10.0.1.4")
    [interface] = interfaces(ec2, interface_type="nat_gateway")
    assert interface["Association"]["AllocationId"] == address["AllocationId"]
    assert interface["Association"]["IpOwnerId"] == interface["OwnerId"]
