"""The redo log: whole records come back, torn ends go, damage is refused, old bulk data is dropped."""

from pathlib import Path

import pytest

from tsubo.aws import redo_log
from tsubo.aws.redo_log import Entry, RedoLog, RedoLogError


def entry(seed: int, body: bytes = b"body", bulk: bool = False) -> Entry:
    return Entry(seed, 1.5, "POST", "/", "", {"host": "h"}, body, "logs/eu-west-1", bulk)


def written(path: Path, *entries: Entry) -> None:
    log = RedoLog(path)
    for each in entries:
        log.append(each)
    log.close()


def seeds(path: Path) -> list[int]:
    log = RedoLog(path)
    log.close()
    return [each.seed for each in log.entries]


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "redo"
    written(path, entry(1), entry(2, b"\x00\xff"))
    log = RedoLog(path)
    log.append(entry(3))
    log.close()
    assert log.entries == [entry(1), entry(2, b"\x00\xff")]
    assert seeds(path) == [1, 2, 3]
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_torn_end_is_cut_off_and_the_rest_kept(tmp_path: Path) -> None:
    path = tmp_path / "redo"
    written(path, entry(1))
    whole = path.stat().st_size
    written(path, entry(2))
    content = path.read_bytes()
    for length in range(whole, len(content)):
        path.write_bytes(content[:length])
        written(path, entry(3))
        assert seeds(path) == [1, 3]


def test_space_that_was_never_filled_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "redo"
    written(path, entry(1))
    path.write_bytes(path.read_bytes() + bytes(4096))
    written(path, entry(2))
    assert seeds(path) == [1, 2]


def test_damage_before_the_end_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "redo"
    written(path, entry(1), entry(2), entry(3))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(RedoLogError, match="damaged at byte"):
        RedoLog(path)
    assert path.read_bytes() == content


def test_old_bulk_data_is_dropped_and_calls_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redo_log, "BULK_BYTES", 2500)
    path = tmp_path / "redo"
    bulk = [entry(seed, bytes(1000), bulk=True) for seed in (2, 4, 5)]
    written(path, entry(1), bulk[0], entry(3), bulk[1], bulk[2])
    assert seeds(path) == [1, 3, 4, 5]
    assert seeds(path) == [1, 3, 4, 5]
    assert path.stat().st_mode & 0o777 == 0o600
