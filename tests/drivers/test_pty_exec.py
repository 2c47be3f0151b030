"""What a process is given, and why one does not start; the rest needs a container (tests/lab/test_exec.py)."""

import pytest

from tsubo.drivers.pty_exec import CannotStartError, additional_environment, start_error

RUNC = "OCI runtime exec failed: exec failed: unable to start container process: "


@pytest.mark.parametrize(
    ("environment", "added"),
    [
        ([], ["TERM=xterm-256color", "LANG=C.UTF-8"]),
        (["PATH=/bin", "LANGUAGE=de"], ["TERM=xterm-256color", "LANG=C.UTF-8"]),
        (["LANG="], ["TERM=xterm-256color", "LANG=C.UTF-8"]),
        (["LANG=de_DE.UTF-8"], ["TERM=xterm-256color"]),
    ],
)
def test_environment(environment: list[str], added: list[str]) -> None:
    """aws/ecs-cloudmap-exec.md section 13."""
    assert additional_environment(environment) == added


@pytest.mark.parametrize(
    ("said", "reason", "exit_code"),
    [
        (
            f'{RUNC}exec: "nope": executable file not found in $PATH: unknown\r\n',
            'exec: "nope": executable file not found in $PATH',
            127,
        ),
        (
            f'{RUNC}exec: "/nope": stat /nope: no such file or directory: unknown\r\n',
            "fork/exec /nope: no such file or directory",
            127,
        ),
        (f'{RUNC}exec: "/etc": permission denied: unknown', "fork/exec /etc: permission denied", 126),
        (f"{RUNC}something else: unknown", "something else", 126),
        ("no words of an engine\n", "no words of an engine", 126),
    ],
)
def test_why_a_process_does_not_start(said: str, reason: str, exit_code: int) -> None:
    """The words are those of a Go program that starts another, as the agent is (section 14)."""
    assert start_error(said) == reason
    assert CannotStartError(reason).exit_code == exit_code
