"""A layer over a directory whose writes come down into the directory when the run ends.

Over the user's directory lies `upper`, with files of ours that only the run sees. What the run itself wrote (its state,
the data directory, plans) is carried down afterwards, and so is what a run left that was killed.

    lock                 held for the length of a run
    lower, upper, work   the overlay's folders
"""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

OPAQUE = "trusted.overlay.opaque"
"""The kernel's mark on a folder that stands in place of the one below it, and is not added to it."""


class LayerBusyError(Exception):
    """Another run holds the layer of this directory."""


@contextmanager
def layer_over(directory: Path, folder: Path, files: Mapping[str, str], user_id: int | None = None) -> Iterator[Path]:
    """Hold the layer in `folder` with these files in it; yield the folder to start in (`sandbox.layered`).

    Raises LayerBusyError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LayerBusyError(f"{directory}: a run is on already") from None
        for name in ("lower", "upper", "work"):
            (folder / name).mkdir(exist_ok=True)
        upper = folder / "upper"
        _carry_down(upper, directory, files)
        _adopt(upper, directory)
        for name, text in files.items():
            (upper / name).write_text(text)
            if user_id is not None:
                os.chown(upper / name, user_id, -1)
        try:
            yield folder
        finally:
            _carry_down(upper, directory, files)


def _carry_down(upper: Path, directory: Path, ours: Mapping[str, str]) -> None:
    """Move what lies in `upper` into the directory, without the files of ours."""
    for name in ours:
        (upper / name).unlink(missing_ok=True)
    for entry in upper.iterdir():
        _place(entry, directory / entry.name)


def _place(entry: Path, target: Path) -> None:
    if _is_removal(entry):
        entry.unlink()
        _remove(target)
    elif entry.is_dir() and not entry.is_symlink() and target.is_dir() and not _is_opaque(entry):
        for inner in entry.iterdir():
            _place(inner, target / inner.name)
        entry.rmdir()
    else:
        _remove(target)
        shutil.move(entry, target)


def _is_removal(entry: Path) -> bool:
    """Say whether an entry marks that the one below was removed: a character device 0, 0."""
    status = entry.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _is_opaque(entry: Path) -> bool:
    try:
        return os.getxattr(entry, OPAQUE) == b"y"
    except OSError:
        return False


def _remove(target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _adopt(upper: Path, directory: Path) -> None:
    """Give the layer the directory's owner and mode, which the run sees."""
    status = directory.stat()
    os.chown(upper, status.st_uid, status.st_gid)
    upper.chmod(stat.S_IMODE(status.st_mode))
