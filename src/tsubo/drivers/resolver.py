"""The resolver's sockets: DNS over UDP and TCP on addresses inside network namespaces, in one event loop.

What a query is answered with is handed in as a function for each endpoint; here are only sockets, framing and limits.
Source of the mechanism: dataplane.md section 3.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tsubo.drivers.netns import NAMESPACE_DIRECTORY, NamespaceError, socket_in

Respond = Callable[[bytes, bool], bytes | None]
"""Given a query and whether it came over a stream, return the response, or None for silence."""
OpenSocket = Callable[[str, socket.AddressFamily, socket.SocketKind], socket.socket]
"""Makes a socket inside a named network namespace; raises NamespaceError where there is none."""

DNS_PORT = 53
LARGEST_QUERY = 4096
DATAGRAMS_PER_WAKE_UP = 64
RECEIVE_BUFFER_BYTES = 1 << 20
BACKLOG = 128
MOST_CONNECTIONS = 256
"""TCP connections of one endpoint; one more is closed at once."""
IDLE_SECONDS = 10.0
CHECK_SECONDS = 0.5
"""How often it is checked that each endpoint's namespace is there, and is still the one its sockets are in."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Endpoint:
    """An address inside a named network namespace."""

    namespace: str
    address: str


class Resolver:
    """Serves the endpoints it was last told to. Must be made and used inside a running event loop."""

    def __init__(self, port: int = DNS_PORT, open_socket: OpenSocket | None = None) -> None:
        self._port = port
        self._open_socket = open_socket or socket_in
        self._wanted: Mapping[Endpoint, Respond] = {}
        self._listeners: dict[Endpoint, _Listener] = {}
        self._check: asyncio.TimerHandle | None = None

    def serve(self, wanted: Mapping[Endpoint, Respond]) -> frozenset[Endpoint]:
        """Serve exactly these endpoints from now on; return those that are served when this returns.

        An endpoint that stays keeps its sockets and connections. One whose namespace or address is not there (yet), or
        whose namespace was made anew, is opened as soon as that is seen.
        """
        self._wanted = dict(wanted)
        self._open_and_close()
        return frozenset(self._listeners)

    def close(self) -> None:
        """Close every socket."""
        self.serve({})

    def _open_and_close(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None
        for endpoint, listener in list(self._listeners.items()):
            if endpoint not in self._wanted or listener.namespace_id != _namespace_id(endpoint.namespace):
                self._listeners.pop(endpoint).close()
        for endpoint, respond in self._wanted.items():
            if endpoint in self._listeners:
                self._listeners[endpoint].respond = respond
                continue
            try:
                self._listeners[endpoint] = _Listener(endpoint, self._port, self._open_socket, respond)
                log.info("serving %s in %s", endpoint.address, endpoint.namespace)
            except (OSError, NamespaceError) as error:
                log.debug("not yet serving %s in %s: %s", endpoint.address, endpoint.namespace, error)
        if self._wanted:
            self._check = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._open_and_close)


def _namespace_id(name: str) -> int | None:
    """Return what tells a namespace from a later one of the same name, or None where there is none."""
    try:
        return os.stat(NAMESPACE_DIRECTORY / name).st_ino
    except OSError:
        return None


class _Listener:
    """The two sockets of one endpoint, and its TCP connections."""

    def __init__(self, endpoint: Endpoint, port: int, open_socket: OpenSocket, respond: Respond) -> None:
        self.respond = respond
        self.connections: set[_Connection] = set()
        self.namespace_id = _namespace_id(endpoint.namespace)
        self._loop = asyncio.get_running_loop()
        self._accepting: set[asyncio.Task[object]] = set()
        address = (endpoint.address, port)
        self._datagrams = _bound(open_socket, endpoint.namespace, socket.SOCK_DGRAM, address)
        try:
            self._streams = _bound(open_socket, endpoint.namespace, socket.SOCK_STREAM, address)
        except (OSError, NamespaceError):
            self._datagrams.close()
            raise
        self._loop.add_reader(self._datagrams, self._answer_datagrams)
        self._loop.add_reader(self._streams, self._accept)

    def close(self) -> None:
        for opened in (self._datagrams, self._streams):
            self._loop.remove_reader(opened)
            opened.close()
        for connection in list(self.connections):
            connection.abort()

    def _answer_datagrams(self) -> None:
        """Answer what has arrived, but let other sockets have their turn after some."""
        for _ in range(DATAGRAMS_PER_WAKE_UP):
            try:
                query, sender = self._datagrams.recvfrom(LARGEST_QUERY)
                response = self.respond(query, False)
                if response is not None:
                    self._datagrams.sendto(response, sender)
            except BlockingIOError:
                return
            except OSError as error:
                # The sender's namespace is gone, or a firewall rule refused the response: no other query's concern.
                log.debug("datagram: %s", error)

    def _accept(self) -> None:
        try:
            accepted, _ = self._streams.accept()
        except OSError:
            return
        if len(self.connections) + len(self._accepting) >= MOST_CONNECTIONS:
            accepted.close()
            return
        accepted.setblocking(False)
        task: asyncio.Task[object] = self._loop.create_task(
            self._loop.connect_accepted_socket(lambda: _Connection(self), accepted)
        )
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)


class _Connection(asyncio.Protocol):
    """One TCP connection: queries with a length before each, any number of them, answered in order."""

    def __init__(self, listener: _Listener) -> None:
        self._listener = listener
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._listener.connections.add(self)
        self._await_query()

    def connection_lost(self, error: Exception | None) -> None:
        self._listener.connections.discard(self)
        if self._idle is not None:
            self._idle.cancel()

    def pause_writing(self) -> None:
        """The client does not read its responses: read no more of its queries."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._received += data
        responses = bytearray()
        position = 0
        while len(self._received) >= position + 2:
            end = position + 2 + int.from_bytes(self._received[position : position + 2])
            if len(self._received) < end:
                break
            response = self._listener.respond(bytes(self._received[position + 2 : end]), True)
            if response is not None:
                responses += len(response).to_bytes(2) + response
            position = end
        del self._received[:position]
        if responses and self._transport is not None:
            self._transport.write(bytes(responses))
        if position:
            self._await_query()

    def _await_query(self) -> None:
        """Close the connection unless a whole query comes in time."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.abort)


def _bound(open_socket: OpenSocket, namespace: str, kind: socket.SocketKind, address: tuple[str, int]) -> socket.socket:
    """Return a socket inside a namespace, bound and (a stream's) listening."""
    made = open_socket(namespace, socket.AF_INET, kind)
    try:
        made.setblocking(False)
        if kind == socket.SOCK_DGRAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        if kind == socket.SOCK_STREAM:
            made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made
