"""EC2 networking: VPCs and what is in them, as operations over a call. One module a family of resources.

`OPERATIONS` holds them by API name. A call with DryRun runs whole, and then ends in DryRunOperation, so that nothing
of it stands.
"""

from collections.abc import Mapping

from tsubo.aws.ec2 import (
    account,
    addresses,
    default_vpc,
    dhcp_options,
    flow_logs,
    internet_gateways,
    nat_gateways,
    network_acls,
    network_interfaces,
    prefix_lists,
    route_tables,
    routes,
    security_group_rules,
    security_groups,
    subnets,
    tagging,
    vpc_attributes,
    vpc_endpoints,
    vpcs,
    zones,
)
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response

_FAMILIES = (
    account,
    addresses,
    default_vpc,
    dhcp_options,
    flow_logs,
    internet_gateways,
    nat_gateways,
    network_acls,
    network_interfaces,
    prefix_lists,
    route_tables,
    routes,
    security_group_rules,
    security_groups,
    subnets,
    tagging,
    vpc_attributes,
    vpc_endpoints,
    vpcs,
    zones,
)


def _with_dry_run(operation: Operation) -> Operation:
    def run(call: Call, request: Request) -> Response | None:
        response = operation(call, request)
        if request.get("DryRun"):
            raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        return response

    return run


OPERATIONS: Mapping[str, Operation] = {
    name: _with_dry_run(operation) for family in _FAMILIES for name, operation in family.OPERATIONS.items()
}
