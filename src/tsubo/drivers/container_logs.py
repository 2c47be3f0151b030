"""Container output on its way to a log group: read from the container engine's own log files, delivered in batches.

One thread reads all files; a position (file and offset) is remembered for each container and moves on only when lines
were delivered, so what is written while nobody reads, or while the destination fails, arrives later. The files are read
directly because following through the engine's API sometimes ends or stands still without a word.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from tsubo.drivers.docker import LOG_GROUP_LABEL, LOG_STREAM_LABEL, REGION_LABEL, TASK_LABEL, ContainerEngine
from tsubo.drivers.reload import replace_file

log = logging.getLogger("tsubo.container_logs")

POLL_SECONDS = 0.1
LOOK_FOR_CONTAINERS_SECONDS = 1.0
READ_BYTES = 512 * 1024
"""What is read of one file at a time: below what one PutLogEvents takes."""
RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class LogLine:
    """One line and when it was written (milliseconds since the epoch)."""

    time_ms: int
    message: str


@dataclass(frozen=True)
class Position:
    """How far a container's output has been delivered: an offset in the file with this inode."""

    inode: int
    offset: int


Deliver = Callable[[str, str, str, list[LogLine]], None]
"""Puts lines into (region, group, stream). Raises LookupError if those are gone, anything else to be asked again."""


class ContainerLog:
    """The log file of one container, of which the engine keeps one rotated predecessor (`.1`)."""

    def __init__(self, path: Path, position: Position | None) -> None:
        self._path = path
        self._predecessor = path.with_name(f"{path.name}.1")
        self._position = position
        self._file: BinaryIO | None = None

    def read(self) -> tuple[list[LogLine], Position | None]:
        """Return the next whole lines after the position, and the position after them. Does not move on."""
        file = self._file = self._file or self._first_file()
        if file is None:
            return [], self._position
        lines, position = _read(file, self._position)
        if position == self._position and _inode(file) != _inode_of(self._path):
            # This file is at its end and another has taken its place.
            file.close()
            self._file = self._open(self._path)
            return ([], self._position) if self._file is None else _read(self._file, None)
        return lines, position

    def move_on(self, position: Position) -> None:
        """Take over a position that `read` gave."""
        self._position = position

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _first_file(self) -> BinaryIO | None:
        """Open the file to begin with: the predecessor where the position is in it, or nothing was read before."""
        predecessor = self._open(self._predecessor)
        if predecessor is not None:
            if self._position is None or self._position.inode == _inode(predecessor):
                return predecessor
            predecessor.close()
        return self._open(self._path)

    @staticmethod
    def _open(path: Path) -> BinaryIO | None:
        try:
            return path.open("rb")
        except FileNotFoundError:
            return None


@dataclass
class _Followed:
    task_id: str
    destination: tuple[str, str, str]
    log: ContainerLog
    retry_at: float = 0.0


class LogShipper:
    """Reads the output of every container that has a log group, and delivers it in order."""

    def __init__(self, engine: ContainerEngine, positions_path: Path, deliver: Deliver) -> None:
        self._engine = engine
        self._deliver = deliver
        self._positions_path = positions_path
        self._positions = _read_positions(positions_path)
        self._followed: dict[str, _Followed] = {}
        self._lock = threading.RLock()

    def start(self) -> None:
        """Read and deliver in a thread, for ever."""
        threading.Thread(target=self._run, name="container-logs", daemon=True).start()

    def follow_all(self) -> None:
        """Take up every container that has a log group and a log file and is not followed yet."""
        with self._lock:
            for container_id, labels in self._engine.containers_with_logs(self._followed.keys()):
                path = self._engine.log_path(container_id)
                if path is not None:
                    self._followed[container_id] = _Followed(
                        labels[TASK_LABEL],
                        (labels[REGION_LABEL], labels[LOG_GROUP_LABEL], labels[LOG_STREAM_LABEL]),
                        ContainerLog(path, self._positions.get(container_id)),
                    )

    def ship(self) -> bool:
        """Deliver what has been written since the last time. Return whether anything was."""
        with self._lock:
            moved = [self._ship_one(container_id, entry) for container_id, entry in list(self._followed.items())]
            if any(moved):
                self._write_positions()
            return any(moved)

    def finish(self, task_id: str) -> None:
        """Deliver the rest of a stopped task's output, then forget its containers."""
        with self._lock:
            self.follow_all()
            own = {key: entry for key, entry in self._followed.items() if entry.task_id == task_id}
            for container_id, entry in own.items():
                while self._ship_one(container_id, entry):
                    pass
                entry.log.close()
                self._followed.pop(container_id)
                self._positions.pop(container_id, None)
            self._write_positions()

    def _run(self) -> None:
        looked_at = 0.0
        while True:
            try:
                if time.monotonic() - looked_at > LOOK_FOR_CONTAINERS_SECONDS:
                    self.follow_all()
                    looked_at = time.monotonic()
                busy = self.ship()
            except Exception:
                log.exception("reading container output failed and will be tried again")
                busy = False
            time.sleep(0.0 if busy else POLL_SECONDS)

    def _ship_one(self, container_id: str, entry: _Followed) -> bool:
        if time.monotonic() < entry.retry_at:
            return False
        lines, position = entry.log.read()
        if position is None or position == self._positions.get(container_id):
            return False
        try:
            if lines:
                self._deliver(*entry.destination, lines)
        except LookupError:
            log.warning("%s of task %s is gone; its output has no destination", entry.destination, entry.task_id)
        except Exception as error:
            log.warning("output of task %s could not be delivered: %s", entry.task_id, error)
            entry.retry_at = time.monotonic() + RETRY_SECONDS
            return False
        entry.log.move_on(position)
        self._positions[container_id] = position
        return bool(lines)

    def _write_positions(self) -> None:
        content = {key: [position.inode, position.offset] for key, position in self._positions.items()}
        replace_file(self._positions_path, json.dumps(content).encode())


def _read_positions(path: Path) -> dict[str, Position]:
    try:
        content: Mapping[str, list[int]] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return {key: Position(*numbers) for key, numbers in content.items()}


def _read(file: BinaryIO, position: Position | None) -> tuple[list[LogLine], Position]:
    """Return the whole lines of a file after a position (from its beginning if that is another file's)."""
    inode = _inode(file)
    offset = position.offset if position is not None and position.inode == inode else 0
    file.seek(offset)
    lines, used = _parse(file.read(READ_BYTES))
    return lines, Position(inode, offset + used)


def _inode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino


def _inode_of(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _parse(content: bytes) -> tuple[list[LogLine], int]:
    """Return the whole lines of output in a piece of a log file, and how many bytes they take.

    The engine writes a JSON object a line; output lines beyond 16 KiB are split over several, of which only the last
    ends in a line feed.
    """
    lines, used, begun, begun_at = [], 0, "", ""
    position = 0
    for raw in content.splitlines(keepends=True):
        position += len(raw)
        if not raw.endswith(b"\n"):
            break
        try:
            entry = json.loads(raw)
            text, moment = str(entry["log"]), str(entry["time"])
        except (ValueError, KeyError):
            used = position
            continue
        begun, begun_at = begun + text, begun_at or moment
        if begun.endswith("\n"):
            lines.append(LogLine(_milliseconds(begun_at), begun.rstrip("\r\n")))
            used, begun, begun_at = position, "", ""
    if not used and len(content) == READ_BYTES:
        # One line that is longer than what is read at a time is delivered in pieces.
        lines.append(LogLine(_milliseconds(begun_at), begun))
        used = content.rfind(b"\n") + 1 or len(content)
    return lines, used


def _milliseconds(stamp: str) -> int:
    """Return an engine's time text as milliseconds since the epoch; now, if it is none."""
    try:
        moment = datetime.fromisoformat(f"{stamp[:19]}.{stamp[20:26].rstrip('Z'):0<6}+00:00")
    except ValueError:
        return int(time.time() * 1000)
    return int(moment.timestamp() * 1000)
