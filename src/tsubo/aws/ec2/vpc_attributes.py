"""The attributes of a VPC that are read and changed one at a time: DNS support, DNS host names, address metrics."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tsubo.aws.ec2.errors import invalid_value, required
from tsubo.aws.ec2.lookup import find
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.vpc import Vpc

FIELDS = {
    "EnableDnsSupport": "enable_dns_support",
    "EnableDnsHostnames": "enable_dns_hostnames",
    "EnableNetworkAddressUsageMetrics": "enable_network_address_usage_metrics",
}
"""Per member of the API, the record's field. DescribeVpcAttribute names the member with a small first letter."""


def modify_vpc_attribute(call: Call, request: Request) -> None:
    vpc = find(call, Vpc, required(request, "VpcId"))
    members = [member for member in FIELDS if request.get(member) is not None]
    if len(members) != 1:
        # AWS takes one attribute a request.
        raise AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified")
    change: dict[str, Any] = {FIELDS[members[0]]: bool(request[members[0]].get("Value"))}
    call.put(dataclasses.replace(vpc, **change))


def describe_vpc_attribute(call: Call, request: Request) -> Response:
    vpc = find(call, Vpc, required(request, "VpcId"))
    attribute = required(request, "Attribute")
    member = attribute[:1].upper() + attribute[1:]
    if member not in FIELDS:
        raise invalid_value(f"Value ({attribute}) for parameter attribute is invalid. Unknown attribute.")
    return {"VpcId": vpc.vpc_id, member: {"Value": getattr(vpc, FIELDS[member])}}


OPERATIONS: Mapping[str, Operation] = {
    "ModifyVpcAttribute": modify_vpc_attribute,
    "DescribeVpcAttribute": describe_vpc_attribute,
}
