"""Container output: each line once, in order, also after a failed delivery or a restart."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tsubo.drivers.container_logs import LogLine, LogShipper
from tsubo.drivers.docker import LOG_GROUP_LABEL, LOG_STREAM_LABEL, REGION_LABEL, TASK_LABEL

LABELS = {TASK_LABEL: "task-1", LOG_GROUP_LABEL: "/ecs/web", LOG_STREAM_LABEL: "ecs/web/task-1", REGION_LABEL: "r"}
OUTPUT = b"".join(b"2026-01-02T03:04:0%d.000000001Z line %d\n" % (number, number) for number in range(6))


class FakeEngine:
    """An engine with one container whose output comes in awkward pieces."""

    def __init__(self, output: bytes) -> None:
        self.client = self
        self._output = output

    def containers_with_logs(self) -> Iterator[tuple[str, dict[str, str]]]:
        yield "container-1", LABELS

    def logs(self, container_id: str, **_: Any) -> Iterator[bytes]:
        for start in range(0, len(self._output), 7):
            yield self._output[start : start + 7]


def shipped(path: Path, output: bytes, failures: int = 0) -> list[str]:
    """Follow the output to its end and return the delivered messages."""
    messages: list[str] = []
    left = [failures]
    lock = threading.Lock()

    def deliver(region: str, group: str, stream: str, lines: list[LogLine]) -> None:
        assert (region, group, stream) == ("r", "/ecs/web", "ecs/web/task-1")
        with lock:
            if left[0]:
                left[0] -= 1
                raise ConnectionError
            messages.extend(line.message for line in lines)

    shipper = LogShipper(FakeEngine(output), path, deliver)  # type: ignore[arg-type]
    shipper.follow_all()
    threads = list(shipper._followers.values())
    for thread in threads:
        thread.join(10)
    return messages


def test_lines_arrive_once_and_in_order(tmp_path: Path) -> None:
    assert shipped(tmp_path / "positions.json", OUTPUT) == [f"line {number}" for number in range(6)]


def test_a_failed_delivery_is_tried_again(tmp_path: Path) -> None:
    assert shipped(tmp_path / "positions.json", OUTPUT, failures=1) == [f"line {number}" for number in range(6)]


def test_a_restarted_shipper_goes_on_where_it_was(tmp_path: Path) -> None:
    lines = OUTPUT.splitlines(keepends=True)
    assert shipped(tmp_path / "positions.json", b"".join(lines[:4])) == [f"line {number}" for number in range(4)]
    assert shipped(tmp_path / "positions.json", OUTPUT) == ["line 4", "line 5"]


def test_what_is_no_line_is_passed_over(tmp_path: Path) -> None:
    assert shipped(tmp_path / "positions.json", b"garbage\n" + OUTPUT[:40]) == ["line 0"]


def test_the_time_of_a_line_is_the_engines(tmp_path: Path) -> None:
    times: list[int] = []

    def deliver(region: str, group: str, stream: str, lines: list[LogLine]) -> None:
        times.extend(line.time_ms for line in lines)

    output = b"1970-01-01T00:00:01.250000000Z hello\n"
    shipper = LogShipper(FakeEngine(output), tmp_path / "positions.json", deliver)  # type: ignore[arg-type]
    shipper.follow_all()
    shipper.finish("task-1")
    assert times == [1250]
