"""TCP listeners on addresses inside network namespaces, in one event loop, with bounds on who may hold how many.

What is done with a connection is handed in as a function for each place; here are only sockets and limits. A place
whose namespace or address is not there (yet), or whose namespace was made anew, is opened as soon as that is seen.
"""

import asyncio
import logging
import os
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tsubo.drivers.netns import NAMESPACE_DIRECTORY, NamespaceError, socket_in

Handle = Callable[[socket.socket, str], Awaitable[None]]
"""Given a connection and its peer's address, deal with it to its end. The connection is closed afterwards."""
OpenSocket = Callable[[str, socket.AddressFamily, socket.SocketKind], socket.socket]
"""Makes a socket inside a named network namespace; raises NamespaceError where there is none."""

BACKLOG = 128
MOST_CONNECTIONS_OF_A_PEER = 64
MOST_CONNECTIONS = 1024
"""Connections of one address in one place, and of all; one more is closed at once."""
CHECK_SECONDS = 0.5
PAUSE_SECONDS = 0.05

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """A port of an address inside a named network namespace."""

    namespace: str
    address: str
    port: int


class Listeners:
    """Listens where it was last told to. Must be made and used inside a running event loop."""

    def __init__(self, open_socket: OpenSocket = socket_in) -> None:
        self._open_socket = open_socket
        self._wanted: Mapping[Place, Handle] = {}
        self._listeners: dict[Place, _Listener] = {}
        self._check: asyncio.TimerHandle | None = None

    def serve(self, wanted: Mapping[Place, Handle]) -> frozenset[Place]:
        """Listen in exactly these places from now on; return those that are open when this returns."""
        self._wanted = dict(wanted)
        self._open_and_close()
        return frozenset(self._listeners)

    def close(self) -> None:
        """Close every listener and cut every connection."""
        self.serve({})

    def _open_and_close(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None
        for place, listener in list(self._listeners.items()):
            if place not in self._wanted or listener.namespace_id != _namespace_id(place.namespace):
                self._listeners.pop(place).close()
        for place, handle in self._wanted.items():
            if place in self._listeners:
                self._listeners[place].handle = handle
                continue
            try:
                self._listeners[place] = _Listener(_listening(self._open_socket, place), place, handle)
            except (OSError, NamespaceError) as error:
                log.debug("not yet listening on %s: %s", place, error)
        if self._wanted:
            self._check = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._open_and_close)


class _Listener:
    """One listening socket and its connections."""

    def __init__(self, listening: socket.socket, place: Place, handle: Handle) -> None:
        self.handle = handle
        self.namespace_id = _namespace_id(place.namespace)
        self._listening = listening
        self._connections: set[asyncio.Task[None]] = set()
        self._peers: Counter[str] = Counter()
        self._loop = asyncio.get_running_loop()
        self._paused: asyncio.TimerHandle | None = None
        self._listen()

    def close(self) -> None:
        if self._paused is not None:
            self._paused.cancel()
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for connection in self._connections:
            connection.cancel()

    def _listen(self) -> None:
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        try:
            connection, (peer, _) = self._listening.accept()
        except OSError as error:
            # The client went before it was served, or there are no descriptors: both pass, the second takes a while.
            log.debug("cannot accept: %s", error)
            self._loop.remove_reader(self._listening)
            self._paused = self._loop.call_later(PAUSE_SECONDS, self._listen)
            return
        if len(self._connections) >= MOST_CONNECTIONS or self._peers[peer] >= MOST_CONNECTIONS_OF_A_PEER:
            connection.close()
            return
        self._peers[peer] += 1
        task = asyncio.create_task(self._deal_with(connection, peer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _deal_with(self, connection: socket.socket, peer: str) -> None:
        try:
            connection.setblocking(False)
            await self.handle(connection, peer)
        except OSError as error:
            log.debug("the connection of %s broke: %s", peer, error)
        except Exception:
            log.exception("a connection of %s", peer)
        finally:
            connection.close()
            self._peers[peer] -= 1
            if not self._peers[peer]:
                del self._peers[peer]


def _namespace_id(name: str) -> int | None:
    """Return what tells a namespace from a later one of the same name, or None where there is none."""
    try:
        return os.stat(NAMESPACE_DIRECTORY / name).st_ino
    except OSError:
        return None


def _listening(open_socket: OpenSocket, place: Place) -> socket.socket:
    made = open_socket(place.namespace, socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((place.address, place.port))
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made
