"""Container output on its way to a log group: one follower per container, batches of lines, a remembered position.

What is written while nobody follows stays with the container engine and is read later, from the position on.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tsubo.drivers.docker import LOG_GROUP_LABEL, LOG_STREAM_LABEL, REGION_LABEL, TASK_LABEL, ContainerEngine
from tsubo.drivers.reload import replace_file

BATCH_SECONDS = 0.2
BATCH_LINES = 5_000
"""PutLogEvents takes 10,000 events at most."""
RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class LogLine:
    """One line and when it was written (milliseconds since the epoch); `stamp` is the engine's own time text."""

    time_ms: int
    message: str
    stamp: str


Deliver = Callable[[str, str, str, list[LogLine]], None]
"""Puts lines into (region, group, stream). Raises what it likes; the lines are tried again."""


class LogShipper:
    """Follows containers and delivers their lines in order, each once as far as `deliver` tells the truth."""

    def __init__(self, engine: ContainerEngine, positions_path: Path, deliver: Deliver) -> None:
        self._engine = engine
        self._deliver = deliver
        self._positions_path = positions_path
        self._lock = threading.Lock()
        self._followers: dict[str, threading.Thread] = {}
        self._tasks: dict[str, set[str]] = {}
        self._positions: dict[str, str] = _read_positions(positions_path)

    def follow_all(self) -> None:
        """Follow every container that has a log group and is not followed yet."""
        for container_id, labels in self._engine.containers_with_logs():
            with self._lock:
                if container_id in self._followers:
                    continue
                thread = threading.Thread(target=self._follow, args=(container_id, dict(labels)), daemon=True)
                self._followers[container_id] = thread
                self._tasks.setdefault(labels[TASK_LABEL], set()).add(container_id)
            thread.start()

    def finish(self, task_id: str, patience_seconds: float = 5.0) -> None:
        """Wait until the output of a stopped task has been delivered, then forget its containers."""
        deadline = time.monotonic() + patience_seconds
        with self._lock:
            container_ids = self._tasks.pop(task_id, set())
            threads = [self._followers[container_id] for container_id in container_ids]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            for container_id in container_ids:
                self._followers.pop(container_id, None)
                self._positions.pop(container_id, None)
            self._write_positions()

    def _follow(self, container_id: str, labels: Mapping[str, str]) -> None:
        destination = (labels[REGION_LABEL], labels[LOG_GROUP_LABEL], labels[LOG_STREAM_LABEL])
        lines: list[LogLine] = []
        lock = threading.Lock()
        ended = threading.Event()

        def read() -> None:
            try:
                for line in self._lines(container_id):
                    with lock:
                        lines.append(line)
            finally:
                ended.set()

        threading.Thread(target=read, daemon=True).start()
        while True:
            finished = ended.wait(BATCH_SECONDS)
            with lock:
                batch = lines[:BATCH_LINES]
            if batch:
                self._deliver_until_taken(container_id, destination, batch)
                with lock:
                    del lines[: len(batch)]
            elif finished:
                return

    def _deliver_until_taken(self, container_id: str, destination: tuple[str, str, str], batch: list[LogLine]) -> None:
        while True:
            try:
                self._deliver(*destination, batch)
                break
            except LookupError:
                # The group or stream is gone: these lines have no destination any more.
                break
            except Exception:
                time.sleep(RETRY_SECONDS)
        with self._lock:
            self._positions[container_id] = batch[-1].stamp
            self._write_positions()

    def _lines(self, container_id: str) -> Iterator[LogLine]:
        last = self._positions.get(container_id, "")
        since = _since(last) if last else None
        chunks = self._engine.client.logs(container_id, stream=True, follow=True, timestamps=True, since=since)
        rest = b""
        for chunk in chunks:
            rest += chunk
            *whole, rest = rest.split(b"\n")
            for raw in whole:
                line = _parse(raw)
                if line is not None and line.stamp > last:
                    yield line

    def _write_positions(self) -> None:
        replace_file(self._positions_path, json.dumps(self._positions).encode())


def _read_positions(path: Path) -> dict[str, str]:
    try:
        positions: dict[str, str] = json.loads(path.read_text())
        return positions
    except (OSError, ValueError):
        return {}


def _since(stamp: str) -> int:
    """Return the whole second of a stamp: the engine filters by it, and the lines before the stamp are passed over."""
    return int(datetime.fromisoformat(stamp[:19] + "+00:00").timestamp())


def _parse(raw: bytes) -> LogLine | None:
    stamp, _, message = raw.partition(b" ")
    text = stamp.decode("ascii", "replace")
    try:
        moment = datetime.fromisoformat(f"{text[:19]}.{text[20:26]:0<6}+00:00")
    except ValueError:
        return None
    return LogLine(int(moment.timestamp() * 1000), message.decode("utf-8", "replace").rstrip("\r"), text)
