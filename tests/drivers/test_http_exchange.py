"""One HTTP exchange, whatever the client sends."""

import asyncio
import socket
from collections.abc import Awaitable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsubo.drivers import http_exchange
from tsubo.drivers.http_exchange import LARGEST_HEAD, Answer, exchange


async def echo(method: str, path: str) -> Answer:
    return Answer(200, f'"{method} {path}"'.encode())


def talk(*parts: bytes, ends: bool = True) -> bytes:
    """Send parts of a request one after another and return what comes back until the connection ends."""

    async def run() -> bytes:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.setblocking(False)
            serving = asyncio.create_task(_serve(exchange(theirs, echo), theirs))
            for part in parts:
                await loop.sock_sendall(ours, part)
                await asyncio.sleep(0)
            if ends:
                ours.shutdown(socket.SHUT_WR)
            received = b""
            while data := await loop.sock_recv(ours, 65536):
                received += data
            ours.close()
            await serving
            return received

    return asyncio.run(asyncio.wait_for(run(), 10))


async def _serve(served: Awaitable[None], connection: socket.socket) -> None:
    await served
    connection.close()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET /v4/x/task HTTP/1.1\r\nHost: 169.254.170.2\r\n\r\n", b'"GET /v4/x/task"'),
        (b"GET /v4/x?a=b HTTP/1.1\r\n\r\n", b'"GET /v4/x"'),
        (b"GET http://169.254.170.2/v4/x HTTP/1.1\r\n\r\n", b'"GET /v4/x"'),
        (b"GET /x HTTP/1.0\n\n", b'"GET /x"'),
        (b"PUT /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b'"PUT /x"'),
    ],
)
def test_a_request_is_answered(request_: bytes, expected: bytes) -> None:
    head, _, body = talk(request_).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    assert f"Content-Length: {len(expected)}".encode() in head
    assert body == expected


def test_a_request_may_come_in_pieces() -> None:
    request = b"GET /a/b HTTP/1.1\r\nHost: x\r\n\r\n"
    assert talk(*(bytes([byte]) for byte in request)).endswith(b'"GET /a/b"')


def test_head_gets_no_body() -> None:
    answer = talk(b"HEAD /x HTTP/1.1\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert b"Content-Length: 9" in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /x\r\n\r\n",
        b"GET /x HTTP/2.0\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET http://[/x HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET /x HTTP/1.1\r\nHost: x\r\n",
    ],
)
def test_what_is_no_request_is_a_bad_one(request_: bytes) -> None:
    assert talk(request_).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_head_without_an_end_is_too_large() -> None:
    assert talk(b"GET /x HTTP/1.1\r\nX: " + b"a" * 2 * LARGEST_HEAD).startswith(b"HTTP/1.1 431 ")


def test_silence_is_answered_by_silence() -> None:
    assert talk() == b""


def test_a_client_that_takes_its_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_exchange, "HEAD_SECONDS", 0.05)
    assert talk(b"GET /x HT", ends=False) == b""


def test_a_client_that_does_not_go_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_exchange, "FAREWELL_SECONDS", 0.05)
    assert talk(b"GET /x HTTP/1.1\r\n\r\n", ends=False).endswith(b'"GET /x"')


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300))
def test_anything_gets_an_answer_or_silence(content: bytes) -> None:
    answer = talk(content, b"\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 200 OK", b"HTTP/1.1 400 "))
