"""Requests that go on while something happens, so that a test can say that none of them failed."""

import contextlib
import threading
import time
from collections.abc import Iterator

from tests.lab.reference_stack import ReferenceStack

PAUSE_SECONDS = 0.01


class Traffic:
    """Asks one host again and again, each time on a new connection."""

    def __init__(self, stack: ReferenceStack, host: str) -> None:
        self._stack = stack
        self._host = host
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answered = 0
        self.failures: list[str] = []

    def _ask(self) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            status = self._stack.status_of(self._host)
            if status == 200:
                self.answered += 1
            else:
                self.failures.append(f"{time.strftime('%H:%M:%S')}: {status or 'no answer'}")

    def start(self) -> None:
        """Begin asking."""
        self._thread.start()

    def stop(self) -> None:
        """Let the request under way end and ask no more."""
        self._ended.set()
        self._thread.join()


@contextlib.contextmanager
def traffic(stack: ReferenceStack, host: str = "api.ecs-navi.site") -> Iterator[Traffic]:
    """Ask a host as long as the block runs."""
    asking = Traffic(stack, host)
    asking.start()
    try:
        yield asking
    finally:
        asking.stop()
