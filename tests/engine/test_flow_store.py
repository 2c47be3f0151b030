"""The flows on disk: a ring, lines that wait, stale clients; none of it grows without bound."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.test_flow_format import RECORD
from tests.core.test_stale_names import Replaced
from tsubo.core.stale_names import stale_connections
from tsubo.engine import flow_store
from tsubo.engine.flow_store import Delivery, FlowStore, read_stale, store_path


def test_records_come_back_in_order_and_by_action(tmp_path: Path) -> None:
    rejected = replace(RECORD, action="REJECT", reason="deny-in")
    with closing(FlowStore(tmp_path)) as store:
        store.append([RECORD, rejected, RECORD, rejected])
        assert [record for _, record in store.records_after(0, 10)] == [RECORD, rejected, RECORD, rejected]
        assert [number for number, _ in store.records_after(2, 10)] == [3, 4]
        assert store.records_after(0, 10, "REJECT") == [(2, rejected), (4, rejected)]
        assert store.number_before_last(1) == 3
        assert store.number_before_last(2, "REJECT") == 1
        assert store.number_before_last(9) == 0


def test_an_empty_ring_begins_at_nothing(tmp_path: Path) -> None:
    with closing(FlowStore(tmp_path)) as store:
        assert store.number_before_last(10) == 0
        assert store.records_after(0, 10) == []


def test_the_oldest_give_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_store, "RING_RECORDS", 3)
    monkeypatch.setattr(flow_store, "MOST_DELIVERIES", 2)
    with closing(FlowStore(tmp_path)) as store:
        for number in range(5):
            store.append([replace(RECORD, packets=number)], [Delivery("fl-1", "eni-1", number, "")])
        assert [record.packets for _, record in store.records_after(0, 10)] == [2, 3, 4]
        assert [delivery.time_ms for _, delivery in store.deliveries(10)] == [3, 4]


def test_what_was_delivered_is_taken_out(tmp_path: Path) -> None:
    lines = [Delivery("fl-1", "eni-1", number, f"line {number}") for number in range(3)]
    with closing(FlowStore(tmp_path)) as store:
        store.append([], lines)
        rows = store.deliveries(2)
        assert [delivery for _, delivery in rows] == lines[:2]
        store.delivered(number for number, _ in rows)
        assert [delivery for _, delivery in store.deliveries(10)] == lines[2:]


def test_stale_clients_are_kept_once_each_the_latest_last(tmp_path: Path) -> None:
    replaced = Replaced()
    [first] = stale_connections(replaced.vpc, [replaced.attempt(1.0)])
    other = replace(first, port=81, last_at=first.last_at + 5.0)
    later = replace(first, connections=2, last_at=first.last_at + 9.0)
    assert read_stale(tmp_path) == []
    with closing(FlowStore(tmp_path)) as store:
        store.keep_stale([first, other])
        store.keep_stale([later])
    assert read_stale(tmp_path) == [other, later]


def test_a_file_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    store_path(tmp_path).parent.mkdir()
    store_path(tmp_path).write_bytes(b"no database at all" * 100)
    with closing(FlowStore(tmp_path)) as store:
        store.append([RECORD])
        assert store.number_before_last(1) == 0
        assert len(store.records_after(0, 10)) == 1
