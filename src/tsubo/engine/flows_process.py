"""The flows process: sees what passes and what is dropped in every VPC, and keeps it as flow-log records.

    python -m tsubo.engine.flows_process --home HOME

In: HOME/flows/table.json, the routers' logs and connections. Out: HOME/flows/flows.sqlite (`flow_store.py`). It needs
no controller. Nothing in the packets' way waits for it; it looks at the connections every two seconds, less often
where that would take more than a twentieth of its time.
"""

import argparse
import asyncio
import logging
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tsubo.core import flow_format, flow_log, stale_names
from tsubo.core.firewall import LOG_GROUP
from tsubo.drivers import netns
from tsubo.drivers.conntrack import SHORTEST_LIFETIME_SECONDS, ConnectionReader
from tsubo.drivers.nflog import LogReader
from tsubo.drivers.reload import serve_reload
from tsubo.engine.flow_store import Delivery, FlowStore
from tsubo.model.flows import FlowRecord, FlowTable, FlowVpc, LogTarget

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
LOOK_SECONDS = 2.0
LOOK_SHARE = 20
"""A look that took so and so long is followed by a pause of this many times as long."""
CHEAP_LOOK_SECONDS = 0.02
PACKETS_A_TICK = 500
PACKETS_A_FLUSH = 10_000
"""Logged packets of a VPC that are read at a time; what does not fit into the kernel's buffer is lost, and noted."""
CONNECTIONS_A_LOOK = 2_000
"""Connections of a VPC that passed anything, of which records are made; what the others passed is lost, and noted."""
GATHER_SECONDS = 0.15
"""For so long the kernel may keep a logged packet to itself (drivers/nflog.py)."""
RING_INTERVAL_SECONDS = 10.0
QUIET_SECONDS = 2.5
REOPEN_SECONDS = 5.0
MILLISECONDS = 1000


def table_path(home: Path) -> Path:
    """Return where an engine's table of who is who stands."""
    return home / "flows" / "table.json"


@dataclass
class Watched:
    """A VPC's router, opened."""

    identity: netns.Identity | None
    packets: LogReader
    connections: ConnectionReader
    looked_at: float
    passed: list[flow_log.Share] = field(default_factory=list)
    """What the last look at the connections found. It is added after the packets that were logged until then."""

    def close(self) -> None:
        self.packets.close()
        self.connections.close()


class Collector:
    """Reads all routers and writes what they saw. One thread calls it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._store = FlowStore(home)
        self._table = FlowTable("")
        self._watched: dict[str, Watched] = {}
        self._ring = flow_log.Aggregation(RING_INTERVAL_SECONDS, QUIET_SECONDS)
        self._logs: dict[str, flow_log.Aggregation] = {}
        self._stale = stale_names.Watch(self._store.stale())
        self._look_seconds = 0.0
        self._look_at = 0.0
        self._open_at = 0.0

    def reload(self) -> None:
        """Read the table again: who is who now. What was seen so far belongs to those of before."""
        try:
            table = msgspec.json.decode(table_path(self._home).read_bytes(), type=FlowTable)
        except FileNotFoundError:
            # A new engine: there is no VPC yet.
            return
        except (OSError, msgspec.DecodeError) as error:
            log.warning("%s: %s; what was known before stays", table_path(self._home), error)
            return
        self._collect(look=self._look_seconds < CHEAP_LOOK_SECONDS)
        self._table = table
        self._open_all()
        intervals = {target.flow_log_id: target.interval for vpc in table.vpcs for target in vpc.targets}
        self._logs = {key: self._logs.get(key) or flow_log.Aggregation(interval) for key, interval in intervals.items()}

    def tick(self) -> None:
        """Look at what has come, and write what is due."""
        now = time.time()
        if now >= self._open_at:
            self._open_all()
        self._collect(look=now >= self._look_at)
        self._write(self._ring.due(now), final=False)

    def flush(self) -> None:
        """Look at everything now, and write all that is known to the ring."""
        self._gather()
        self._write(self._ring.all(), final=False)

    def close(self) -> None:
        """Write all that is known, also to flow logs whose interval is not over, and end."""
        self._gather()
        self._write(self._ring.all(), final=True)
        for watched in self._watched.values():
            watched.close()
        self._store.close()

    def _gather(self) -> None:
        self._collect(look=True, packets=PACKETS_A_FLUSH)
        time.sleep(GATHER_SECONDS)
        self._collect(look=False, packets=PACKETS_A_FLUSH)

    # Reading

    def _open_all(self) -> None:
        """Open the routers of the table that are there and not open, and close all others."""
        self._open_at = time.time() + REOPEN_SECONDS
        wanted = {vpc.vpc_id: netns.identity(vpc.namespace) for vpc in self._table.vpcs}
        for vpc_id, watched in list(self._watched.items()):
            if wanted.get(vpc_id) is None or wanted[vpc_id] != watched.identity:
                self._watched.pop(vpc_id).close()
        for vpc in self._table.vpcs:
            if vpc.vpc_id not in self._watched and wanted[vpc.vpc_id] is not None:
                self._open(vpc, wanted[vpc.vpc_id])

    def _open(self, vpc: FlowVpc, identity: netns.Identity | None) -> None:
        try:
            packets = LogReader(vpc.namespace, LOG_GROUP)
        except (OSError, netns.NamespaceError) as error:
            log.warning("%s: the router's log cannot be read: %s", vpc.vpc_id, error)
            return
        try:
            connections = ConnectionReader(vpc.namespace)
        except (OSError, netns.NamespaceError) as error:
            log.warning("%s: the router's connections cannot be read: %s", vpc.vpc_id, error)
            packets.close()
            return
        self._watched[vpc.vpc_id] = Watched(identity, packets, connections, time.time())

    def _collect(self, look: bool, packets: int = PACKETS_A_TICK) -> None:
        """Read the logs, up to so many packets of a VPC, and with `look` the connections."""
        began = time.time()
        for vpc in self._table.vpcs:
            watched = self._watched.get(vpc.vpc_id)
            if watched is None:
                continue
            try:
                self._read_packets(vpc, watched, packets)
                if look:
                    self._look(vpc, watched)
            except OSError as error:
                log.warning("%s: reading failed: %s", vpc.vpc_id, error)
                self._watched.pop(vpc.vpc_id).close()
        if look:
            now = time.time()
            self._look_seconds = now - began
            self._look_at = now + max(LOOK_SECONDS, LOOK_SHARE * self._look_seconds)

    def _read_packets(self, vpc: FlowVpc, watched: Watched, limit: int) -> None:
        packets, lost = watched.packets.read(limit)
        now = time.time()
        self._add(vpc, [share for packet in packets for share in flow_log.packet_shares(vpc, packet)])
        self._add(vpc, watched.passed)
        watched.passed = []
        if lost:
            self._add(vpc, flow_log.lost_shares(vpc, now))
        self._note(vpc, map(stale_names.packet_attempt, packets), now)

    def _look(self, vpc: FlowVpc, watched: Watched) -> None:
        connections, lost = watched.connections.read(CONNECTIONS_A_LOOK)
        now, since = time.time(), watched.looked_at
        watched.looked_at = now
        for connection in connections:
            watched.passed += flow_log.connection_shares(vpc, connection, since, now)
        if lost or now - since > SHORTEST_LIFETIME_SECONDS:
            watched.passed += flow_log.lost_shares(vpc, now)
        self._note(vpc, map(stale_names.connection_attempt, connections), now)

    def _note(self, vpc: FlowVpc, attempts: Iterable[stale_names.Attempt | None], now: float) -> None:
        changed = self._stale.note(vpc, filter(None, attempts), now) if vpc.departures else []
        if changed:
            self._store.keep_stale(changed)
        for stale in changed:
            if stale.connections == 1:
                log.warning("%s", stale_names.describe(stale))

    def _add(self, vpc: FlowVpc, shares: Iterable[flow_log.Share]) -> None:
        aggregations = (self._ring, *(self._logs[target.flow_log_id] for target in vpc.targets))
        for share in shares:
            for aggregation in aggregations:
                aggregation.add(vpc, share)

    # Writing

    def _write(self, records: list[FlowRecord], final: bool) -> None:
        """Write records to the ring, and lines of flow logs: those that are due, or (at the end) all."""
        deliveries: list[Delivery] = []
        for vpc in self._table.vpcs:
            for target in vpc.targets:
                aggregation = self._logs[target.flow_log_id]
                due = aggregation.all() if final else aggregation.due(time.time())
                deliveries += [
                    self._delivery(vpc, target, record) for record in due if flow_format.concerns(target, vpc, record)
                ]
        if records or deliveries:
            self._store.append(records, deliveries)

    def _delivery(self, vpc: FlowVpc, target: LogTarget, record: FlowRecord) -> Delivery:
        text = flow_format.formatted(self._table.account_id, record, vpc, target.log_format)
        return Delivery(target.flow_log_id, record.interface_id, record.start * MILLISECONDS, text)


async def run(home: Path) -> None:
    """Collect until the process is told to end."""
    collector = Collector(home)
    # Listening comes first: whoever writes a table after it was read here finds someone to tell.
    servers = [
        await serve_reload(home / "run" / "flows.sock", collector.reload),
        await serve_reload(home / "run" / "flows-flush.sock", collector.flush),
    ]
    collector.reload()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    while not ended.is_set():
        collector.tick()
        try:
            await asyncio.wait_for(ended.wait(), TICK_SECONDS)
        except TimeoutError:
            continue
    for server in servers:
        server.close()
    collector.close()


def main() -> None:
    """Parse the command line and collect."""
    parser = argparse.ArgumentParser(prog="flows", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the engine's state directory")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="flows: %(message)s")
    asyncio.run(run(arguments.home))


if __name__ == "__main__":
    main()
