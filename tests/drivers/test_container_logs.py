"""Container output: each line once, in order, also after a failed delivery, a rotation or a restart."""

import json
from collections.abc import Container, Iterator
from pathlib import Path

import pytest

from tsubo.drivers import container_logs
from tsubo.drivers.container_logs import LogLine, LogShipper
from tsubo.drivers.docker import LOG_GROUP_LABEL, LOG_STREAM_LABEL, REGION_LABEL, TASK_LABEL

LABELS = {TASK_LABEL: "task-1", LOG_GROUP_LABEL: "/ecs/web", LOG_STREAM_LABEL: "ecs/web/task-1", REGION_LABEL: "r"}


def entry(text: str, stamp: str = "2026-01-02T03:04:05.000000001Z") -> bytes:
    """Return what the engine writes for a piece of output."""
    return json.dumps({"log": text, "stream": "stdout", "time": stamp}).encode() + b"\n"


class World:
    """An engine with one container, its log file, and a destination that may fail."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "container-json.log"
        self.positions = directory / "positions.json"
        self.delivered: list[LogLine] = []
        self.failure: Exception | None = None
        self.shipper = self.new_shipper()

    def containers_with_logs(self, known: Container[str]) -> Iterator[tuple[str, dict[str, str]]]:
        if "container-1" not in known:
            yield "container-1", LABELS

    def log_path(self, container_id: str) -> Path | None:
        return self.file if self.file.exists() else None

    def new_shipper(self) -> LogShipper:
        return LogShipper(self, self.positions, self.deliver)  # type: ignore[arg-type]

    def deliver(self, region: str, group: str, stream: str, lines: list[LogLine]) -> None:
        assert (region, group, stream) == ("r", "/ecs/web", "ecs/web/task-1")
        if self.failure is not None:
            raise self.failure
        self.delivered += lines

    def write(self, *texts: str) -> None:
        with self.file.open("ab") as file:
            for text in texts:
                file.write(entry(text))

    def ship(self) -> list[str]:
        """Let the shipper do its rounds and return all messages so far."""
        self.shipper.follow_all()
        while self.shipper.ship():
            pass
        return [line.message for line in self.delivered]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_lines_arrive_once_and_in_order(world: World) -> None:
    world.write("one\n", "two\n")
    assert world.ship() == ["one", "two"]
    world.write("three\n")
    assert world.ship() == ["one", "two", "three"]


def test_a_container_that_has_not_started_is_taken_up_later(world: World) -> None:
    assert world.ship() == []
    world.write("one\n")
    assert world.ship() == ["one"]


def test_the_time_of_a_line_is_the_engines(world: World) -> None:
    world.file.write_bytes(entry("hello\n", "1970-01-01T00:00:01.25Z"))
    world.ship()
    assert world.delivered == [LogLine(1250, "hello")]


def test_a_long_line_in_pieces_is_one_line(world: World) -> None:
    world.write("a" * 16_384, "b" * 16_384)
    assert world.ship() == []
    world.write("c\n")
    assert world.ship() == ["a" * 16_384 + "b" * 16_384 + "c"]


def test_a_line_longer_than_what_is_read_at_once_still_arrives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_logs, "READ_BYTES", 1_000)
    world.write(*["x" * 300] * 20, "\n", "after\n")
    assert "".join(world.ship()) == "x" * 6_000 + "after"


def test_half_an_entry_waits_for_its_other_half(world: World) -> None:
    whole = entry("one\n")
    world.file.write_bytes(whole[:20])
    assert world.ship() == []
    with world.file.open("ab") as file:
        file.write(whole[20:])
    assert world.ship() == ["one"]


def test_a_failed_delivery_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_logs, "RETRY_SECONDS", 0.0)
    world.write("one\n")
    world.failure = ConnectionError()
    assert world.ship() == []
    world.failure = None
    assert world.ship() == ["one"]


def test_lines_whose_group_is_gone_hold_nothing_up(world: World) -> None:
    world.write("one\n")
    world.failure = LookupError()
    assert world.ship() == []
    world.failure = None
    world.write("two\n")
    assert world.ship() == ["two"]


def test_a_restarted_shipper_goes_on_where_it_was(world: World) -> None:
    world.write("one\n", "two\n")
    world.ship()
    world.shipper = world.new_shipper()
    world.write("three\n")
    assert world.ship() == ["one", "two", "three"]


def test_a_rotated_file_is_read_to_its_end_first(world: World) -> None:
    world.write("one\n")
    world.ship()
    world.write("two\n")
    world.file.rename(world.file.with_name(f"{world.file.name}.1"))
    world.write("three\n")
    assert world.ship() == ["one", "two", "three"]


def test_a_rotation_while_nobody_reads_loses_nothing(world: World) -> None:
    world.write("one\n")
    world.ship()
    world.shipper = world.new_shipper()
    world.write("two\n")
    world.file.rename(world.file.with_name(f"{world.file.name}.1"))
    world.write("three\n")
    assert world.ship() == ["one", "two", "three"]


def test_what_a_stopped_task_still_wrote_is_delivered_before_it_is_forgotten(world: World) -> None:
    world.write("one\n")
    world.ship()
    world.write("last words\n")
    world.shipper.finish("task-1")
    assert [line.message for line in world.delivered] == ["one", "last words"]
    assert json.loads(world.positions.read_text()) == {}


def test_what_is_no_entry_is_passed_over(world: World) -> None:
    world.file.write_bytes(b"garbage\n" + entry("one\n"))
    assert world.ship() == ["one"]
