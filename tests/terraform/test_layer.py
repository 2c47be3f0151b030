"""Carrying down what a run wrote: checked on the folders as the kernel leaves them (no mount is needed for that)."""

import os
from pathlib import Path

import pytest

from tsubo.terraform.layer import LayerBusyError, layer_over

OURS = {"zz_override.tf": "# ours"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "stack"
    (directory / "modules").mkdir(parents=True)
    (directory / "main.tf").write_text("# the user's")
    (directory / "modules" / "old.tf").write_text("# old")
    return directory


def test_our_files_never_reach_the_directory(directory: Path, tmp_path: Path) -> None:
    with layer_over(directory, tmp_path / "layer", OURS) as folder:
        assert (folder / "upper" / "zz_override.tf").read_text() == "# ours"
        assert not (directory / "zz_override.tf").exists()
    assert sorted(path.name for path in directory.iterdir()) == ["main.tf", "modules"]
    assert not any((tmp_path / "layer" / "upper").iterdir())


def test_what_a_run_writes_comes_down(directory: Path, tmp_path: Path) -> None:
    (directory / "terraform.tfstate").write_text("before")
    with layer_over(directory, tmp_path / "layer", OURS) as folder:
        upper = folder / "upper"
        (upper / "terraform.tfstate").write_text("after")
        (upper / "modules").mkdir()
        (upper / "modules" / "new.tf").write_text("# new")
        (upper / ".terraform" / "providers").mkdir(parents=True)
    assert (directory / "terraform.tfstate").read_text() == "after"
    assert sorted(path.name for path in (directory / "modules").iterdir()) == ["new.tf", "old.tf"]
    assert (directory / ".terraform" / "providers").is_dir()


@pytest.mark.lab
def test_removals_come_down(directory: Path, tmp_path: Path) -> None:
    with layer_over(directory, tmp_path / "layer", OURS) as folder:
        os.mknod(folder / "upper" / "main.tf", 0o20000, os.makedev(0, 0))
        (folder / "upper" / "modules").mkdir()
        os.setxattr(folder / "upper" / "modules", "trusted.overlay.opaque", b"y")
        (folder / "upper" / "modules" / "new.tf").write_text("# new")
    assert not (directory / "main.tf").exists()
    assert [path.name for path in (directory / "modules").iterdir()] == ["new.tf"]


def test_what_a_killed_run_left_comes_down_before_the_next(directory: Path, tmp_path: Path) -> None:
    upper = tmp_path / "layer" / "upper"
    upper.mkdir(parents=True)
    (upper / "terraform.tfstate").write_text("left")
    (upper / "zz_override.tf").write_text("# ours")
    with layer_over(directory, tmp_path / "layer", OURS):
        assert (directory / "terraform.tfstate").read_text() == "left"
    assert not (directory / "zz_override.tf").exists()


def test_a_second_run_is_refused(directory: Path, tmp_path: Path) -> None:
    with (
        layer_over(directory, tmp_path / "layer", OURS),
        pytest.raises(LayerBusyError),
        layer_over(directory, tmp_path / "layer", OURS),
    ):
        pass
