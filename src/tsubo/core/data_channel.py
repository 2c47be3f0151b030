"""The agent's end of a data channel: from frames, a process's output and the time to what shall be done.

A state machine without I/O. Its methods are what happens, and each returns what to do about it, in this order:

    connected, disconnected           the client's WebSocket             SendFrame        to the client, in order
    receive                           a frame of the client              StartProcess     once
    output, process_exited            the process                        WriteInput, ResizeTerminal, EndProcess
    tick                              at the time `wake_at` says         CloseChannel     the last: nothing follows
    end                               somebody else ends the session

A connection may break and another take its place: nothing is lost in between, since both ends send again what was
not acknowledged. Times are seconds since the epoch, on a clock that does not jump. Sources: aws/ecs-cloudmap-exec.md
sections 13 and 14.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tsubo.core.channel_message import (
    FIN,
    INPUT,
    OUTPUT,
    ChannelMessage,
    MalformedMessageError,
    PayloadType,
    channel_closed,
    decode,
    integer,
    json_object,
)
from tsubo.core.channel_streams import Conversation
from tsubo.core.text_pieces import pieces

AGENT_VERSION = "3.3.0.0"
OUTPUT_BYTES = 1024
"""The agent sends this much of a process's output in one message."""
PENDING_INPUT_BYTES = 1 << 20
"""Input that the process has not taken: more is not acknowledged, so that the client sends it again later."""
IDLE_SECONDS = 20 * 60.0
START_ALONE_SECONDS = 1.0
"""A command runs whether or not a client ever opens the channel. Like the agent, which begins about a second after the
call, a process waits this long for its terminal."""
HANDSHAKE_SECONDS = 15.0
FLUSH_SECONDS = 10.0
"""How long the end of a session waits for acknowledgements while none comes. The agent gives up after 2 s in all, and
loses output then; a terminal that somebody has stopped with Ctrl-S should not."""
TERMINATE_SESSION = 2
"""The payload of a FLAG message that ends the session."""
ACTION_SUCCEEDED = 1
LARGEST_TERMINAL = 65_535

HANDSHAKE_TIMED_OUT = (
    "Handshake timed out. Please ensure that you have the latest version of the session manager plugin."
)


@dataclass(frozen=True)
class SendFrame:
    """Send a binary frame to the client."""

    frame: bytes


@dataclass(frozen=True)
class StartProcess:
    """Start the session's process."""


@dataclass(frozen=True)
class WriteInput:
    """Write to the process's input; close it after that if `is_last`. Report what was taken by `input_taken`."""

    data: bytes
    is_last: bool = False


@dataclass(frozen=True)
class ResizeTerminal:
    """Give the process's terminal a size."""

    columns: int
    rows: int


@dataclass(frozen=True)
class EndProcess:
    """End the session's process if it runs."""


@dataclass(frozen=True)
class CloseChannel:
    """Close the connection if there is one; the session is over."""


Command = SendFrame | StartProcess | WriteInput | ResizeTerminal | EndProcess | CloseChannel


@dataclass(frozen=True)
class Handshake:
    """What the agent asks the client to agree to before the process starts."""

    session_type: str
    properties: Mapping[str, Any] = field(default_factory=dict)


class AgentChannel:
    """One session, from its opening to its last message."""

    def __init__(
        self,
        session_id: str,
        seed: str,
        now: float,
        handshake: Handshake | None = None,
        reports_exit: bool = False,
        message_bytes: int = OUTPUT_BYTES,
    ) -> None:
        """Open the agent's end.

        `seed` is 16 random hexadecimal digits. Without a handshake, as on AWS, the client is told nothing before the
        first output. `reports_exit` sends the process's exit code as the agent does for a session without terminal.
        """
        self.session_id = session_id
        self._handshake = handshake
        self._reports_exit = reports_exit
        self._message_bytes = message_bytes
        self._conversation = Conversation(OUTPUT, INPUT, seed)
        self._opened_at = now
        self._active_at = now
        self._handshake_at: float | None = None
        self._agreed = handshake is None
        self._connected = False
        self._started = False
        self._closing_output: str | None = None
        self._pending_input = 0
        self._held = {PayloadType.OUTPUT: b"", PayloadType.ERROR_OUTPUT: b""}
        self.is_closed = False

    @property
    def takes_output(self) -> bool:
        """Whether the process's output may be read on: the client keeps up, and has agreed to the handshake."""
        return self._agreed and self._conversation.sender.has_room

    # The client

    def connected(self, now: float) -> list[Command]:
        """A client has opened the channel, or opened it again."""
        if self.is_closed:
            return [CloseChannel()]
        self._connected = True
        self._conversation.progress_at = now
        commands = self._frames(*self._conversation.sender.everything_again(now))
        if self._handshake is None:
            commands += self._start()
        elif self._handshake_at is None:
            self._handshake_at = now
            commands += self._send(PayloadType.HANDSHAKE_REQUEST, _handshake_request(self._handshake), now)
        return commands + self._close_when_flushed(now)

    def disconnected(self) -> None:
        """The connection has broken. The client may open the channel again."""
        self._connected = False

    def receive(self, frame: bytes, now: float) -> list[Command]:
        """A binary frame has come. One that is no message is passed over."""
        if self.is_closed:
            return []
        try:
            message = decode(frame)
        except MalformedMessageError:
            return []
        ready = self._pending_input < PENDING_INPUT_BYTES
        frames, in_order = self._conversation.receive(message, now, ready)
        commands = self._frames(*frames)
        for stream_message in in_order:
            commands += self._deliver(stream_message, now)
        self._active_at = max(self._active_at, self._conversation.progress_at)
        return commands + self._close_when_flushed(now)

    def _deliver(self, message: ChannelMessage, now: float) -> list[Command]:
        self._active_at = now
        if self.is_closed:
            return []
        if message.payload_type == PayloadType.OUTPUT:
            self._pending_input += len(message.payload)
            return [WriteInput(message.payload, bool(message.flags & FIN))]
        if message.payload_type == PayloadType.SIZE:
            return _resize(message.payload)
        if message.payload_type == PayloadType.HANDSHAKE_RESPONSE:
            return self._complete_handshake(message.payload, now)
        if message.payload_type == PayloadType.FLAG and int.from_bytes(message.payload) == TERMINATE_SESSION:
            return self.end(now)
        return []

    def _complete_handshake(self, payload: bytes, now: float) -> list[Command]:
        if self._agreed or self._handshake_at is None:
            return []
        refusals = _refusals(payload)
        if refusals:
            return self.end(now, f"Handshake failed: {refusals}")
        self._agreed = True
        document = {"HandshakeTimeToComplete": int((now - self._handshake_at) * 1e9), "CustomerMessage": ""}
        return [*self._send(PayloadType.HANDSHAKE_COMPLETE, json.dumps(document).encode(), now), *self._start()]

    # The process

    def input_taken(self, count: int) -> None:
        """The process has taken this many bytes of its input."""
        self._pending_input -= count

    def output(self, data: bytes, now: float, is_error: bool = False) -> list[Command]:
        """The process has written. `is_error` says that it wrote to an error output of its own."""
        payload_type = PayloadType.ERROR_OUTPUT if is_error else PayloadType.OUTPUT
        whole, self._held[payload_type] = pieces(self._held[payload_type] + data, self._message_bytes)
        commands: list[Command] = []
        for piece in whole:
            commands += self._send(payload_type, piece, now)
        return commands

    def process_exited(self, exit_code: int, now: float, output: str = "") -> list[Command]:
        """The process has ended and all its output was handed in, or (`output`) it could not be started."""
        commands: list[Command] = []
        for payload_type, held in self._held.items():
            if held:
                commands += self._send(payload_type, held, now)
        if self._reports_exit:
            commands += self._send(PayloadType.EXIT_CODE, f"EXIT_CODE: {exit_code}".encode(), now)
        self._closing_output = output
        self._conversation.progress_at = now
        return commands + self._close_when_flushed(now)

    # Time, and the end

    def wake_at(self) -> float:
        """Return when `tick` is due if nothing else happens."""
        times = [self._active_at + IDLE_SECONDS]
        if not self._started and self._handshake is None:
            times.append(self._opened_at + START_ALONE_SECONDS)
        if not self._agreed and self._handshake_at is not None:
            times.append(self._handshake_at + HANDSHAKE_SECONDS)
        if self._connected and (resend_at := self._conversation.sender.resend_at()) is not None:
            times.append(resend_at)
        if self._connected and self._closing_output is not None:
            times.append(self._conversation.progress_at + FLUSH_SECONDS)
        return min(times)

    def tick(self, now: float) -> list[Command]:
        """Time has passed."""
        if self.is_closed:
            return []
        if now >= self._active_at + IDLE_SECONDS:
            return self.end(now)
        if not self._agreed and self._handshake_at is not None and now >= self._handshake_at + HANDSHAKE_SECONDS:
            return self.end(now, HANDSHAKE_TIMED_OUT)
        commands: list[Command] = []
        if self._handshake is None and now >= self._opened_at + START_ALONE_SECONDS:
            commands += self._start()
        if self._connected:
            commands += self._frames(*self._conversation.due(now))
        return commands + self._close_when_flushed(now)

    def end(self, now: float, output: str = "") -> list[Command]:
        """Return what ends the session at once. `output` is what the client shows."""
        if self.is_closed:
            return []
        self.is_closed = True
        closed = channel_closed(self.session_id, output, self._conversation.next_id(), int(now * 1000))
        return [EndProcess(), *self._frames(closed), CloseChannel()]

    def _close_when_flushed(self, now: float) -> list[Command]:
        """End the session if its process has ended and its client has everything, or takes nothing any more."""
        if self._closing_output is None or not self._connected:
            return []
        given_up = now >= self._conversation.progress_at + FLUSH_SECONDS
        return self.end(now, self._closing_output) if self._conversation.sender.is_empty or given_up else []

    def _start(self) -> list[Command]:
        if self._started:
            return []
        self._started = True
        return [StartProcess()]

    def _send(self, payload_type: PayloadType, payload: bytes, now: float) -> list[Command]:
        return self._frames(self._conversation.sender.send(payload_type, payload, now))

    def _frames(self, *frames: bytes) -> list[Command]:
        """Without a connection nothing is sent: what must arrive is sent again to the next one."""
        return [SendFrame(frame) for frame in frames] if self._connected else []


def _resize(payload: bytes) -> list[Command]:
    document = json_object(payload)
    columns, rows = integer(document, "cols"), integer(document, "rows")
    if columns is None or rows is None or not (0 < columns <= LARGEST_TERMINAL and 0 < rows <= LARGEST_TERMINAL):
        return []
    return [ResizeTerminal(columns, rows)]


def _handshake_request(handshake: Handshake) -> bytes:
    parameters = {"SessionType": handshake.session_type, "Properties": dict(handshake.properties)}
    actions = [{"ActionType": "SessionType", "ActionParameters": parameters}]
    return json.dumps({"AgentVersion": AGENT_VERSION, "RequestedClientActions": actions}).encode()


def _refusals(payload: bytes) -> str:
    """Return what the client did not agree to, as text; nothing if it agreed to all."""
    actions = json_object(payload).get("ProcessedClientActions")
    if not isinstance(actions, list):
        return "the client processed no action"
    refused = [a for a in actions if not isinstance(a, dict) or a.get("ActionStatus") != ACTION_SUCCEEDED]
    return "; ".join(str(a.get("Error") or a.get("ActionType")) if isinstance(a, dict) else str(a) for a in refused)
