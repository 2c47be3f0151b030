"""VPC endpoints as records: what public configurations ask for, and what EC2 says of it.

Gateway endpoints put no route into their tables and interface endpoints have no interfaces: the services of this
endpoint are reachable from every task as they are. What an endpoint names (subnets, groups, tables) it holds: those
cannot be deleted before it. Source: botocore's model of EC2; aws/alb-vpc-terraform.md section 2.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.errors import required, unsupported
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.lookup import find, missing, regional
from tsubo.aws.ec2.prefix_lists import CLOUDFRONT, prefix_lists
from tsubo.aws.ec2.tags import shown_tags, tags_asked
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.supply import resource_id
from tsubo.model.vpc import RouteTable, SecurityGroup, Subnet, Vpc, VpcEndpoint

EVERYTHING = json.dumps(
    {
        "Version": "2008-10-17",
        "Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}],
    }
)
"""The policy of an endpoint that is given none."""
FILTERS = {
    "service-name": "ServiceName",
    "vpc-endpoint-id": "VpcEndpointId",
    "vpc-endpoint-state": "State",
    "vpc-endpoint-type": "VpcEndpointType",
    "vpc-id": "VpcId",
}


def uses(endpoint: VpcEndpoint, identifier: str) -> bool:
    """Say whether an endpoint stands in a VPC or a subnet, or carries a group."""
    return identifier in (endpoint.vpc_id, *endpoint.subnet_ids, *endpoint.security_group_ids)


def create_vpc_endpoint(call: Call, request: Request) -> Response:
    vpc = find(call, Vpc, required(request, "VpcId"))
    kind = _type_asked(request)
    endpoint = VpcEndpoint(
        vpc_endpoint_id=resource_id(call.supply, "vpce"),
        vpc_id=vpc.vpc_id,
        region=call.region,
        service_name=_service_asked(call, required(request, "ServiceName"), kind),
        created_at=call.now,
        type=kind,
        policy=_policy_asked(request) or EVERYTHING,
        route_table_ids=_asked(call, RouteTable, request.get("RouteTableIds")),
        subnet_ids=_asked(call, Subnet, request.get("SubnetIds")),
        security_group_ids=_asked(call, SecurityGroup, request.get("SecurityGroupIds")),
        private_dns_enabled=kind == "Interface" and request.get("PrivateDnsEnabled") is not False,
        dns_record_ip_type=(request.get("DnsOptions") or {}).get("DnsRecordIpType") or "ipv4",
        tags=tags_asked(request, "vpc-endpoint"),
    )
    if kind == "Interface":
        _require_dns(vpc, endpoint)
        endpoint = _with_default_group(call, endpoint)
    _refuse_second(call, endpoint)
    call.put(endpoint)
    return {"VpcEndpoint": _view(call, endpoint)}


def modify_vpc_endpoint(call: Call, request: Request) -> Response:
    endpoint = find(call, VpcEndpoint, required(request, "VpcEndpointId"))
    changes: dict[str, Any] = {
        "route_table_ids": _changed(call, RouteTable, endpoint.route_table_ids, request, "RouteTableIds"),
        "subnet_ids": _changed(call, Subnet, endpoint.subnet_ids, request, "SubnetIds"),
        "security_group_ids": _changed(call, SecurityGroup, endpoint.security_group_ids, request, "SecurityGroupIds"),
    }
    if request.get("ResetPolicy"):
        changes["policy"] = EVERYTHING
    elif request.get("PolicyDocument"):
        changes["policy"] = _policy_asked(request)
    if request.get("PrivateDnsEnabled") is not None:
        changes["private_dns_enabled"] = bool(request["PrivateDnsEnabled"])
    endpoint = dataclasses.replace(endpoint, **changes)
    _require_dns(find(call, Vpc, endpoint.vpc_id), endpoint)
    call.put(endpoint)
    return {"Return": True}


def delete_vpc_endpoints(call: Call, request: Request) -> Response:
    unsuccessful = []
    for identifier in required(request, "VpcEndpointIds"):
        try:
            call.delete(find(call, VpcEndpoint, identifier))
        except AwsError as error:
            item = {"ResourceId": identifier, "Error": {"Code": error.code, "Message": error.message}}
            unsuccessful.append(item)
    return {"Unsuccessful": unsuccessful}


def describe_vpc_endpoints(call: Call, request: Request) -> Response:
    views = [_view(call, endpoint) for endpoint in regional(call, VpcEndpoint)]
    views = chosen(views, "VpcEndpointId", request.get("VpcEndpointIds"), missing(VpcEndpoint))
    return listed("VpcEndpoints", views, request, FILTERS, by="VpcEndpointId")


def _type_asked(request: Request) -> Literal["Gateway", "Interface"]:
    asked = request.get("VpcEndpointType") or "Gateway"
    if asked == "Gateway":
        return "Gateway"
    if asked == "Interface":
        return "Interface"
    raise unsupported(f"The VPC endpoint type {asked}")


def _service_asked(call: Call, name: str, kind: str) -> str:
    """Return a service's name. A gateway leads to S3 or DynamoDB alone, by the prefix list of that name."""
    gateways = {known.name for known in prefix_lists(call.region)} - {CLOUDFRONT}
    known = (
        name in gateways if kind == "Gateway" else name.startswith(("com.amazonaws.", "aws.", "com.amazonaws.vpce."))
    )
    if not known:
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
    return name


def _policy_asked(request: Request) -> str:
    policy: str = request.get("PolicyDocument") or ""
    try:
        if policy:
            json.loads(policy)
    except ValueError:
        raise AwsError("InvalidPolicyDocument", "The Policy document is not valid JSON.") from None
    return policy


def _asked(call: Call, kind: type[RouteTable | Subnet | SecurityGroup], identifiers: Any) -> tuple[str, ...]:
    return tuple(find(call, kind, identifier).key for identifier in identifiers or ())


def _changed(
    call: Call,
    kind: type[RouteTable | Subnet | SecurityGroup],
    present: tuple[str, ...],
    request: Request,
    member: str,
) -> tuple[str, ...]:
    """Return a list of an endpoint after Add- and Remove- members of a request."""
    removed = set(request.get(f"Remove{member}") or ())
    added = _asked(call, kind, request.get(f"Add{member}"))
    kept = [one for one in present if one not in removed]
    return (*kept, *(one for one in added if one not in kept))


def _require_dns(vpc: Vpc, endpoint: VpcEndpoint) -> None:
    if endpoint.private_dns_enabled and not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
        raise AwsError(
            "InvalidParameter",
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for "
            f"{vpc.vpc_id}",
        )


def _with_default_group(call: Call, endpoint: VpcEndpoint) -> VpcEndpoint:
    if endpoint.security_group_ids:
        return endpoint
    default = next(g for g in regional(call, SecurityGroup) if g.vpc_id == endpoint.vpc_id and g.name == "default")
    return dataclasses.replace(endpoint, security_group_ids=(default.group_id,))


def _refuse_second(call: Call, endpoint: VpcEndpoint) -> None:
    """Refuse a second endpoint with the private name of the same service, and a table's second way to it."""
    for other in regional(call, VpcEndpoint):
        if (other.vpc_id, other.service_name) != (endpoint.vpc_id, endpoint.service_name):
            continue
        if other.private_dns_enabled and endpoint.private_dns_enabled:
            raise AwsError(
                "InvalidParameter",
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                f"{endpoint.service_name} in the VPC {endpoint.vpc_id}",
            )
        for table in set(other.route_table_ids) & set(endpoint.route_table_ids):
            raise AwsError(
                "RouteAlreadyExists",
                f"route table {table} already has a route with destination-prefix-list-id of {endpoint.service_name}",
            )


def _view(call: Call, endpoint: VpcEndpoint) -> View:
    view: View = {
        "VpcEndpointId": endpoint.vpc_endpoint_id,
        "VpcEndpointType": endpoint.type,
        "VpcId": endpoint.vpc_id,
        "ServiceName": endpoint.service_name,
        "State": "available",
        "PolicyDocument": endpoint.policy,
        "RouteTableIds": list(endpoint.route_table_ids),
        "SubnetIds": list(endpoint.subnet_ids),
        "Groups": [
            {"GroupId": group.group_id, "GroupName": group.name}
            for identifier in endpoint.security_group_ids
            if (group := call.world.security_groups.get(identifier))
        ],
        "NetworkInterfaceIds": [],
        "DnsEntries": [],
        "PrivateDnsEnabled": endpoint.private_dns_enabled,
        "RequesterManaged": False,
        "CreationTimestamp": datetime.fromtimestamp(endpoint.created_at, UTC),
        "OwnerId": call.account_id,
        **shown_tags(endpoint.tags),
    }
    if endpoint.type == "Interface":
        view |= {
            "IpAddressType": "ipv4",
            "DnsOptions": {"DnsRecordIpType": endpoint.dns_record_ip_type},
            "DnsEntries": [{"DnsName": _dns_name(endpoint)}],
        }
    return view


def _dns_name(endpoint: VpcEndpoint) -> str:
    """Return the endpoint's own name, as AWS forms it: id, random letters, service, region."""
    letters = hashlib.sha256(endpoint.vpc_endpoint_id.encode()).hexdigest()[:8]
    service = endpoint.service_name.removeprefix("com.amazonaws.").removeprefix(f"{endpoint.region}.")
    return f"{endpoint.vpc_endpoint_id}-{letters}.{service}.{endpoint.region}.vpce.amazonaws.com"


OPERATIONS: Mapping[str, Operation] = {
    "CreateVpcEndpoint": create_vpc_endpoint,
    "ModifyVpcEndpoint": modify_vpc_endpoint,
    "DeleteVpcEndpoints": delete_vpc_endpoints,
    "DescribeVpcEndpoints": describe_vpc_endpoints,
}
