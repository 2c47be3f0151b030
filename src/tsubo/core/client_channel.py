"""The client's end of a data channel, for `tsubo exec`: the counterpart of `data_channel`, without I/O as well.

    receive                           a frame of the agent               SendFrame        to the agent, in order
    typed, resized, terminate         the user                           Ready            the user may be heard from now
    tick                              at the time `wake_at` says         ShowOutput, ReportExit, Closed

Nothing is sent before the agent has spoken: it completes a handshake or shows its first output. Source:
aws/ecs-cloudmap-exec.md section 14.
"""

import json
from dataclasses import dataclass
from typing import Any

from tsubo.core.channel_message import (
    CHANNEL_CLOSED,
    FIN,
    INPUT,
    OUTPUT,
    ChannelMessage,
    MalformedMessageError,
    PayloadType,
    decode,
    json_object,
    size_payload,
)
from tsubo.core.channel_streams import Conversation
from tsubo.core.data_channel import ACTION_SUCCEEDED, TERMINATE_SESSION, SendFrame

CLIENT_VERSION = "1.2.0.0"
INPUT_BYTES = 16 * 1024
"""A message of input has at most this much. The official client's has 1024 bytes; any size is allowed."""
UNSUPPORTED_ACTION = 3
EXIT_CODE_PREFIX = "EXIT_CODE: "


@dataclass(frozen=True)
class Ready:
    """What the user types may be sent."""


@dataclass(frozen=True)
class ShowOutput:
    """Write to the user's output, or error output."""

    data: bytes
    is_error: bool


@dataclass(frozen=True)
class ReportExit:
    """The process has exited."""

    exit_code: int


@dataclass(frozen=True)
class Closed:
    """The session is over. `output` is what the agent has to say about that, often nothing."""

    output: str


Command = SendFrame | Ready | ShowOutput | ReportExit | Closed


def opening(token: str, request_id: str, client_id: str) -> str:
    """Return the text that a client sends first; the ids are UUIDs."""
    document = {
        "MessageSchemaVersion": "1.0",
        "RequestId": request_id,
        "TokenValue": token,
        "ClientId": client_id,
        "ClientVersion": CLIENT_VERSION,
    }
    return json.dumps(document)


class ClientChannel:
    """A client of one session."""

    def __init__(self, seed: str) -> None:
        """`seed` is 16 random hexadecimal digits."""
        self._conversation = Conversation(INPUT, OUTPUT, seed)
        self._ready = False

    @property
    def takes_input(self) -> bool:
        """Whether more may be typed: the agent has spoken and keeps up."""
        return self._ready and self._conversation.sender.has_room

    def receive(self, frame: bytes, now: float) -> list[Command]:
        """A binary frame has come. One that is no message is passed over."""
        try:
            message = decode(frame)
        except MalformedMessageError:
            return []
        if message.message_type == CHANNEL_CLOSED:
            return [Closed(str(json_object(message.payload).get("Output") or ""))]
        frames, in_order = self._conversation.receive(message, now)
        commands: list[Command] = [SendFrame(frame) for frame in frames]
        for stream_message in in_order:
            commands += self._deliver(stream_message, now)
        return commands

    def _deliver(self, message: ChannelMessage, now: float) -> list[Command]:
        kind, payload = message.payload_type, message.payload
        if kind == PayloadType.HANDSHAKE_REQUEST:
            return [self._send(PayloadType.HANDSHAKE_RESPONSE, _handshake_response(payload), now)]
        if kind == PayloadType.HANDSHAKE_COMPLETE:
            return self._become_ready()
        if kind in (PayloadType.OUTPUT, PayloadType.ERROR_OUTPUT):
            return [*self._become_ready(), ShowOutput(payload, kind == PayloadType.ERROR_OUTPUT)]
        if kind == PayloadType.EXIT_CODE:
            digits = payload.decode("ascii", errors="replace").removeprefix(EXIT_CODE_PREFIX)
            return [ReportExit(int(digits))] if digits.isdecimal() else []
        return []

    def _become_ready(self) -> list[Command]:
        if self._ready:
            return []
        self._ready = True
        return [Ready()]

    def typed(self, data: bytes, now: float, is_last: bool = False) -> list[Command]:
        """The user has typed, or (`is_last`) will type no more: the process then reads the end of its input."""
        starts = range(0, max(1, len(data)), INPUT_BYTES)
        parts = [data[start : start + INPUT_BYTES] for start in starts]
        return [
            self._send(PayloadType.OUTPUT, part, now, FIN if is_last and index == len(parts) - 1 else 0)
            for index, part in enumerate(parts)
        ]

    def resized(self, columns: int, rows: int, now: float) -> list[Command]:
        """The user's terminal has this size."""
        return [self._send(PayloadType.SIZE, size_payload(columns, rows), now)]

    def terminate(self, now: float) -> list[Command]:
        """The user wants the session to end, and its process with it."""
        return [self._send(PayloadType.FLAG, TERMINATE_SESSION.to_bytes(4), now)]

    def wake_at(self) -> float | None:
        """Return when `tick` is due if nothing else happens."""
        return self._conversation.sender.resend_at()

    def tick(self, now: float) -> list[Command]:
        """Time has passed."""
        return [SendFrame(frame) for frame in self._conversation.due(now)]

    def _send(self, payload_type: PayloadType, payload: bytes, now: float, flags: int = 0) -> SendFrame:
        return SendFrame(self._conversation.sender.send(payload_type, payload, now, flags))


def _handshake_response(payload: bytes) -> bytes:
    """Return the answer to a handshake: the kind of session is agreed to, encryption and anything else is not."""
    requested = json_object(payload).get("RequestedClientActions")
    actions = [action for action in requested if isinstance(action, dict)] if isinstance(requested, list) else []
    document = {
        "ClientVersion": CLIENT_VERSION,
        "ProcessedClientActions": [_processed(a) for a in actions],
        "Errors": [],
    }
    return json.dumps(document).encode()


def _processed(action: dict[str, Any]) -> dict[str, Any]:
    kind = action.get("ActionType")
    if kind == "SessionType":
        return {"ActionType": kind, "ActionStatus": ACTION_SUCCEEDED, "ActionResult": action.get("ActionParameters")}
    return {"ActionType": kind, "ActionStatus": UNSUPPORTED_ACTION, "Error": f"{kind} is not supported."}
