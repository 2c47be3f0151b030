"""What Tsubo keeps of a directory between runs, all in its own state directory: HOME/terraform/NAME-DIGEST.

    lock            held by the run that is on, with its pid
    directory       the real path of the user's directory
    upper, work     the overlay's layers: what a run writes "into" the user's directory lands in `upper`
    upper/.tsubo    Terraform's data directory and the state; the rest of `upper` is made anew for each run
    arguments.json  the variables of the last apply, which a destroy needs again
    initialised     the fingerprint of what `init` was run for

Source: terraform.md, "Mechanism" (the user's directory stays as it is).
"""

import fcntl
import hashlib
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tsubo.terraform.runs import RunError

OWN_FOLDER = ".tsubo"
LOCK_FILE = ".terraform.lock.hcl"
PROVISIONERS = ("local-exec", "remote-exec", "file")

OVERRIDE = """\
# Written by Tsubo for the length of a run, in a layer over your directory: your files are not touched.
terraform {
  backend "local" {
    path          = ".tsubo/terraform.tfstate"
    workspace_dir = ".tsubo/workspaces"
  }
}
"""


@dataclass(frozen=True)
class Workspace:
    """The kept files of one directory and Terraform workspace."""

    directory: Path
    root: Path
    name: str = "default"

    @classmethod
    def of(cls, directory: Path, home: Path, environment: Mapping[str, str]) -> "Workspace":
        """Return the workspace of a directory: keyed by its real path and the Terraform workspace chosen there."""
        real = directory.resolve()
        name = environment.get("TF_WORKSPACE") or _selected(real)
        digest = hashlib.sha256(f"{real}\0{name}".encode()).hexdigest()[:16]
        return cls(real, home / "terraform" / f"{real.name}-{digest}", name)

    @property
    def upper(self) -> Path:
        return self.root / "upper"

    @property
    def own(self) -> Path:
        return self.upper / OWN_FOLDER

    @property
    def modules(self) -> Path:
        """Where Terraform puts the modules that it fetches."""
        return self.own / "data" / "modules"

    @property
    def state(self) -> Path:
        """Terraform's state file."""
        if self.name == "default":
            return self.own / "terraform.tfstate"
        return self.own / "workspaces" / self.name / "terraform.tfstate"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for one run. Raises RunError where another run is on."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.root / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
                raise RunError("busy", f"{self.directory}: a run is on already (pid {holder})") from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def prepare(self, user_id: int | None, group_id: int | None) -> None:
        """Make the upper layer anew around the kept folder: the override and the provisioners' stand-ins."""
        for folder in (self.root / "lower", self.root / "work", self.own, self.state.parent):
            folder.mkdir(parents=True, exist_ok=True)
        (self.root / "directory").write_text(str(self.directory))
        for path in self.upper.iterdir():
            kept_lock = path.name == LOCK_FILE and not (self.directory / LOCK_FILE).exists()
            if path.name != OWN_FOLDER and not kept_lock:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        (self.upper / "zz_tsubo_override.tf").write_text(OVERRIDE)
        # An overlay takes this device for "not there": a state of the user's own is not ours to read.
        os.mknod(self.upper / "terraform.tfstate", stat.S_IFCHR, os.makedev(0, 0))
        for name in PROVISIONERS:
            stand_in = self.upper / f"terraform-provisioner-{name}"
            stand_in.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m tsubo.terraform.provisioner_stand_in {name}\n")
            stand_in.chmod(0o755)
        self.upper.chmod(self.directory.stat().st_mode & 0o777 | 0o700)
        if user_id is not None:
            _give(self.upper, user_id, -1 if group_id is None else group_id)

    def remember_arguments(self, variables: tuple[str, ...], variable_files: tuple[str, ...]) -> None:
        """Keep the variables of an apply."""
        path = self.root / "arguments.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps([variables, variable_files]))

    def remembered_arguments(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the variables and variable files of the last apply; those files that are gone are left out."""
        try:
            variables, files = json.loads((self.root / "arguments.json").read_text())
        except FileNotFoundError:
            return (), ()
        return tuple(variables), tuple(path for path in files if Path(path).exists())

    def is_initialised(self, fingerprint: str) -> bool:
        """Say whether `init` was run for this very configuration."""
        path = self.root / "initialised"
        return path.exists() and path.read_text() == fingerprint and (self.own / "data").is_dir()

    def remember_initialised(self, fingerprint: str) -> None:
        (self.root / "initialised").write_text(fingerprint)

    def forget_initialised(self) -> None:
        (self.root / "initialised").unlink(missing_ok=True)


def _selected(directory: Path) -> str:
    """Return the workspace that `terraform workspace select` chose in a directory."""
    chosen = directory / ".terraform" / "environment"
    return (chosen.read_text().strip() if chosen.is_file() else "") or "default"


def _give(top: Path, user_id: int, group_id: int) -> None:
    os.chown(top, user_id, group_id)
    for parent, folders, files in os.walk(top):
        for name in (*folders, *files):
            os.chown(os.path.join(parent, name), user_id, group_id, follow_symlinks=False)
