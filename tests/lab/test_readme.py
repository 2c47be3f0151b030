"""The README's commands do what it says: every line of its `sh` blocks is run in order against the running example."""

import re
import subprocess

import pytest

from tests.lab.engine_lab import PROJECT, EngineLab

README = (PROJECT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
LONGEST_LINES = 150

pytestmark = pytest.mark.lab


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < LONGEST_LINES


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_runs(reference_lab: EngineLab, command: str) -> None:
    done = subprocess.run(
        ["bash", "-ec", command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=PROJECT,
        env={**reference_lab.environment(), "TSUBO_HOME": str(reference_lab.home)},
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert done.stdout.strip(), f"{command} says nothing"
