"""What a compiled load balancer is: the proxy's resources, the checks on its targets, its published ports.

The core computes these values (`core.alb`, `core.relay`); the drivers write them to disk, where the proxy, the health
checker and the relay read them without a controller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tsubo.model.elbv2 import HealthCheck

JsonObject = Mapping[str, Any]


def proxy_id(load_balancer_arn: str) -> str:
    """Return the name of a load balancer's proxy, for directories and processes: `web-50dc6c495c0c9188`."""
    return "-".join(load_balancer_arn.split("/")[-2:])


def proxy_directory(home: str, load_balancer_arn: str) -> str:
    """Return the directory of a load balancer's proxy in the state directory `home`."""
    return f"{home}/envoy/{proxy_id(load_balancer_arn)}"


def admin_path(home: str, load_balancer_arn: str) -> str:
    """Return the proxy's admin socket: short, because a unix socket's path ends at 107 bytes."""
    return f"{home}/run/envoy-{load_balancer_arn.rpartition('/')[2]}.sock"


@dataclass(frozen=True)
class ProxyNode:
    """A load balancer's node: the ENI whose address and namespace the proxy serves from."""

    network_interface_id: str
    namespace: str
    address: str
    availability_zone: str
    public_address: str | None = None


@dataclass(frozen=True)
class CheckedTarget:
    """A target as the health checker sees it. `check_port` differs from `port` where the target group says so."""

    address: str
    port: int
    check_port: int
    registered_at: float
    draining: bool = False

    @property
    def key(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True)
class TargetPool:
    """One target group as one node sees it: checked from that node, and routed to from that node.

    `name` is the proxy's cluster; `endpoints_path` the file of its endpoints, which only the health checker writes;
    `admin_path` the proxy's admin socket, which knows the active requests.
    """

    name: str
    target_group_arn: str
    namespace: str
    node_address: str
    health_check: HealthCheck
    endpoints_path: str
    admin_path: str
    targets: tuple[CheckedTarget, ...] = ()


@dataclass(frozen=True)
class CheckOutcome:
    """What a check of a target found, and when it began and ended, in seconds since the epoch. Either the target gave
    a status or the check failed."""

    began_at: float
    ended_at: float
    status_code: int | None = None
    failure: Literal["Target.Timeout", "Target.FailedHealthChecks"] | None = None


@dataclass(frozen=True)
class HealthTable:
    """Everything the health checker checks."""

    pools: tuple[TargetPool, ...] = ()


@dataclass(frozen=True)
class CertificateFile:
    """Key and certificates of one listener certificate as one PEM file. The path carries a hash of the content, so
    that another certificate is another configuration."""

    path: str
    pem: str = field(repr=False)


@dataclass(frozen=True)
class Shortfall:
    """Something of a listener that the proxy does not do, and why: for `status` and the engine's log."""

    listener_arn: str
    reason: str


@dataclass(frozen=True)
class LoadBalancerPlan:
    """One load balancer, compiled: Envoy resources by kind, what they need beside them, and what is missing.

    `route_configurations` is keyed by the name that a listener refers to.
    """

    arn: str
    nodes: tuple[ProxyNode, ...] = ()
    listeners: tuple[JsonObject, ...] = ()
    route_configurations: Mapping[str, JsonObject] = field(default_factory=dict)
    clusters: tuple[JsonObject, ...] = ()
    pools: tuple[TargetPool, ...] = ()
    certificates: tuple[CertificateFile, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()

    @property
    def proxy_id(self) -> str:
        return proxy_id(self.arn)


@dataclass(frozen=True)
class RelayEntry:
    """A port of a load balancer's public address, and the loopback address and port it is to be published on."""

    load_balancer_arn: str
    public_address: str
    port: int
    listen_address: str


@dataclass(frozen=True)
class RelayTable:
    """What the relay publishes. `namespace` is the engine's internet, where its connections start."""

    namespace: str
    entries: tuple[RelayEntry, ...] = ()


@dataclass(frozen=True)
class PublishedPort:
    """Where an entry is published in fact. `port` differs from the entry's where that was taken; `reason` says by whom.
    `port` is None where nothing could be published."""

    entry: RelayEntry
    port: int | None
    reason: str | None = None
