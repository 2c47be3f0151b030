"""The state directory: who an engine is, and who may read what it keeps."""

import stat
from pathlib import Path

import pytest

from tsubo.engine.home import HomeError, engine_id, home_path, make_home, open_home


def test_an_engine_keeps_its_keys_and_takes_over_choices(tmp_path: Path) -> None:
    first = make_home(tmp_path / "home", port=4999)
    second = make_home(tmp_path / "home", region="eu-west-1", port=None)
    assert second.settings.access_key_id == first.settings.access_key_id
    assert second.settings.secret_access_key == first.settings.secret_access_key
    assert (second.settings.port, second.settings.region) == (4999, "eu-west-1")
    assert open_home(tmp_path / "home") == second


def test_two_directories_are_two_engines(tmp_path: Path) -> None:
    ids = {make_home(tmp_path / name).settings.engine_id for name in ("one", "two")}
    assert len(ids) == 2
    assert engine_id(tmp_path / "one") in ids


def test_only_root_reads_it(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((home.path / "engine.json").stat().st_mode) == 0o600
    assert all(stat.S_IMODE(entry.stat().st_mode) == 0o700 for entry in home.path.iterdir() if entry.is_dir())


def test_no_engine_is_said(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="There is no engine in"):
        open_home(tmp_path)


def test_broken_settings_are_said_and_kept(tmp_path: Path) -> None:
    (tmp_path / "engine.json").write_text("{")
    with pytest.raises(HomeError, match="cannot be read"):
        open_home(tmp_path)


def test_a_path_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="longer than"):
        make_home(tmp_path / ("x" * 100))


def test_the_directory_is_chosen_by_argument_then_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSUBO_HOME", str(tmp_path / "environment"))
    assert home_path() == tmp_path / "environment"
    assert home_path(str(tmp_path / "given")) == tmp_path / "given"
