"""The resolver's sockets and framing, on loopback: what a namespace adds is shown in tests/lab/test_resolver.py."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tsubo.drivers import resolver as driver
from tsubo.drivers.netns import NamespaceError
from tsubo.drivers.resolver import Endpoint, Resolver

HERE = Endpoint("here", "127.0.0.1")


def plain_socket(namespace: str, family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
    if namespace == "missing":
        raise NamespaceError(namespace)
    return socket.socket(family, kind)


def echo(query: bytes, stream: bool) -> bytes | None:
    return None if query == b"silence" else query + (b" tcp" if stream else b" udp")


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serving(port: int, body: Callable[[Resolver], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        resolver = Resolver(port, plain_socket)
        assert resolver.serve({HERE: echo}) == {HERE}
        try:
            await asyncio.wait_for(body(resolver), 10)
        finally:
            resolver.close()

    asyncio.run(run())


def framed(*queries: bytes) -> bytes:
    return b"".join(len(query).to_bytes(2) + query for query in queries)


async def response(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(2)))


async def ask(port: int, *queries: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", port))
        for query in queries:
            await loop.sock_sendall(client, query)
        return await asyncio.wait_for(loop.sock_recv(client, 512), 2)


def test_datagrams_are_answered_and_silence_is_kept(port: int) -> None:
    async def body(_: Resolver) -> None:
        assert await ask(port, b"silence", b"question") == b"question udp"

    serving(port, body)


def test_a_connection_carries_many_queries_in_any_pieces(port: int) -> None:
    async def body(_: Resolver) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = framed(b"one", b"silence", b"two", b"x" * 5000)
        writer.write(sent[:7])
        assert await response(reader) == b"one tcp"
        writer.write(sent[7:])
        assert await response(reader) == b"two tcp"
        assert await response(reader) == b"x" * 5000 + b" tcp"
        writer.close()

    serving(port, body)


def test_an_idle_connection_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "IDLE_SECONDS", 0.05)

    async def body(_: Resolver) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\0")
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await response(reader)

    serving(port, body)


def test_there_is_a_limit_of_connections_and_a_closed_one_makes_room(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "MOST_CONNECTIONS", 1)

    async def exchange() -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(framed(b"q"))
        assert await response(reader) == b"q tcp"
        return writer

    async def body(_: Resolver) -> None:
        first = await exchange()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await exchange()
        first.close()
        while True:
            try:
                (await exchange()).close()
                return
            except (asyncio.IncompleteReadError, ConnectionError):
                await asyncio.sleep(0.01)

    serving(port, body)


def test_another_answer_takes_effect_on_open_connections(port: int) -> None:
    async def body(resolver: Resolver) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(framed(b"q"))
        assert await response(reader) == b"q tcp"
        resolver.serve({HERE: lambda query, stream: b"new"})
        writer.write(framed(b"q"))
        assert await response(reader) == b"new"
        assert await ask(port, b"q") == b"new"
        writer.close()

    serving(port, body)


def test_an_endpoint_no_longer_wanted_is_closed(port: int) -> None:
    async def body(resolver: Resolver) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(framed(b"q"))
        assert await response(reader) == b"q tcp"
        assert resolver.serve({}) == frozenset()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await response(reader)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    serving(port, body)


def test_an_endpoint_that_is_not_there_yet_is_tried_again(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "CHECK_SECONDS", 0.02)
    there = False

    def later(namespace: str, family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
        return plain_socket("here" if there else "missing", family, kind)

    async def run() -> None:
        nonlocal there
        resolver = Resolver(port, later)
        assert resolver.serve({HERE: echo}) == frozenset()
        there = True
        async with asyncio.timeout(5):
            while True:
                try:
                    assert await ask(port, b"q") == b"q udp"
                    break
                except ConnectionRefusedError:
                    await asyncio.sleep(0.01)
        resolver.close()

    asyncio.run(run())
