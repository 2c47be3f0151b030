"""Linux nouns: what the network of an engine is made of, as `core.router` computes it and `drivers.network` makes it.

Addresses are IPv4 in dotted form; destinations and address ranges are in CIDR form (`10.0.11.10/32`) or `default`.
"""

from dataclasses import dataclass
from typing import Literal

INTERFACE_DEVICE = "eth0"
"""The name of an interface's device inside its own namespace."""


@dataclass(frozen=True)
class DeviceAddress:
    """An address of a device, with its prefix length: `10.0.11.1/32` on `lo`."""

    device: str
    address: str


@dataclass(frozen=True)
class RouteEntry:
    """A route of one of a namespace's tables.

    `throw` ends the search in this table and goes on with the next policy rule; `local` delivers a whole range here.
    A gateway is reached through `device` even where no address of the device covers it (`onlink`).
    """

    destination: str
    table: str = "main"
    kind: Literal["unicast", "blackhole", "throw", "local"] = "unicast"
    device: str | None = None
    gateway: str | None = None
    source: str | None = None
    """The address that connections made here take as theirs, where they do not bind one."""


@dataclass(frozen=True)
class PolicyRule:
    """Packets from `source` are looked up in `table`; lower priorities come first."""

    priority: int
    source: str
    table: str


@dataclass(frozen=True)
class Link:
    """A pair of virtual Ethernet devices between two namespaces."""

    namespace: str
    device: str
    peer_namespace: str
    peer_device: str


@dataclass(frozen=True)
class Interface:
    """An ENI: a namespace with one device (`INTERFACE_DEVICE`), wired to a device of its VPC's router.

    `task`: the namespace is that of a container, named when the container is plugged. `host` (a node of a load
    balancer) and `nat` (a NAT gateway) are namespaces of their own; `sysctls` and `ruleset` are the latter's.
    """

    interface_id: str
    kind: Literal["task", "host", "nat"]
    namespace: str
    router_namespace: str
    router_device: str
    address: str
    prefix_length: int
    gateway: str
    mac: str
    sysctls: tuple[tuple[str, str], ...] = ()
    ruleset: str = ""


@dataclass(frozen=True)
class Router:
    """A namespace that forwards: a VPC's router, or the internet. An empty ruleset means no ruleset.

    `sysctls` are names below /proc/sys with dots for slashes. Routes to the interfaces themselves are not listed:
    they come and go with the devices.
    """

    namespace: str
    sysctls: tuple[tuple[str, str], ...] = ()
    addresses: tuple[DeviceAddress, ...] = ()
    rules: tuple[PolicyRule, ...] = ()
    routes: tuple[RouteEntry, ...] = ()
    ruleset: str = ""
    interfaces: tuple[Interface, ...] = ()


@dataclass(frozen=True)
class Network:
    """All namespaces of an engine and what connects them. Every name starts with `prefix`, no other engine's does."""

    prefix: str
    routers: tuple[Router, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        return tuple(interface for router in self.routers for interface in router.interfaces)
