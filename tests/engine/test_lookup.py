"""Looking a name up in the table on disk."""

from pathlib import Path

import pytest

from tsubo.engine.lookup import TableError, UnknownView, encode_table, lookup, read_table, table_path
from tsubo.model.nameserver import DnsTable, RecordGroup, RecordPool, ResourceRecord, View, Zone

ZONE = Zone(
    "navi.local.",
    (RecordGroup("a.navi.local.", "A", (RecordPool(60, ("10.0.0.1",)),)),),
    ResourceRecord("navi.local.", "SOA", 900, "ns. host. 1 2 3 4 5"),
)
TABLE = DnsTable((View("vpc-1", "ns", ("10.0.0.2",), (ZONE,), ()),))


def write(home: Path, content: bytes) -> None:
    table_path(home).parent.mkdir(parents=True, exist_ok=True)
    table_path(home).write_bytes(content)


def test_a_table_survives_the_disk(tmp_path: Path) -> None:
    write(tmp_path, encode_table(TABLE))
    assert read_table(tmp_path) == TABLE


def test_a_name_is_looked_up_without_any_process(tmp_path: Path) -> None:
    write(tmp_path, encode_table(TABLE))
    found = lookup(tmp_path, "vpc-1", "A.navi.local", "a")
    assert [(record.value, record.ttl) for record in found.records] == [("10.0.0.1", 60)]
    assert lookup(tmp_path, "vpc-1", "b.navi.local", "A").code == "NXDOMAIN"


def test_an_unknown_view_is_an_error_that_names_it(tmp_path: Path) -> None:
    write(tmp_path, encode_table(TABLE))
    with pytest.raises(UnknownView, match="vpc-2"):
        lookup(tmp_path, "vpc-2", "a.navi.local", "A")


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"views":[{"name":1}]}', b"\xff"])
def test_a_missing_or_damaged_table_is_an_error_that_names_the_file(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        write(tmp_path, content)
    with pytest.raises(TableError, match=r"table\.json"):
        read_table(tmp_path)
