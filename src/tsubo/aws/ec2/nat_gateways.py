"""NAT gateways. An operation says what shall be (`pending`, `deleting`); the engine's loop makes and removes the
interface, associates the address, says `available`, `failed` or `deleted`, and forgets what was deleted an hour ago.

Source: aws/alb-vpc-terraform.md sections 2.6 and 6.8.
"""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.errors import invalid_value, missing_parameter, refuse_members, required
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.lookup import find, missing, regional
from tsubo.aws.ec2.tags import shown_tags, tags_asked
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.supply import resource_id
from tsubo.model.vpc import Address, NatGateway, Subnet

ENDED_STATES = ("deleted", "failed")
NOT_RUN = (
    "AvailabilityZoneAddresses",
    "PrivateIpAddress",
    "SecondaryAllocationIds",
    "SecondaryPrivateIpAddresses",
    "SecondaryPrivateIpAddressCount",
)
FILTERS = {
    "nat-gateway-id": "NatGatewayId",
    "state": "State",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}


def occupies_subnet(nat_gateway: NatGateway) -> bool:
    """Say whether a NAT gateway has, or will have, an address in its subnet."""
    return nat_gateway.state not in ENDED_STATES


def create_nat_gateway(call: Call, request: Request) -> Response:
    refuse_members(request, *NOT_RUN)
    if request.get("AvailabilityMode") not in (None, "zonal"):
        refuse_members(request, "AvailabilityMode")
    subnet = find(call, Subnet, required(request, "SubnetId"))
    connectivity_type = request.get("ConnectivityType") or "public"
    nat_gateway = NatGateway(
        nat_gateway_id=resource_id(call.supply, "nat"),
        subnet_id=subnet.subnet_id,
        vpc_id=subnet.vpc_id,
        region=call.region,
        created_at=call.now,
        connectivity_type=connectivity_type,
        allocation_id=_allocation_asked(call, request, connectivity_type),
        tags=tags_asked(request, "natgateway"),
    )
    call.put(nat_gateway)
    token = {"ClientToken": request["ClientToken"]} if request.get("ClientToken") else {}
    return {"NatGateway": _view(call, nat_gateway), **token}


def delete_nat_gateway(call: Call, request: Request) -> Response:
    nat_gateway = find(call, NatGateway, required(request, "NatGatewayId"))
    if nat_gateway.state not in ("deleting", "deleted"):
        call.put(dataclasses.replace(nat_gateway, state="deleting"))
    return {"NatGatewayId": nat_gateway.nat_gateway_id}


def describe_nat_gateways(call: Call, request: Request) -> Response:
    views = [_view(call, nat_gateway) for nat_gateway in regional(call, NatGateway)]
    views = chosen(views, "NatGatewayId", request.get("NatGatewayIds"), missing(NatGateway))
    return listed("NatGateways", views, request, FILTERS, by="NatGatewayId", filter_member="Filter")


def _allocation_asked(call: Call, request: Request, connectivity_type: str) -> str | None:
    if connectivity_type not in ("public", "private"):
        raise invalid_value(f"Value ({connectivity_type}) for parameter connectivityType is invalid.")
    allocation_id = request.get("AllocationId")
    if connectivity_type == "private":
        if allocation_id:
            raise AwsError("InvalidParameter", "AllocationId is not supported for private NAT gateways.")
        return None
    if not allocation_id:
        raise missing_parameter("AllocationId")
    return find(call, Address, allocation_id).allocation_id


def _view(call: Call, nat_gateway: NatGateway) -> View:
    view: View = {
        "NatGatewayId": nat_gateway.nat_gateway_id,
        "SubnetId": nat_gateway.subnet_id,
        "VpcId": nat_gateway.vpc_id,
        "State": nat_gateway.state,
        "ConnectivityType": nat_gateway.connectivity_type,
        "AvailabilityMode": "zonal",
        "CreateTime": datetime.fromtimestamp(nat_gateway.created_at, UTC),
        "NatGatewayAddresses": [_address_view(call, nat_gateway)],
        **shown_tags(nat_gateway.tags),
    }
    if nat_gateway.deleted_at is not None:
        view["DeleteTime"] = datetime.fromtimestamp(nat_gateway.deleted_at, UTC)
    if nat_gateway.failure_code:
        view |= {"FailureCode": nat_gateway.failure_code, "FailureMessage": nat_gateway.failure_message or ""}
    return view


def _address_view(call: Call, nat_gateway: NatGateway) -> dict[str, Any]:
    interface = call.world.network_interfaces.get(nat_gateway.network_interface_id or "")
    address = call.world.addresses.get(nat_gateway.allocation_id or "")
    view: dict[str, Any] = {"IsPrimary": True, "Status": "succeeded" if interface else "associating"}
    if interface is not None:
        view |= {"NetworkInterfaceId": interface.network_interface_id, "PrivateIp": interface.private_ip}
    if address is not None:
        view |= {"AllocationId": address.allocation_id, "PublicIp": address.public_ip}
        if interface is not None and address.network_interface_id == interface.network_interface_id:
            view["AssociationId"] = address.association_id
    return view


OPERATIONS: Mapping[str, Operation] = {
    "CreateNatGateway": create_nat_gateway,
    "DeleteNatGateway": delete_nat_gateway,
    "DescribeNatGateways": describe_nat_gateways,
}
