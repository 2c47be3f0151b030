"""Finding EC2 records by identifier: which region sees them, and how AWS says that there is none.

The table `KINDS` is the one place that knows each kind's identifier prefix, its errors, and its type as a tag
specification names it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tsubo.aws.operations import AwsError, Call
from tsubo.model.vpc import (
    Address,
    DhcpOptions,
    FlowLog,
    InternetGateway,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
    VpcEndpoint,
)

Resource = (
    Vpc
    | Subnet
    | InternetGateway
    | RouteTable
    | SecurityGroup
    | SecurityGroupRule
    | NetworkAcl
    | Address
    | NatGateway
    | NetworkInterface
    | DhcpOptions
    | FlowLog
    | VpcEndpoint
)
R = TypeVar("R", bound=Resource)


@dataclass(frozen=True)
class Kind:
    """What AWS calls a kind of resource. `noun` is the wording of its not-found message, `sentence` the message where
    AWS words it otherwise."""

    prefix: str
    resource_type: str
    noun: str
    not_found: str
    malformed: str
    sentence: str = ""


KINDS: Mapping[type[Any], Kind] = {
    Vpc: Kind("vpc", "vpc", "vpc ID", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed"),
    Subnet: Kind("subnet", "subnet", "subnet ID", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed"),
    InternetGateway: Kind(
        "igw",
        "internet-gateway",
        "internetGateway ID",
        "InvalidInternetGatewayID.NotFound",
        "InvalidInternetGatewayId.Malformed",
    ),
    RouteTable: Kind(
        "rtb", "route-table", "routeTable ID", "InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed"
    ),
    SecurityGroup: Kind("sg", "security-group", "security group", "InvalidGroup.NotFound", "InvalidGroupId.Malformed"),
    SecurityGroupRule: Kind(
        "sgr",
        "security-group-rule",
        "security group rule ID",
        "InvalidSecurityGroupRuleId.NotFound",
        "InvalidSecurityGroupRuleId.Malformed",
    ),
    NetworkAcl: Kind(
        "acl", "network-acl", "networkAcl ID", "InvalidNetworkAclID.NotFound", "InvalidNetworkAclId.Malformed"
    ),
    Address: Kind(
        "eipalloc", "elastic-ip", "allocation ID", "InvalidAllocationID.NotFound", "InvalidAllocationID.Malformed"
    ),
    NatGateway: Kind(
        "nat", "natgateway", "", "NatGatewayNotFound", "NatGatewayMalformed", "NAT gateway {} was not found"
    ),
    NetworkInterface: Kind(
        "eni",
        "network-interface",
        "networkInterface ID",
        "InvalidNetworkInterfaceID.NotFound",
        "InvalidNetworkInterfaceId.Malformed",
    ),
    FlowLog: Kind("fl", "vpc-flow-log", "flow log ID", "InvalidFlowLogId.NotFound", "InvalidFlowLogId.Malformed"),
    DhcpOptions: Kind(
        "dopt", "dhcp-options", "dhcpOption ID", "InvalidDhcpOptionID.NotFound", "InvalidDhcpOptionsId.Malformed"
    ),
    VpcEndpoint: Kind(
        "vpce", "vpc-endpoint", "Vpc Endpoint Id", "InvalidVpcEndpointId.NotFound", "InvalidVpcEndpointId.Malformed"
    ),
}


def regional(call: Call, kind: type[R]) -> list[R]:
    """Return the records of a kind in the call's region."""
    return [record for record in call.world.of(kind).values() if record.region == call.region]


def find(call: Call, kind: type[R], identifier: str) -> R:
    """Return one record of the call's region, or raise the kind's malformed or not-found error."""
    record = call.world.of(kind).get(identifier)
    if record is None or record.region != call.region:
        raise missing(kind)([identifier])
    return record


def missing(kind: type[R]) -> Callable[[Sequence[str]], AwsError]:
    """Return the function that says which identifiers of a kind do not exist."""
    words = KINDS[kind]

    def error(identifiers: Sequence[str]) -> AwsError:
        for identifier in identifiers:
            if not identifier.startswith(f"{words.prefix}-"):
                return AwsError(words.malformed, f'Invalid id: "{identifier}" (expecting "{words.prefix}-...")')
        listed = ", ".join(identifiers)
        if words.sentence:
            return AwsError(words.not_found, words.sentence.format(listed))
        if len(identifiers) > 1:
            return AwsError(words.not_found, f"The {words.noun}s '{listed}' do not exist")
        return AwsError(words.not_found, f"The {words.noun} '{listed}' does not exist")

    return error


def default_vpc(call: Call) -> Vpc | None:
    """Return the region's default VPC. A new world has none, as an account whose owner deleted it."""
    return next((vpc for vpc in regional(call, Vpc) if vpc.is_default), None)
