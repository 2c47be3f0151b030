"""Netfilter's netlink: a socket inside a namespace, requests, messages, attributes. No library is needed for it.

A message is a header (length, type, flags, sequence, port), netfilter's four bytes (family, version, resource id) and
attributes; an attribute is a length, a type and a payload padded to four bytes, which may be attributes again.
Headers are in the machine's byte order, netfilter's payloads in the network's.
"""

import os
import socket
import struct
from collections.abc import Iterator, Mapping

from tsubo.drivers import netns

NETLINK_NETFILTER = 12
REQUEST, ACKNOWLEDGE, DUMP = 0x1, 0x4, 0x300
ERROR, DONE = 2, 3
LARGEST_RECEIVE = 1 << 16

_HEADER = struct.Struct("=IHHII")
_FAMILY = struct.Struct(">BBH")
_ATTRIBUTE = struct.Struct("=HH")
_TYPE_MASK = 0x3FFF
_SO_RCVBUFFORCE = 33
PAYLOAD_OFFSET = _HEADER.size + _FAMILY.size
"""Where a message's attributes begin."""

Spans = Mapping[int, tuple[int, int]]
"""Where in a buffer the payload of each attribute lies: first and last offset by type."""


def netfilter_socket(namespace: str, receive_buffer: int) -> socket.socket:
    """Return a netlink socket of a namespace; what the kernel cannot put into `receive_buffer` bytes is lost.

    Raises:
        NamespaceError: there is no such namespace.
    """
    made = netns.run_in(namespace, lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER))
    made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, receive_buffer)
    made.bind((0, 0))
    return made


def attribute(kind: int, payload: bytes) -> bytes:
    """Return an attribute of a request."""
    padding = -len(payload) % 4
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(payload), kind) + payload + bytes(padding)


def request(message_type: int, flags: int, resource: int = 0, attributes: bytes = b"") -> bytes:
    """Return a message to the kernel about IPv4."""
    body = _FAMILY.pack(socket.AF_INET, 0, resource) + attributes
    return _HEADER.pack(_HEADER.size + len(body), message_type, REQUEST | flags, 1, 0) + body


def messages(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the type of each message of a buffer, and the first and last offset of its attributes."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, message_type, *_ = _HEADER.unpack_from(data, offset)
        yield message_type, offset + PAYLOAD_OFFSET, offset + length
        offset += (length + 3) & ~3


def attributes(data: bytes, offset: int, end: int, last: int = -1) -> Spans:
    """Return where the attributes between two offsets have their payloads; those after the type `last` are left out."""
    found = {}
    unpack = _ATTRIBUTE.unpack_from
    while offset + 4 <= end:
        length, kind = unpack(data, offset)
        kind &= _TYPE_MASK
        found[kind] = (offset + 4, offset + length)
        if kind == last:
            break
        offset += (length + 3) & ~3 or 4
    return found


def check(data: bytes, start: int) -> None:
    """Raise OSError for the code in an ERROR message whose attributes would begin at `start`; 0 acknowledges."""
    # The code stands where other messages have netfilter's four bytes.
    (code,) = struct.unpack_from("=i", data, start - _FAMILY.size)
    if code:
        raise OSError(-code, os.strerror(-code))
