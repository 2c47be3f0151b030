"""What the endpoint and the moto process say to each other: frames over a socket pair, one question at a time.

No port and no path: nobody else can ask, and the process ends when the other end does.
"""

import socket
import struct
from typing import TypeVar

import msgspec

LENGTH = struct.Struct(">I")
Message = TypeVar("Message")


class Question(msgspec.Struct, frozen=True):
    """A call for moto. `seed` is new for each call, and the identity by which a repeated question is recognized."""

    seed: int
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    place: str
    """Service and region: moto makes their state when they are first touched, even by a call that only reads."""
    changes: bool
    bulk: bool
    unchanged: bytes | None = None
    """The body of an answer that means that the call changed nothing after all."""


class Answer(msgspec.Struct, frozen=True):
    """moto's response. `outcome` says whether it is one: moto may lack the operation, or fail."""

    outcome: str
    status: int
    headers: dict[str, str]
    body: bytes


ANSWERED, UNIMPLEMENTED, FAILED = "answered", "unimplemented", "failed"


class Ready(msgspec.Struct, frozen=True):
    """The process has replayed its log and takes questions."""

    replayed: int
    seconds: float


def send(channel: socket.socket, message: Question | Answer | Ready) -> None:
    """Send one message. Raises OSError when the other end is gone."""
    payload = msgspec.msgpack.encode(message)
    channel.sendall(LENGTH.pack(len(payload)) + payload)


def receive(channel: socket.socket, kind: type[Message]) -> Message:
    """Return the next message. Raises EOFError or OSError when the other end is gone."""
    (length,) = LENGTH.unpack(receive_exactly(channel, LENGTH.size))
    return msgspec.msgpack.decode(receive_exactly(channel, length), type=kind)


def receive_exactly(channel: socket.socket, length: int) -> bytes:
    """Return that many bytes."""
    content = bytearray(length)
    view = memoryview(content)
    while view:
        count = channel.recv_into(view)
        if not count:
            raise EOFError("the other end closed the channel")
        view = view[count:]
    return bytes(content)
