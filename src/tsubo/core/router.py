"""The network of an engine: for every VPC a router, one namespace for the internet, and what connects them.

In: the world. Out: a `Network` of Linux nouns, equal for equal worlds, which `drivers.network` makes so. The mechanisms
were measured before they were chosen: routed pairs of devices, one policy rule a subnet, a table a route table.

A route table becomes a Linux table that sends the VPC's own range on to `main` (AWS's `local` route) and everything
else where its routes say; `main` knows the interfaces and drops the rest without a word, as a VPC does.
"""

import ipaddress
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from tsubo.core import firewall, ipam, route_tables
from tsubo.model.identity import DEVICE_NAME_LENGTH, device_name
from tsubo.model.linux import DeviceAddress, Interface, Link, Network, PolicyRule, RouteEntry, Router
from tsubo.model.metadata import LINK_LOCAL_ADDRESS
from tsubo.model.vpc import InterfaceOwner, NetworkInterface, RouteTable, Vpc
from tsubo.model.world import World

INTERNET = "internet"
"""The resource name of the internet's namespace."""
WEB_RANGE = "198.51.100.0/24"
"""Where the hosts of the closed internet live: any of these addresses can be bound in its namespace."""
CLIENT_RANGE = "198.18.0.0/15"
"""Where its clients come from: any of these addresses can be bound in its namespace."""
DEFAULT_CLIENT = "198.18.0.1"
"""The client that connections made in the internet without binding an address come from."""

_SUBNET_RULE_PRIORITY = 100
_FIRST_TABLE = 1000
_TABLES = 1 << 20
_LINK_RANGE = ipaddress.IPv4Network("169.254.0.0/17")
"""Links between routers and the internet take a /30 each; the upper half holds AWS's link-local services."""
_LINK_PREFIX_LENGTH = 30

_FORWARDING_SYSCTLS = (
    ("net.ipv4.ip_forward", "1"),
    # A router that forwards out of the device a packet came in by must not tell the sender of a shorter way.
    ("net.ipv4.conf.all.send_redirects", "0"),
    ("net.ipv4.conf.default.send_redirects", "0"),
    # The ruleset checks sources, by interface and address.
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv4.conf.default.rp_filter", "0"),
    ("net.ipv6.conf.all.disable_ipv6", "1"),
    ("net.ipv6.conf.default.disable_ipv6", "1"),
)
_KINDS: dict[InterfaceOwner, Literal["task", "host", "nat"]] = {
    "task": "task",
    "load_balancer": "host",
    "nat_gateway": "nat",
}


def network(world: World) -> Network:
    """Return the network the world describes."""
    links = _internet_links(world)
    routers = [_vpc_router(world, vpc, links.get(vpc_id)) for vpc_id, vpc in sorted(world.vpcs.items())]
    return Network(
        prefix=world.engine.namespace(""),
        routers=(*routers, _internet(world, links)),
        links=tuple(
            Link(
                world.engine.namespace(vpc_id),
                firewall.INTERNET_DEVICE,
                world.engine.namespace(INTERNET),
                _link_device(vpc_id),
            )
            for vpc_id in links
        ),
    )


def _vpc_router(world: World, vpc: Vpc, link: ipaddress.IPv4Network | None) -> Router:
    subnets = route_tables.subnets_of(world, vpc.vpc_id)
    tables = {s.subnet_id: route_tables.table_of(world, s) for s in subnets}
    vpc_tables = [t for t in world.route_tables.values() if t.vpc_id == vpc.vpc_id]
    numbers = stable_numbers((t.route_table_id for t in vpc_tables), _TABLES)
    table_names = {key: str(_FIRST_TABLE + number) for key, number in numbers.items()}
    used_tables = sorted({t.route_table_id for t in tables.values() if t is not None})

    local = [*(ipam.subnet_gateway(s.cidr) for s in subnets), LINK_LOCAL_ADDRESS]
    if vpc.enable_dns_support:
        local += [ipam.resolver_address(vpc.cidr), ipam.LINK_LOCAL_RESOLVER]
    addresses = [DeviceAddress("lo", f"{address}/32") for address in local]
    if link is not None:
        addresses.append(DeviceAddress(firewall.INTERNET_DEVICE, f"{link[2]}/{_LINK_PREFIX_LENGTH}"))
    return Router(
        namespace=world.engine.namespace(vpc.vpc_id),
        sysctls=_FORWARDING_SYSCTLS,
        addresses=tuple(addresses),
        rules=tuple(
            PolicyRule(_SUBNET_RULE_PRIORITY, s.cidr, table_names[table.route_table_id])
            for s in subnets
            if (table := tables[s.subnet_id]) is not None
        ),
        routes=(
            RouteEntry("default", kind="blackhole"),
            *(
                entry
                for table_id in used_tables
                for entry in _table(world, vpc, world.route_tables[table_id], table_names[table_id], link)
            ),
        ),
        ruleset=firewall.ruleset(world, vpc.vpc_id),
        interfaces=tuple(_interface(world, i) for i in route_tables.interfaces_of(world, vpc.vpc_id)),
    )


def _table(
    world: World, vpc: Vpc, table: RouteTable, name: str, link: ipaddress.IPv4Network | None
) -> Iterator[RouteEntry]:
    """Yield the entries of one route table. The VPC's own range goes on to `main`, which knows its interfaces."""
    yield RouteEntry(vpc.cidr, name, "throw")
    for destination in sorted(route_tables.destinations(world, table), key=lambda d: d.cidr):
        if destination.cidr == vpc.cidr:
            continue
        cidr = _destination_text(destination.cidr)
        if destination.kind == "internet" and link is not None:
            yield RouteEntry(cidr, name, device=firewall.INTERNET_DEVICE, gateway=str(link[1]))
        elif destination.interface is not None:
            target = destination.interface
            yield RouteEntry(cidr, name, device=device_name(target.network_interface_id), gateway=target.private_ip)
        else:
            yield RouteEntry(cidr, name, "blackhole")


def _interface(world: World, interface: NetworkInterface) -> Interface:
    kind = _KINDS[interface.owner]
    cidr = world.subnets[interface.subnet_id].cidr
    return Interface(
        interface_id=interface.network_interface_id,
        kind=kind,
        namespace=world.engine.namespace(interface.network_interface_id),
        router_namespace=world.engine.namespace(interface.vpc_id),
        router_device=device_name(interface.network_interface_id),
        address=interface.private_ip,
        prefix_length=ipam.prefix_length(cidr),
        gateway=ipam.subnet_gateway(cidr),
        mac=interface.mac,
        sysctls=_FORWARDING_SYSCTLS if kind == "nat" else (),
        ruleset=firewall.NAT_GATEWAY_RULESET if kind == "nat" else "",
    )


def _internet(world: World, links: Mapping[str, ipaddress.IPv4Network]) -> Router:
    """Return the internet: closed, with hosts and clients of its own, and a route to each public address that works."""
    routes = [
        RouteEntry(WEB_RANGE, "local", "local", device="lo"),
        RouteEntry(CLIENT_RANGE, "local", "local", device="lo"),
        RouteEntry("default", device="lo", source=DEFAULT_CLIENT),
    ]
    addresses = []
    for vpc_id, link in links.items():
        addresses.append(DeviceAddress(_link_device(vpc_id), f"{link[1]}/{_LINK_PREFIX_LENGTH}"))
        routes += [
            RouteEntry(
                f"{interface.public_ip}/32", device=_link_device(vpc_id), gateway=str(link[2]), source=DEFAULT_CLIENT
            )
            for interface in route_tables.public_interfaces(world, vpc_id)
        ]
    return Router(
        namespace=world.engine.namespace(INTERNET),
        sysctls=_FORWARDING_SYSCTLS,
        addresses=tuple(addresses),
        routes=tuple(routes),
        ruleset=firewall.INTERNET_RULESET,
    )


def _internet_links(world: World) -> dict[str, ipaddress.IPv4Network]:
    """Return the /30 between the internet (first address) and each VPC with an internet gateway (second address)."""
    vpc_ids = (vpc_id for vpc_id in world.vpcs if route_tables.attached_gateway(world, vpc_id) is not None)
    size = 1 << (32 - _LINK_PREFIX_LENGTH)
    numbers = stable_numbers(vpc_ids, _LINK_RANGE.num_addresses // size)
    base = int(_LINK_RANGE.network_address)
    return {
        vpc_id: ipaddress.IPv4Network((base + number * size, _LINK_PREFIX_LENGTH)) for vpc_id, number in numbers.items()
    }


def _link_device(vpc_id: str) -> str:
    """Return the internet-side device name of a VPC: `v` and 14 digits of its id."""
    return "v" + vpc_id.removeprefix("vpc-")[-(DEVICE_NAME_LENGTH - 1) :]


def _destination_text(cidr: str) -> str:
    network_ = ipaddress.IPv4Network(cidr, strict=False)
    return "default" if network_.prefixlen == 0 else str(network_)


def stable_numbers(keys: Iterable[str], size: int) -> dict[str, int]:
    """Give each key its own number below `size`; but for a clash it stays the same when other keys come and go."""
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for key in sorted(keys):
        number = zlib.crc32(key.encode()) % size
        while number in taken:
            number = (number + 1) % size
        taken.add(number)
        numbers[key] = number
    return numbers
