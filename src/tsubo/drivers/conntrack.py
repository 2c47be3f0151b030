"""The connections that a namespace's router follows (netfilter's connection tracking), with their counters.

In: a namespace, whose counting is switched on. Out: `TrackedConnection`s with what passed since the last look: reading
sets the counters back, so nobody has to remember them. Nothing is done for a packet or a new connection but counting;
a look costs about 16 microseconds for each connection that passed anything, 9 for each other (docs/flows.md).
"""

import socket
import struct

from tsubo.drivers import netlink, netns
from tsubo.model.flows import Flow, TrackedConnection

RECEIVE_BUFFER = 1 << 20
SHORTEST_LIFETIME_SECONDS = 10.0
"""How soon a connection is forgotten at the earliest: a TCP connection after its reset."""

_SUBSYSTEM = 1 << 8
_GET_AND_RESET = _SUBSYSTEM | 3
_SENT, _ANSWERED, _SENT_COUNTERS, _ANSWERED_COUNTERS, _TIMES = 1, 2, 9, 10, 20
_PACKETS, _BYTES = 1, 2
_START = 1
_TIMEOUT_SECONDS = 5.0
_NANOSECONDS = 1e9
_SYSCTLS = (("net.netfilter.nf_conntrack_acct", "1"), ("net.netfilter.nf_conntrack_timestamp", "1"))

# A direction's addresses (source, destination), then its protocol with what that has: all attributes, in one order.
_WITH_PORTS = struct.Struct(">4x4x4s4x4s4x4xB3x4xH2x4xH2x")
_WITHOUT_PORTS = struct.Struct(">4x4x4s4x4s4x4xB3x")
_NUMBER = struct.Struct(">Q")


class ConnectionReader:
    """Reads the connections of one namespace. Its socket keeps the namespace alive until `close`."""

    def __init__(self, namespace: str) -> None:
        """Have the namespace's connections counted from now on.

        Raises:
            NamespaceError: there is no such namespace.
            OSError: this kernel does not count connections.
        """
        netns.set_sysctls(namespace, _SYSCTLS)
        self._socket = netlink.netfilter_socket(namespace, RECEIVE_BUFFER)
        self._socket.settimeout(_TIMEOUT_SECONDS)

    def read(self, limit: int) -> tuple[list[TrackedConnection], bool]:
        """Return up to `limit` connections that passed anything since the last call, and whether there were others.

        What those others passed is lost: their counters have been set back, too.

        Raises:
            OSError: the kernel refuses, or does not answer within five seconds.
        """
        self._socket.send(netlink.request(_GET_AND_RESET, netlink.DUMP))
        connections: list[TrackedConnection] = []
        lost = False
        while True:
            data = self._socket.recv(netlink.LARGEST_RECEIVE)
            for message_type, start, end in netlink.messages(data):
                if message_type == netlink.DONE:
                    return connections, lost
                if message_type == netlink.ERROR:
                    netlink.check(data, start)
                if len(connections) == limit:
                    lost = True
                    continue
                connection = _connection(data, netlink.attributes(data, start, end, _TIMES))
                if connection is not None:
                    connections.append(connection)

    def close(self) -> None:
        """Stop reading; what is followed goes on being counted."""
        self._socket.close()


def _connection(data: bytes, spans: netlink.Spans) -> TrackedConnection | None:
    """Return a connection, or None for one that passed nothing or has no counters."""
    if _SENT_COUNTERS not in spans:
        return None
    packets, size = _counters(data, spans[_SENT_COUNTERS])
    answer_packets, answer_size = _counters(data, spans[_ANSWERED_COUNTERS])
    if not packets and not answer_packets:
        return None
    return TrackedConnection(
        sent=_flow(data, spans[_SENT]),
        answered=_flow(data, spans[_ANSWERED]),
        packets=packets,
        bytes=size,
        answer_packets=answer_packets,
        answer_bytes=answer_size,
        started_at=_started_at(data, spans.get(_TIMES)),
    )


def _flow(data: bytes, span: tuple[int, int]) -> Flow:
    start, end = span
    if end - start == _WITH_PORTS.size:
        source, destination, protocol, source_port, destination_port = _WITH_PORTS.unpack_from(data, start)
    else:
        source, destination, protocol = _WITHOUT_PORTS.unpack_from(data, start)
        source_port = destination_port = 0
    return Flow(protocol, socket.inet_ntoa(source), source_port, socket.inet_ntoa(destination), destination_port)


def _counters(data: bytes, span: tuple[int, int]) -> tuple[int, int]:
    spans = netlink.attributes(data, *span)
    return _NUMBER.unpack_from(data, spans[_PACKETS][0])[0], _NUMBER.unpack_from(data, spans[_BYTES][0])[0]


def _started_at(data: bytes, span: tuple[int, int] | None) -> float | None:
    spans = netlink.attributes(data, *span) if span else {}
    if _START not in spans:
        return None
    nanoseconds: int = _NUMBER.unpack_from(data, spans[_START][0])[0]
    return nanoseconds / _NANOSECONDS
