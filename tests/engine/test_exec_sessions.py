"""Sessions over real WebSockets, around a process that a test plays (aws/ecs-cloudmap-exec.md sections 13 and 14)."""

import asyncio
import dataclasses
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tsubo.aws.asgi import application
from tsubo.aws.store import Store
from tsubo.core.channel_message import (
    CHANNEL_CLOSED,
    INPUT,
    OUTPUT,
    ChannelMessage,
    PayloadType,
    acknowledgement,
    decode,
    encode,
    json_object,
    size_payload,
)
from tsubo.core.client_channel import ClientChannel, Ready, ReportExit, ShowOutput, opening
from tsubo.core.data_channel import SendFrame
from tsubo.drivers.pty_exec import CannotStartError, ExecProcess
from tsubo.engine.exec_sessions import ExecSessions
from tsubo.model.exec_session import ExecSession
from tsubo.model.identity import EngineIdentity

SESSION_ID = "ecs-execute-command-0123456789abcdef0"
ID = "00112233-4455-6677-8899-aabbccddeeff"
TOKEN = "the token"
ANOTHER = opening("another", ID, ID)
TIMEOUT_SECONDS = 10.0


class PlayedProcess:
    """A process that writes what a test says and keeps what it is told."""

    def __init__(self) -> None:
        self.exec_id = "exec-1"
        self.left_over_ended: list[str] = []
        self.output: asyncio.Queue[tuple[bytes, bool] | None] = asyncio.Queue()
        self.started: list[tuple[str, Sequence[str], bool]] = []
        self.start_error: str | None = None
        self.input = b""
        self.input_ended = self.ended = False
        self.sizes: list[tuple[int, int]] = []

    async def start(self, container: str, words: Sequence[str], terminal: bool) -> ExecProcess:
        self.started.append((container, words, terminal))
        if self.start_error is not None:
            raise CannotStartError(self.start_error)
        return self  # type: ignore[return-value]

    async def end_left_over(self, exec_id: str) -> None:
        self.left_over_ended.append(exec_id)
        if exec_id == "gone":
            raise OSError("no answer")

    async def read(self) -> tuple[bytes, bool] | None:
        return await self.output.get()

    async def write(self, data: bytes) -> None:
        self.input += data

    def close_input(self) -> None:
        self.input_ended = True

    async def resize(self, columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))

    async def wait(self) -> int:
        return 7

    async def end(self) -> None:
        self.ended = True


class Place:
    """A served endpoint with one session in its store, whose process a test plays."""

    def __init__(self, store: Store, sessions: ExecSessions, process: PlayedProcess, port: int) -> None:
        self.store, self.sessions, self.process, self.port = store, sessions, process, port

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/data-channel/{SESSION_ID}?role=publish_subscribe"

    def record(self, token: str | None = TOKEN, **fields: Any) -> ExecSession:
        digest = None if token is None else hashlib.sha256(token.encode()).hexdigest()
        record = ExecSession(SESSION_ID, "eu-west-1", "arn:task/c/1234", "api", "sh -c 'a b'", 0.0, digest)
        return dataclasses.replace(record, **fields)

    async def open(self, first: str | bytes = opening(TOKEN, ID, ID), session_id: str = SESSION_ID) -> "Wire":
        wire = Wire(await connect(self.url.replace(SESSION_ID, session_id), proxy=None))
        await wire.send(first)
        return wire

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not condition():
                await asyncio.sleep(0.005)


def play(directory: Path, scenario: Callable[[Place], Awaitable[None]]) -> None:
    """Run a scenario against a real server."""

    async def run() -> None:
        store = Store(directory / "store.sqlite", EngineIdentity("0011aabb"))
        process = PlayedProcess()
        sessions = ExecSessions(
            store, lambda task, container: f"{task}-{container}", process.start, process.end_left_over
        )
        await sessions.start()
        app = application(None, None, sessions)  # type: ignore[arg-type]
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.005)
        place = Place(store, sessions, process, server.servers[0].sockets[0].getsockname()[1])
        try:
            store.commit([place.record()])
            async with asyncio.timeout(3 * TIMEOUT_SECONDS):
                await scenario(place)
        finally:
            await sessions.close()
            server.should_exit = True
            await serving
            store.close()

    asyncio.run(run())


class Wire:
    """A client that shows the frames themselves."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.send = socket.send
        self._seen: set[int] = set()

    async def next(self, message_type: str = OUTPUT) -> ChannelMessage:
        """Return the next message of a type; one of a stream is acknowledged, and returned once."""
        while True:
            message = decode(await self.socket.recv())  # type: ignore[arg-type]
            if message.message_type == OUTPUT:
                await self.send(acknowledgement(message, ID, 1))
                if message.sequence_number in self._seen:
                    continue
                self._seen.add(message.sequence_number)
            if message.message_type == message_type:
                return message

    async def until_closed(self) -> ConnectionClosed:
        """Return how the server closed the connection."""
        while True:
            try:
                await self.socket.recv()
            except ConnectionClosed as closed:
                return closed


def typed(number: int, payload: bytes, kind: int = PayloadType.OUTPUT) -> bytes:
    return encode(ChannelMessage(INPUT, number, ID, 1, payload, kind))


def test_a_session(tmp_path: Path) -> None:
    async def scenario(place: Place) -> None:
        client = await place.open()
        await place.process.output.put((b"# ", False))
        assert (await client.next()).payload == b"# "
        assert place.process.started == [("1234-api", ["sh", "-c", "a b"], True)]
        assert place.store.world.exec_sessions[SESSION_ID].exec_id == "exec-1"
        await client.send(typed(0, size_payload(100, 30), PayloadType.SIZE))
        await client.send(typed(1, b"exit\r"))
        await place.until(lambda: place.process.input == b"exit\r" and place.process.sizes[-1] == (100, 30))
        assert place.process.sizes[0] == (80, 24)
        await place.process.output.put(None)
        closed = await client.next(CHANNEL_CLOSED)
        assert json_object(closed.payload)["SessionId"] == SESSION_ID
        # The slot of a session is free by the time its client knows of the end.
        assert SESSION_ID not in place.store.world.exec_sessions
        await client.until_closed()

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    "first", ["{}", "[]", "no json", '{"TokenValue": 1}', '{"TokenValue": "another"}', b"\0" * 200, "[" * 100_000]
)
def test_the_token_is_needed(tmp_path: Path, first: str | bytes) -> None:
    async def scenario(place: Place) -> None:
        closed = await (await place.open(first)).until_closed()
        assert closed.rcvd is not None
        assert closed.rcvd.code == 1008
        assert place.store.world.exec_sessions[SESSION_ID].token_digest is not None

    play(tmp_path, scenario)


def test_a_token_opens_the_channel_once(tmp_path: Path) -> None:
    async def scenario(place: Place) -> None:
        await place.open()
        await place.until(lambda: place.store.world.exec_sessions[SESSION_ID].token_digest is None)
        await (await place.open()).until_closed()

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/data-channel/ecs-execute-command-00000000000000000", {}),
        ("/v1/data-channel/", {}),
        ("/other", {}),
        ("/_tsubo/status", {}),
        (f"/v1/data-channel/{SESSION_ID}", {"Origin": "http://127.0.0.1"}),
    ],
)
def test_who_is_not_let_in(tmp_path: Path, path: str, headers: dict[str, str]) -> None:
    async def scenario(place: Place) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{place.port}{path}", proxy=None, additional_headers=headers)
        assert refused.value.response.status_code == 403

    play(tmp_path, scenario)


def test_a_connection_that_broke_is_taken_up_again(tmp_path: Path) -> None:
    """Section 14: sequence numbers go on in both directions, and what was not acknowledged comes again."""

    async def scenario(place: Place) -> None:
        client = await place.open()
        await place.process.output.put((b"one", False))
        await client.next()
        await place.process.output.put((b"two", False))
        assert decode(await client.socket.recv()).payload == b"two"  # type: ignore[arg-type]
        client.socket.transport.abort()
        await place.process.output.put((b"three", False))
        place.store.commit([place.record("another")])
        again = await place.open(ANOTHER)
        messages = [await again.next(), await again.next()]
        assert [(m.sequence_number, m.payload) for m in messages] == [(1, b"two"), (2, b"three")]
        await again.send(typed(0, b"x"))
        await place.until(lambda: place.process.input == b"x")
        assert len(place.process.started) == 1

    play(tmp_path, scenario)


def test_a_new_connection_takes_the_place_of_the_old(tmp_path: Path) -> None:
    async def scenario(place: Place) -> None:
        first = await place.open()
        await place.until(lambda: place.process.started)
        place.store.commit([place.record("another")])
        second = await place.open(ANOTHER)
        await first.until_closed()
        await place.process.output.put((b"x", False))
        assert (await second.next()).payload == b"x"

    play(tmp_path, scenario)


def test_a_terminated_session_ends_its_process(tmp_path: Path) -> None:
    async def scenario(place: Place) -> None:
        client = await place.open()
        await place.until(lambda: place.process.started)
        place.store.commit([place.record(None, terminated=True)])
        await client.next(CHANNEL_CLOSED)
        await place.until(lambda: place.process.ended)
        assert not place.store.world.exec_sessions

    play(tmp_path, scenario)


def test_a_command_that_cannot_be_started(tmp_path: Path) -> None:
    async def scenario(place: Place) -> None:
        place.process.start_error = 'exec: "no": executable file not found in $PATH'
        closed = await (await place.open()).next(CHANNEL_CLOSED)
        reason = 'Unable to start command: Failed to start pty: exec: "no": executable file not found in $PATH\n'
        assert json_object(closed.payload)["Output"] == reason

    play(tmp_path, scenario)


def test_a_command_with_a_quote_too_few(tmp_path: Path) -> None:
    async def scenario(place: Place) -> None:
        other = "ecs-execute-command-1"
        place.store.commit([place.record(session_id=other, command="sh -c 'a")])
        client = await place.open(session_id=other)
        output = json_object((await client.next(CHANNEL_CLOSED)).payload)["Output"]
        assert output == (
            "Unable to start command: Failed to parse commands input: EOF found when expecting closing quote\n"
        )

    play(tmp_path, scenario)


def test_a_command_runs_without_a_client(tmp_path: Path) -> None:
    async def scenario(place: Place) -> None:
        await place.until(lambda: place.process.started)

    play(tmp_path, scenario)


def test_sessions_of_a_former_controller_are_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite", EngineIdentity("0011aabb"))
    for number, exec_id in enumerate([None, "gone", "exec-0"]):
        record = ExecSession(f"ecs-execute-command-{number}", "r", "t/1", "api", "sh", 0.0, None, exec_id=exec_id)
        store.commit([record])
    store.close()

    async def scenario(place: Place) -> None:
        assert list(place.store.world.exec_sessions) == [SESSION_ID]
        assert place.process.left_over_ended == ["gone", "exec-0"]

    play(tmp_path, scenario)


def test_a_prepared_session_shakes_hands_and_tells_the_exit_code(tmp_path: Path) -> None:
    """As `tsubo exec` has it: pipes, an end of input, an error output of its own."""

    async def scenario(place: Place) -> None:
        assert await asyncio.to_thread(place.sessions.prepare, SESSION_ID, False)
        socket = (await place.open()).socket
        client = ClientChannel("0" * 16)
        seen: list[Any] = []

        async def receive_until(condition: Callable[[], bool]) -> None:
            while not condition():
                commands = client.receive(await socket.recv(), 1.0)  # type: ignore[arg-type]
                seen.extend(c for c in commands if not isinstance(c, SendFrame))
                for command in commands:
                    if isinstance(command, SendFrame):
                        await socket.send(command.frame)

        await receive_until(lambda: Ready() in seen)
        for command in client.typed(b"data", 1.0, is_last=True):
            assert isinstance(command, SendFrame)
            await socket.send(command.frame)
        await place.until(lambda: place.process.input_ended)
        assert (place.process.input, place.process.started[0][2]) == (b"data", False)
        assert place.process.sizes == []
        for part in ((b"out", False), (b"err", True), None):
            await place.process.output.put(part)
        await receive_until(lambda: ReportExit(7) in seen)
        assert seen[1:] == [ShowOutput(b"out", False), ShowOutput(b"err", True), ReportExit(7)]
        assert not await asyncio.to_thread(place.sessions.prepare, SESSION_ID, False)

    play(tmp_path, scenario)


def test_megabytes_pass_while_the_client_is_slow(tmp_path: Path) -> None:
    async def scenario(place: Place) -> None:
        client = await place.open()
        data = b"".join(b"%06d\n" % number for number in range(300_000))
        for start in range(0, len(data), 16384):
            await place.process.output.put((data[start : start + 16384], False))
        received = bytearray()
        while len(received) < len(data):
            message = await client.next()
            received += message.payload
            if message.sequence_number % 500 == 0:
                await asyncio.sleep(0.02)
        assert bytes(received) == data

    play(tmp_path, scenario)
