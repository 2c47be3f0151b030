"""Flow records of real packets, in a network without an engine: what each interface saw, and why a packet vanished.

Source: aws/alb-vpc-terraform.md section 2.10.
"""

import contextlib
import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.core.vpc_world import REGION
from tests.lab.packets import attempt, connect, datagram_arrives
from tests.lab.test_network import WEB_HOST, Lab, describe
from tsubo.core import firewall, flow_table
from tsubo.drivers import netns
from tsubo.drivers.conntrack import ConnectionReader
from tsubo.drivers.network import NetworkDriver
from tsubo.drivers.nflog import LogReader
from tsubo.engine.flow_store import FlowStore, store_path
from tsubo.engine.flows_process import Collector, table_path
from tsubo.model.flows import FlowRecord
from tsubo.model.vpc import FlowLog, NetworkAcl, NetworkAclAssociation, NetworkAclEntry
from tsubo.model.world import World

pytestmark = pytest.mark.lab

WEB, CLIENT, BALANCER, NAT = "10.0.10.10", "10.0.10.11", "10.0.1.20", "10.0.1.5"
TCP = 6


class Flows:
    """A collector of the lab's flows, asked when the test likes."""

    def __init__(self, lab: Lab, home: Path) -> None:
        self.lab = lab
        self.home = home
        home.mkdir(exist_ok=True)
        store_path(home).parent.mkdir(exist_ok=True)
        self.tell(lab.world)
        self.collector = Collector(home)
        self.collector.reload()
        self.store = FlowStore(home)
        self._number = 0

    def tell(self, world: World) -> None:
        """Write the table of who is who in a world."""
        table_path(self.home).write_bytes(msgspec.json.encode(flow_table.flow_table(world)))

    def records(self) -> list[FlowRecord]:
        """Return the records of what has happened since the last call."""
        self.collector.flush()
        rows = self.store.records_after(self._number, 100_000)
        self._number = rows[-1][0] if rows else self._number
        return [record for _, record in rows]

    def seen(self, *ends: str) -> set[tuple[str, str, str, str, str]]:
        """Return interface, source, destination, action and reason of each that has one of these ends.

        Others may be the last packets of an earlier test.
        """
        return {
            (r.interface_id.removeprefix("eni-"), r.flow.source, r.flow.destination, r.action, r.reason)
            for r in self.records()
            if {r.flow.source, r.flow.destination} & set(ends)
        }

    def close(self) -> None:
        self.collector.close()
        self.store.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    engine_id = hashlib.sha256(str(tmp_path_factory.mktemp("flows")).encode()).hexdigest()[:8]
    world = describe(engine_id)
    with contextlib.ExitStack() as stack:
        stack.callback(NetworkDriver.destroy, world.engine)
        lab = Lab(world, stack)
        lab.serve("web", 80)
        lab.serve("balancer", 80)
        lab.serve("internet", 80, WEB_HOST)
        yield lab


@pytest.fixture
def flows(lab: Lab, tmp_path: Path) -> Iterator[Flows]:
    opened = Flows(lab, tmp_path / "home")
    opened.records()
    yield opened
    opened.close()
    lab.apply(lab.world)


def test_an_allowed_connection_is_accepted_at_both_ends_both_ways(flows: Flows) -> None:
    assert flows.lab.attempt("client", WEB, 80).startswith("web")
    records = flows.records()
    assert {(r.interface_id, r.flow.source, r.flow.destination) for r in records} == {
        (end, *way) for end in ("eni-client", "eni-web") for way in ((CLIENT, WEB), (WEB, CLIENT))
    }
    for record in records:
        assert (record.action, record.flow.protocol, record.reason) == ("ACCEPT", TCP, "")
        assert {record.flow.source_port, record.flow.destination_port} > {80}
        assert record.packets >= 2
        assert record.bytes > 40 * record.packets
    for way in (CLIENT, WEB):
        sums = {(r.packets, r.bytes) for r in records if r.flow.source == way}
        assert len(sums) == 1, "both ends saw the same packets"


def test_what_is_counted_is_counted_once(flows: Flows) -> None:
    with connect(flows.lab.namespace("client"), WEB, 80) as connection:
        connection.recv(100)
        before = [r for r in flows.records() if r.flow.source == CLIENT and r.interface_id == "eni-web"]
        assert flows.records() == []
        connection.sendall(b"x" * 90)
        connection.recv(100)
        [record] = [r for r in flows.records() if r.flow.source == CLIENT and r.interface_id == "eni-web"]
    assert [r.flow for r in before] == [record.flow]
    assert 1 <= record.packets <= 3
    assert 90 + 52 <= record.bytes <= 90 + 3 * 52


def test_who_may_not_send_and_who_does_not_admit(flows: Flows) -> None:
    assert flows.lab.attempt("mute", BALANCER, 80) == "timeout"
    assert flows.seen("10.0.10.13") == {("mute", "10.0.10.13", BALANCER, "REJECT", "deny-out")}
    assert flows.lab.attempt("stranger", WEB, 80) == "timeout"
    assert flows.seen("10.0.10.12") == {
        ("stranger", "10.0.10.12", WEB, "ACCEPT", ""),
        ("web", "10.0.10.12", WEB, "REJECT", "deny-in"),
    }


def test_a_refusal_is_seen_though_the_connection_never_was(flows: Flows) -> None:
    assert flows.lab.attempt("isolated", BALANCER, 8080) == "refused"
    assert flows.seen("10.0.20.10") == {
        (end, *way, "ACCEPT", "refused")
        for end in ("isolated", "balancer")
        for way in (("10.0.20.10", BALANCER), (BALANCER, "10.0.20.10"))
    }


def test_what_nobody_has_and_where_no_route_leads(flows: Flows) -> None:
    assert flows.lab.attempt("client", "10.0.10.99", 80) == "timeout"
    assert flows.lab.attempt("isolated", WEB_HOST, 80) == "timeout"
    assert flows.seen("10.0.10.99", WEB_HOST) == {
        ("client", CLIENT, "10.0.10.99", "ACCEPT", "no-route"),
        ("isolated", "10.0.20.10", WEB_HOST, "ACCEPT", "no-route"),
    }


def test_who_may_not_send_is_rejected_even_if_nobody_is_there(flows: Flows) -> None:
    assert flows.lab.attempt("mute", "10.0.1.99", 80) == "timeout"
    assert flows.seen("10.0.1.99") == {("mute", "10.0.10.13", "10.0.1.99", "REJECT", "deny-out")}


def test_without_a_public_address_packets_are_lost_at_the_internet_gateway(flows: Flows) -> None:
    assert flows.lab.attempt("unnamed", WEB_HOST, 80) == "timeout"
    assert flows.seen("10.0.1.30") == {("unnamed", "10.0.1.30", WEB_HOST, "ACCEPT", "deny-igw")}


def test_a_faked_source_is_rejected_where_it_was_sent(flows: Flows) -> None:
    stranger, web = flows.lab.namespace("stranger"), flows.lab.namespace("web")
    assert not datagram_arrives(stranger, CLIENT, web, WEB, 5000)
    assert ("stranger", CLIENT, WEB, "REJECT", "spoof") in flows.seen(CLIENT)


def test_through_a_nat_gateway(flows: Flows) -> None:
    assert flows.lab.attempt("client", WEB_HOST, 80) == "internet 203.0.113.5"
    seen = {(interface, source, destination) for interface, source, destination, *_ in flows.seen(WEB_HOST, NAT)}
    assert seen == {
        ("client", CLIENT, WEB_HOST),
        ("client", WEB_HOST, CLIENT),
        ("nat-a", CLIENT, NAT),
        ("nat-a", NAT, CLIENT),
        ("nat-a", NAT, WEB_HOST),
        ("nat-a", WEB_HOST, NAT),
    }


def test_from_the_internet_by_a_public_address(flows: Flows) -> None:
    assert flows.lab.attempt("internet", "203.0.113.20", 80, "198.18.7.7").startswith("balancer")
    records = flows.records()
    assert {(r.interface_id, r.source_name) for r in records if r.flow.source == "198.18.7.7"} == {
        ("eni-balancer", "internet")
    }


def test_an_acl_that_denies_the_reply_is_accept_then_reject(flows: Flows) -> None:
    lab = flows.lab
    entries = (
        NetworkAclEntry(100, False, "-1", True, "0.0.0.0/0"),
        NetworkAclEntry(100, True, "6", True, "0.0.0.0/0", 80, 80),
    )
    acl = NetworkAcl(
        "acl-a",
        "vpc-a",
        REGION,
        entries=entries,
        associations=(NetworkAclAssociation("aclassoc-a", "subnet-private-a"),),
    )
    lab.apply(lab.world.with_records(acl))
    assert lab.attempt("balancer", WEB, 80) == "timeout"
    assert {way for way in flows.seen(BALANCER) if way[0] == "web"} == {
        ("web", BALANCER, WEB, "ACCEPT", ""),
        ("web", WEB, BALANCER, "REJECT", "deny-acl-out"),
    }


def test_names_and_metadata_are_not_logged(flows: Flows) -> None:
    services = {"10.0.0.2": 53, "169.254.170.2": 80, "10.0.10.1": 80}
    for address, port in services.items():
        attempt(flows.lab.namespace("client"), address, port)
    ends = {end for record in flows.records() for end in (record.flow.source, record.flow.destination)}
    assert not ends & services.keys()


def test_lost_packets_are_said(flows: Flows) -> None:
    sender = netns.socket_in(flows.lab.namespace("stranger"), socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        for number in range(30_000):
            sender.sendto(b"flood", (WEB, 1 + number % 60_000))
    records = flows.records()
    assert {record.status for record in records} == {"OK", "SKIPDATA"}
    assert ("eni-web", "REJECT") in {(record.interface_id, record.action) for record in records}


def test_of_too_many_connections_the_rest_is_lost_and_said(flows: Flows) -> None:
    reader = ConnectionReader(flows.lab.namespace("vpc-a"))
    with contextlib.closing(reader), contextlib.ExitStack() as stack:
        for _ in range(3):
            open_connection = stack.enter_context(connect(flows.lab.namespace("client"), WEB, 80))
            assert open_connection.recv(100).startswith(b"web")
        connections, lost = reader.read(limit=2)
        assert (len(connections), lost) == (2, True)
        assert reader.read(limit=3) == ([], False)


def test_lines_of_a_flow_log_wait_until_its_interval_is_over(flows: Flows) -> None:
    log = FlowLog(
        "fl-1", "subnet-private-a", REGION, 0.0, "REJECT", "cloud-watch-logs", "arn", "${srcaddr} ${action}", 60
    )
    flows.tell(flows.lab.world.with_records(log))
    flows.collector.reload()
    assert flows.lab.attempt("stranger", WEB, 80) == "timeout"
    assert ("web", "10.0.10.12", WEB, "REJECT", "deny-in") in flows.seen(WEB)
    assert flows.store.deliveries(10) == []
    flows.collector.close()
    [(_, line)] = flows.store.deliveries(10)
    assert (line.flow_log_id, line.interface_id, line.line) == ("fl-1", "eni-web", "10.0.10.12 REJECT")
    flows.collector = Collector(flows.home)


def test_one_reader_at_a_time_and_the_next_takes_over(flows: Flows) -> None:
    router = flows.lab.namespace("vpc-a")
    with pytest.raises(OSError, match=r"not permitted|busy"):
        LogReader(router, firewall.LOG_GROUP)
    flows.collector.close()
    successor = LogReader(router, firewall.LOG_GROUP)
    successor.close()
    connections = ConnectionReader(router)
    connections.close()
    flows.collector = Collector(flows.home)
    flows.collector.reload()
    assert flows.lab.attempt("stranger", WEB, 80) == "timeout"
    assert ("web", "10.0.10.12", WEB, "REJECT", "deny-in") in flows.seen(WEB)
