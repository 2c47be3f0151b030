"""A client of ECS Exec's data channel for `tsubo exec`: this terminal, or these pipes, at the process's two ends.

At a terminal every key goes to the process as it is, and the window's size with it. With pipes the process reads the
end of our input, and its error output stays apart. Either way its exit code is ours.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import termios
import threading
import tty
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import CancelledError
from functools import partial
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tsubo.core.client_channel import (
    ClientChannel,
    Closed,
    Command,
    Ready,
    ReportExit,
    ShowOutput,
    opening,
)
from tsubo.core.data_channel import SendFrame
from tsubo.engine.channel_driver import ChannelDriver
from tsubo.engine.errors import FAILED, UserError

READ_BYTES = 16 * 1024
STANDARD_INPUT, STANDARD_OUTPUT, STANDARD_ERROR = 0, 1, 2
FAILED_WITHOUT_CODE = 1
SIGNALLED = 128
"""A process that a signal ended is said to have exited with this plus the signal's number."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def is_at_terminal() -> bool:
    """Return whether both our input and our output are a terminal."""
    return os.isatty(STANDARD_INPUT) and os.isatty(STANDARD_OUTPUT)


def run(stream_url: str, token: str, terminal: bool) -> int:
    """Serve a session until it is over, and return its process's exit code. Raises UserError if it breaks off."""
    try:
        with _raw_terminal() if terminal else contextlib.nullcontext():
            exit_code, message = asyncio.run(_converse(stream_url, token, terminal))
    except (OSError, InvalidHandshake, ConnectionClosed) as error:
        raise UserError(f"The session broke off: {error}", "`tsubo status` shows the engine.", FAILED) from error
    if message:
        sys.stderr.write(f"{message.rstrip()}\n")
    return exit_code


async def _converse(stream_url: str, token: str, terminal: bool) -> tuple[int, str]:
    async with connect(stream_url, compression=None, max_size=None, ping_interval=None, proxy=None) as socket:
        await socket.send(opening(token, str(uuid.uuid4()), str(uuid.uuid4())))
        return await _Client(socket, terminal).serve()


class _Client:
    """One session as its user sees it."""

    def __init__(self, socket: ClientConnection, terminal: bool) -> None:
        self._socket = socket
        self._terminal = terminal
        self._loop = asyncio.get_running_loop()
        self._channel = ClientChannel(secrets.token_hex(8))
        self._driver: ChannelDriver[Command] = ChannelDriver(self._channel.tick, self._channel.wake_at, self._perform)
        self._tasks: set[asyncio.Task[None]] = set()
        self._exit_code: int | None = None
        self._message = ""

    async def serve(self) -> tuple[int, str]:
        """Serve until the session is over; return the exit code and what there is to say about the end."""
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._signalled, number)
        if self._terminal:
            self._loop.add_signal_handler(signal.SIGWINCH, self._tell_size)
        self._in_background(self._receive())
        try:
            await self._driver.run()
        finally:
            for task in self._tasks:
                task.cancel()
        if self._exit_code is None:
            return FAILED_WITHOUT_CODE, self._message or "The session has ended."
        return self._exit_code, self._message

    async def _receive(self) -> None:
        """Hand frames to the channel, until the connection ends."""
        with contextlib.suppress(ConnectionClosed):
            async for frame in self._socket:
                if isinstance(frame, bytes):
                    await self._driver.submit(partial(self._channel.receive, frame))
        await self._driver.submit(_broken_off)

    async def _perform(self, command: Command) -> None:
        match command:
            case SendFrame(frame):
                # The end of the connection is noticed where frames are received: the last of them may still wait there.
                with contextlib.suppress(ConnectionClosed):
                    await self._socket.send(frame)
            case Ready():
                if self._terminal:
                    self._tell_size()
                threading.Thread(target=self._read_input, name="input", daemon=True).start()
            case ShowOutput(data, is_error):
                self._show(STANDARD_ERROR if is_error else STANDARD_OUTPUT, data)
            case ReportExit(exit_code):
                self._exit_code = exit_code if self._exit_code is None else self._exit_code
            case Closed(output):
                self._message = output
                self._driver.finish()

    def _show(self, descriptor: int, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except BrokenPipeError:
            self._terminate(signal.SIGPIPE)

    # What the user does

    def _read_input(self) -> None:
        """Read our input in a thread of its own: it may be a file, a pipe or a terminal, and wait for ever."""
        while True:
            try:
                data = os.read(STANDARD_INPUT, READ_BYTES)
            except OSError:
                data = b""
            try:
                asyncio.run_coroutine_threadsafe(self._type(data), self._loop).result()
            except (RuntimeError, CancelledError):  # the session is over
                return
            if not data:
                return

    async def _type(self, data: bytes) -> None:
        await self._driver.wait_until(lambda: self._channel.takes_input)
        await self._driver.submit(partial(self._channel.typed, data, is_last=not data))

    def _tell_size(self) -> None:
        columns, rows = os.get_terminal_size(STANDARD_OUTPUT)
        if columns and rows:
            self._in_background(self._driver.submit(partial(self._channel.resized, columns, rows)))

    def _signalled(self, number: signal.Signals) -> None:
        """End the session; the same signal once more ends us as if it were not handled."""
        self._loop.remove_signal_handler(number)
        self._terminate(number)

    def _terminate(self, number: signal.Signals) -> None:
        if self._exit_code is None:
            self._exit_code = SIGNALLED + number
            self._in_background(self._driver.submit(self._channel.terminate))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _broken_off(now: float) -> list[Command]:
    raise ConnectionError("the engine closed the connection")


@contextlib.contextmanager
def _raw_terminal() -> Iterator[None]:
    """Have every key handed on as it is."""
    before = termios.tcgetattr(STANDARD_INPUT)
    tty.setraw(STANDARD_INPUT)
    try:
        yield
    finally:
        termios.tcsetattr(STANDARD_INPUT, termios.TCSADRAIN, before)
