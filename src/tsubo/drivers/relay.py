"""The relay: publishes ports of load balancers' public addresses on loopback addresses of this machine.

Each connection goes on from inside the engine's internet namespace, from a client address of its own there, so that
the load balancer's security group decides on it and X-Forwarded-For shows it. Source: dataplane.md section 2.
"""

import asyncio
import contextlib
import errno
import logging
import socket
import struct
from collections.abc import Iterable

from tsubo.drivers.netns import socket_in
from tsubo.drivers.port_holder import holder_of
from tsubo.model.proxy import PublishedPort, RelayEntry, RelayTable

BACKLOG = 1024
CHUNK_BYTES = 64 * 1024
OTHER_PORT_OFFSET = 8000
"""A port that is taken is published 8000 higher, so 443 on 8443; if that is taken too, on any free one."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

log = logging.getLogger(__name__)


def client_address(peer: str) -> str:
    """Return the address in the engine's internet (198.18.0.0/16) that stands for a client on this machine.

    Clients on different loopback addresses are different clients there: 127.0.0.1 is 198.18.0.1.
    """
    return "198.18." + ".".join(peer.split(".")[2:])


class Relay:
    """The published ports of one engine. All its methods are called in the event loop's thread."""

    def __init__(self) -> None:
        self._namespace = ""
        self._published: dict[RelayEntry, PublishedPort] = {}
        self._listeners: dict[RelayEntry, socket.socket] = {}
        self._accepting: dict[RelayEntry, asyncio.Task[None]] = {}
        self._connections: set[asyncio.Task[None]] = set()

    def serve(self, table: RelayTable) -> tuple[PublishedPort, ...]:
        """Publish what the table says, and return where. Connections of what is no longer published go on.

        What could not be published at all is tried again.
        """
        self._namespace = table.namespace
        for entry in self._published.keys() - set(table.entries):
            self._withdraw(entry)
        for entry in table.entries:
            published = self._published.get(entry)
            if published is None or published.port is None:
                self._publish(entry)
        return tuple(self._published[entry] for entry in table.entries)

    def close(self) -> None:
        """Withdraw everything and cut all connections."""
        for entry in list(self._published):
            self._withdraw(entry)
        for connection in self._connections:
            connection.cancel()

    def _publish(self, entry: RelayEntry) -> None:
        try:
            listener, reason = _listen(entry)
        except OSError as error:
            self._published[entry] = PublishedPort(entry, None, str(error))
            return
        self._published[entry] = PublishedPort(entry, listener.getsockname()[1], reason)
        self._listeners[entry] = listener
        self._accepting[entry] = asyncio.create_task(self._accept(entry, listener))

    def _withdraw(self, entry: RelayEntry) -> None:
        self._published.pop(entry)
        if entry in self._listeners:
            self._accepting.pop(entry).cancel()
            self._listeners.pop(entry).close()

    async def _accept(self, entry: RelayEntry, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, peer = await loop.sock_accept(listener)
            except OSError as error:
                log.warning("cannot accept on %s: %s", entry.listen_address, error)
                await asyncio.sleep(0.1)
                continue
            connection = asyncio.create_task(self._relay(entry, client, peer[0]))
            self._connections.add(connection)
            connection.add_done_callback(self._connections.discard)

    async def _relay(self, entry: RelayEntry, client: socket.socket, peer: str) -> None:
        try:
            upstream = await self._connect(entry, client_address(peer))
        except OSError:
            # Refused, unreachable or silent for as long as the kernel tries: the client's connection breaks.
            _reset(client)
            return
        for connection in (client, upstream):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(client, upstream))
                both.create_task(_pump(upstream, client))
        except* OSError:
            # One side broke, so the other does.
            _reset(client)
            _reset(upstream)
        finally:
            client.close()
            upstream.close()

    async def _connect(self, entry: RelayEntry, source: str) -> socket.socket:
        upstream = socket_in(self._namespace, socket.AF_INET, socket.SOCK_STREAM)
        try:
            upstream.setblocking(False)
            upstream.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
            upstream.bind((source, 0))
            await asyncio.get_running_loop().sock_connect(upstream, (entry.public_address, entry.port))
        except BaseException:
            upstream.close()
            raise
        return upstream


async def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry one direction to its end, and then end it on the other side too: the opposite direction goes on."""
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(source, CHUNK_BYTES):
        await loop.sock_sendall(sink, data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    connection.close()


def _listen(entry: RelayEntry) -> tuple[socket.socket, str | None]:
    """Return a socket that listens for an entry and, if not on the entry's port, why not."""
    try:
        return _listen_on(entry.listen_address, (entry.port,)), None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        holder = holder_of(entry.port) or "another process"
    listener = _listen_on(entry.listen_address, (entry.port + OTHER_PORT_OFFSET, 0))
    return listener, f"Port {entry.port} is taken by {holder}"


def _listen_on(address: str, ports: Iterable[int]) -> socket.socket:
    refused = OSError("no port to try")
    for port in ports:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setblocking(False)
            listener.bind((address, port))
            listener.listen(BACKLOG)
            return listener
        except (OSError, OverflowError) as error:
            listener.close()
            refused = error if isinstance(error, OSError) else OSError(str(error))
    raise refused
