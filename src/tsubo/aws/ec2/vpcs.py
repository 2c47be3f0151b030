"""VPCs. A new one brings its main route table, default network ACL and default security group; they go with it.

A new world has no default VPC, as an account whose owner deleted it: what AWS would put there without being asked is
what a configuration then fails to say.
"""

from collections.abc import Iterator, Mapping

from tsubo.aws.ec2.cidr import is_block_size, parse_cidr
from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.dhcp_options import default_options
from tsubo.aws.ec2.errors import dependency_violation, refuse_members, required
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.internet_gateways import gateway_of
from tsubo.aws.ec2.lookup import Resource, find, missing, regional
from tsubo.aws.ec2.nat_gateways import occupies_subnet
from tsubo.aws.ec2.network_acls import new_default_acl
from tsubo.aws.ec2.route_tables import is_main, new_main_table
from tsubo.aws.ec2.security_groups import DEFAULT_NAME, new_default_group, rules_of
from tsubo.aws.ec2.tags import shown_tags, tags_asked
from tsubo.aws.ec2.vpc_endpoints import uses
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.supply import resource_id
from tsubo.model.vpc import (
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    RouteTable,
    SecurityGroup,
    Subnet,
    Vpc,
    VpcEndpoint,
)

TENANCIES = ("default", "dedicated")
FILTERS = {
    "cidr": "CidrBlock",
    "cidr-block": "CidrBlock",
    "cidr-block-association.association-id": "CidrBlockAssociationSet.AssociationId",
    "cidr-block-association.cidr-block": "CidrBlockAssociationSet.CidrBlock",
    "cidr-block-association.state": "CidrBlockAssociationSet.CidrBlockState.State",
    "dhcp-options-id": "DhcpOptionsId",
    "is-default": "IsDefault",
    "isDefault": "IsDefault",
    "owner-id": "OwnerId",
    "state": "State",
    "vpc-id": "VpcId",
}
NOT_RUN = ("AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlock", "Ipv4IpamPoolId", "Ipv6IpamPoolId", "VpcEncryptionControl")


def create_vpc(call: Call, request: Request) -> Response:
    refuse_members(request, *NOT_RUN)
    network = parse_cidr(required(request, "CidrBlock"))
    if not is_block_size(network):
        raise AwsError("InvalidVpc.Range", f"The CIDR '{request['CidrBlock']}' is invalid.")
    tenancy = request.get("InstanceTenancy") or "default"
    if tenancy not in TENANCIES:
        raise AwsError("UnsupportedTenancy", f"The tenancy value {tenancy} is not supported.")
    vpc = Vpc(
        resource_id(call.supply, "vpc"),
        call.region,
        str(network),
        instance_tenancy=tenancy,
        dhcp_options_id=default_options(call).dhcp_options_id,
        tags=tags_asked(request, "vpc"),
    )
    call.put(
        vpc,
        new_main_table(call, vpc.vpc_id),
        new_default_acl(call, vpc.vpc_id),
        *new_default_group(call, vpc.vpc_id),
    )
    return {"Vpc": _view(call, vpc) | {"Ipv6CidrBlockAssociationSet": []}}


def delete_vpc(call: Call, request: Request) -> None:
    vpc = find(call, Vpc, required(request, "VpcId"))
    if gateway_of(call, vpc.vpc_id) or any(True for _ in _dependents(call, vpc)):
        raise dependency_violation("vpc", vpc.vpc_id)
    groups = [group for group in regional(call, SecurityGroup) if group.vpc_id == vpc.vpc_id]
    call.delete(
        vpc,
        *(table for table in regional(call, RouteTable) if table.vpc_id == vpc.vpc_id),
        *(acl for acl in regional(call, NetworkAcl) if acl.vpc_id == vpc.vpc_id),
        *groups,
        *(rule for group in groups for rule in rules_of(call, group)),
    )


def describe_vpcs(call: Call, request: Request) -> Response:
    views = [_view(call, vpc) for vpc in regional(call, Vpc)]
    views = chosen(views, "VpcId", request.get("VpcIds"), missing(Vpc))
    return listed("Vpcs", views, request, FILTERS, by="VpcId")


def describe_vpc_classic_link(call: Call, request: Request) -> Response:
    """Answer as AWS does since EC2-Classic is gone; provider 3 reads this as "not enabled"."""
    raise AwsError("UnsupportedOperation", "The functionality you requested is not available in this region.")


def _dependents(call: Call, vpc: Vpc) -> Iterator[Resource]:
    """Yield what keeps a VPC from being deleted, but for its internet gateway."""
    yield from (subnet for subnet in regional(call, Subnet) if subnet.vpc_id == vpc.vpc_id)
    yield from (interface for interface in regional(call, NetworkInterface) if interface.vpc_id == vpc.vpc_id)
    yield from (nat for nat in regional(call, NatGateway) if nat.vpc_id == vpc.vpc_id and occupies_subnet(nat))
    for group in regional(call, SecurityGroup):
        if group.vpc_id == vpc.vpc_id and group.name != DEFAULT_NAME:
            yield group
    yield from (acl for acl in regional(call, NetworkAcl) if acl.vpc_id == vpc.vpc_id and not acl.is_default)
    yield from (endpoint for endpoint in regional(call, VpcEndpoint) if uses(endpoint, vpc.vpc_id))
    yield from (table for table in regional(call, RouteTable) if table.vpc_id == vpc.vpc_id and not is_main(table))


def _view(call: Call, vpc: Vpc) -> View:
    return {
        "VpcId": vpc.vpc_id,
        "OwnerId": call.account_id,
        "State": "available",
        "CidrBlock": vpc.cidr,
        "CidrBlockAssociationSet": [
            {
                "AssociationId": f"vpc-cidr-assoc-{vpc.vpc_id.removeprefix('vpc-')}",
                "CidrBlock": vpc.cidr,
                "CidrBlockState": {"State": "associated"},
            }
        ],
        "DhcpOptionsId": vpc.dhcp_options_id,
        "InstanceTenancy": vpc.instance_tenancy,
        "IsDefault": vpc.is_default,
        "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
        **shown_tags(vpc.tags),
    }


OPERATIONS: Mapping[str, Operation] = {
    "CreateVpc": create_vpc,
    "DeleteVpc": delete_vpc,
    "DescribeVpcs": describe_vpcs,
    "DescribeVpcClassicLink": describe_vpc_classic_link,
    "DescribeVpcClassicLinkDnsSupport": describe_vpc_classic_link,
}
