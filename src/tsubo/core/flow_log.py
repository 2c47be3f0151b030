"""VPC flow logs: from what the router saw to records, as AWS writes them: one for each direction of each flow at each
network interface.

In: packets that went no further (`LoggedPacket`), connections with what passed since the last look
(`TrackedConnection`), and who is who (`FlowVpc`). Out: `FlowRecord`s, added up over an interval (`Aggregation`).

What an interface sees of a packet, by the log's prefix:

    spoof, deny-out, deny-acl-out   REJECT at the sender
    deny-in, deny-acl-in            ACCEPT at the sender, REJECT at the receiver
    no-route, deny-igw              ACCEPT at the sender, and nothing more: it vanished on its way
    refused                         ACCEPT at both: a first packet, and the reset that answered it
    (a tracked connection)          ACCEPT at both, both ways, and at the NAT gateway between

Traffic with the VPC's own services (DNS, task metadata, the routers) is not logged. Addresses are private ones.
Source: aws/alb-vpc-terraform.md section 2.10.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from tsubo.model.flows import Action, Flow, FlowRecord, FlowVpc, LoggedPacket, TrackedConnection

REASONS = {
    "spoof": "dropped: not the interface's own address",
    "deny-out": "dropped: no egress rule of the sender's security groups allows it",
    "deny-in": "dropped: no ingress rule of the receiver's security groups allows it",
    "deny-acl-out": "dropped: the network ACL of the sender's subnet denies it",
    "deny-acl-in": "dropped: the network ACL of the receiver's subnet denies it",
    "deny-igw": "lost: the sender has no public address, so the internet gateway does not carry it",
    "no-route": "lost: nobody has that address, or no route leads there",
    "refused": "refused: nothing listens on that port",
}
"""Why a flow went no further, for people, by the prefix of `core/firewall.py`."""
SENDER_ONLY_REJECTED = ("spoof", "deny-out", "deny-acl-out")
LOST_ON_THE_WAY = ("no-route", "deny-igw")
TRACKED = "tracked"
"""The second word of a prefix: the packet belongs to a connection whose counters contain it."""

FIRST_PACKET_BYTES = 60
"""What the packet before a refusal counts: a TCP SYN of Linux. Nobody could look at its own length."""
LINK_LOCAL = "169.254."
NO_FLOW = Flow(0, "-", 0, "-", 0)
MOST_OPEN = 20_000
"""Flows that are added up at the same time; beyond, what there is becomes records early."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one interface saw of one direction of a flow, between two times."""

    interface_id: str
    flow: Flow
    action: Action
    packets: int
    bytes: int
    first: float
    last: float
    reason: str = ""
    tracked: bool = False
    status: Literal["OK", "SKIPDATA"] = "OK"


def packet_shares(vpc: FlowVpc, packet: LoggedPacket) -> Iterator[Share]:
    """Yield what the interfaces of a VPC saw of a packet that was logged."""
    reason, _, rest = packet.prefix.partition(" ")
    sender, receiver = vpc.by_device.get(packet.in_device), vpc.by_device.get(packet.out_device)
    if _is_service(vpc, packet.flow.source) or _is_service(vpc, packet.flow.destination):
        return

    def share(interface_id: str, action: Action, why: str = reason, flow: Flow = packet.flow, size: int = 0) -> Share:
        return Share(interface_id, flow, action, 1, size or packet.length, packet.at, packet.at, why, rest == TRACKED)

    if reason == "refused":
        asked = reversed_flow(packet.flow)
        for interface in filter(None, (sender, receiver)):
            yield share(interface.interface_id, "ACCEPT", flow=asked, size=FIRST_PACKET_BYTES)
            yield share(interface.interface_id, "ACCEPT")
        return
    if sender is not None and reason in SENDER_ONLY_REJECTED:
        yield share(sender.interface_id, "REJECT")
    elif sender is not None and rest != TRACKED:
        yield share(sender.interface_id, "ACCEPT", reason if reason in LOST_ON_THE_WAY else "")
    if receiver is not None and reason not in SENDER_ONLY_REJECTED + LOST_ON_THE_WAY:
        yield share(receiver.interface_id, "REJECT")


def connection_shares(vpc: FlowVpc, connection: TrackedConnection, since: float, now: float) -> Iterator[Share]:
    """Yield what the interfaces of a VPC saw of a connection between the last look (`since`) and `now`."""
    asked = private_flow(connection)
    if _is_service(vpc, asked.source) or _is_service(vpc, asked.destination):
        return
    first = min(now, max(since, connection.started_at or since))
    ends = [vpc.by_address.get(asked.source), vpc.by_address.get(asked.destination)]
    seen = [(end.interface_id, asked) for end in ends if end is not None]
    gateway = _gateway_between(vpc, asked)
    if gateway is not None:
        # What a NAT gateway carries is logged there with its own address in the place of the far one's.
        interface_id, address = gateway
        seen.append(
            (interface_id, Flow(asked.protocol, asked.source, asked.source_port, address, asked.destination_port))
        )
    for interface_id, flow in seen:
        for direction, packets, size in (
            (flow, connection.packets, connection.bytes),
            (reversed_flow(flow), connection.answer_packets, connection.answer_bytes),
        ):
            if packets:
                yield Share(interface_id, direction, "ACCEPT", packets, size, first, now)


def private_flow(connection: TrackedConnection) -> Flow:
    """Return a connection's flow between private addresses: as it was sent, to whom it was translated to."""
    sent, answered = connection.sent, connection.answered
    return Flow(sent.protocol, sent.source, sent.source_port, answered.source, answered.source_port)


def reversed_flow(flow: Flow) -> Flow:
    """Return the flow of the answers."""
    return Flow(flow.protocol, flow.destination, flow.destination_port, flow.source, flow.source_port)


def lost_shares(vpc: FlowVpc, at: float) -> Iterator[Share]:
    """Yield what says that packets were lost to the log: nobody knows whose, so it is said of each interface."""
    for interface in vpc.interfaces:
        yield Share(interface.interface_id, NO_FLOW, "ACCEPT", 0, 0, at, at, status="SKIPDATA")


def name_of(vpc: FlowVpc, address: str) -> str:
    """Return who has, or had, an address, for people."""
    interface = vpc.by_address.get(address)
    if interface is not None:
        return interface.name
    former = next((name for known, name in vpc.former if known == address), None)
    if former is not None:
        return f"{former} (stopped)"
    return "nobody" if _is_inside(vpc, address) else "internet"


def _is_inside(vpc: FlowVpc, address: str) -> bool:
    return address != "-" and IPv4Address(address) in IPv4Network(vpc.cidr)


def _is_service(vpc: FlowVpc, address: str) -> bool:
    return address in vpc.services or address.startswith(LINK_LOCAL)


def _gateway_between(vpc: FlowVpc, flow: Flow) -> tuple[str, str] | None:
    """Return the NAT gateway (interface id and address) that a flow out of the VPC passes, if it does."""
    sender = vpc.by_address.get(flow.source)
    if sender is None or not sender.passages or _is_inside(vpc, flow.destination):
        return None
    far = IPv4Address(flow.destination)
    passage = next((p for p in sender.passages if far in IPv4Network(p.cidr)), None)
    gateway = vpc.by_id.get(passage.interface_id or "") if passage else None
    return (gateway.interface_id, gateway.address) if gateway else None


@dataclass(slots=True)
class _Sum:
    """What has been added up of one direction of a flow at one interface."""

    vpc_id: str
    packets: int
    bytes: int
    first: float
    last: float
    reason: str
    source_name: str
    destination_name: str


_Key = tuple[str, Flow, Action, Literal["OK", "SKIPDATA"]]


class Aggregation:
    """Adds up shares to records, of `interval` seconds at most. With `quiet` (seconds) a record is made as soon as its
    flow has been silent for so long."""

    def __init__(self, interval: float, quiet: float | None = None) -> None:
        self._interval = interval
        self._quiet = interval if quiet is None else quiet
        self._sums: dict[_Key, _Sum] = {}
        self._owed: dict[tuple[str, Flow], tuple[int, int]] = {}

    def add(self, vpc: FlowVpc, share: Share) -> None:
        """Add what an interface of a VPC saw."""
        packets, size = self._settled(share)
        if packets <= 0 and share.status == "OK":
            return
        key = (share.interface_id, share.flow, share.action, share.status)
        known = self._sums.get(key)
        if known is None:
            flow = share.flow
            names = (name_of(vpc, flow.source), name_of(vpc, flow.destination)) if flow is not NO_FLOW else ("", "")
            self._sums[key] = _Sum(vpc.vpc_id, packets, size, share.first, share.last, share.reason, *names)
            return
        known.packets += packets
        known.bytes += size
        known.last = max(known.last, share.last)
        known.reason = share.reason or known.reason

    def _settled(self, share: Share) -> tuple[int, int]:
        """Return a share's packets and bytes without those that were counted as passed, and then rejected."""
        key = (share.interface_id, share.flow)
        packets, size = self._owed.get(key, (0, 0))
        if share.tracked:
            self._owed[key] = packets + share.packets, size + share.bytes
        elif share.action == "ACCEPT" and packets:
            paid, paid_size = min(packets, share.packets), min(size, share.bytes)
            self._owed[key] = packets - paid, size - paid_size
            if packets == paid:
                del self._owed[key]
            return share.packets - paid, share.bytes - paid_size
        return share.packets, share.bytes

    def due(self, now: float) -> list[FlowRecord]:
        """Return the records whose interval is over, or whose flow is silent; they begin anew."""
        if len(self._sums) + len(self._owed) > MOST_OPEN:
            return self.all()
        return self._taken(
            [k for k, s in self._sums.items() if now - s.first >= self._interval or now - s.last >= self._quiet]
        )

    def all(self) -> list[FlowRecord]:
        """Return a record of all there is."""
        self._owed.clear()
        return self._taken(list(self._sums))

    def _taken(self, keys: list[_Key]) -> list[FlowRecord]:
        keys.sort(key=lambda key: self._sums[key].first)
        return [_record(key, self._sums.pop(key)) for key in keys]


def _record(key: _Key, total: _Sum) -> FlowRecord:
    interface_id, flow, action, status = key
    return FlowRecord(
        interface_id=interface_id,
        vpc_id=total.vpc_id,
        flow=flow,
        packets=total.packets,
        bytes=total.bytes,
        start=int(total.first),
        end=int(total.last),
        action=action,
        status=status,
        reason=total.reason,
        source_name=total.source_name,
        destination_name=total.destination_name,
    )
