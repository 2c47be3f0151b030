"""The command line: what it offers, how it says that something is wrong."""

import importlib

import click
import pytest
from click.testing import CliRunner

from tsubo.cli.main import COMMANDS, cli, main


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.output


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_exists_and_explains_itself(name: str) -> None:
    command = getattr(importlib.import_module(f"tsubo.cli.{COMMANDS[name][0]}"), f"{name}_command")
    assert isinstance(command, click.Command)
    assert command.help


def test_an_unknown_command_is_wrong_use() -> None:
    assert CliRunner().invoke(cli, ["upp"]).exit_code == 2


def test_an_error_has_message_remedy_and_exit_code(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TSUBO_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as end:
        main(["ps"])
    assert end.value.code == 6
    message = capsys.readouterr().err
    assert "There is no engine in" in message
    assert "tsubo start" in message


@pytest.mark.parametrize("arguments", [["scale", "web", "-1"], ["scale", "web", "many"], ["scale"], ["exec", "web"]])
def test_wrong_use_is_said_before_anything_happens(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, arguments).exit_code == 2
