"""The store: every record on disk, and the world they make up in memory.

Goes in: records to write and to delete, by one writer at a time. Comes out: the latest committed `World`, which any
thread reads without a lock. A commit is on disk before it returns (design rule 5): one SQLite file, write-ahead
log, synchronous FULL. What is stored are resulting records, never requests; what a commit costs depends on the
records it writes and on the number of their kind only.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tsubo.model.identity import EngineIdentity
from tsubo.model.world import KIND_NAMES, Record, World

APPLICATION_ID = 0x5473_7562
"""Stands in the file's header, so that `file` and we can tell a store from another database."""
FORMAT_VERSION = 1
USER_VERSION_OFFSET = 60
APPLICATION_ID_OFFSET = 68
HEADER_LENGTH = 100

SCHEMA = "CREATE TABLE IF NOT EXISTS records (kind TEXT, key TEXT, record BLOB, PRIMARY KEY (kind, key)) WITHOUT ROWID"
WRITE = "INSERT OR REPLACE INTO records (kind, key, record) VALUES (?, ?, ?)"
DELETE = "DELETE FROM records WHERE kind = ? AND key = ?"

DECODERS: dict[str, msgspec.json.Decoder[Any]] = {name: msgspec.json.Decoder(kind) for kind, name in KIND_NAMES.items()}


class StoreError(Exception):
    """The store's file cannot be used; it was left as it is."""


class Transaction:
    """What the holder of the writer lock sees and wants; `Store.transaction` commits it."""

    def __init__(self, world: World) -> None:
        self._before = world
        self._touched: dict[tuple[str, str], None] = {}
        self.world = world
        """The committed world with this transaction's own changes."""

    def put(self, *records: Record) -> None:
        """Write records, new or in place of those with their keys."""
        self.world = self.world.with_records(*records)
        self._touch(records)

    def delete(self, *records: Record) -> None:
        """Delete records; one that does not stand is no error."""
        self.world = self.world.without(*records)
        self._touch(records)

    def adopt(self, world: World, touched: Iterable[Record]) -> None:
        """Take over a world made from this transaction's by writing and deleting the records in `touched`."""
        self.world = world
        self._touch(touched)

    def _touch(self, records: Iterable[Record]) -> None:
        for record in records:
            self._touched[KIND_NAMES[type(record)], record.key] = None

    def changes(self) -> tuple[list[tuple[str, str, Record]], list[tuple[str, str]]]:
        """Return what differs from the committed world: records to write by kind and key, and what to delete."""
        written, deleted = [], []
        for kind, key in self._touched:
            before, after = getattr(self._before, kind).get(key), getattr(self.world, kind).get(key)
            if after is None and before is not None:
                deleted.append((kind, key))
            elif after is not None and after != before:
                written.append((kind, key, after))
        return written, deleted


class Store:
    """The records of one engine."""

    def __init__(self, path: Path, engine: EngineIdentity) -> None:
        """Open the file, or make it (mode 0600), and load all records.

        Raises StoreError if the file is not a store, is of another format, does not decode or is open elsewhere.
        """
        check_format(path)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        self._writer = threading.Lock()
        self._subscribers: list[Callable[[], None]] = []
        try:
            self._database = open_database(path)
            self._world = load_world(self._database, path, engine)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from error
        self._version = 0

    @property
    def world(self) -> World:
        """The latest committed world."""
        return self._world

    @property
    def version(self) -> int:
        """How many commits changed the world since the store was opened."""
        return self._version

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Have a function called, in the committing thread, after each commit that changed anything."""
        self._subscribers.append(callback)

    def commit(self, written: Iterable[Record], deleted: Iterable[Record] = ()) -> World:
        """Write records, then delete records, and return the world once both are on disk."""
        with self.transaction() as transaction:
            transaction.put(*written)
            transaction.delete(*deleted)
        return transaction.world

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Hold the writer lock; commit at the end, or nothing if an exception is raised. Transactions do not nest."""
        with self._writer:
            transaction = Transaction(self._world)
            yield transaction
            changed = self._save(transaction)
        if changed:
            for callback in self._subscribers:
                callback()

    def _save(self, transaction: Transaction) -> bool:
        """Bring a transaction to disk, then publish its world. Return whether it changed anything."""
        written, deleted = transaction.changes()
        if not written and not deleted:
            return False
        encode = msgspec.json.encode
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(WRITE, [(kind, key, encode(record)) for kind, key, record in written])
            self._database.executemany(DELETE, deleted)
        self._world = transaction.world
        self._version += 1
        return True

    def close(self) -> None:
        """Close the file. The store takes no commits afterwards; its last world stays readable."""
        with self._writer:
            self._database.close()


def check_format(path: Path) -> None:
    """Raise StoreError for a file that is not a store of this format, by its header alone: nothing is opened."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_LENGTH)
    except FileNotFoundError:
        return
    if not header:
        return
    application = int.from_bytes(header[APPLICATION_ID_OFFSET : APPLICATION_ID_OFFSET + 4], "big")
    if not header.startswith(b"SQLite format 3\0") or application != APPLICATION_ID:
        raise StoreError(f"{path} is not a Tsubo store")
    version = int.from_bytes(header[USER_VERSION_OFFSET : USER_VERSION_OFFSET + 4], "big")
    if version != FORMAT_VERSION:
        raise StoreError(
            f"{path} has store format {version}, and this Tsubo reads format {FORMAT_VERSION}: "
            "use the Tsubo that wrote it, or another state directory"
        )


def open_database(path: Path) -> sqlite3.Connection:
    """Return a connection of which each commit is durable, and which no second process can have."""
    database = sqlite3.connect(path, timeout=0.5, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    with database:
        # Before the write-ahead log, so that the marks stand in the file's own header from the first moment on.
        database.execute("BEGIN EXCLUSIVE")
        database.execute(SCHEMA)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    return database


def load_world(database: sqlite3.Connection, path: Path, engine: EngineIdentity) -> World:
    """Return the world of all records in the file."""
    records: dict[str, dict[str, Any]] = {name: {} for name in KIND_NAMES.values()}
    for kind, key, content in database.execute("SELECT kind, key, record FROM records"):
        if kind not in DECODERS:
            raise StoreError(f"{path}: unknown kind of record {kind!r}")
        try:
            records[kind][key] = DECODERS[kind].decode(content)
        except msgspec.MsgspecError as error:
            raise StoreError(f"{path}: the record {key} of {kind} cannot be read: {error}") from error
    return World(engine=engine, **records)
