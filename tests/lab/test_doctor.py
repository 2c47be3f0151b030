"""The doctor on a machine that has everything: it says so, and leaves it as it was."""

import os
import socket
import subprocess
import sys

import docker.errors
import pytest

from tsubo.drivers.processes import environment
from tsubo.engine import machine
from tsubo.engine.doctor import examine, judge
from tsubo.engine.machine import gather

pytestmark = pytest.mark.lab


def machine_state() -> tuple[str, ...]:
    commands = (
        ["ip", "-o", "link"],
        ["nft", "list", "ruleset"],
        ["docker", "ps", "-aq", "--filter", "label=tsubo.task=doctor"],
    )
    return tuple(subprocess.run(command, capture_output=True, text=True, check=True).stdout for command in commands)


def test_a_machine_that_runs_these_tests_lacks_nothing_and_stays_as_it_is() -> None:
    before = machine_state()
    lacking = [finding for finding in examine() if not finding.ok and not finding.name.startswith("port")]
    assert lacking == []
    assert machine_state() == before


def test_who_holds_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        holder = gather((port,)).holders[port]
    assert (f"(process {os.getpid()})" in holder.description, holder.is_tsubo) == (True, False)
    assert port not in gather((port,)).holders


def test_an_engine_of_tsubo_is_known_by_its_environment() -> None:
    program = (
        "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment("0a1b2c3d"),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        port = int(process.stdout.readline())
        holder = gather((port,)).holders[port]
        process.communicate("\n")
    assert holder.is_tsubo


def test_an_engine_that_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(engine_id: str) -> None:
        raise docker.errors.DockerException(f"no engine for {engine_id}")

    monkeypatch.setattr(machine, "ContainerEngine", refuse)
    findings = {finding.name: finding for finding in judge(gather(()))}
    assert not findings["container engine"].ok
    assert "no engine for doctor" in findings["container engine"].detail
