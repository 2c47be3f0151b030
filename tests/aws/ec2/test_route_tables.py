"""Internet gateways, route tables and routes (aws/alb-vpc-terraform.md section 2.5)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.aws.ec2.conftest import Ec2
from tsubo.model.vpc import NatGateway

ANYWHERE = "0.0.0.0/0"


@pytest.fixture
def vpc_id(ec2: Ec2) -> str:
    return ec2.vpc()


@pytest.fixture
def table_id(ec2: Ec2, vpc_id: str) -> str:
    return str(ec2("CreateRouteTable", VpcId=vpc_id)["RouteTable"]["RouteTableId"])


def routes(ec2: Ec2, table_id: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = ec2("DescribeRouteTables", RouteTableIds=[table_id])["RouteTables"][0]["Routes"]
    return shown


def nat_gateway(ec2: Ec2, subnet_id: str) -> NatGateway:
    allocation_id = ec2("AllocateAddress")["AllocationId"]
    made = ec2("CreateNatGateway", SubnetId=subnet_id, AllocationId=allocation_id)["NatGateway"]
    return ec2.world.nat_gateways[made["NatGatewayId"]]


def test_a_gateway_is_in_one_vpc_and_a_vpc_has_one_gateway(ec2: Ec2, vpc_id: str) -> None:
    other_vpc = ec2.vpc("10.1.0.0/16")
    gateway_id = ec2.internet_gateway(vpc_id)
    second = ec2("CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
    attach, detach = "AttachInternetGateway", "DetachInternetGateway"
    assert ec2.error(attach, InternetGatewayId=gateway_id, VpcId=other_vpc) == "Resource.AlreadyAssociated"
    assert ec2.error(attach, InternetGatewayId=second, VpcId=vpc_id) == "InvalidParameterValue"
    assert ec2.error(detach, InternetGatewayId=second, VpcId=vpc_id) == "Gateway.NotAttached"
    assert ec2.error("DeleteInternetGateway", InternetGatewayId=gateway_id) == "DependencyViolation"
    filters = [{"Name": "attachment.vpc-id", "Values": [vpc_id]}]
    [shown] = ec2("DescribeInternetGateways", Filters=filters)["InternetGateways"]
    assert shown["Attachments"] == [{"State": "available", "VpcId": vpc_id}]
    ec2("DeleteInternetGateway", InternetGatewayId=second)
    code = ec2.error("DescribeInternetGateways", InternetGatewayIds=[second])
    assert code == "InvalidInternetGatewayID.NotFound"


def test_a_gateway_with_public_addresses_behind_it_stays(ec2: Ec2, vpc_id: str) -> None:
    gateway_id = ec2.internet_gateway(vpc_id)
    ec2.interface(ec2.subnet(vpc_id), "10.0.1.5", public_ip="203.0.113.9")
    code = ec2.error("DetachInternetGateway", InternetGatewayId=gateway_id, VpcId=vpc_id)
    assert code == "DependencyViolation"


def test_a_route_whose_gateway_left_is_a_black_hole(ec2: Ec2, vpc_id: str, table_id: str) -> None:
    gateway_id = ec2.internet_gateway(vpc_id)
    ec2("CreateRoute", RouteTableId=table_id, DestinationCidrBlock=ANYWHERE, GatewayId=gateway_id)
    assert [route["State"] for route in routes(ec2, table_id)] == ["active", "active"]
    ec2("DetachInternetGateway", InternetGatewayId=gateway_id, VpcId=vpc_id)
    assert [route["State"] for route in routes(ec2, table_id)] == ["active", "blackhole"]


def test_a_route_whose_nat_gateway_or_interface_is_gone_is_a_black_hole(ec2: Ec2, vpc_id: str, table_id: str) -> None:
    subnet_id = ec2.subnet(vpc_id)
    gateway = nat_gateway(ec2, subnet_id)
    interface = ec2.interface(subnet_id, "10.0.1.9")
    to_nat = {"DestinationCidrBlock": ANYWHERE, "NatGatewayId": gateway.nat_gateway_id}
    to_interface = {"DestinationCidrBlock": "192.168.0.0/16", "NetworkInterfaceId": interface.network_interface_id}
    ec2("CreateRoute", RouteTableId=table_id, **to_nat)
    ec2("CreateRoute", RouteTableId=table_id, **to_interface)
    assert [route["State"] for route in routes(ec2, table_id)] == ["active"] * 3
    ec2.put(replace(gateway, state="deleted"))
    ec2.remove(interface)
    assert [route["State"] for route in routes(ec2, table_id)] == ["active", "blackhole", "blackhole"]


def test_routes_are_made_replaced_and_deleted_by_destination(ec2: Ec2, vpc_id: str, table_id: str) -> None:
    gateway_id = ec2.internet_gateway(vpc_id)
    gateway = nat_gateway(ec2, ec2.subnet(vpc_id))
    route = {"RouteTableId": table_id, "DestinationCidrBlock": ANYWHERE}
    assert ec2.error("ReplaceRoute", **route, GatewayId=gateway_id) == "InvalidParameterValue"
    ec2("CreateRoute", **route, GatewayId=gateway_id)
    assert ec2.error("CreateRoute", **route, GatewayId=gateway_id) == "RouteAlreadyExists"
    ec2("ReplaceRoute", **route, NatGatewayId=gateway.nat_gateway_id)
    assert routes(ec2, table_id)[1]["NatGatewayId"] == gateway.nat_gateway_id
    assert "GatewayId" not in routes(ec2, table_id)[1]
    ec2("DeleteRoute", **route)
    assert ec2.error("DeleteRoute", **route) == "InvalidRoute.NotFound"
    local = {"RouteTableId": table_id, "DestinationCidrBlock": "10.0.0.0/16"}
    assert ec2.error("DeleteRoute", **local) == "InvalidParameterValue"
    assert ec2.error("CreateRoute", **local, GatewayId=gateway_id) == "RouteAlreadyExists"


def test_targets_that_cannot_be(ec2: Ec2, vpc_id: str, table_id: str) -> None:
    foreign = ec2.internet_gateway(ec2.vpc("10.1.0.0/16"))
    gateway_id = ec2.internet_gateway(vpc_id)
    route = {"RouteTableId": table_id, "DestinationCidrBlock": ANYWHERE}
    assert ec2.error("CreateRoute", **route) == "MissingParameter"
    assert ec2.error("CreateRoute", **route, GatewayId=foreign) == "InvalidParameterValue"
    assert ec2.error("CreateRoute", **route, GatewayId="igw-1") == "InvalidInternetGatewayID.NotFound"
    assert ec2.error("CreateRoute", **route, NatGatewayId="nat-1") == "InvalidNatGatewayID.NotFound"
    assert ec2.error("CreateRoute", **route, NetworkInterfaceId="eni-1") == "InvalidNetworkInterfaceID.NotFound"
    both = {"GatewayId": gateway_id, "NatGatewayId": "nat-1"}
    assert ec2.error("CreateRoute", **route, **both) == "InvalidParameterCombination"
    assert ec2.error("CreateRoute", **route, TransitGatewayId="tgw-1") == "UnsupportedOperation"


def test_inside_the_vpc_only_whole_subnets_are_routed_and_not_to_the_internet(
    ec2: Ec2, vpc_id: str, table_id: str
) -> None:
    gateway_id = ec2.internet_gateway(vpc_id)
    subnet_id = ec2.subnet(vpc_id, "10.0.1.0/24")
    interface_id = ec2.interface(subnet_id, "10.0.1.9").network_interface_id
    half, whole = ({"RouteTableId": table_id, "DestinationCidrBlock": cidr} for cidr in ("10.0.1.0/25", "10.0.1.0/24"))
    assert ec2.error("CreateRoute", **whole, GatewayId=gateway_id) == "InvalidParameterValue"
    assert ec2.error("CreateRoute", **half, NetworkInterfaceId=interface_id) == "InvalidParameterValue"
    ec2("CreateRoute", **whole, NetworkInterfaceId=interface_id)
    assert routes(ec2, table_id)[1]["NetworkInterfaceId"] == interface_id


def test_a_subnet_has_one_association_which_can_move(ec2: Ec2, vpc_id: str, table_id: str) -> None:
    subnet_id = ec2.subnet(vpc_id)
    other_table = ec2("CreateRouteTable", VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    old = ec2("AssociateRouteTable", RouteTableId=table_id, SubnetId=subnet_id)["AssociationId"]
    code = ec2.error("AssociateRouteTable", RouteTableId=other_table, SubnetId=subnet_id)
    assert code == "Resource.AlreadyAssociated"
    assert ec2.error("DeleteRouteTable", RouteTableId=table_id) == "DependencyViolation"
    new = ec2("ReplaceRouteTableAssociation", AssociationId=old, RouteTableId=other_table)["NewAssociationId"]
    filters = [{"Name": "association.subnet-id", "Values": [subnet_id]}]
    [found] = ec2("DescribeRouteTables", Filters=filters)["RouteTables"]
    assert found["RouteTableId"] == other_table
    assert ec2.error("DisassociateRouteTable", AssociationId=old) == "InvalidAssociationID.NotFound"
    ec2("DisassociateRouteTable", AssociationId=new)
    ec2("DeleteRouteTable", RouteTableId=other_table)


def test_another_table_can_become_the_main_one(ec2: Ec2, vpc_id: str, table_id: str) -> None:
    main_filter = [{"Name": "association.main", "Values": ["true"]}]
    [main] = ec2("DescribeRouteTables", Filters=main_filter)["RouteTables"]
    [association] = main["Associations"]
    association_id = association["RouteTableAssociationId"]
    assert ec2.error("DisassociateRouteTable", AssociationId=association_id) == "InvalidParameterValue"
    assert ec2.error("DeleteRouteTable", RouteTableId=main["RouteTableId"]) == "DependencyViolation"
    ec2("ReplaceRouteTableAssociation", AssociationId=association_id, RouteTableId=table_id)
    [new_main] = ec2("DescribeRouteTables", Filters=main_filter)["RouteTables"]
    assert new_main["RouteTableId"] == table_id
    ec2("DeleteRouteTable", RouteTableId=main["RouteTableId"])


def test_tables_and_subnets_of_two_vpcs_do_not_meet(ec2: Ec2, table_id: str) -> None:
    foreign_subnet = ec2.subnet(ec2.vpc())
    code = ec2.error("AssociateRouteTable", RouteTableId=table_id, SubnetId=foreign_subnet)
    assert code == "InvalidParameterValue"
