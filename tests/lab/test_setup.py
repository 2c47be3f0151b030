"""`make setup` on a machine that has everything: it changes nothing, says so, and is quick."""

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

PROJECT = Path(__file__).parents[2]


def test_setup_leaves_alone_what_is_there() -> None:
    subprocess.run(["make", "setup"], cwd=PROJECT, check=True, timeout=300)
    again = subprocess.run(["make", "setup"], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=30)
    lines = again.stdout.splitlines()
    assert lines[:3] == [
        "setup: packages: all there",
        "setup: environment: up to date",
        "setup: engine: answers on /var/run/docker.sock",
    ]
    assert lines[3].startswith("setup: terraform: /")


def test_help_names_every_target() -> None:
    text = (PROJECT / "Makefile").read_text()
    phony = next(line for line in text.splitlines() if line.startswith(".PHONY: ")).split()[1:]
    output = subprocess.run(["make"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert [line.split()[1] for line in output.splitlines()] == phony
