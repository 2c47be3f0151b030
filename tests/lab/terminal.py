"""A program at a terminal, as a person uses it: keys in, a screen's bytes out, a window that changes its size."""

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from select import select

PATIENCE_SECONDS = 60.0
READ_BYTES = 65_536


class Terminal:
    """A running program and the far end of its terminal."""

    def __init__(self, process: "subprocess.Popen[bytes]", far_end: int) -> None:
        self.process = process
        self._far_end = far_end
        self.screen = bytearray()
        """Everything the program has written."""

    def type(self, keys: str | bytes) -> None:
        """Press keys."""
        left = keys.encode() if isinstance(keys, str) else keys
        while left:
            left = left[os.write(self._far_end, left) :]

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size."""
        fcntl.ioctl(self._far_end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def attributes(self) -> list[object]:
        """Return how the terminal is set up."""
        return termios.tcgetattr(self._far_end)

    def await_text(self, text: str, after: int = 0, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait until a text is on the screen after a place; return the place behind it."""
        wanted = text.encode()
        deadline = time.monotonic() + seconds
        while (found := self.screen.find(wanted, after)) < 0:
            assert time.monotonic() < deadline, f"no {text!r} after {bytes(self.screen[after:])[-2000:]!r}"
            assert self._read(0.1), f"the program ended without {text!r}: {bytes(self.screen[after:])[-2000:]!r}"
        return found + len(wanted)

    def await_end(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Read to the end; return the program's exit code."""
        deadline = time.monotonic() + seconds
        while self._read(0.1):
            assert time.monotonic() < deadline, f"the program goes on: {bytes(self.screen)[-2000:]!r}"
        return self.process.wait(seconds)

    def _read(self, seconds: float) -> bool:
        """Read what is there within a time; return whether there may be more."""
        if not select([self._far_end], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._far_end, READ_BYTES)
        except OSError:  # nobody has the near end open any more
            return False
        self.screen += data
        return bool(data)


@contextlib.contextmanager
def terminal(
    command: Sequence[str], environment: Mapping[str, str], rows: int = 24, columns: int = 80
) -> Iterator[Terminal]:
    """Run a program at a terminal of its own."""
    far_end, near_end = pty.openpty()
    try:
        fcntl.ioctl(far_end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        process = subprocess.Popen(
            command,
            stdin=near_end,
            stdout=near_end,
            stderr=near_end,
            env=dict(environment),
            start_new_session=True,
            # The new session's controlling terminal; nothing of another thread is touched.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(near_end)
        try:
            yield Terminal(process, far_end)
        finally:
            process.kill()
            process.wait()
    finally:
        os.close(far_end)
