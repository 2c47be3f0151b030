"""VPCs, subnets, internet gateways. Calls and defaults: aws/alb-vpc-terraform.md sections 6.2 and 6.8."""

from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import changed, first, given, retag_ec2, tag_map, tag_specifications
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

_VPC_ATTRIBUTES = {
    "enable_dns_support": ("EnableDnsSupport", "enableDnsSupport"),
    "enable_dns_hostnames": ("EnableDnsHostnames", "enableDnsHostnames"),
    "enable_network_address_usage_metrics": (
        "EnableNetworkAddressUsageMetrics",
        "enableNetworkAddressUsageMetrics",
    ),
}
_NEW_VPC = {"enable_dns_support": True, "enable_dns_hostnames": False, "enable_network_address_usage_metrics": False}


def _create_vpc(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "ec2",
        "create_vpc",
        CidrBlock=values["cidr_block"],
        InstanceTenancy=values["instance_tenancy"],
        AmazonProvidedIpv6CidrBlock=values["assign_generated_ipv6_cidr_block"],
        TagSpecifications=tag_specifications(values, "vpc"),
    )
    return {"id": answer["Vpc"]["VpcId"]}


def _complete_vpc(aws: Aws, values: Values) -> None:
    _set_vpc_attributes(aws, _NEW_VPC, values)


def _set_vpc_attributes(aws: Aws, before: Values, values: Values) -> None:
    for name, (member, _attribute) in _VPC_ATTRIBUTES.items():
        wanted = values.get(name)
        if wanted is not None and wanted != before.get(name):
            aws.call("ec2", "modify_vpc_attribute", VpcId=values["id"], **{member: {"Value": wanted}})


def _read_vpc(aws: Aws, values: Values) -> Values | None:
    vpc = first((aws.find("ec2", "describe_vpcs", VpcIds=[values["id"]]) or {}).get("Vpcs"))
    if vpc is None:
        return None
    attributes = {
        name: aws.call("ec2", "describe_vpc_attribute", VpcId=vpc["VpcId"], Attribute=attribute)[member]["Value"]
        for name, (member, attribute) in _VPC_ATTRIBUTES.items()
    }
    return (
        attributes
        | _default_parts(aws, values)
        | {
            "arn": aws.arn("ec2", f"vpc/{vpc['VpcId']}"),
            "owner_id": vpc.get("OwnerId", aws.account_id),
            "cidr_block": vpc["CidrBlock"],
            "instance_tenancy": vpc.get("InstanceTenancy", "default"),
            "dhcp_options_id": vpc["DhcpOptionsId"],
            "ipv6_association_id": "",
            "ipv6_cidr_block": "",
            "tags": tag_map(vpc.get("Tags")),
        }
    )


def _default_parts(aws: Aws, values: Values) -> Values:
    """Return the ids of what every VPC comes with. Only the main route table can become another one."""
    main = _describe(aws, "describe_route_tables", "RouteTables", values["id"], ("association.main", "true"))
    parts = {"main_route_table_id": main["RouteTableId"] if main else ""}
    if values.get("default_security_group_id"):
        return parts
    acl = _describe(aws, "describe_network_acls", "NetworkAcls", values["id"], ("default", "true"))
    group = _describe(aws, "describe_security_groups", "SecurityGroups", values["id"], ("group-name", "default"))
    return parts | {
        "default_route_table_id": parts["main_route_table_id"],
        "default_network_acl_id": acl["NetworkAclId"] if acl else "",
        "default_security_group_id": group["GroupId"] if group else "",
    }


def _describe(aws: Aws, operation: str, member: str, vpc_id: str, condition: tuple[str, str]) -> Any:
    conditions = (("vpc-id", vpc_id), condition)
    filters = [{"Name": name, "Values": [value]} for name, value in conditions]
    return first(aws.call("ec2", operation, Filters=filters)[member])


def _update_vpc(aws: Aws, before: Values, values: Values) -> None:
    _set_vpc_attributes(aws, before, values)


def _delete_vpc(aws: Aws, values: Values) -> None:
    aws.call("ec2", "delete_vpc", VpcId=values["id"])


def _create_subnet(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "ec2",
        "create_subnet",
        VpcId=values["vpc_id"],
        CidrBlock=values["cidr_block"],
        AvailabilityZone=values["availability_zone"],
        AvailabilityZoneId=values["availability_zone_id"] if not values["availability_zone"] else None,
        TagSpecifications=tag_specifications(values, "subnet"),
    )
    return {"id": answer["Subnet"]["SubnetId"]}


def _complete_subnet(aws: Aws, values: Values) -> None:
    if values["map_public_ip_on_launch"]:
        _set_public_addresses(aws, values)


def _set_public_addresses(aws: Aws, values: Values) -> None:
    aws.call(
        "ec2",
        "modify_subnet_attribute",
        SubnetId=values["id"],
        MapPublicIpOnLaunch={"Value": bool(values["map_public_ip_on_launch"])},
    )


def _read_subnet(aws: Aws, values: Values) -> Values | None:
    subnet = first((aws.find("ec2", "describe_subnets", SubnetIds=[values["id"]]) or {}).get("Subnets"))
    if subnet is None:
        return None
    return {
        "arn": aws.arn("ec2", f"subnet/{subnet['SubnetId']}"),
        "owner_id": subnet.get("OwnerId", aws.account_id),
        "vpc_id": subnet["VpcId"],
        "cidr_block": subnet["CidrBlock"],
        "availability_zone": subnet["AvailabilityZone"],
        "availability_zone_id": subnet.get("AvailabilityZoneId", ""),
        "map_public_ip_on_launch": subnet.get("MapPublicIpOnLaunch", False),
        "ipv6_cidr_block_association_id": "",
        "private_dns_hostname_type_on_launch": "ip-name",
        "tags": tag_map(subnet.get("Tags")),
    }


def _update_subnet(aws: Aws, before: Values, values: Values) -> None:
    if changed(before, values, "map_public_ip_on_launch"):
        _set_public_addresses(aws, values)


def _delete_subnet(aws: Aws, values: Values) -> None:
    aws.call("ec2", "delete_subnet", SubnetId=values["id"])


def _create_internet_gateway(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "ec2", "create_internet_gateway", TagSpecifications=tag_specifications(values, "internet-gateway")
    )
    return {"id": answer["InternetGateway"]["InternetGatewayId"]}


def _attach(aws: Aws, values: Values) -> None:
    if values.get("vpc_id"):
        gateway = values.get("internet_gateway_id") or values["id"]
        aws.call("ec2", "attach_internet_gateway", InternetGatewayId=gateway, VpcId=values["vpc_id"])


def _detach(aws: Aws, values: Values) -> None:
    if values.get("vpc_id"):
        gateway = values.get("internet_gateway_id") or values["id"]
        aws.call("ec2", "detach_internet_gateway", InternetGatewayId=gateway, VpcId=values["vpc_id"])


def _find_internet_gateway(aws: Aws, gateway_id: str) -> Any:
    answer = aws.find("ec2", "describe_internet_gateways", InternetGatewayIds=[gateway_id]) or {}
    return first(answer.get("InternetGateways"))


def _read_internet_gateway(aws: Aws, values: Values) -> Values | None:
    gateway = _find_internet_gateway(aws, values["id"])
    if gateway is None:
        return None
    attachment = first(gateway.get("Attachments")) or {}
    return {
        "arn": aws.arn("ec2", f"internet-gateway/{values['id']}"),
        "owner_id": gateway.get("OwnerId", aws.account_id),
        "vpc_id": attachment.get("VpcId", ""),
        "tags": tag_map(gateway.get("Tags")),
    }


def _update_internet_gateway(aws: Aws, before: Values, values: Values) -> None:
    if changed(before, values, "vpc_id"):
        _detach(aws, before)
        _attach(aws, values)


def _delete_internet_gateway(aws: Aws, values: Values) -> None:
    gateway = _find_internet_gateway(aws, values["id"])
    if gateway is not None:
        for attachment in gateway.get("Attachments") or ():
            _detach(aws, values | {"vpc_id": attachment["VpcId"]})
        aws.call("ec2", "delete_internet_gateway", InternetGatewayId=values["id"])


def _create_attachment(aws: Aws, values: Values) -> Values:
    _attach(aws, values)
    return {"id": f"{values['internet_gateway_id']}:{values['vpc_id']}"}


def _read_attachment(aws: Aws, values: Values) -> Values | None:
    gateway_id, _, vpc_id = values["id"].partition(":")
    gateway = _find_internet_gateway(aws, gateway_id) or {}
    attached = any(attachment.get("VpcId") == vpc_id for attachment in gateway.get("Attachments") or ())
    return given(internet_gateway_id=gateway_id, vpc_id=vpc_id) if attached else None


RESOURCES = {
    "aws_vpc": ResourceType(
        create=_create_vpc,
        complete=_complete_vpc,
        read=_read_vpc,
        update=_update_vpc,
        delete=_delete_vpc,
        retag=retag_ec2,
    ),
    "aws_subnet": ResourceType(
        create=_create_subnet,
        complete=_complete_subnet,
        read=_read_subnet,
        update=_update_subnet,
        delete=_delete_subnet,
        retag=retag_ec2,
    ),
    "aws_internet_gateway": ResourceType(
        create=_create_internet_gateway,
        complete=_attach,
        read=_read_internet_gateway,
        update=_update_internet_gateway,
        delete=_delete_internet_gateway,
        retag=retag_ec2,
    ),
    "aws_internet_gateway_attachment": ResourceType(create=_create_attachment, read=_read_attachment, delete=_detach),
}
