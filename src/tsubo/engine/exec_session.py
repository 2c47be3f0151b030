"""One session of ECS Exec: a process in a container, a data channel to whoever has the session's token.

The channel (`core.data_channel`) decides; here its commands are carried out: frames go to the present WebSocket,
input and sizes to the process, and what the process writes goes back, no faster than the client takes it.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from functools import partial
from typing import Any

from tsubo.core.data_channel import (
    AgentChannel,
    CloseChannel,
    Command,
    EndProcess,
    Handshake,
    ResizeTerminal,
    SendFrame,
    StartProcess,
    WriteInput,
)
from tsubo.core.shell_words import UnfinishedCommandError, split
from tsubo.drivers.pty_exec import NOT_EXECUTABLE, NOT_FOUND, READ_BYTES, CannotStartError, ExecProcess, start_process
from tsubo.engine.channel_driver import ChannelDriver

log = logging.getLogger("tsubo.exec")

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Start = Callable[[str, Sequence[str], bool], Coroutine[Any, Any, ExecProcess]]

DEFAULT_COLUMNS, DEFAULT_ROWS = 80, 24
"""A terminal that is told no size has this one."""
REPLACED = 1001
"""The WebSocket code for a connection in whose place the client opened another."""


class Session:
    """A session, from ExecuteCommand to its end. All methods belong to one event loop."""

    def __init__(
        self,
        session_id: str,
        container: str,
        command: str,
        on_start: Callable[[str], Awaitable[None]],
        on_end: Callable[[], Awaitable[None]],
        start: Start = start_process,
    ) -> None:
        """`container` is the container engine's name, and `start` starts a process in it.

        `on_start` is told the container engine's id of the process; `on_end` is awaited before the client hears of
        the end.
        """
        self.session_id = session_id
        self._container = container
        self._command = command
        self._on_start = on_start
        self._on_end = on_end
        self._start = start
        self._terminal = True
        self._is_prepared = False
        self._driver: ChannelDriver[Command] = ChannelDriver(self._tick, self._wake_at, self._perform)
        self._channel = self._make_channel(None)
        self._send: Send | None = None
        self._has_started = False
        self._starting: asyncio.Task[ExecProcess] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._input: asyncio.Queue[WriteInput] = asyncio.Queue()
        self._size = ResizeTerminal(DEFAULT_COLUMNS, DEFAULT_ROWS)
        self._size_changed = asyncio.Event()
        self._size_changed.set()

    def _make_channel(self, handshake: Handshake | None) -> AgentChannel:
        seed, now = secrets.token_hex(8), self._driver.now()
        if handshake is None:
            return AgentChannel(self.session_id, seed, now)
        return AgentChannel(self.session_id, seed, now, handshake, reports_exit=True, message_bytes=READ_BYTES)

    def _tick(self, now: float) -> list[Command]:
        return self._channel.tick(now)

    def _wake_at(self) -> float:
        return self._channel.wake_at()

    def prepare(self, terminal: bool) -> bool:
        """Have the session wait for a client that shakes hands and wants to know the exit code, as `tsubo exec` does.

        Without `terminal` the process gets pipes, and its error output a stream of its own. Such a client does not
        come again: when it goes, the session ends. Return whether there was time for that: the process must not have
        been started.
        """
        if self._has_started:
            return False
        self._is_prepared = True
        self._terminal = terminal
        self._channel = self._make_channel(
            Handshake("InteractiveCommands")
            if terminal
            else Handshake("NonInteractiveCommands", {"separateOutputStream": True})
        )
        return True

    async def run(self) -> None:
        """Serve the session until it is over; then nothing of it runs any more."""
        try:
            await self._driver.run()
        except Exception:
            log.exception("session %s failed", self.session_id)
        finally:
            await self._clean_up()

    async def end(self) -> None:
        """End the session and its process."""
        await self._driver.submit(self._channel.end)

    # The client

    async def attach(self, receive: Receive, send: Send) -> None:
        """Serve a client that has shown the session's token, until it has gone or the session is over."""
        await self._driver.submit(partial(self._connect, send))
        if self._driver.is_finished:
            await _close(send)
        while (event := await receive())["type"] == "websocket.receive":
            if event.get("bytes"):
                await self._driver.submit(partial(self._channel.receive, event["bytes"]))
        await self._driver.submit(partial(self._disconnect, send))

    def _connect(self, send: Send, now: float) -> list[Command]:
        before, self._send = self._send, send
        if before is not None:
            self._in_background(_close(before, REPLACED))
        return self._channel.connected(now)

    def _disconnect(self, send: Send, now: float) -> list[Command]:
        if self._send is not send:
            return []
        self._send = None
        self._channel.disconnected()
        return self._channel.end(now) if self._is_prepared else []

    # What the channel says

    async def _perform(self, command: Command) -> None:
        match command:
            case SendFrame(frame):
                await self._send_frame(frame)
            case StartProcess():
                self._has_started = True
                self._in_background(self._run_process())
            case WriteInput():
                self._input.put_nowait(command)
            case ResizeTerminal():
                self._size = command
                self._size_changed.set()
            case EndProcess():
                await self._on_end()
            case CloseChannel():
                if self._send is not None:
                    await _close(self._send)
                self._driver.finish()

    async def _send_frame(self, frame: bytes) -> None:
        if self._send is None:
            return
        try:
            await self._send({"type": "websocket.send", "bytes": frame})
        except (OSError, RuntimeError):
            log.debug("session %s: the connection broke while something was sent", self.session_id)

    # The process

    async def _run_process(self) -> None:
        """Run the process from its start to its end."""
        try:
            words = split(self._command)
            # Shielded, so that the end of the session does not leave a process behind of which nobody knows.
            self._starting = asyncio.create_task(self._start(self._container, words, self._terminal))
            process = await asyncio.shield(self._starting)
            await self._on_start(process.exec_id)
            exit_code = await self._serve(process)
        except UnfinishedCommandError as error:
            await self._exited(NOT_FOUND, f"Unable to start command: Failed to parse commands input: {error}\n")
        except CannotStartError as error:
            await self._exited(error.exit_code, f"Unable to start command: Failed to start pty: {error}\n")
        except (OSError, ValueError) as error:
            log.exception("session %s lost its process", self.session_id)
            await self._exited(NOT_EXECUTABLE, f"The container engine failed: {error}\n")
        else:
            await self._exited(exit_code)

    async def _serve(self, process: ExecProcess) -> int:
        """Hand on what the process reads and writes; return its exit code."""
        self._in_background(self._feed(process))
        if self._terminal:
            self._in_background(self._resize(process))
        while (part := await process.read()) is not None:
            await self._driver.wait_until(lambda: self._channel.takes_output)
            data, is_error = part
            await self._driver.submit(partial(self._channel.output, data, is_error=is_error))
        await self._driver.wait_until(lambda: self._channel.takes_output)
        return await process.wait()

    async def _exited(self, exit_code: int, output: str = "") -> None:
        await self._driver.submit(lambda now: self._channel.process_exited(exit_code, now, output))

    async def _feed(self, process: ExecProcess) -> None:
        """Write input to the process as it takes it."""
        while True:
            piece = await self._input.get()
            await process.write(piece.data)
            if piece.is_last:
                process.close_input()
            self._channel.input_taken(len(piece.data))

    async def _resize(self, process: ExecProcess) -> None:
        """Give the terminal the latest size."""
        while True:
            await self._size_changed.wait()
            self._size_changed.clear()
            await process.resize(self._size.columns, self._size.rows)

    # The end

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _clean_up(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._starting is not None:
            with contextlib.suppress(CannotStartError, OSError, ValueError):
                await (await self._starting).end()


async def _close(send: Send, code: int = 1000) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        await send({"type": "websocket.close", "code": code})
