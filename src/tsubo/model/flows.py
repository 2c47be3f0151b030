"""Flows: what the kernel tells of packets, whose interfaces they are, and the records that flow logs consist of.

`drivers/nflog.py` and `drivers/conntrack.py` make packets and connections, `core/flow_table.py` the table of who is
who, `core/flow_log.py` the records; the flows process keeps them. The table stands on disk as JSON. Addresses are
IPv4 in dotted form, times seconds since the epoch, protocols IANA numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Action = Literal["ACCEPT", "REJECT"]
DEFAULT_LOG_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} "
    "${bytes} ${start} ${end} ${action} ${log-status}"
)
"""Version 2, as flow logs are written unless asked otherwise."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What tells one flow from all others. Ports are 0 where the protocol has none."""

    protocol: int
    source: str
    source_port: int
    destination: str
    destination_port: int


@dataclass(frozen=True, slots=True)
class LoggedPacket:
    """A packet that the router dropped and logged, with the log's prefix, which says why (`core/firewall.py`).

    Devices are the router's, empty where there is none. `length` is in bytes.
    """

    at: float
    prefix: str
    flow: Flow
    length: int
    in_device: str = ""
    out_device: str = ""


@dataclass(frozen=True, slots=True)
class TrackedConnection:
    """A connection as the router follows it, with what passed either way since it was looked at last.

    `sent` is as its first packet came in; `answered` as an answer comes in, so that `answered.source` is who answers
    after all translation. `started_at` is None where the kernel did not note it.
    """

    sent: Flow
    answered: Flow
    packets: int
    bytes: int
    answer_packets: int
    answer_bytes: int
    started_at: float | None = None


@dataclass(frozen=True)
class Passage:
    """A route that leads through a NAT gateway (`interface_id`), or past all (None)."""

    cidr: str
    interface_id: str | None = None


@dataclass(frozen=True)
class FlowInterface:
    """A network interface of a VPC: its device at the router, its address, and what sits behind it.

    `passages` are its subnet's routes out of the VPC, the longest prefix first. `service` and `cluster` (names) are
    set for a task of a service.
    """

    interface_id: str
    device: str
    address: str
    subnet_id: str
    availability_zone: str
    name: str
    passages: tuple[Passage, ...] = ()
    cluster: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class Departure:
    """A name that a task had and has left. Who resolved it may use the address until `left_at` + `ttl_seconds`.

    `successors` are the addresses that the name has now.
    """

    name: str
    address: str
    ttl_seconds: int
    left_at: float
    task_id: str
    service: str
    successors: tuple[str, ...] = ()


@dataclass(frozen=True)
class LogTarget:
    """A flow log to be delivered: which interfaces, which flows, how long a record may cover (seconds)."""

    flow_log_id: str
    resource_id: str
    traffic_type: Literal["ACCEPT", "REJECT", "ALL"]
    interval: int
    log_format: str


@dataclass(frozen=True)
class FlowVpc:
    """A VPC: where its router is, and who is who in it. `services` are addresses of the VPC itself (its routers, its
    resolver): traffic with them is not logged."""

    vpc_id: str
    region: str
    cidr: str
    namespace: str
    resolver: str
    services: tuple[str, ...]
    interfaces: tuple[FlowInterface, ...] = ()
    departures: tuple[Departure, ...] = ()
    targets: tuple[LogTarget, ...] = ()
    former: tuple[tuple[str, str], ...] = ()
    """Addresses that nobody has any more, and the names of the tasks that had them."""

    @cached_property
    def by_device(self) -> Mapping[str, FlowInterface]:
        """The interfaces by their devices at the router."""
        return {interface.device: interface for interface in self.interfaces}

    @cached_property
    def by_address(self) -> Mapping[str, FlowInterface]:
        """The interfaces by their private addresses."""
        return {interface.address: interface for interface in self.interfaces}

    @cached_property
    def by_id(self) -> Mapping[str, FlowInterface]:
        """The interfaces by id."""
        return {interface.interface_id: interface for interface in self.interfaces}


@dataclass(frozen=True)
class FlowTable:
    account_id: str
    vpcs: tuple[FlowVpc, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowRecord:
    """One line of a flow log: packets of one direction of one flow at one interface, in one interval.

    `status` is `SKIPDATA` where packets were lost to the log: there is no flow then.
    """

    interface_id: str
    vpc_id: str
    flow: Flow
    packets: int
    bytes: int
    start: int
    end: int
    action: Action
    status: Literal["OK", "SKIPDATA"] = "OK"
    reason: str = ""
    source_name: str = ""
    destination_name: str = ""


@dataclass(frozen=True)
class StaleConnection:
    """Somebody who goes on calling an address that its name has left. Times are of the calls after the TTL ran out."""

    client: str
    client_interface_id: str
    client_address: str
    client_cluster: str | None
    client_service: str | None
    resolver: str
    port: int
    departure: Departure
    first_at: float
    last_at: float
    connections: int = 1

    @property
    def overdue_seconds(self) -> float:
        """How long after the TTL ran out the address was called last."""
        return self.last_at - self.departure.left_at - self.departure.ttl_seconds
