"""Elastic IP addresses and NAT gateways. Calls: aws/alb-vpc-terraform.md sections 6.2, 6.6 and 6.8."""

from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.resources.common import changed, first, retag_ec2, tag_map, tag_specifications
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values


def _create_eip(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "ec2",
        "allocate_address",
        Domain="vpc",
        Address=values.get("address"),
        TagSpecifications=tag_specifications(values, "elastic-ip"),
    )
    return {"id": answer["AllocationId"]}


def _associate(aws: Aws, values: Values) -> None:
    if values.get("instance") or values.get("network_interface"):
        aws.call(
            "ec2",
            "associate_address",
            AllocationId=values["id"],
            InstanceId=values.get("instance") or None,
            NetworkInterfaceId=values.get("network_interface") or None,
            PrivateIpAddress=values.get("associate_with_private_ip") or None,
        )


def _find_address(aws: Aws, values: Values) -> Any:
    answer = aws.find("ec2", "describe_addresses", AllocationIds=[values["id"]]) or {}
    return first(answer.get("Addresses"))


def _read_eip(aws: Aws, values: Values) -> Values | None:
    address = _find_address(aws, values)
    if address is None:
        return None
    public, private = address["PublicIp"], address.get("PrivateIpAddress", "")
    return {
        "allocation_id": address["AllocationId"],
        "arn": aws.arn("ec2", f"elastic-ip/{address['AllocationId']}"),
        "association_id": address.get("AssociationId", ""),
        "carrier_ip": "",
        "customer_owned_ip": "",
        "domain": address.get("Domain", "vpc"),
        "vpc": True,
        "instance": address.get("InstanceId", ""),
        "ipam_pool_id": "",
        "network_border_group": address.get("NetworkBorderGroup", aws.region),
        "network_interface": address.get("NetworkInterfaceId", ""),
        "private_ip": private,
        "private_dns": f"ip-{private.replace('.', '-')}.{aws.region}.compute.internal" if private else "",
        "public_ip": public,
        "public_dns": f"ec2-{public.replace('.', '-')}.{aws.region}.compute.amazonaws.com",
        "public_ipv4_pool": address.get("PublicIpv4Pool", "amazon"),
        "ptr_record": "",
        "tags": tag_map(address.get("Tags")),
    }


def _update_eip(aws: Aws, before: Values, values: Values) -> None:
    if changed(before, values, "instance", "network_interface", "associate_with_private_ip"):
        _disassociate(aws, before)
        _associate(aws, values)


def _disassociate(aws: Aws, values: Values) -> None:
    address = _find_address(aws, values)
    if address and address.get("AssociationId") and (values.get("instance") or values.get("network_interface")):
        try:
            aws.call("ec2", "disassociate_address", AssociationId=address["AssociationId"])
        except CallError as error:
            if not error.gone:
                raise


def _delete_eip(aws: Aws, values: Values) -> None:
    _disassociate(aws, values)
    aws.call("ec2", "release_address", AllocationId=values["id"])


def _create_association(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "ec2",
        "associate_address",
        AllocationId=values.get("allocation_id"),
        InstanceId=values.get("instance_id") or None,
        NetworkInterfaceId=values.get("network_interface_id") or None,
        PrivateIpAddress=values.get("private_ip_address") or None,
    )
    return {"id": answer["AssociationId"]}


def _read_association(aws: Aws, values: Values) -> Values | None:
    filters = [{"Name": "association-id", "Values": [values["id"]]}]
    address = first(aws.call("ec2", "describe_addresses", Filters=filters)["Addresses"])
    if address is None:
        return None
    return {
        "allocation_id": address["AllocationId"],
        "instance_id": address.get("InstanceId", ""),
        "network_interface_id": address.get("NetworkInterfaceId", ""),
        "private_ip_address": address.get("PrivateIpAddress", ""),
        "public_ip": address["PublicIp"],
    }


def _delete_association(aws: Aws, values: Values) -> None:
    aws.call("ec2", "disassociate_address", AssociationId=values["id"])


def _create_nat_gateway(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "ec2",
        "create_nat_gateway",
        SubnetId=values["subnet_id"],
        AllocationId=values.get("allocation_id"),
        ConnectivityType=values["connectivity_type"],
        PrivateIpAddress=values.get("private_ip"),
        TagSpecifications=tag_specifications(values, "natgateway"),
    )
    return {"id": answer["NatGateway"]["NatGatewayId"]}


def _find_nat_gateway(aws: Aws, values: Values) -> Any:
    answer = aws.find("ec2", "describe_nat_gateways", NatGatewayIds=[values["id"]]) or {}
    return first(gateway for gateway in answer.get("NatGateways") or () if gateway["State"] != "deleted")


def _await_available(aws: Aws, values: Values) -> None:
    def available() -> bool | None:
        gateway = _find_nat_gateway(aws, values)
        if gateway is None or gateway["State"] == "failed":
            reason = (gateway or {}).get("FailureMessage", "it is gone")
            raise CallError(f"the NAT gateway {values['id']} failed: {reason}")
        return True if gateway["State"] == "available" else None

    aws.wait(f"the NAT gateway {values['id']} to become available", available)


def _read_nat_gateway(aws: Aws, values: Values) -> Values | None:
    gateway = _find_nat_gateway(aws, values)
    if gateway is None or gateway["State"] == "deleting":
        return None
    address = first(gateway.get("NatGatewayAddresses")) or {}
    return {
        "allocation_id": address.get("AllocationId", ""),
        "association_id": address.get("AssociationId", ""),
        "connectivity_type": gateway.get("ConnectivityType", "public"),
        "network_interface_id": address.get("NetworkInterfaceId", ""),
        "private_ip": address.get("PrivateIp", ""),
        "public_ip": address.get("PublicIp", ""),
        "secondary_allocation_ids": [],
        "secondary_private_ip_address_count": 0,
        "secondary_private_ip_addresses": [],
        "subnet_id": gateway["SubnetId"],
        "tags": tag_map(gateway.get("Tags")),
    }


def _delete_nat_gateway(aws: Aws, values: Values) -> None:
    aws.call("ec2", "delete_nat_gateway", NatGatewayId=values["id"])
    aws.wait(
        f"the NAT gateway {values['id']} to be deleted",
        lambda: True if _find_nat_gateway(aws, values) is None else None,
    )


RESOURCES = {
    "aws_eip": ResourceType(
        create=_create_eip,
        complete=_associate,
        read=_read_eip,
        update=_update_eip,
        delete=_delete_eip,
        retag=retag_ec2,
    ),
    "aws_eip_association": ResourceType(create=_create_association, read=_read_association, delete=_delete_association),
    "aws_nat_gateway": ResourceType(
        create=_create_nat_gateway,
        complete=_await_available,
        read=_read_nat_gateway,
        delete=_delete_nat_gateway,
        retag=retag_ec2,
    ),
}
