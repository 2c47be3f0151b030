"""Route tables with inline routes, single routes, associations. Calls: aws/alb-vpc-terraform.md section 6.2."""

import zlib
from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import first, retag_ec2, tag_map, tag_specifications
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

_DESTINATIONS = {
    "cidr_block": "DestinationCidrBlock",
    "ipv6_cidr_block": "DestinationIpv6CidrBlock",
    "destination_prefix_list_id": "DestinationPrefixListId",
}
_SINGLE_DESTINATIONS = {
    "destination_cidr_block": "DestinationCidrBlock",
    "destination_ipv6_cidr_block": "DestinationIpv6CidrBlock",
    "destination_prefix_list_id": "DestinationPrefixListId",
}
_TARGETS = {
    "gateway_id": "GatewayId",
    "nat_gateway_id": "NatGatewayId",
    "network_interface_id": "NetworkInterfaceId",
    "transit_gateway_id": "TransitGatewayId",
    "vpc_peering_connection_id": "VpcPeeringConnectionId",
    "egress_only_gateway_id": "EgressOnlyInternetGatewayId",
    "carrier_gateway_id": "CarrierGatewayId",
    "local_gateway_id": "LocalGatewayId",
    "core_network_arn": "CoreNetworkArn",
    "vpc_endpoint_id": "VpcEndpointId",
}
Names = dict[str, str]


def _parameters(route: Values, destinations: Names) -> dict[str, str]:
    return {member: route[name] for name, member in {**destinations, **_TARGETS}.items() if route.get(name)}


def _destination(route: Values, destinations: Names) -> dict[str, str]:
    return {member: route[name] for name, member in destinations.items() if route.get(name)}


def _values(route: dict[str, str], destinations: Names) -> Values:
    values: Values = {name: route.get(member, "") for name, member in {**destinations, **_TARGETS}.items()}
    if values["gateway_id"].startswith("vpce-"):
        values |= {"gateway_id": "", "vpc_endpoint_id": values["gateway_id"]}
    return values


def _find_table(aws: Aws, route_table_id: str) -> Any:
    answer = aws.find("ec2", "describe_route_tables", RouteTableIds=[route_table_id]) or {}
    return first(answer.get("RouteTables"))


def _create_table(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "ec2",
        "create_route_table",
        VpcId=values["vpc_id"],
        TagSpecifications=tag_specifications(values, "route-table"),
    )
    return {"id": answer["RouteTable"]["RouteTableId"]}


def _complete_table(aws: Aws, values: Values) -> None:
    for route in values.get("route") or ():
        aws.call("ec2", "create_route", RouteTableId=values["id"], **_parameters(route, _DESTINATIONS))


def _read_table(aws: Aws, values: Values) -> Values | None:
    table = _find_table(aws, values["id"])
    if table is None:
        return None
    return {
        "arn": aws.arn("ec2", f"route-table/{values['id']}"),
        "owner_id": table.get("OwnerId", aws.account_id),
        "vpc_id": table["VpcId"],
        "propagating_vgws": [gateway["GatewayId"] for gateway in table.get("PropagatingVgws") or ()],
        "route": [_values(route, _DESTINATIONS) for route in table["Routes"] if _is_own(route)],
        "tags": tag_map(table.get("Tags")),
    }


def _is_own(route: dict[str, str]) -> bool:
    """Say whether a route was made by a call: not the local one, not a gateway endpoint's."""
    endpoint = route.get("GatewayId", "").startswith("vpce-") and "DestinationPrefixListId" in route
    return route.get("GatewayId") != "local" and route.get("Origin", "CreateRoute") == "CreateRoute" and not endpoint


def _update_table(aws: Aws, before: Values, values: Values) -> None:
    def by_destination(routes: list[Values] | None) -> dict[tuple[str, ...], Values]:
        return {tuple(_destination(route, _DESTINATIONS).values()): route for route in routes or ()}

    old, new = by_destination(before.get("route")), by_destination(values.get("route"))
    for key, route in old.items():
        if key not in new:
            aws.call("ec2", "delete_route", RouteTableId=values["id"], **_destination(route, _DESTINATIONS))
    for key, route in new.items():
        parameters = _parameters(route, _DESTINATIONS)
        if key not in old:
            aws.call("ec2", "create_route", RouteTableId=values["id"], **parameters)
        elif parameters != _parameters(old[key], _DESTINATIONS):
            aws.call("ec2", "replace_route", RouteTableId=values["id"], **parameters)


def _delete_table(aws: Aws, values: Values) -> None:
    for association in (_find_table(aws, values["id"]) or {}).get("Associations") or ():
        if not association.get("Main"):
            aws.call("ec2", "disassociate_route_table", AssociationId=association["RouteTableAssociationId"])
    aws.call("ec2", "delete_route_table", RouteTableId=values["id"])


def _create_route(aws: Aws, values: Values) -> Values:
    parameters = _parameters(values, _SINGLE_DESTINATIONS)
    aws.call("ec2", "create_route", RouteTableId=values["route_table_id"], **parameters)
    destination = first(_destination(values, _SINGLE_DESTINATIONS).values()) or ""
    return {"id": f"r-{values['route_table_id']}{zlib.crc32(destination.encode())}"}


def _read_route(aws: Aws, values: Values) -> Values | None:
    destination = _destination(values, _SINGLE_DESTINATIONS)
    for route in (_find_table(aws, values["route_table_id"]) or {}).get("Routes") or ():
        if destination.items() <= route.items():
            computed = {"instance_id": "", "instance_owner_id": "", "origin": route.get("Origin", "CreateRoute")}
            return _values(route, _SINGLE_DESTINATIONS) | computed | {"state": route.get("State", "active")}
    return None


def _update_route(aws: Aws, _before: Values, values: Values) -> None:
    parameters = _parameters(values, _SINGLE_DESTINATIONS)
    aws.call("ec2", "replace_route", RouteTableId=values["route_table_id"], **parameters)


def _delete_route(aws: Aws, values: Values) -> None:
    destination = _destination(values, _SINGLE_DESTINATIONS)
    aws.call("ec2", "delete_route", RouteTableId=values["route_table_id"], **destination)


def _import_route(identifier: str) -> Values:
    table, _, destination = identifier.partition("_")
    return {"id": identifier, "route_table_id": table, "destination_cidr_block": destination}


def _create_association(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "ec2",
        "associate_route_table",
        RouteTableId=values["route_table_id"],
        SubnetId=values.get("subnet_id"),
        GatewayId=values.get("gateway_id"),
    )
    return {"id": answer["AssociationId"]}


def _read_association(aws: Aws, values: Values) -> Values | None:
    for association in (_find_table(aws, values["route_table_id"]) or {}).get("Associations") or ():
        if association["RouteTableAssociationId"] == values["id"]:
            return {"subnet_id": association.get("SubnetId", ""), "gateway_id": association.get("GatewayId", "")}
    return None


def _update_association(aws: Aws, before: Values, values: Values) -> Values:
    answer = aws.call(
        "ec2",
        "replace_route_table_association",
        AssociationId=before["id"],
        RouteTableId=values["route_table_id"],
    )
    return {"id": answer["NewAssociationId"]}


def _delete_association(aws: Aws, values: Values) -> None:
    aws.call("ec2", "disassociate_route_table", AssociationId=values["id"])


def _main_association(aws: Aws, vpc_id: str) -> Any:
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "association.main", "Values": ["true"]}]
    table = first(aws.call("ec2", "describe_route_tables", Filters=filters)["RouteTables"]) or {}
    return first(association for association in table.get("Associations") or () if association.get("Main"))


def _create_main(aws: Aws, values: Values) -> Values:
    main = _main_association(aws, values["vpc_id"])
    made = _update_association(aws, {"id": main["RouteTableAssociationId"]}, values)
    return made | {"original_route_table_id": main["RouteTableId"]}


def _read_main(aws: Aws, values: Values) -> Values | None:
    main = _main_association(aws, values["vpc_id"])
    if main is None or main["RouteTableAssociationId"] != values["id"]:
        return None
    return {"route_table_id": main["RouteTableId"]}


def _delete_main(aws: Aws, values: Values) -> None:
    _update_association(aws, values, {"route_table_id": values["original_route_table_id"]})


def _adopt_default_table(aws: Aws, values: Values) -> Values:
    """The default route table exists with its VPC; Terraform takes it over and clears its routes."""
    return {"id": values["default_route_table_id"]}


def _complete_default_table(aws: Aws, values: Values) -> None:
    known = _read_table(aws, values) or {}
    _update_table(aws, {"route": known.get("route")}, values)
    if values.get("tags_all"):
        retag_ec2(aws, values, values["tags_all"], [])


RESOURCES = {
    "aws_route_table": ResourceType(
        create=_create_table,
        complete=_complete_table,
        read=_read_table,
        update=_update_table,
        delete=_delete_table,
        retag=retag_ec2,
    ),
    "aws_default_route_table": ResourceType(
        create=_adopt_default_table,
        complete=_complete_default_table,
        read=_read_table,
        update=_update_table,
        retag=retag_ec2,
    ),
    "aws_route": ResourceType(
        create=_create_route,
        read=_read_route,
        update=_update_route,
        delete=_delete_route,
        import_values=_import_route,
    ),
    "aws_route_table_association": ResourceType(
        create=_create_association,
        read=_read_association,
        update=_update_association,
        delete=_delete_association,
    ),
    "aws_main_route_table_association": ResourceType(
        create=_create_main, read=_read_main, update=_update_association, delete=_delete_main
    ),
}
