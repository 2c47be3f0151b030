"""The moto process: all of moto behind one channel, one call at a time, durable by its redo log.

Started by `breadth.py` as `python -m tsubo.aws.moto_process REDO_LOG`, with the channel as standard input. At its start
it replays the log: each call with the seed it had and at the time it came, so that identifiers come out the same and
dates to within the milliseconds a call takes. A call that changed something is in the log before it is answered.
"""

import contextlib
import ctypes
import logging
import os
import random
import socket
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.model import OperationNotFoundError

from tsubo.aws.moto_channel import ANSWERED, FAILED, UNIMPLEMENTED, Answer, Question, Ready, receive, send
from tsubo.aws.redo_log import Entry, RedoLog

CLONE_NEWNET = 0x40000000

log = logging.getLogger(__name__)


class Clock:
    """The process's time: the machine's, or during a replay the time of the call that is replayed, and running."""

    def __init__(self) -> None:
        self._real = time.time
        self.offset = 0.0

    def time(self) -> float:
        """Return seconds since the epoch."""
        return self._real() + self.offset

    def set(self, moment: float) -> None:
        """Let it be a certain moment now."""
        self.offset = moment - self._real()

    def install(self) -> None:
        """Make `time.time` and moto's own clock read this one. Call it before any service of moto is imported."""
        import datetime  # noqa: PLC0415

        from moto.core import utils  # noqa: PLC0415

        def utcnow() -> datetime.datetime:
            return datetime.datetime.fromtimestamp(self.time(), datetime.UTC).replace(tzinfo=None)

        time.time = self.time
        utils.utcnow = utcnow


class MotoProcess:
    """moto's application, its log, and what the log has seen."""

    def __init__(self, application: Callable[..., Any], redo_log: RedoLog, clock: Clock) -> None:
        self._application = application
        self._redo_log = redo_log
        self._clock = clock
        self._touched: set[str] = set()
        self._latest: tuple[int, Answer] | None = None

    def replay(self) -> int:
        """Run every entry of the log again. Return how many there were."""
        for entry in self._redo_log.entries:
            self._clock.set(entry.time)
            self._latest = (entry.seed, self._run(entry))
            self._touched.add(entry.place)
        self._clock.offset = 0.0
        return len(self._redo_log.entries)

    def answer(self, question: Question) -> Answer:
        """Answer a call, once: one that is asked again after a crash, and was logged, gets its answer of the replay."""
        if self._latest and self._latest[0] == question.seed:
            return self._latest[1]
        first_touch = question.place not in self._touched
        entry = Entry(
            seed=question.seed,
            time=time.time(),
            method=question.method,
            path=question.path,
            query=question.query,
            headers=question.headers,
            body=question.body,
            place=question.place,
            bulk=question.bulk,
        )
        answer = self._run(entry, seeded=question.changes or first_touch)
        done = answer.outcome == ANSWERED and answer.status < 400 and answer.body != question.unchanged
        if first_touch or (question.changes and done):
            self._redo_log.append(entry)
            self._touched.add(question.place)
        return answer

    def _run(self, entry: Entry, seeded: bool = True) -> Answer:
        """Run a call through moto's application."""
        from moto.moto_api._internal import mock_random  # noqa: PLC0415
        from werkzeug.test import run_wsgi_app  # noqa: PLC0415

        if seeded:
            mock_random.seed(entry.seed)
            random.seed(entry.seed)
        try:
            body, status, headers = run_wsgi_app(self._application, environment(entry), buffered=True)
            content = b"".join(body)
        except (NotImplementedError, OperationNotFoundError) as error:
            return Answer(UNIMPLEMENTED, 400, {}, str(error).encode())
        except Exception as error:
            log.exception("%s %s failed", entry.method, entry.path)
            return Answer(FAILED, 500, {}, f"{type(error).__name__}: {error}".encode())
        code = int(status.split()[0])
        unrouted = code in (404, 405) and headers.get("Content-Type", "").startswith("text/html")
        return Answer(UNIMPLEMENTED if unrouted else ANSWERED, code, dict(headers), content)


def environment(entry: Entry) -> dict[str, Any]:
    """Return the WSGI environment of a call, as moto's own server would make it."""
    from moto.core.request import (  # noqa: PLC0415
        PRESERVED_HEADER_NAMES_ENVIRON_KEY,
        environ_key_for_header,
        should_preserve_original_header_name,
    )
    from werkzeug.test import EnvironBuilder  # noqa: PLC0415

    builder = EnvironBuilder(
        path=entry.path,
        base_url=f"http://{entry.headers.get('host', 'localhost')}",
        query_string=entry.query,
        method=entry.method,
        headers=[(name, value) for name, value in entry.headers.items() if name != "transfer-encoding"],
        data=entry.body,
    )
    environ: dict[str, Any] = builder.get_environ()
    uri = f"{entry.path}?{entry.query}" if entry.query else entry.path
    environ["RAW_URI"] = environ["REQUEST_URI"] = uri
    environ["CONTENT_LENGTH"] = str(len(entry.body))
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {
        environ_key_for_header(name): name for name in entry.headers if should_preserve_original_header_name(name)
    }
    return environ


def leave_network() -> None:
    """Move this process into a network of its own, where there is nothing: what simulates AWS calls nobody.

    Needs root; without it the process stays where it is.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET)


def moto_application() -> Callable[..., Any]:
    """Return moto's server application, with containers of its own switched off."""
    from moto.core.config import default_user_config  # noqa: PLC0415
    from moto.moto_api._internal import mock_random  # noqa: PLC0415
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415

    default_user_config["lambda"] = {"use_docker": False}
    default_user_config["batch"] = {"use_docker": False}
    # Some services draw identifiers from `uuid` directly; they are to come from the seed as well.
    uuid.uuid4 = mock_random.uuid4
    return DomainDispatcherApplication(create_backend_app)  # type: ignore[no-any-return]


def main(arguments: list[str]) -> None:
    """Serve the channel on standard input until its other end closes."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    channel = socket.socket(fileno=os.dup(0))
    started = time.monotonic()
    leave_network()
    clock = Clock()
    clock.install()
    redo_log = RedoLog(Path(arguments[0]))
    process = MotoProcess(moto_application(), redo_log, clock)
    replayed = process.replay()
    send(channel, Ready(replayed, time.monotonic() - started))
    with contextlib.suppress(EOFError, OSError):
        while True:
            send(channel, process.answer(receive(channel, Question)))


if __name__ == "__main__":
    main(sys.argv[1:])
