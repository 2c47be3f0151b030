"""Listeners, on loopback: what a namespace adds is shown in tests/lab."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from tsubo.drivers import namespace_listeners
from tsubo.drivers.endpoint_relay import relay
from tsubo.drivers.namespace_listeners import Handle, Listeners, Place
from tsubo.drivers.netns import NamespaceError


def plain_socket(namespace: str, family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
    if namespace == "missing":
        raise NamespaceError(namespace)
    return socket.socket(family, kind)


@pytest.fixture
def place() -> Place:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Place("here", "127.0.0.1", int(probe.getsockname()[1]))


def saying(word: bytes) -> Handle:
    async def say(connection: socket.socket, peer: str) -> None:
        await asyncio.get_running_loop().sock_sendall(connection, word + b" " + peer.encode())

    return say


async def holding(connection: socket.socket, peer: str) -> None:
    await asyncio.get_running_loop().sock_recv(connection, 1)


async def ask(place: Place) -> bytes:
    reader, writer = await asyncio.open_connection(place.address, place.port)
    try:
        return await reader.read()
    finally:
        writer.close()


def run(test: Callable[[Listeners], Awaitable[None]]) -> None:
    async def main() -> None:
        listeners = Listeners(plain_socket)
        try:
            await asyncio.wait_for(test(listeners), 10)
        finally:
            listeners.close()

    asyncio.run(main())


def test_each_place_has_its_handler_and_knows_who_asks(place: Place) -> None:
    async def test(listeners: Listeners) -> None:
        assert listeners.serve({place: saying(b"hello"), Place("missing", "127.0.0.1", 1): saying(b"")}) == {place}
        assert await ask(place) == b"hello 127.0.0.1"
        listeners.serve({place: saying(b"changed")})
        assert await ask(place) == b"changed 127.0.0.1"
        assert listeners.serve({}) == frozenset()
        with pytest.raises(ConnectionRefusedError):
            await ask(place)

    run(test)


def test_a_place_that_is_taken_is_opened_once_it_is_free(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace_listeners, "CHECK_SECONDS", 0.01)

    async def test(listeners: Listeners) -> None:
        with socket.socket() as holder:
            holder.bind((place.address, place.port))
            holder.listen()
            assert listeners.serve({place: saying(b"hello")}) == frozenset()
        while True:
            try:
                assert await ask(place) == b"hello 127.0.0.1"
                return
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)

    run(test)


def test_one_peer_holds_so_many_connections_and_no_more(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace_listeners, "MOST_CONNECTIONS_OF_A_PEER", 3)

    async def test(listeners: Listeners) -> None:
        listeners.serve({place: holding})
        held = [await asyncio.open_connection(place.address, place.port) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert await ask(place) == b""
        listeners.serve({place: saying(b"hello")})
        held[0][1].close()
        while await ask(place) != b"hello 127.0.0.1":
            await asyncio.sleep(0.01)
        for _, writer in held[1:]:
            writer.close()

    run(test)


def test_a_handler_that_fails_costs_its_connection_only(place: Place) -> None:
    async def fail(connection: socket.socket, peer: str) -> None:
        raise RuntimeError("a bug")

    async def test(listeners: Listeners) -> None:
        listeners.serve({place: fail})
        assert await ask(place) == b""
        assert await ask(place) == b""

    run(test)


def test_the_relay_carries_both_ways_and_ends_with_the_endpoint(place: Place, tmp_path_factory: object) -> None:
    async def test(listeners: Listeners) -> None:
        path = f"\0tsubo-test-{place.port}"
        seen = bytearray()

        async def endpoint(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.extend(await reader.readexactly(200_000))
            writer.write(b"answer")
            writer.close()

        server = await asyncio.start_unix_server(endpoint, path)

        async def pass_on(connection: socket.socket, peer: str) -> None:
            await relay(connection, path)  # type: ignore[arg-type]

        listeners.serve({place: pass_on})
        reader, writer = await asyncio.open_connection(place.address, place.port)
        writer.write(b"x" * 200_000)
        # The client keeps its side open, as one does that means to send another request.
        assert await reader.read() == b"answer"
        assert bytes(seen) == b"x" * 200_000
        writer.close()
        server.close()

    run(test)


def test_without_an_endpoint_the_connection_ends(place: Place) -> None:
    async def test(listeners: Listeners) -> None:
        async def pass_on(connection: socket.socket, peer: str) -> None:
            await relay(connection, "/nowhere")  # type: ignore[arg-type]

        listeners.serve({place: pass_on})
        assert await ask(place) == b""

    run(test)
