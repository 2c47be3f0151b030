"""DescribeNetworkInterfaces: how the interfaces of tasks, load balancers and NAT gateways look.

They are made and removed by the engine; no operation changes them but tags and AssociateAddress. Source:
aws/alb-vpc-terraform.md sections 1.1, 2.8 and 6.6.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.lookup import missing, regional
from tsubo.aws.ec2.tags import tag_list
from tsubo.aws.ec2.zones import private_domain, public_domain, zones_of
from tsubo.aws.operations import Call, Operation, Request, Response
from tsubo.model.vpc import InterfaceOwner, NetworkInterface

FARGATE_ACCOUNT_ID = "578734482556"
"""Stands for the account of AWS that Fargate attaches a task's interface from."""

INSTANCE_OWNERS: Mapping[InterfaceOwner, str] = {
    "task": FARGATE_ACCOUNT_ID,
    "load_balancer": "amazon-elb",
    "nat_gateway": "amazon-aws",
}
"""Who holds the other end of an attachment; terraform finds a load balancer's interfaces by it."""

ATTACHMENT_PREFIXES = ("eni-attach-", "ela-attach-")
FILTERS = {
    "addresses.association.owner-id": "PrivateIpAddresses.Association.IpOwnerId",
    "addresses.association.public-ip": "PrivateIpAddresses.Association.PublicIp",
    "addresses.primary": "PrivateIpAddresses.Primary",
    "addresses.private-ip-address": "PrivateIpAddresses.PrivateIpAddress",
    "association.allocation-id": "Association.AllocationId",
    "association.association-id": "Association.AssociationId",
    "association.ip-owner-id": "Association.IpOwnerId",
    "association.public-dns-name": "Association.PublicDnsName",
    "association.public-ip": "Association.PublicIp",
    "attachment.attachment-id": "Attachment.AttachmentId",
    "attachment.delete-on-termination": "Attachment.DeleteOnTermination",
    "attachment.device-index": "Attachment.DeviceIndex",
    "attachment.instance-id": "Attachment.InstanceId",
    "attachment.instance-owner-id": "Attachment.InstanceOwnerId",
    "attachment.status": "Attachment.Status",
    "availability-zone": "AvailabilityZone",
    "description": "Description",
    "group-id": "Groups.GroupId",
    "group-name": "Groups.GroupName",
    "interface-type": "InterfaceType",
    "mac-address": "MacAddress",
    "network-interface-id": "NetworkInterfaceId",
    "owner-id": "OwnerId",
    "private-dns-name": "PrivateDnsName",
    "private-ip-address": "PrivateIpAddress",
    "requester-id": "RequesterId",
    "requester-managed": "RequesterManaged",
    "source-dest-check": "SourceDestCheck",
    "status": "Status",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}


def describe_network_interfaces(call: Call, request: Request) -> Response:
    views = [_view(call, interface) for interface in regional(call, NetworkInterface)]
    views = chosen(views, "NetworkInterfaceId", request.get("NetworkInterfaceIds"), missing(NetworkInterface))
    return listed("NetworkInterfaces", views, request, FILTERS, by="NetworkInterfaceId", tag_member="TagSet")


def _view(call: Call, interface: NetworkInterface) -> View:
    requester = INSTANCE_OWNERS.get(interface.owner)
    association = _association_view(call, interface)
    name = f"ip-{interface.private_ip.replace('.', '-')}.{private_domain(call.region)}"
    primary = {"Primary": True, "PrivateIpAddress": interface.private_ip, "PrivateDnsName": name, **association}
    public_name = association.get("Association", {}).get("PublicDnsName")
    return {
        "NetworkInterfaceId": interface.network_interface_id,
        "InterfaceType": "nat_gateway" if interface.owner == "nat_gateway" else "interface",
        "Status": "in-use" if requester else "available",
        "Description": interface.description,
        "SubnetId": interface.subnet_id,
        "VpcId": interface.vpc_id,
        "OwnerId": call.account_id,
        "AvailabilityZone": interface.availability_zone,
        "AvailabilityZoneId": zones_of(call.region).get(interface.availability_zone, ""),
        "MacAddress": interface.mac,
        "PrivateIpAddress": interface.private_ip,
        "PrivateDnsName": name,
        "PrivateIpAddresses": [primary],
        "Ipv6Addresses": [],
        "Groups": _groups(call, interface),
        "SourceDestCheck": interface.source_dest_check,
        "RequesterManaged": requester is not None,
        **({"RequesterId": requester, "Attachment": _attachment_view(interface, requester)} if requester else {}),
        **association,
        **({"PublicDnsName": public_name} if public_name else {}),
        "TagSet": tag_list(interface.tags),
    }


def _groups(call: Call, interface: NetworkInterface) -> list[dict[str, str]]:
    groups = call.world.security_groups
    return [
        {"GroupId": group_id, "GroupName": groups[group_id].name}
        for group_id in interface.security_group_ids
        if group_id in groups
    ]


def _attachment_view(interface: NetworkInterface, requester: str) -> dict[str, Any]:
    attachment_id = interface.attachment_id
    if not attachment_id.startswith(ATTACHMENT_PREFIXES):
        # What ECS calls the attachment is a UUID; EC2 has a name of its own for it.
        prefix = "eni-attach" if interface.owner == "task" else "ela-attach"
        attachment_id = f"{prefix}-0{attachment_id.replace('-', '')[:16]}"
    return {
        "AttachmentId": attachment_id,
        "AttachTime": datetime.fromtimestamp(interface.created_at, UTC),
        "DeleteOnTermination": False,
        "DeviceIndex": 1,
        "InstanceOwnerId": requester,
        "Status": "attached",
    }


def _association_view(call: Call, interface: NetworkInterface) -> dict[str, Any]:
    if not interface.public_ip:
        return {}
    vpc = call.world.vpcs.get(interface.vpc_id)
    view: dict[str, Any] = {"PublicIp": interface.public_ip, "IpOwnerId": "amazon"}
    if interface.owner == "load_balancer":
        view["IpOwnerId"] = "amazon-elb"
    if vpc is not None and vpc.enable_dns_hostnames:
        view["PublicDnsName"] = f"ec2-{interface.public_ip.replace('.', '-')}.{public_domain(call.region)}"
    for address in call.world.addresses.values():
        if address.network_interface_id == interface.network_interface_id:
            view |= {
                "IpOwnerId": call.account_id,
                "AllocationId": address.allocation_id,
                "AssociationId": address.association_id,
            }
    return {"Association": view}


OPERATIONS: Mapping[str, Operation] = {"DescribeNetworkInterfaces": describe_network_interfaces}
