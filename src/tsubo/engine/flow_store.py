"""What the flows process keeps on disk, in HOME/flows/flows.sqlite: a ring of records, lines to deliver, stale clients.

The flows process writes, the controller reads (and takes out what it has delivered). It is a trace, not the truth: a
crash may cost the last moment of it, and the oldest gives way to the newest.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tsubo.core.stale_names import MOST_KNOWN, stale_key
from tsubo.model.flows import Action, FlowRecord, StaleConnection

RING_RECORDS = 50_000
MOST_DELIVERIES = 100_000
"""Lines that wait to be delivered while nobody does."""
BUSY_SECONDS = 2.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (id INTEGER PRIMARY KEY AUTOINCREMENT, action TEXT, record BLOB);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, flow_log_id TEXT, interface_id TEXT, time_ms INTEGER, line TEXT);
CREATE TABLE IF NOT EXISTS stale (key TEXT PRIMARY KEY, last_at REAL, connection BLOB);
"""


@dataclass(frozen=True)
class Delivery:
    """A line of a flow log on its way to CloudWatch Logs. The time is in milliseconds since the epoch."""

    flow_log_id: str
    interface_id: str
    time_ms: int
    line: str


def store_path(home: Path) -> Path:
    """Return where an engine's flows stand."""
    return home / "flows" / "flows.sqlite"


class FlowStore:
    """The file, opened by one thread. A file that cannot be read is made anew."""

    def __init__(self, home: Path) -> None:
        path = store_path(home)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            self._database = _open(path)
        except sqlite3.OperationalError:
            # Busy, or no room on the disk: nothing that a new file would mend.
            raise
        except sqlite3.DatabaseError:
            for file in path.parent.glob(f"{path.name}*"):
                file.unlink()
            self._database = _open(path)

    def append(self, records: Iterable[FlowRecord], deliveries: Iterable[Delivery] = ()) -> None:
        """Write records and lines to deliver; of each the oldest give way."""
        with self._database:
            self._database.executemany(
                "INSERT INTO records (action, record) VALUES (?, ?)",
                [(r.action, msgspec.json.encode(r)) for r in records],
            )
            self._database.executemany(
                "INSERT INTO deliveries (flow_log_id, interface_id, time_ms, line) VALUES (?, ?, ?, ?)",
                [(d.flow_log_id, d.interface_id, d.time_ms, d.line) for d in deliveries],
            )
            for table, most in (("records", RING_RECORDS), ("deliveries", MOST_DELIVERIES)):
                self._database.execute(f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?", (most,))

    def records_after(self, number: int, limit: int, action: Action | None = None) -> list[tuple[int, FlowRecord]]:
        """Return the next records after one's number, with theirs: all, or those of one action."""
        query = "SELECT id, record FROM records WHERE id > ? AND action = coalesce(?, action) ORDER BY id LIMIT ?"
        rows = self._database.execute(query, (number, action, limit))
        return [(row, msgspec.json.decode(content, type=FlowRecord)) for row, content in rows]

    def number_before_last(self, count: int, action: Action | None = None) -> int:
        """Return the number after which the last `count` records come: of all, or of one action."""
        query = "SELECT id FROM records WHERE action = coalesce(?, action) ORDER BY id DESC LIMIT ?"
        (first,) = self._database.execute(f"SELECT min(id) FROM ({query})", (action, count)).fetchone()
        return 0 if first is None else int(first) - 1

    def keep_stale(self, connections: Iterable[StaleConnection]) -> None:
        """Write what is known of stale clients."""
        rows = [(" ".join(stale_key(c)), c.last_at, msgspec.json.encode(c)) for c in connections]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO stale VALUES (?, ?, ?)", rows)
            self._database.execute(
                "DELETE FROM stale WHERE key NOT IN (SELECT key FROM stale ORDER BY last_at DESC LIMIT ?)",
                (MOST_KNOWN,),
            )

    def stale(self) -> list[StaleConnection]:
        """Return the stale clients that are known, the latest call last."""
        rows = self._database.execute("SELECT connection FROM stale ORDER BY last_at")
        return [msgspec.json.decode(content, type=StaleConnection) for (content,) in rows]

    def deliveries(self, limit: int) -> list[tuple[int, Delivery]]:
        """Return the oldest lines that wait, with their numbers."""
        rows = self._database.execute("SELECT * FROM deliveries ORDER BY id LIMIT ?", (limit,))
        return [(number, Delivery(*fields)) for number, *fields in rows]

    def delivered(self, numbers: Iterable[int]) -> None:
        """Take out lines that have been delivered, or have no destination any more."""
        with self._database:
            self._database.executemany("DELETE FROM deliveries WHERE id = ?", [(number,) for number in numbers])

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def read_stale(home: Path) -> list[StaleConnection]:
    """Return the stale clients that an engine knows of, the latest call last. For `why` and `status`."""
    if not store_path(home).exists():
        return []
    with closing(FlowStore(home)) as store:
        return store.stale()


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=BUSY_SECONDS)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")
    database.executescript(_SCHEMA)
    return database
