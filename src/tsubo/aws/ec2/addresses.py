"""Elastic IP addresses: public addresses from 203.0.113.0/24, a range that no real host has (RFC 5737)."""

import dataclasses
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.errors import invalid_value, missing_parameter, refuse_members, required
from tsubo.aws.ec2.filters import View, select
from tsubo.aws.ec2.internet_gateways import gateway_of
from tsubo.aws.ec2.lookup import find, missing, regional
from tsubo.aws.ec2.nat_gateways import occupies_subnet
from tsubo.aws.ec2.tags import shown_tags, tags_asked
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.supply import resource_id
from tsubo.model.vpc import Address, NatGateway, NetworkInterface

PUBLIC_RANGE = IPv4Network("203.0.113.0/24")
KEPT_FREE = (0, 1, 255)
"""Offsets into the range that nobody gets: the network's, the internet's own router, the last one."""

FILTERS = {
    "allocation-id": "AllocationId",
    "association-id": "AssociationId",
    "domain": "Domain",
    "instance-id": "InstanceId",
    "network-border-group": "NetworkBorderGroup",
    "network-interface-id": "NetworkInterfaceId",
    "network-interface-owner-id": "NetworkInterfaceOwnerId",
    "private-ip-address": "PrivateIpAddress",
    "public-ip": "PublicIp",
}


def allocate_address(call: Call, request: Request) -> Response:
    refuse_members(request, "CustomerOwnedIpv4Pool", "IpamPoolId")
    tags = tags_asked(request, "elastic-ip")
    public_ip = _public_ip_asked(call, request)
    address = Address(resource_id(call.supply, "eipalloc"), public_ip, call.region, tags=tags)
    call.put(address)
    return {
        "AllocationId": address.allocation_id,
        "PublicIp": address.public_ip,
        "Domain": "vpc",
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": call.region,
    }


def release_address(call: Call, request: Request) -> None:
    address = _address_asked(call, request)
    if _interface_of(call, address) or _is_promised(call, address):
        raise AwsError("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")
    call.delete(address)


def describe_addresses(call: Call, request: Request) -> Response:
    views = [_view(call, address) for address in regional(call, Address)]
    views = chosen(views, "AllocationId", request.get("AllocationIds"), missing(Address))
    views = chosen(views, "PublicIp", request.get("PublicIps"), lambda absent: _not_found(", ".join(absent)))
    return {"Addresses": select(views, request.get("Filters") or [], FILTERS)}


def describe_addresses_attribute(call: Call, request: Request) -> Response:
    """List addresses by their reverse names; none has one here, so the list is empty, as on AWS."""
    for identifier in request.get("AllocationIds") or []:
        find(call, Address, identifier)
    return listed("Addresses", [], request, {}, by="AllocationId")


def associate_address(call: Call, request: Request) -> Response:
    """Give an interface of the user's own a public address; those of tasks and gateways belong to their service."""
    if request.get("InstanceId"):
        raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{request['InstanceId']}' does not exist")
    address = _address_asked(call, request)
    interface = find(call, NetworkInterface, required(request, "NetworkInterfaceId"))
    _require_permission(interface)
    if gateway_of(call, interface.vpc_id) is None:
        raise AwsError("Gateway.NotAttached", f"Network {interface.vpc_id} is not attached to any internet gateway")
    if request.get("PrivateIpAddress") not in (None, "", interface.private_ip):
        raise invalid_value(
            f"Interface {interface.network_interface_id} does not have the address {request['PrivateIpAddress']}"
        )
    if _interface_of(call, address):
        if not request.get("AllowReassociation"):
            raise AwsError(
                "Resource.AlreadyAssociated",
                f"resource {address.allocation_id} is already associated with associate-id {address.association_id}",
            )
        _disassociate(call, address)
    association_id = resource_id(call.supply, "eipassoc")
    call.put(
        dataclasses.replace(
            address, association_id=association_id, network_interface_id=interface.network_interface_id
        ),
        dataclasses.replace(interface, public_ip=address.public_ip),
    )
    return {"AssociationId": association_id}


def disassociate_address(call: Call, request: Request) -> None:
    association_id = request.get("AssociationId")
    if not association_id:
        _disassociate(call, _address_with(call, required(request, "PublicIp")))
        return
    address = next((one for one in regional(call, Address) if one.association_id == association_id), None)
    if address is None:
        raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{association_id}' does not exist")
    _disassociate(call, address)


def _disassociate(call: Call, address: Address) -> None:
    interface = _interface_of(call, address)
    if interface is None:
        raise AwsError("InvalidAssociationID.NotFound", f"Address {address.public_ip} is not associated.")
    _require_permission(interface)
    call.put(
        dataclasses.replace(address, association_id=None, network_interface_id=None),
        dataclasses.replace(interface, public_ip=None),
    )


def _interface_of(call: Call, address: Address) -> NetworkInterface | None:
    """Return the interface that an address is associated with."""
    return call.world.network_interfaces.get(address.network_interface_id or "")


def _is_promised(call: Call, address: Address) -> bool:
    """Say whether a NAT gateway that still waits for its interface will take the address."""
    return any(
        nat_gateway.allocation_id == address.allocation_id and occupies_subnet(nat_gateway)
        for nat_gateway in regional(call, NatGateway)
    )


def _public_ip_asked(call: Call, request: Request) -> str:
    world = call.world
    used = {address.public_ip for address in world.addresses.values()}
    used |= {interface.public_ip for interface in world.network_interfaces.values() if interface.public_ip}
    asked = request.get("Address")
    if asked:
        if asked in used or not _is_ours(asked):
            raise _not_found(asked)
        return str(asked)
    for offset in range(PUBLIC_RANGE.num_addresses):
        candidate = str(PUBLIC_RANGE[offset])
        if candidate not in used and _is_ours(candidate):
            return candidate
    raise AwsError("InsufficientAddressCapacity", "Not enough free public IPv4 addresses.")


def _is_ours(text: str) -> bool:
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return False
    return address in PUBLIC_RANGE and int(address) - int(PUBLIC_RANGE[0]) not in KEPT_FREE


def _address_asked(call: Call, request: Request) -> Address:
    if request.get("AllocationId"):
        return find(call, Address, request["AllocationId"])
    if request.get("PublicIp"):
        return _address_with(call, request["PublicIp"])
    raise missing_parameter("AllocationId")


def _address_with(call: Call, public_ip: str) -> Address:
    address = next((one for one in regional(call, Address) if one.public_ip == public_ip), None)
    if address is None:
        raise _not_found(public_ip)
    return address


def _not_found(public_ip: str) -> AwsError:
    return AwsError("InvalidAddress.NotFound", f"Address '{public_ip}' not found.")


def _require_permission(interface: NetworkInterface) -> None:
    if interface.owner != "user":
        raise AwsError("AuthFailure", "You do not have permission to access the specified resource.")


def _view(call: Call, address: Address) -> View:
    view: View = {
        "AllocationId": address.allocation_id,
        "PublicIp": address.public_ip,
        "Domain": "vpc",
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": call.region,
        **shown_tags(address.tags),
    }
    interface = _interface_of(call, address)
    if interface is not None:
        view |= {
            "AssociationId": address.association_id,
            "NetworkInterfaceId": interface.network_interface_id,
            "NetworkInterfaceOwnerId": call.account_id,
            "PrivateIpAddress": interface.private_ip,
        }
    return view


OPERATIONS: Mapping[str, Operation] = {
    "AllocateAddress": allocate_address,
    "ReleaseAddress": release_address,
    "DescribeAddresses": describe_addresses,
    "DescribeAddressesAttribute": describe_addresses_attribute,
    "AssociateAddress": associate_address,
    "DisassociateAddress": disassociate_address,
}
