"""DHCP options sets. A region's default set is made with its first VPC, and reused by later ones."""

import dataclasses
from collections.abc import Mapping

from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.errors import dependency_violation, invalid_value, required
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.lookup import find, missing, regional
from tsubo.aws.ec2.tags import tag_list, tags_asked
from tsubo.aws.ec2.zones import private_domain
from tsubo.aws.operations import Call, Operation, Request, Response
from tsubo.model.supply import resource_id
from tsubo.model.vpc import DhcpOptions, Vpc

NO_OPTIONS = "default"
"""What AssociateDhcpOptions takes, and DescribeVpcs then shows, for a VPC without an options set."""

KEYS = (
    "domain-name",
    "domain-name-servers",
    "ipv6-address-preferred-lease-time",
    "netbios-name-servers",
    "netbios-node-type",
    "ntp-servers",
)
FILTERS = {
    "dhcp-options-id": "DhcpOptionsId",
    "key": "DhcpConfigurations.Key",
    "owner-id": "OwnerId",
    "value": "DhcpConfigurations.Values.Value",
}


def default_options(call: Call) -> DhcpOptions:
    """Return the region's default options set; write it if there is none yet."""
    configurations = {"domain-name": (private_domain(call.region),), "domain-name-servers": ("AmazonProvidedDNS",)}
    for options in regional(call, DhcpOptions):
        if {key: tuple(values) for key, values in options.configurations.items()} == configurations:
            return options
    options = DhcpOptions(resource_id(call.supply, "dopt"), call.region, configurations)
    call.put(options)
    return options


def create_dhcp_options(call: Call, request: Request) -> Response:
    configurations: dict[str, tuple[str, ...]] = {}
    for configuration in required(request, "DhcpConfigurations"):
        key = configuration.get("Key")
        if key not in KEYS:
            raise invalid_value(f"Value ({key}) for parameter name is invalid. Unknown DHCP option")
        configurations[key] = tuple(configuration.get("Values") or ())
    tags = tags_asked(request, "dhcp-options")
    options = DhcpOptions(resource_id(call.supply, "dopt"), call.region, configurations, tags)
    call.put(options)
    return {"DhcpOptions": _view(call, options)}


def delete_dhcp_options(call: Call, request: Request) -> None:
    options = find(call, DhcpOptions, required(request, "DhcpOptionsId"))
    if any(vpc.dhcp_options_id == options.dhcp_options_id for vpc in regional(call, Vpc)):
        raise dependency_violation("dhcpOptions", options.dhcp_options_id)
    call.delete(options)


def describe_dhcp_options(call: Call, request: Request) -> Response:
    views = [_view(call, options) for options in regional(call, DhcpOptions)]
    views = chosen(views, "DhcpOptionsId", request.get("DhcpOptionsIds"), missing(DhcpOptions))
    return listed("DhcpOptions", views, request, FILTERS, by="DhcpOptionsId")


def associate_dhcp_options(call: Call, request: Request) -> None:
    identifier = required(request, "DhcpOptionsId")
    vpc = find(call, Vpc, required(request, "VpcId"))
    if identifier != NO_OPTIONS:
        find(call, DhcpOptions, identifier)
    call.put(dataclasses.replace(vpc, dhcp_options_id=identifier))


def _view(call: Call, options: DhcpOptions) -> View:
    return {
        "DhcpOptionsId": options.dhcp_options_id,
        "OwnerId": call.account_id,
        "DhcpConfigurations": [
            {"Key": key, "Values": [{"Value": value} for value in values]}
            for key, values in options.configurations.items()
        ],
        "Tags": tag_list(options.tags),
    }


OPERATIONS: Mapping[str, Operation] = {
    "CreateDhcpOptions": create_dhcp_options,
    "DeleteDhcpOptions": delete_dhcp_options,
    "DescribeDhcpOptions": describe_dhcp_options,
    "AssociateDhcpOptions": associate_dhcp_options,
}
