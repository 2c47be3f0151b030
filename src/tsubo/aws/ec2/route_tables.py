"""Route tables and which subnet uses which: create, delete, describe, associate. Routes themselves are in `routes`.

A subnet without an association of its own uses the VPC's main table. Source: aws/alb-vpc-terraform.md section 2.5.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.errors import dependency_violation, invalid_value, refuse_members, required
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.lookup import find, missing, regional
from tsubo.aws.ec2.routes import route_views
from tsubo.aws.ec2.tags import tag_list, tags_asked
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.supply import resource_id
from tsubo.model.vpc import RouteTable, RouteTableAssociation, Subnet, Vpc

ASSOCIATED = {"State": "associated"}
FILTERS = {
    "association.gateway-id": "Associations.GatewayId",
    "association.main": "Associations.Main",
    "association.route-table-association-id": "Associations.RouteTableAssociationId",
    "association.route-table-id": "Associations.RouteTableId",
    "association.subnet-id": "Associations.SubnetId",
    "owner-id": "OwnerId",
    "route-table-id": "RouteTableId",
    "route.destination-cidr-block": "Routes.DestinationCidrBlock",
    "route.destination-ipv6-cidr-block": "Routes.DestinationIpv6CidrBlock",
    "route.destination-prefix-list-id": "Routes.DestinationPrefixListId",
    "route.egress-only-internet-gateway-id": "Routes.EgressOnlyInternetGatewayId",
    "route.gateway-id": "Routes.GatewayId",
    "route.instance-id": "Routes.InstanceId",
    "route.nat-gateway-id": "Routes.NatGatewayId",
    "route.origin": "Routes.Origin",
    "route.state": "Routes.State",
    "route.transit-gateway-id": "Routes.TransitGatewayId",
    "route.vpc-peering-connection-id": "Routes.VpcPeeringConnectionId",
    "transit-gateway-id": "Routes.TransitGatewayId",
    "vpc-id": "VpcId",
}


def new_main_table(call: Call, vpc_id: str) -> RouteTable:
    """Return the main route table that a new VPC has: only the local route."""
    association = RouteTableAssociation(resource_id(call.supply, "rtbassoc"), main=True)
    return RouteTable(resource_id(call.supply, "rtb"), vpc_id, call.region, associations=(association,))


def is_main(table: RouteTable) -> bool:
    """Say whether a table is its VPC's main one."""
    return any(association.main for association in table.associations)


def dissociate_table(call: Call, subnet: Subnet) -> None:
    """Take a subnet's own association, if it has one, out of its route table."""
    for table in regional(call, RouteTable):
        for association in table.associations:
            if association.subnet_id == subnet.subnet_id:
                _remove(call, table, association)


def create_route_table(call: Call, request: Request) -> Response:
    vpc = find(call, Vpc, required(request, "VpcId"))
    tags = tags_asked(request, "route-table")
    table = RouteTable(resource_id(call.supply, "rtb"), vpc.vpc_id, call.region, tags=tags)
    call.put(table)
    return {"RouteTable": _view(call, table)}


def delete_route_table(call: Call, request: Request) -> None:
    table = find(call, RouteTable, required(request, "RouteTableId"))
    if table.associations:
        raise dependency_violation("routeTable", table.route_table_id)
    call.delete(table)


def describe_route_tables(call: Call, request: Request) -> Response:
    views = [_view(call, table) for table in regional(call, RouteTable)]
    views = chosen(views, "RouteTableId", request.get("RouteTableIds"), missing(RouteTable))
    return listed("RouteTables", views, request, FILTERS, by="RouteTableId")


def associate_route_table(call: Call, request: Request) -> Response:
    refuse_members(request, "GatewayId")
    table = find(call, RouteTable, required(request, "RouteTableId"))
    subnet = find(call, Subnet, required(request, "SubnetId"))
    _require_one_network(table, subnet)
    taken = any(
        association.subnet_id == subnet.subnet_id
        for other in regional(call, RouteTable)
        for association in other.associations
    )
    if taken:
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"the specified association for route table {table.route_table_id} conflicts with an existing association",
        )
    association = RouteTableAssociation(resource_id(call.supply, "rtbassoc"), subnet.subnet_id)
    call.put(dataclasses.replace(table, associations=(*table.associations, association)))
    return {"AssociationId": association.association_id, "AssociationState": ASSOCIATED}


def disassociate_route_table(call: Call, request: Request) -> None:
    table, association = _association(call, required(request, "AssociationId"))
    if association.main:
        raise invalid_value(f"cannot disassociate the main route table association {association.association_id}")
    _remove(call, table, association)


def replace_route_table_association(call: Call, request: Request) -> Response:
    """Move an association to another table of the VPC. For the main one, that table becomes the main table."""
    old_table, association = _association(call, required(request, "AssociationId"))
    new_table = find(call, RouteTable, required(request, "RouteTableId"))
    if new_table.vpc_id != old_table.vpc_id:
        raise invalid_value(
            f"route tables {old_table.route_table_id} and {new_table.route_table_id} belong to different networks"
        )
    moved = dataclasses.replace(association, association_id=resource_id(call.supply, "rtbassoc"))
    _remove(call, old_table, association)
    new_table = find(call, RouteTable, new_table.route_table_id)
    call.put(dataclasses.replace(new_table, associations=(*new_table.associations, moved)))
    return {"NewAssociationId": moved.association_id, "AssociationState": ASSOCIATED}


def _association(call: Call, association_id: str) -> tuple[RouteTable, RouteTableAssociation]:
    for table in regional(call, RouteTable):
        for association in table.associations:
            if association.association_id == association_id:
                return table, association
    raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{association_id}' does not exist")


def _remove(call: Call, table: RouteTable, association: RouteTableAssociation) -> None:
    kept = tuple(one for one in table.associations if one != association)
    call.put(dataclasses.replace(table, associations=kept))


def _require_one_network(table: RouteTable, subnet: Subnet) -> None:
    if table.vpc_id != subnet.vpc_id:
        raise invalid_value(
            f"route table {table.route_table_id} and subnet {subnet.subnet_id} belong to different networks"
        )


def _view(call: Call, table: RouteTable) -> View:
    return {
        "RouteTableId": table.route_table_id,
        "VpcId": table.vpc_id,
        "OwnerId": call.account_id,
        "Routes": route_views(call, table),
        "Associations": [_association_view(table, association) for association in table.associations],
        "PropagatingVgws": [],
        "Tags": tag_list(table.tags),
    }


def _association_view(table: RouteTable, association: RouteTableAssociation) -> dict[str, Any]:
    view: dict[str, Any] = {
        "Main": association.main,
        "RouteTableAssociationId": association.association_id,
        "RouteTableId": table.route_table_id,
        "AssociationState": ASSOCIATED,
    }
    if association.subnet_id:
        view["SubnetId"] = association.subnet_id
    return view


OPERATIONS: Mapping[str, Operation] = {
    "CreateRouteTable": create_route_table,
    "DeleteRouteTable": delete_route_table,
    "DescribeRouteTables": describe_route_tables,
    "AssociateRouteTable": associate_route_table,
    "DisassociateRouteTable": disassociate_route_table,
    "ReplaceRouteTableAssociation": replace_route_table_association,
}
