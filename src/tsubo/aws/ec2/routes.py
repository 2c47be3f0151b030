"""Routes of a route table: create, replace, delete, and how they show, `blackhole` where the target is gone.

The `local` route is implied by the VPC. A route inside the VPC's own range may cover only a whole subnet and lead only
to a NAT gateway or an interface. Source: aws/alb-vpc-terraform.md section 2.5.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from tsubo.aws.ec2.cidr import parse_cidr
from tsubo.aws.ec2.errors import invalid_value, missing_parameter, refuse_members, required
from tsubo.aws.ec2.lookup import find, regional
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.vpc import InternetGateway, NetworkInterface, Route, RouteTable, Subnet, Vpc

NOT_RUN = (
    "DestinationIpv6CidrBlock",
    "DestinationPrefixListId",
    "EgressOnlyInternetGatewayId",
    "InstanceId",
    "TransitGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
    "VpcEndpointId",
    "VpcPeeringConnectionId",
    "LocalTarget",
)
LIVING_NAT_STATES = ("pending", "available")


def route_views(call: Call, table: RouteTable) -> list[dict[str, Any]]:
    """Return a table's routes as DescribeRouteTables shows them, the local one first."""
    vpc = find(call, Vpc, table.vpc_id)
    local = {
        "DestinationCidrBlock": vpc.cidr,
        "GatewayId": "local",
        "Origin": "CreateRouteTable",
        "State": "active",
    }
    return [local, *(_view(call, table, route) for route in table.routes)]


def create_route(call: Call, request: Request) -> Response:
    table = find(call, RouteTable, required(request, "RouteTableId"))
    route = _route_asked(call, table, request)
    if _position(table, route.destination_cidr) is not None or route.destination_cidr == _vpc_cidr(call, table):
        raise AwsError("RouteAlreadyExists", f"The route identified by {route.destination_cidr} already exists.")
    call.put(dataclasses.replace(table, routes=(*table.routes, route)))
    return {"Return": True}


def replace_route(call: Call, request: Request) -> None:
    table = find(call, RouteTable, required(request, "RouteTableId"))
    route = _route_asked(call, table, request)
    position = _position(table, route.destination_cidr)
    if position is None:
        raise invalid_value(
            f"There is no route defined for '{route.destination_cidr}' in the route table. Use CreateRoute instead."
        )
    routes = (*table.routes[:position], route, *table.routes[position + 1 :])
    call.put(dataclasses.replace(table, routes=routes))


def delete_route(call: Call, request: Request) -> None:
    table = find(call, RouteTable, required(request, "RouteTableId"))
    refuse_members(request, "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    destination = str(parse_cidr(required(request, "DestinationCidrBlock"), "DestinationCidrBlock"))
    if destination == _vpc_cidr(call, table):
        raise invalid_value(f"cannot remove local route {destination} in route table {table.route_table_id}")
    if _position(table, destination) is None:
        raise AwsError(
            "InvalidRoute.NotFound",
            f"no route with destination-cidr-block {destination} in route table {table.route_table_id}",
        )
    kept = tuple(route for route in table.routes if route.destination_cidr != destination)
    call.put(dataclasses.replace(table, routes=kept))


def _route_asked(call: Call, table: RouteTable, request: Request) -> Route:
    refuse_members(request, *NOT_RUN)
    destination = parse_cidr(required(request, "DestinationCidrBlock"), "DestinationCidrBlock")
    targets = [member for member in TARGETS if request.get(member)]
    if not targets:
        raise missing_parameter("GatewayId")
    if len(targets) > 1:
        raise AwsError("InvalidParameterCombination", "The request must contain exactly one route target.")
    route = TARGETS[targets[0]](call, table, Route(str(destination)), request[targets[0]])
    vpc_range = parse_cidr(_vpc_cidr(call, table))
    if destination != vpc_range and destination.subnet_of(vpc_range):
        _check_inside_vpc(call, table, route)
    return route


def _to_gateway(call: Call, table: RouteTable, route: Route, identifier: str) -> Route:
    gateway = find(call, InternetGateway, identifier)
    if gateway.vpc_id != table.vpc_id:
        raise invalid_value(
            f"route table {table.route_table_id} and network gateway {identifier} belong to different networks"
        )
    return dataclasses.replace(route, gateway_id=identifier)


def _to_nat_gateway(call: Call, table: RouteTable, route: Route, identifier: str) -> Route:
    nat_gateway = call.world.nat_gateways.get(identifier)
    if nat_gateway is None or nat_gateway.region != call.region or nat_gateway.state == "deleted":
        # Not the code that DescribeNatGateways has for the same: AWS answers each in its own words.
        raise AwsError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{identifier}' does not exist")
    if nat_gateway.vpc_id != table.vpc_id:
        raise invalid_value(
            f"route table {table.route_table_id} and NAT gateway {identifier} belong to different networks"
        )
    return dataclasses.replace(route, nat_gateway_id=identifier)


def _to_interface(call: Call, table: RouteTable, route: Route, identifier: str) -> Route:
    interface = find(call, NetworkInterface, identifier)
    if interface.vpc_id != table.vpc_id:
        raise invalid_value(
            f"route table {table.route_table_id} and interface {identifier} belong to different networks"
        )
    return dataclasses.replace(route, network_interface_id=identifier)


TARGETS: Mapping[str, Callable[[Call, RouteTable, Route, str], Route]] = {
    "GatewayId": _to_gateway,
    "NatGatewayId": _to_nat_gateway,
    "NetworkInterfaceId": _to_interface,
}
"""Per request member that names a target, what checks it and sets it."""


def _check_inside_vpc(call: Call, table: RouteTable, route: Route) -> None:
    if route.gateway_id:
        raise invalid_value(
            f"Destination CIDR block {route.destination_cidr} is equal to or more specific than one of this VPC's "
            "CIDR blocks. This route can target only an interface or an instance."
        )
    subnets = (subnet for subnet in regional(call, Subnet) if subnet.vpc_id == table.vpc_id)
    if route.destination_cidr not in {subnet.cidr for subnet in subnets}:
        raise invalid_value(
            f"The destination CIDR block {route.destination_cidr} is more specific than the VPC's and must match "
            "the CIDR block of a subnet."
        )


def _position(table: RouteTable, destination: str) -> int | None:
    destinations = [route.destination_cidr for route in table.routes]
    return destinations.index(destination) if destination in destinations else None


def _vpc_cidr(call: Call, table: RouteTable) -> str:
    return find(call, Vpc, table.vpc_id).cidr


def _view(call: Call, table: RouteTable, route: Route) -> dict[str, Any]:
    targets = {
        "GatewayId": route.gateway_id,
        "NatGatewayId": route.nat_gateway_id,
        "NetworkInterfaceId": route.network_interface_id,
    }
    return {
        "DestinationCidrBlock": route.destination_cidr,
        **{member: value for member, value in targets.items() if value},
        "Origin": "CreateRoute",
        "State": "active" if _has_target(call, table, route) else "blackhole",
    }


def _has_target(call: Call, table: RouteTable, route: Route) -> bool:
    world = call.world
    if route.gateway_id:
        gateway = world.internet_gateways.get(route.gateway_id)
        return gateway is not None and gateway.vpc_id == table.vpc_id
    if route.nat_gateway_id:
        nat_gateway = world.nat_gateways.get(route.nat_gateway_id)
        return nat_gateway is not None and nat_gateway.state in LIVING_NAT_STATES
    return route.network_interface_id in world.network_interfaces


OPERATIONS: Mapping[str, Operation] = {
    "CreateRoute": create_route,
    "ReplaceRoute": replace_route,
    "DeleteRoute": delete_route,
}
