"""Which loopback address and port publishes what."""

from dataclasses import replace

from tests.core import alb_world as sample
from tsubo.core.relay import relay_table
from tsubo.model.proxy import RelayEntry

WORLD = sample.empty_world().with_records(
    sample.node(1, "10.0.1.20", "203.0.113.7"), sample.node(2, "10.0.2.20", "203.0.113.9"),
    sample.listener(443, "HTTPS"), sample.listener(80, "HTTP"),
)  # fmt: skip


def test_each_listener_is_published_for_each_node_at_the_address_of_its_public_one() -> None:
    table = relay_table(WORLD)
    assert table.namespace == "tsubo-0badcafe-internet"
    seventh, ninth = WORLD.engine.loopback(7), WORLD.engine.loopback(9)
    assert table.entries == (
        RelayEntry(sample.ARN, "203.0.113.7", 80, seventh),
        RelayEntry(sample.ARN, "203.0.113.7", 443, seventh),
        RelayEntry(sample.ARN, "203.0.113.9", 80, ninth),
        RelayEntry(sample.ARN, "203.0.113.9", 443, ninth),
    )


def test_another_load_balancer_moves_nothing() -> None:
    other = sample.ARN.replace("web/50", "api/60")
    node = replace(sample.node(3, "10.0.1.21", "203.0.113.5"), owner_id=other)
    listener = replace(sample.listener(80, "HTTP"), arn=f"{other}/listener", load_balancer_arn=other)
    entries = relay_table(WORLD.with_records(node, listener)).entries
    assert [e for e in entries if e.load_balancer_arn == sample.ARN] == list(relay_table(WORLD).entries)
    assert [e.public_address for e in entries if e.load_balancer_arn == other] == ["203.0.113.5"]


def test_internal_load_balancers_and_other_interfaces_are_not_published() -> None:
    internal = WORLD.with_records(sample.node(1, "10.0.1.20"), sample.node(2, "10.0.2.20"))
    task = replace(sample.node(3, "10.0.1.30", "203.0.113.30"), owner="task")
    assert relay_table(internal.with_records(task)).entries == ()
