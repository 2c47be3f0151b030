"""The breadth of AWS: every service that is not ours, answered by moto in a process of its own.

Goes in: a call of such a service. Comes out: moto's response, durable if it changed anything. The process is started
by the first call that needs it, and again (with its log replayed) by the first call after it died. One lock is around
each call: moto's backends are not made for more.
"""

import logging
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsubo.aws.dispatch import Target, identify, is_read
from tsubo.aws.faults import error_response, internal_error, unknown_operation
from tsubo.aws.inner_client import make_client
from tsubo.aws.long_poll import INTERVAL_SECONDS, NOTHING_RECEIVED, is_receive, without_wait
from tsubo.aws.message import HttpRequest, HttpResponse
from tsubo.aws.moto_channel import FAILED, UNIMPLEMENTED, Answer, Question, Ready, receive, send

log = logging.getLogger(__name__)

SEED_BITS = 63
BULK_OPERATIONS = frozenset({"PutLogEvents", "PutMetricData"})
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ENVIRONMENT: Mapping[str, str] = {
    # The AWS managed policies, such as AmazonECSTaskExecutionRolePolicy, that roles attach.
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "MOTO_ACCOUNT_ID": "123456789012",
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    # The order of sets has to be the same when the log is replayed.
    "PYTHONHASHSEED": "0",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class BreadthError(Exception):
    """The moto process could not be started, or died of a call twice."""


class Breadth:
    """The moto process of one engine. Safe to use from several threads at once."""

    def __init__(self, directory: Path) -> None:
        """`directory` takes the redo log (`moto.redo`) and the process's own messages (`moto.log`)."""
        self._directory = directory
        self._lock = threading.Lock()
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._changes: Counter[str] = Counter()

    def changes(self, service: str) -> int:
        """Return how many calls have changed a service: what was read of it is good while this stays the same."""
        return self._changes[service]

    @property
    def pid(self) -> int | None:
        """The process's id, while there is one."""
        return self._process.pid if self._process else None

    def ensure_started(self) -> None:
        """Start the process if it does not run, and wait until it has replayed its log. Raises BreadthError."""
        with self._lock:
            self._start()

    def forward(self, request: HttpRequest, target: Target | None = None) -> HttpResponse:
        """Return moto's response to a call, or an error in the service's protocol where moto has none."""
        target = target or identify(request)
        seed = secrets.randbits(SEED_BITS)
        request, wait_seconds = without_wait(request, target)
        deadline = time.monotonic() + wait_seconds
        answer = self._ask(question_of(request, target, seed))
        while wait_seconds and answer.body == NOTHING_RECEIVED and time.monotonic() < deadline:
            time.sleep(INTERVAL_SECONDS)
            answer = self._ask(question_of(request, target, secrets.randbits(SEED_BITS)))
        if not reads(request, target):
            self._changes[target.service] += 1
        request_id = f"{seed:032x}"
        if answer.outcome == UNIMPLEMENTED:
            log.warning("not implemented: %s %s %s", target.service, target.operation, answer.body.decode())
            name = target.operation or f"{request.method} {request.path}"
            error = unknown_operation(target.service, name, target.protocol, known_to_aws=True)
            return error_response(error, target.service, target.protocol, request_id)
        if answer.outcome == FAILED:
            log.error("moto failed: %s %s: %s", target.service, target.operation, answer.body.decode())
            return error_response(internal_error(target.service), target.service, target.protocol, request_id)
        return HttpResponse(answer.status, answer.headers, answer.body)

    def call(self, service: str, operation: str, params: Mapping[str, Any], region: str) -> dict[str, Any]:
        """Make a call of the engine's own, in boto3's terms: `call("logs", "put_log_events", {...}, "eu-west-1")`.

        Raises botocore's ClientError for an error of the service.
        """
        client = self._clients.get((service, region))
        if client is None:
            client = self._clients.setdefault((service, region), make_client(service, region, self.forward))
        result: dict[str, Any] = getattr(client, operation)(**params)
        return result

    def close(self) -> None:
        """End the process. The next call would start it again."""
        with self._lock:
            self._stop()

    def _ask(self, question: Question) -> Answer:
        """Ask the process. If it dies meanwhile, start it again and ask once more: it knows what it has done."""
        with self._lock:
            for _ in range(2):
                try:
                    channel = self._start()
                    send(channel, question)
                    return receive(channel, Answer)
                except (OSError, EOFError) as error:
                    log.warning("the moto process is gone (%s)", error)
                    self._stop()
        raise BreadthError(f"the moto process died twice of {question.method} {question.path} ({question.place})")

    def _start(self) -> socket.socket:
        """Return the channel to the process, which is started if it does not run. The lock is held."""
        if self._channel is not None and self._process is not None and self._process.poll() is None:
            return self._channel
        self._stop()
        ours, theirs = socket.socketpair()
        messages = os.open(self._directory / "moto.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tsubo.aws.moto_process", str(self._directory / "moto.redo")],
                stdin=theirs.fileno(),
                stdout=messages,
                stderr=messages,
                env={**os.environ, **ENVIRONMENT},
                start_new_session=True,
            )
        finally:
            os.close(messages)
            theirs.close()
        self._channel = ours
        try:
            ready = receive(ours, Ready)
        except (OSError, EOFError):
            self._stop()
            raise BreadthError(f"the moto process did not start; see {self._directory / 'moto.log'}") from None
        log.info("moto is ready after %.2f s, %d calls replayed", ready.seconds, ready.replayed)
        return ours

    def _stop(self) -> None:
        """Close the channel, by which the process ends, and wait for that."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def reads(request: HttpRequest, target: Target) -> bool:
    """Return whether a call only reads."""
    return is_read(target.operation) if target.operation else request.method in READ_METHODS


def question_of(request: HttpRequest, target: Target, seed: int) -> Question:
    """Return a call as the process takes it."""
    return Question(
        seed=seed,
        method=request.method,
        path=request.path,
        query=request.query,
        headers=dict(request.headers),
        body=request.body,
        place=f"{target.service}/{target.region}",
        changes=not reads(request, target),
        bulk=target.operation in BULK_OPERATIONS,
        unchanged=NOTHING_RECEIVED if is_receive(target) else None,
    )
