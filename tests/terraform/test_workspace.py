"""What is kept of a directory between runs."""

from pathlib import Path

import pytest

from tsubo.terraform.runs import RunError
from tsubo.terraform.workspace import Workspace


def workspace(tmp_path: Path, **environment: str) -> Workspace:
    (tmp_path / "stack").mkdir(exist_ok=True)
    return Workspace.of(tmp_path / "stack", tmp_path / "home", environment)


def test_one_directory_has_one_workspace_however_it_is_named(tmp_path: Path) -> None:
    known = workspace(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "stack")
    assert Workspace.of(tmp_path / "link", tmp_path / "home", {}) == known
    assert workspace(tmp_path, TF_WORKSPACE="two").root != known.root
    assert Workspace.of(tmp_path, tmp_path / "home", {}).root != known.root


def test_the_workspace_that_terraform_selected_counts(tmp_path: Path) -> None:
    (tmp_path / "stack" / ".terraform").mkdir(parents=True)
    (tmp_path / "stack" / ".terraform" / "environment").write_text("two")
    assert workspace(tmp_path) == workspace(tmp_path, TF_WORKSPACE="two")


def test_a_held_directory_is_refused_and_free_afterwards(tmp_path: Path) -> None:
    with workspace(tmp_path).locked():
        with pytest.raises(RunError, match=r"a run is on already \(pid \d+\)"), workspace(tmp_path).locked():
            pass
        with workspace(tmp_path, TF_WORKSPACE="two").locked():
            pass
    with workspace(tmp_path).locked():
        pass


def test_init_is_good_until_the_configuration_changes(tmp_path: Path) -> None:
    known = workspace(tmp_path)
    (known.own / "data").mkdir(parents=True)
    assert not known.is_initialised("one")
    known.remember_initialised("one")
    assert known.is_initialised("one")
    assert not known.is_initialised("two")
    known.forget_initialised()
    assert not known.is_initialised("one")


def test_arguments_are_kept_for_the_destroy_in_a_private_file(tmp_path: Path) -> None:
    known = workspace(tmp_path)
    known.root.mkdir(parents=True)
    assert known.remembered_arguments() == ((), ())
    there = tmp_path / "there.tfvars"
    there.write_text("")
    known.remember_arguments(("password=x",), (str(there), str(tmp_path / "gone.tfvars")))
    assert known.remembered_arguments() == (("password=x",), (str(there),))
    assert (known.root / "arguments.json").stat().st_mode & 0o077 == 0
