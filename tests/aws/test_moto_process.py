"""What the moto process logs and replays, over an application that draws from moto's random source as moto does."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.moto_api._internal import mock_random

from tsubo.aws.moto_channel import ANSWERED, FAILED, UNIMPLEMENTED, Answer, Question
from tsubo.aws.moto_process import Clock, MotoProcess
from tsubo.aws.redo_log import RedoLog


class Application:
    """A WSGI application with a state: a call of /add keeps a random name; every answer lists all there are."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        path = environ["PATH_INFO"]
        if path == "/missing":
            raise NotImplementedError("The missing action has not been implemented")
        if path == "/bug":
            raise ZeroDivisionError("a bug")
        if path == "/first-touch" and not self.names:
            self.names.append("default-" + mock_random.get_random_hex(8))
        if path in ("/add", "/refused"):
            self.names.append(mock_random.get_random_hex(8))
        start_response("400 Bad Request" if path == "/refused" else "200 OK", [("Content-Type", "text/plain")])
        yield " ".join(self.names).encode()


def question(seed: int, path: str, changes: bool = True, place: str = "iam/eu-west-1") -> Question:
    return Question(seed, "POST", path, "", {"host": "h"}, b"", place, changes, False)


def started(path: Path) -> tuple[MotoProcess, int]:
    process = MotoProcess(Application(), RedoLog(path), Clock())
    return process, process.replay()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "redo"


def test_changes_are_replayed_with_the_same_random_text(path: Path) -> None:
    process, _ = started(path)
    process.answer(question(1, "/add"))
    process.answer(question(2, "/read", changes=False))
    before = process.answer(question(3, "/add")).body
    process, replayed = started(path)
    assert replayed == 2
    assert process.answer(question(4, "/read", changes=False)).body == before
    assert len(before.split()) == 2


def test_the_first_reading_call_of_a_service_is_replayed_too(path: Path) -> None:
    process, _ = started(path)
    before = process.answer(question(1, "/first-touch", changes=False)).body
    process.answer(question(2, "/first-touch", changes=False))
    process, replayed = started(path)
    assert replayed == 1
    assert process.answer(question(3, "/first-touch", changes=False)).body == before != b""


def test_what_was_refused_failed_or_is_missing_is_not_replayed(path: Path) -> None:
    process, _ = started(path)
    process.answer(question(1, "/add"))
    outcomes = [
        process.answer(question(seed, path)).outcome for seed, path in [(2, "/refused"), (3, "/bug"), (4, "/missing")]
    ]
    assert outcomes == [ANSWERED, FAILED, UNIMPLEMENTED]
    assert started(path)[1] == 1


def test_a_call_that_was_logged_and_is_asked_again_is_not_repeated(path: Path) -> None:
    process, _ = started(path)
    first: Answer = process.answer(question(7, "/add"))
    process, _ = started(path)
    assert process.answer(question(7, "/add")) == first
    assert process.answer(question(8, "/read", changes=False)).body == first.body


def test_the_clock_runs_from_where_it_is_set() -> None:
    clock = Clock()
    assert abs(clock.time() - time.time()) < 1
    clock.set(1_000_000_000.0)
    assert 0 <= clock.time() - 1_000_000_000.0 < 1
