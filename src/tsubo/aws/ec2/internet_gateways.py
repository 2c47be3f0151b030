"""Internet gateways. A VPC has at most one; a gateway leaves only when no public address depends on it."""

import dataclasses
from collections.abc import Mapping

from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.errors import dependency_violation, invalid_value, required
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.lookup import find, missing, regional
from tsubo.aws.ec2.tags import tag_list, tags_asked
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.supply import resource_id
from tsubo.model.vpc import InternetGateway, NetworkInterface, Vpc

FILTERS = {
    "attachment.state": "Attachments.State",
    "attachment.vpc-id": "Attachments.VpcId",
    "internet-gateway-id": "InternetGatewayId",
    "owner-id": "OwnerId",
}


def gateway_of(call: Call, vpc_id: str) -> InternetGateway | None:
    """Return the internet gateway attached to a VPC."""
    return next((gateway for gateway in regional(call, InternetGateway) if gateway.vpc_id == vpc_id), None)


def create_internet_gateway(call: Call, request: Request) -> Response:
    tags = tags_asked(request, "internet-gateway")
    gateway = InternetGateway(resource_id(call.supply, "igw"), call.region, tags=tags)
    call.put(gateway)
    return {"InternetGateway": _view(call, gateway)}


def attach_internet_gateway(call: Call, request: Request) -> None:
    gateway = find(call, InternetGateway, required(request, "InternetGatewayId"))
    vpc = find(call, Vpc, required(request, "VpcId"))
    if gateway.vpc_id is not None:
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"resource {gateway.internet_gateway_id} is already attached to network {gateway.vpc_id}",
        )
    if gateway_of(call, vpc.vpc_id):
        raise invalid_value(f"Network {vpc.vpc_id} already has an internet gateway attached")
    call.put(dataclasses.replace(gateway, vpc_id=vpc.vpc_id))


def detach_internet_gateway(call: Call, request: Request) -> None:
    gateway = find(call, InternetGateway, required(request, "InternetGatewayId"))
    vpc = find(call, Vpc, required(request, "VpcId"))
    if gateway.vpc_id != vpc.vpc_id:
        raise AwsError(
            "Gateway.NotAttached", f"resource {gateway.internet_gateway_id} is not attached to network {vpc.vpc_id}"
        )
    if any(interface.public_ip and interface.vpc_id == vpc.vpc_id for interface in regional(call, NetworkInterface)):
        raise AwsError(
            "DependencyViolation",
            f"Network {vpc.vpc_id} has some mapped public address(es). "
            "Please unmap those public address(es) before detaching the gateway.",
        )
    call.put(dataclasses.replace(gateway, vpc_id=None))


def delete_internet_gateway(call: Call, request: Request) -> None:
    gateway = find(call, InternetGateway, required(request, "InternetGatewayId"))
    if gateway.vpc_id is not None:
        raise dependency_violation("internetGateway", gateway.internet_gateway_id)
    call.delete(gateway)


def describe_internet_gateways(call: Call, request: Request) -> Response:
    views = [_view(call, gateway) for gateway in regional(call, InternetGateway)]
    views = chosen(views, "InternetGatewayId", request.get("InternetGatewayIds"), missing(InternetGateway))
    return listed("InternetGateways", views, request, FILTERS, by="InternetGatewayId")


def _view(call: Call, gateway: InternetGateway) -> View:
    # AWS says `available` here, though the model's enumeration for attachments has no such value.
    attachments = [{"State": "available", "VpcId": gateway.vpc_id}] if gateway.vpc_id else []
    return {
        "InternetGatewayId": gateway.internet_gateway_id,
        "OwnerId": call.account_id,
        "Attachments": attachments,
        "Tags": tag_list(gateway.tags),
    }


OPERATIONS: Mapping[str, Operation] = {
    "CreateInternetGateway": create_internet_gateway,
    "AttachInternetGateway": attach_internet_gateway,
    "DetachInternetGateway": detach_internet_gateway,
    "DeleteInternetGateway": delete_internet_gateway,
    "DescribeInternetGateways": describe_internet_gateways,
}
