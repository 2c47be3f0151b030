"""The DNS table on disk, and looking a name up in it without a controller or a resolver (`tsubo dig`, `tsubo curl`).

The controller writes the table with `encode_table` and `replace_file`; the resolver process and `lookup` read it.
"""

import random
from pathlib import Path

import msgspec

from tsubo.core.dns_answer import answer
from tsubo.model.nameserver import Answer, DnsTable


class TableError(Exception):
    """There is no DNS table to read, or what is there is not one."""


class UnknownView(LookupError):
    """The table has no such view: no such VPC, or one without DNS support."""


def table_path(home: Path) -> Path:
    """Return where an engine's DNS table stands."""
    return home / "resolver" / "table.json"


def encode_table(table: DnsTable) -> bytes:
    """Return the table as it stands on disk."""
    return msgspec.json.encode(table)


def read_table(home: Path) -> DnsTable:
    """Read an engine's DNS table; raise TableError where that is not possible."""
    path = table_path(home)
    try:
        return msgspec.json.decode(path.read_bytes(), type=DnsTable)
    except (OSError, msgspec.DecodeError) as error:
        raise TableError(f"{path}: {error}") from error


def lookup(home: Path, view: str, name: str, type: str) -> Answer:
    """Answer a question as the resolver of a view (a VPC's id, or `internet`) would, from the table on disk.

    Raise TableError where there is no table, and UnknownView where nothing resolves names in that view.
    """
    found = read_table(home).view(view)
    if found is None:
        raise UnknownView(f"nothing resolves names in {view}: no such VPC, or its DNS support is off")
    return answer(found, name, type.upper(), random.randrange)
