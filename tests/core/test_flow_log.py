"""Flow-log records from packets and connections. Source: aws/alb-vpc-terraform.md section 2.10."""

from collections.abc import Iterable

import pytest

from tests.core.vpc_world import egress, empty_world, group, interface, vpc_records
from tsubo.core.flow_log import Aggregation, Share, connection_shares, lost_shares, name_of, packet_shares
from tsubo.core.flow_table import flow_table
from tsubo.model.flows import Flow, FlowRecord, LoggedPacket, TrackedConnection

TCP = 6
WORLD = empty_world().with_records(
    *vpc_records("a", "203.0.113.5"),
    *group("sg-a", "a", egress("sg-a")),
    interface("client", "a", "private", "10.0.10.11", ("sg-a",)),
    interface("web", "a", "private", "10.0.10.10", ("sg-a",)),
    interface("node", "a", "public", "10.0.1.20", ("sg-a",), owner="load_balancer", public_ip="203.0.113.20"),
)
[VPC] = flow_table(WORLD).vpcs
FLOW = Flow(TCP, "10.0.10.11", 40000, "10.0.10.10", 80)
REPLY = Flow(TCP, "10.0.10.10", 80, "10.0.10.11", 40000)


def packet(prefix: str, flow: Flow = FLOW, sender: str = "eclient", receiver: str = "eweb") -> LoggedPacket:
    return LoggedPacket(100.0, prefix, flow, 60, sender, receiver)


def seen(shares: Iterable[Share]) -> list[tuple[str, Flow, str, int]]:
    """Return where each share was seen, of which flow, with which end, and its packets."""
    return [(share.interface_id, share.flow, share.action, share.packets) for share in shares]


def connection(
    source: str, destination: str, answered_by: str = "", answered_to: str = "", packets: int = 5, answers: int = 3
) -> TrackedConnection:
    """Return a connection from port 40000 to port 80; translated where the answer has other addresses."""
    return TrackedConnection(
        Flow(TCP, source, 40000, destination, 80),
        Flow(TCP, answered_by or destination, 80, answered_to or source, 40000),
        packets,
        packets * 100,
        answers,
        answers * 100,
        started_at=95.0,
    )


@pytest.mark.parametrize("prefix", ["spoof", "deny-out", "deny-acl-out"])
def test_what_its_sender_may_not_send_is_rejected_there_and_seen_nowhere_else(prefix: str) -> None:
    assert seen(packet_shares(VPC, packet(prefix))) == [("eni-client", FLOW, "REJECT", 1)]


@pytest.mark.parametrize("prefix", ["deny-in", "deny-acl-in"])
def test_what_its_receiver_does_not_admit_was_accepted_at_the_sender(prefix: str) -> None:
    assert seen(packet_shares(VPC, packet(prefix))) == [
        ("eni-client", FLOW, "ACCEPT", 1),
        ("eni-web", FLOW, "REJECT", 1),
    ]


@pytest.mark.parametrize("prefix", ["no-route", "deny-igw"])
def test_what_vanishes_on_its_way_was_accepted_at_the_sender(prefix: str) -> None:
    lost = packet(prefix, Flow(TCP, "10.0.10.11", 40000, "10.0.10.99", 80), receiver="igw")
    [share] = packet_shares(VPC, lost)
    assert (share.interface_id, share.action, share.reason) == ("eni-client", "ACCEPT", prefix)


def test_a_refusal_is_a_packet_and_its_answer_at_both_ends() -> None:
    refusal = packet("refused", REPLY, sender="eweb", receiver="eclient")
    assert sorted(seen(packet_shares(VPC, refusal)), key=str) == sorted(
        [(end, flow, "ACCEPT", 1) for end in ("eni-client", "eni-web") for flow in (FLOW, REPLY)], key=str
    )


def test_from_the_internet_only_the_receiver_is_ours() -> None:
    flow = Flow(TCP, "198.18.0.1", 40000, "10.0.1.20", 22)
    assert seen(packet_shares(VPC, packet("deny-in", flow, sender="igw", receiver="enode"))) == [
        ("eni-node", flow, "REJECT", 1)
    ]


def test_a_connection_is_seen_at_both_ends_both_ways() -> None:
    shares = list(connection_shares(VPC, connection("10.0.10.11", "10.0.10.10"), 90.0, 100.0))
    assert seen(shares) == [
        ("eni-client", FLOW, "ACCEPT", 5),
        ("eni-client", REPLY, "ACCEPT", 3),
        ("eni-web", FLOW, "ACCEPT", 5),
        ("eni-web", REPLY, "ACCEPT", 3),
    ]
    assert {(share.first, share.last, share.bytes) for share in shares} == {(95.0, 100.0, 500), (95.0, 100.0, 300)}


def test_a_connection_that_was_there_before_begins_with_the_last_look() -> None:
    shares = connection_shares(VPC, connection("10.0.10.11", "10.0.10.10"), 98.0, 100.0)
    assert {share.first for share in shares} == {98.0}


def test_public_addresses_are_private_ones_in_the_log() -> None:
    inbound = connection("198.18.0.1", "203.0.113.20", answered_by="10.0.1.20")
    first, second = connection_shares(VPC, inbound, 90.0, 100.0)
    assert (first.interface_id, first.flow.destination) == ("eni-node", "10.0.1.20")
    assert second.flow.source == "10.0.1.20"
    outbound = connection("10.0.1.20", "198.51.100.10", answered_to="203.0.113.20")
    first, second = connection_shares(VPC, outbound, 90.0, 100.0)
    assert (first.flow.source, second.flow.destination) == ("10.0.1.20", "10.0.1.20")


def test_a_nat_gateway_sees_itself_in_the_place_of_the_far_end() -> None:
    shares = seen(connection_shares(VPC, connection("10.0.10.11", "198.51.100.10"), 90.0, 100.0))
    assert ("eni-client", Flow(TCP, "10.0.10.11", 40000, "198.51.100.10", 80), "ACCEPT", 5) in shares
    assert ("eni-nat-a", Flow(TCP, "10.0.10.11", 40000, "10.0.1.5", 80), "ACCEPT", 5) in shares
    assert ("eni-nat-a", Flow(TCP, "10.0.1.5", 80, "10.0.10.11", 40000), "ACCEPT", 3) in shares
    assert len(shares) == 4


@pytest.mark.parametrize("service", ["10.0.0.2", "10.0.10.1", "169.254.169.253", "169.254.170.2"])
def test_the_vpcs_own_services_are_not_logged(service: str) -> None:
    assert not list(connection_shares(VPC, connection("10.0.10.11", service), 90.0, 100.0))
    assert not list(packet_shares(VPC, packet("deny-out", Flow(17, "10.0.10.11", 40000, service, 53))))


def records(*shares: Share, aggregation: Aggregation | None = None) -> list[FlowRecord]:
    together = aggregation or Aggregation(10.0)
    for share in shares:
        together.add(VPC, share)
    return together.all()


def accepted(packets: int, last: float = 100.0, interface_id: str = "eni-web", flow: Flow = REPLY) -> Share:
    return Share(interface_id, flow, "ACCEPT", packets, packets * 100, 95.0, last)


def test_shares_of_a_flow_are_added_up() -> None:
    [record] = records(accepted(2, 97.2), accepted(3, 99.7))
    assert (record.packets, record.bytes, record.start, record.end) == (5, 500, 95, 99)
    assert (record.source_name, record.destination_name) == ("eni-web", "eni-client")


def test_an_acl_that_denies_the_reply_is_accept_then_reject() -> None:
    """Connection tracking counts the answer before the ACL drops it: it was accepted by nobody."""
    denied = packet("deny-acl-out tracked", REPLY, sender="eweb", receiver="eclient")
    counted = connection("10.0.10.11", "10.0.10.10", packets=1, answers=1)
    at_web = [
        record
        for record in records(*packet_shares(VPC, denied), *connection_shares(VPC, counted, 90.0, 100.0))
        if record.interface_id == "eni-web"
    ]
    assert [(record.flow, record.action, record.packets) for record in at_web] == [
        (FLOW, "ACCEPT", 1),
        (REPLY, "REJECT", 1),
    ]


def test_of_a_tracked_flow_only_what_was_dropped_is_taken_from_what_passed() -> None:
    tracked = Share("eni-web", REPLY, "REJECT", 2, 200, 96.0, 96.0, tracked=True)
    [rejected, passed] = sorted(records(tracked, accepted(5)), key=lambda record: record.action, reverse=True)
    assert (rejected.packets, passed.packets, passed.bytes) == (2, 3, 300)


def test_a_record_is_due_when_its_interval_is_over_or_its_flow_is_silent() -> None:
    aggregation = Aggregation(10.0, quiet=2.0)
    aggregation.add(VPC, accepted(1, 97.0))
    assert aggregation.due(98.9) == []
    assert len(aggregation.due(99.0)) == 1
    for second in range(95, 105):
        aggregation.add(VPC, accepted(1, float(second)))
    assert aggregation.due(104.9) == []
    assert [record.packets for record in aggregation.due(105.0)] == [10]
    assert aggregation.due(200.0) == []


def test_without_quiet_only_the_interval_counts() -> None:
    aggregation = Aggregation(60.0)
    aggregation.add(VPC, accepted(1, 95.0))
    assert aggregation.due(154.0) == []
    assert len(aggregation.due(155.0)) == 1


def test_a_flood_of_flows_becomes_records_early() -> None:
    aggregation = Aggregation(600.0)
    for port in range(20_001):
        flow = Flow(TCP, "10.0.10.11", port, "10.0.10.10", 80)
        aggregation.add(VPC, Share("eni-client", flow, "REJECT", 1, 60, 95.0, 95.0))
    assert len(aggregation.due(95.0)) == 20_001
    assert aggregation.due(95.0) == []


def test_lost_packets_are_said_once_an_interval_at_every_interface() -> None:
    lost = records(*lost_shares(VPC, 95.0), *lost_shares(VPC, 96.0))
    assert {record.interface_id for record in lost} == {"eni-client", "eni-web", "eni-node", "eni-nat-a"}
    assert [record.status for record in lost] == ["SKIPDATA"] * 4


def test_names_of_addresses() -> None:
    assert name_of(VPC, "10.0.10.77") == "nobody"
    assert name_of(VPC, "198.51.100.10") == "internet"
