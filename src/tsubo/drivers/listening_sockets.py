"""What listens inside a network namespace, as the kernel says. No process is looked at."""

import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

from tsubo.drivers.netns import run_in
from tsubo.model.explanation import ListeningSocket

_TABLES = (("tcp", "tcp"), ("tcp6", "tcp"), ("udp", "udp"), ("udp6", "udp"))
_TCP_LISTEN, _UDP_UNCONNECTED = "0A", "07"
_ANY = ipaddress.IPv6Address("::")


def listening_in(namespace: str) -> tuple[ListeningSocket, ...]:
    """Return the sockets that await connections or datagrams in a namespace, each once. A socket of IPv6 that takes
    IPv4 as well is told as IPv4's.

    Raises:
        NamespaceError: there is no such namespace.
    """
    return run_in(namespace, lambda: tuple(dict.fromkeys(s for table, _ in _TABLES for s in _read(table))))


def parse(table: str, text: str) -> Iterator[ListeningSocket]:
    """Yield the listening sockets of a table of /proc/net (`tcp`, `tcp6`, `udp`, `udp6`)."""
    protocol = dict(_TABLES)[table]
    listening = _TCP_LISTEN if protocol == "tcp" else _UDP_UNCONNECTED
    for line in text.splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        address = _address(local.partition(":")[0])
        if state == listening and address is not None:
            yield ListeningSocket("tcp" if protocol == "tcp" else "udp", address, int(local.partition(":")[2], 16))


def _read(table: str) -> Iterator[ListeningSocket]:
    path = Path("/proc/thread-self/net") / table
    if path.exists():  # a kernel may be without IPv6
        yield from parse(table, path.read_text())


def _address(digits: str) -> str | None:
    """Return the IPv4 address that 32-bit words in the machine's own byte order stand for; None if it is IPv6's."""
    words = (int(digits[start : start + 8], 16) for start in range(0, len(digits), 8))
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    if len(packed) == 4:
        return str(ipaddress.IPv4Address(packed))
    address = ipaddress.IPv6Address(packed)
    if address == _ANY:
        return "0.0.0.0"
    return None if address.ipv4_mapped is None else str(address.ipv4_mapped)
