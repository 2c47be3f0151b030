"""The user's own Terraform with the real AWS provider, led to an engine: `tsubo terraform ARGS...`.

For providers that obey the environment it runs just so. For others, and for configurations that name keys or endpoints,
an override file lies in a layer over the directory; the directory itself gets only what Terraform writes.
"""

import json
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tsubo.engine.client_environment import terraform_environment
from tsubo.engine.errors import BUSY, FAILED, MACHINE, UserError
from tsubo.engine.home import Home
from tsubo.terraform import provider_override
from tsubo.terraform.layer import LayerBusyError, layer_over
from tsubo.terraform.provider_blocks import locked_version, newest_major, provider_blocks
from tsubo.terraform.provider_override import OldProvider, old_provider
from tsubo.terraform.runner import find_program
from tsubo.terraform.runs import RunError
from tsubo.terraform.sandbox import identity_options, layered
from tsubo.terraform.workspace import Workspace

CONFIGURING = frozenset({"apply", "console", "destroy", "import", "plan", "query", "refresh", "test"})
"""The commands that configure providers; to the others an override makes no difference."""
OVERRIDE_NAME = "zz_tsubo_override.tf"
CHANGE_DIRECTORY = "-chdir="


def run_terraform(home: Home, arguments: Sequence[str], environment: dict[str, str], current: Path) -> int:
    """Run terraform or tofu from PATH with these arguments in a directory; return its exit status. Raises UserError."""
    try:
        program = find_program(environment)
    except RunError as error:
        raise UserError(str(error), "tsubo doctor", MACHINE) from error
    run = _Run(home, program, terraform_environment(home, environment), current)
    directory = (current / _changed_directory(arguments)).resolve()
    command = next((argument for argument in arguments if not argument.startswith("-")), "")
    override = run.override_for(directory) if command in CONFIGURING and directory.is_dir() else ""
    if not override:
        return run.plain(arguments)
    return run.under_layer(arguments, directory, override)


def _changed_directory(arguments: Sequence[str]) -> str:
    for argument in arguments:
        if argument.startswith(CHANGE_DIRECTORY):
            return argument.removeprefix(CHANGE_DIRECTORY)
        if not argument.startswith("-"):
            break
    return ""


@dataclass
class _Run:
    home: Home
    program: str
    environment: dict[str, str]
    current: Path

    def __post_init__(self) -> None:
        self.user_id = _number(self.environment.get("SUDO_UID"))
        self.group_id = _number(self.environment.get("SUDO_GID"))
        if self.user_id:
            self.environment["HOME"] = pwd.getpwuid(self.user_id).pw_dir

    def plain(self, arguments: Sequence[str]) -> int:
        return _wait(subprocess.Popen(self._as_user(arguments), cwd=self.current, env=self.environment))

    def under_layer(self, arguments: Sequence[str], directory: Path, text: str) -> int:
        workspace = Workspace.of(directory, self.home.path, {})
        folder = workspace.root.with_name(f"real-{workspace.root.name}")
        try:
            with layer_over(directory, folder, {OVERRIDE_NAME: text}, self.user_id):
                command = layered(
                    [self.program, *arguments], directory, self.current.resolve(), self.user_id, self.group_id
                )
                return _wait(subprocess.Popen(command, cwd=folder, env=self.environment))
        except LayerBusyError as error:
            raise UserError(str(error), "Wait for its end.", BUSY) from error

    def override_for(self, directory: Path) -> str:
        """Return the text of the override that a directory needs; empty where it needs none."""
        blocks = provider_blocks(directory)
        version = locked_version(directory)
        major = int(version.partition(".")[0]) if version else newest_major(directory)
        if not provider_override.is_needed(major, blocks):
            return ""
        old = major is not None and major < provider_override.OBEYS_ENVIRONMENT
        known = self._old_provider(directory, version or f"{major}") if old else None
        return provider_override.override(self.home.endpoint, blocks, known)

    def _old_provider(self, directory: Path, version: str) -> OldProvider:
        """Return what a provider's schema says; it is asked once for each version."""
        kept = self.home.path / "terraform" / f"provider-{version}.json"
        if not kept.exists():
            done = subprocess.run(
                self._as_user(["providers", "schema", "-json"]),
                cwd=directory,
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise UserError(
                    f"The AWS provider {version} does not tell its schema: {done.stderr or done.stdout}".strip(),
                    "tsubo terraform init",
                    FAILED,
                )
            old = old_provider(json.loads(done.stdout))
            kept.write_text(json.dumps([sorted(old.arguments), old.services]))
        known, services = json.loads(kept.read_text())
        return OldProvider(frozenset(known), tuple(services))

    def _as_user(self, arguments: Sequence[str]) -> list[str]:
        identity = identity_options(self.user_id, self.group_id)
        return [*(["setpriv", *identity] if identity else []), self.program, *arguments]


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for a program that reads the same terminal. Ctrl-C goes to it as well, and it ends in its own time."""
    while True:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            continue
        return status if status >= 0 else 128 - status


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
