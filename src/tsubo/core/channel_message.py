"""The messages of ECS Exec's data channel: their binary form and the JSON documents in them.

In go messages, out come the bytes of one binary WebSocket frame, and the other way round. Source:
aws/ecs-cloudmap-exec.md section 14 (the table of the binary message).
"""

import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

INPUT = "input_stream_data"
OUTPUT = "output_stream_data"
ACKNOWLEDGE = "acknowledge"
CHANNEL_CLOSED = "channel_closed"

HEADER = struct.Struct(">I32sIQqQ16s32sII")
HEADER_LENGTH = HEADER.size - 4
"""What the first field says: where the payload's length stands."""
SCHEMA_VERSION = 1
SYN, FIN = 1, 2
"""Flags: the first message of a stream; the last one."""


class PayloadType(IntEnum):
    """What a stream message carries. OUTPUT is what is typed, too."""

    OUTPUT = 1
    SIZE = 3
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    FLAG = 10
    ERROR_OUTPUT = 11
    EXIT_CODE = 12


class MalformedMessageError(ValueError):
    """A frame is no message of the data channel."""


@dataclass(frozen=True)
class ChannelMessage:
    """One message. `created_ms` is milliseconds since the epoch, and never 0; `message_id` is a UUID with hyphens."""

    message_type: str
    sequence_number: int
    message_id: str
    created_ms: int
    payload: bytes
    payload_type: int = 0
    flags: int = 0


def encode(message: ChannelMessage) -> bytes:
    """Return a message as the bytes of one binary frame."""
    header = HEADER.pack(
        HEADER_LENGTH,
        message.message_type.encode().ljust(32),
        SCHEMA_VERSION,
        message.created_ms,
        message.sequence_number,
        message.flags,
        _halves_swapped(bytes.fromhex(message.message_id.replace("-", ""))),
        hashlib.sha256(message.payload).digest(),
        message.payload_type,
        len(message.payload),
    )
    return header + message.payload


def decode(frame: bytes) -> ChannelMessage:
    """Return the message in a frame. Raises MalformedMessageError.

    The payload's digest is not compared, as the agent does not compare it: clients exist that write another one, and
    the frame came over TCP.
    """
    if len(frame) < HEADER.size:
        raise MalformedMessageError(f"a message has at least {HEADER.size} bytes, and this one {len(frame)}")
    header_length, message_type, _, created, sequence, flags, identifier, _, payload_type, length = HEADER.unpack_from(
        frame
    )
    if header_length != HEADER_LENGTH or len(frame) < HEADER.size + length:
        raise MalformedMessageError(f"a message of {len(frame)} bytes whose header says {header_length} and {length}")
    return ChannelMessage(
        message_type=message_type.strip(b"\0 ").decode("ascii", errors="replace"),
        sequence_number=sequence,
        message_id=_with_hyphens(_halves_swapped(identifier).hex()),
        created_ms=created,
        payload=frame[HEADER.size : HEADER.size + length],
        payload_type=payload_type,
        flags=flags,
    )


def _halves_swapped(identifier: bytes) -> bytes:
    """The wire has the low eight bytes of a UUID first."""
    return identifier[8:] + identifier[:8]


def _with_hyphens(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def message_ids(seed: str) -> Iterator[str]:
    """Yield UUIDs: 16 random hexadecimal digits given once, then a count. One of them is used up for each message."""
    count = 0
    while True:
        yield _with_hyphens(f"{seed[:16]:0>16}{count:016x}")
        count += 1


def json_object(payload: bytes) -> dict[str, Any]:
    """Return the JSON object in a payload; an empty one if there is none."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def integer(document: dict[str, Any], name: str) -> int | None:
    """Return a member of a JSON object if it is a whole number."""
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def acknowledgement(message: ChannelMessage, message_id: str, created_ms: int) -> bytes:
    """Return the frame that acknowledges a stream message."""
    document = {
        "AcknowledgedMessageType": message.message_type,
        "AcknowledgedMessageId": message.message_id,
        "AcknowledgedMessageSequenceNumber": message.sequence_number,
        "IsSequentialMessage": True,
    }
    return encode(
        ChannelMessage(ACKNOWLEDGE, 0, message_id, created_ms, json.dumps(document).encode(), flags=SYN | FIN)
    )


def acknowledged(message: ChannelMessage) -> int | None:
    """Return the sequence number that an acknowledgement is about."""
    return integer(json_object(message.payload), "AcknowledgedMessageSequenceNumber")


def channel_closed(session_id: str, output: str, message_id: str, created_ms: int) -> bytes:
    """Return the frame that ends a session. A client shows `output`; where that is empty, that the session ended."""
    document = {
        "MessageType": CHANNEL_CLOSED,
        "MessageId": message_id,
        "CreatedDate": datetime.fromtimestamp(created_ms / 1000, UTC).isoformat().replace("+00:00", "Z"),
        "DestinationId": session_id,
        "SessionId": session_id,
        "SchemaVersion": SCHEMA_VERSION,
        "Output": output,
    }
    return encode(ChannelMessage(CHANNEL_CLOSED, 0, message_id, created_ms, json.dumps(document).encode()))


def size_payload(columns: int, rows: int) -> bytes:
    """Return the payload that says a terminal's size."""
    return json.dumps({"cols": columns, "rows": rows}).encode()
