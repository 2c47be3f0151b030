"""VPC endpoints. EC2 keeps them as records; a task's way to the services does not depend on them."""

from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import block, first, given, retag_ec2, tag_map, tag_specifications
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

_LISTS = {"route_table_ids": "RouteTableIds", "subnet_ids": "SubnetIds", "security_group_ids": "SecurityGroupIds"}


def _create(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "ec2",
        "create_vpc_endpoint",
        VpcId=values["vpc_id"],
        ServiceName=values.get("service_name"),
        VpcEndpointType=values.get("vpc_endpoint_type"),
        PolicyDocument=values.get("policy") or None,
        PrivateDnsEnabled=values.get("private_dns_enabled"),
        IpAddressType=values.get("ip_address_type") or None,
        DnsOptions=_dns_options(values),
        **{member: values.get(name) or None for name, member in _LISTS.items()},
        TagSpecifications=tag_specifications(values, "vpc-endpoint"),
    )
    return {"id": answer["VpcEndpoint"]["VpcEndpointId"]}


def _dns_options(values: Values) -> dict[str, Any] | None:
    options = block(values, "dns_options")
    return given(DnsRecordIpType=options.get("dns_record_ip_type") or None) or None if options else None


def _find(aws: Aws, endpoint_id: str) -> Any:
    answer = aws.find("ec2", "describe_vpc_endpoints", VpcEndpointIds=[endpoint_id]) or {}
    return first(answer.get("VpcEndpoints"))


def _read(aws: Aws, values: Values) -> Values | None:
    endpoint = _find(aws, values["id"])
    if endpoint is None or endpoint["State"] in ("deleting", "deleted"):
        return None
    gateway = endpoint["VpcEndpointType"] == "Gateway"
    prefix_list = _prefix_list(aws, endpoint["ServiceName"]) if gateway else {}
    return {
        "arn": aws.arn("ec2", f"vpc-endpoint/{values['id']}"),
        "cidr_blocks": prefix_list.get("Cidrs") or [],
        "prefix_list_id": prefix_list.get("PrefixListId"),
        "dns_entry": [
            {"dns_name": entry["DnsName"], "hosted_zone_id": entry.get("HostedZoneId", "")}
            for entry in endpoint.get("DnsEntries") or ()
        ],
        "ip_address_type": endpoint.get("IpAddressType"),
        "network_interface_ids": endpoint.get("NetworkInterfaceIds") or [],
        "owner_id": endpoint.get("OwnerId"),
        "policy": endpoint.get("PolicyDocument"),
        "private_dns_enabled": endpoint.get("PrivateDnsEnabled", False),
        "requester_managed": endpoint.get("RequesterManaged", False),
        "route_table_ids": endpoint.get("RouteTableIds") or [],
        "security_group_ids": [group["GroupId"] for group in endpoint.get("Groups") or ()],
        "service_name": endpoint["ServiceName"],
        "state": endpoint["State"],
        "subnet_ids": endpoint.get("SubnetIds") or [],
        "vpc_endpoint_type": endpoint["VpcEndpointType"],
        "vpc_id": endpoint["VpcId"],
        "tags": tag_map(endpoint.get("Tags")),
    }


def _prefix_list(aws: Aws, service_name: str) -> Any:
    filters = [{"Name": "prefix-list-name", "Values": [service_name]}]
    return first(aws.call("ec2", "describe_prefix_lists", Filters=filters)["PrefixLists"]) or {}


def _update(aws: Aws, before: Values, values: Values) -> None:
    changes: dict[str, Any] = {}
    for name, member in _LISTS.items():
        old, new = set(before.get(name) or ()), set(values.get(name) or ())
        changes |= {f"Add{member}": sorted(new - old) or None, f"Remove{member}": sorted(old - new) or None}
    for name, member in (("policy", "PolicyDocument"), ("private_dns_enabled", "PrivateDnsEnabled")):
        if before.get(name) != values.get(name):
            changes[member] = values.get(name)
    if any(value is not None for value in changes.values()):
        aws.call("ec2", "modify_vpc_endpoint", VpcEndpointId=values["id"], **changes)


def _delete(aws: Aws, values: Values) -> None:
    aws.call("ec2", "delete_vpc_endpoints", VpcEndpointIds=[values["id"]])


RESOURCES = {
    "aws_vpc_endpoint": ResourceType(
        create=_create, read=_read, update=_update, delete=_delete, retag=retag_ec2, acts=False
    )
}
