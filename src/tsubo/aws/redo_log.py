"""The redo log of the breadth: each call that changed moto's state, on disk before it is answered.

A file (mode 0600) of records, each a length, a checksum and an encoded `Entry`. What a crash left half written at the
end was never answered, and is cut off at the next opening. Log events and metrics are many and no later call depends
on them: of these the newest are kept, within BULK_BYTES; older ones are dropped at an opening.
"""

import os
import struct
import zlib
from pathlib import Path

import msgspec

RECORD_HEADER = struct.Struct(">II")
BULK_BYTES = 64 * 1024 * 1024


class Entry(msgspec.Struct, frozen=True):
    """One call: what was sent, when, and the seed from which moto drew its identifiers."""

    seed: int
    time: float
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    place: str
    """Service and region."""
    bulk: bool = False
    """Whether the call only adds data that may be dropped when it is old."""


class RedoLogError(Exception):
    """The log is damaged in the middle; it was left as it is."""


class RedoLog:
    """An open log: `entries` as they were at opening, and `append`."""

    def __init__(self, path: Path) -> None:
        """Open the log or make it. Raises RedoLogError for a log that is damaged before its end."""
        content = path.read_bytes() if path.exists() else b""
        records, valid = read_records(content, path)
        kept = newest_within(records, BULK_BYTES)
        if len(kept) < len(records):
            replace(path, b"".join(framed(payload) for payload, _ in kept))
        elif valid < len(content):
            os.truncate(path, valid)
        self.entries = [entry for _, entry in kept]
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def append(self, entry: Entry) -> None:
        """Write an entry and wait until it is on disk."""
        record = framed(msgspec.msgpack.encode(entry))
        while record:
            record = record[os.write(self._file, record) :]
        os.fdatasync(self._file)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def framed(payload: bytes) -> bytes:
    """Return a record: length, checksum, payload."""
    return RECORD_HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def read_records(content: bytes, path: Path) -> tuple[list[tuple[bytes, Entry]], int]:
    """Return the records of a log with their payloads, and up to which offset it is whole."""
    records, offset = [], 0
    while len(content) - offset >= RECORD_HEADER.size:
        length, checksum = RECORD_HEADER.unpack_from(content, offset)
        payload = content[offset + RECORD_HEADER.size : offset + RECORD_HEADER.size + length]
        if len(payload) < length or zlib.crc32(payload) != checksum or not length:
            break
        records.append((payload, msgspec.msgpack.decode(payload, type=Entry)))
        offset += RECORD_HEADER.size + length
    rest = content[offset:]
    if rest and not is_torn(rest):
        raise RedoLogError(f"{path} is damaged at byte {offset}")
    return records, offset


def is_torn(rest: bytes) -> bool:
    """Return whether an unreadable end is that of an interrupted write: one record cut short, or space never filled."""
    if len(rest) < RECORD_HEADER.size or not rest.strip(b"\0"):
        return True
    length: int = RECORD_HEADER.unpack_from(rest)[0]
    return len(rest) <= RECORD_HEADER.size + length


def newest_within(records: list[tuple[bytes, Entry]], limit: int) -> list[tuple[bytes, Entry]]:
    """Return the records without the oldest bulk ones, of which `limit` bytes are kept."""
    kept, total = [], 0
    for payload, entry in reversed(records):
        total += len(payload) if entry.bulk else 0
        if not entry.bulk or total <= limit:
            kept.append((payload, entry))
    return kept[::-1]


def replace(path: Path, content: bytes) -> None:
    """Put a new log in place of the old one, whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
