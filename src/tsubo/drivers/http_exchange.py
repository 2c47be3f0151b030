"""One HTTP exchange on a connection: a request's head comes in, an answer goes out, the connection ends.

It takes whatever a client sends: a head that is not one is answered with 400, one that is too large with 431, one that
does not end in time is not answered at all. A body is not read.
"""

import asyncio
import http
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

LARGEST_HEAD = 8192
LARGEST_REST = 64 * 1024
"""How much of what a client goes on sending is read (and thrown away) so that the answer reaches it."""
HEAD_SECONDS = 5.0
ANSWER_SECONDS = 10.0
FAREWELL_SECONDS = 1.0
REQUEST_LINE = re.compile(rb"([A-Za-z]+) (\S+) HTTP/1\.[01]\r?\n")
END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class Answer:
    """A response; the body is JSON."""

    status: int
    body: bytes


Respond = Callable[[str, str], Awaitable[Answer]]
"""From a method and a path to the answer."""

MALFORMED = Answer(400, b'"Bad Request"')
TOO_LARGE = Answer(431, b'"Request Header Fields Too Large"')


async def exchange(connection: socket.socket, respond: Respond) -> None:
    """Answer one request. Raises OSError when the connection breaks."""
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            head = await _read_head(connection)
    except TimeoutError:
        return
    if not head:
        return
    method, answer = await _answer(head, respond)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await asyncio.get_running_loop().sock_sendall(connection, _encoded(answer, with_body=method != "HEAD"))
        async with asyncio.timeout(FAREWELL_SECONDS):
            await _see_off(connection)
    except TimeoutError:
        return


async def _read_head(connection: socket.socket) -> bytes:
    """Return what comes up to the head's end, the limit, or the end of all."""
    loop = asyncio.get_running_loop()
    head = bytearray()
    while len(head) <= LARGEST_HEAD and END_OF_HEAD.search(head) is None:
        received = await loop.sock_recv(connection, LARGEST_HEAD)
        if not received:
            break
        head += received
    return bytes(head)


async def _answer(head: bytes, respond: Respond) -> tuple[str, Answer]:
    end = END_OF_HEAD.search(head)
    if end is None:
        return "", TOO_LARGE if len(head) > LARGEST_HEAD else MALFORMED
    request_line = REQUEST_LINE.match(head)
    if request_line is None:
        return "", MALFORMED
    method = request_line[1].decode()
    try:
        path = urlsplit(request_line[2].decode("ascii")).path
    except ValueError:
        return method, MALFORMED
    return method, await respond(method, path)


def _encoded(answer: Answer, with_body: bool) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status} {http.HTTPStatus(answer.status).phrase}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + (answer.body if with_body else b"")


async def _see_off(connection: socket.socket) -> None:
    """Say that nothing more comes, and wait until the client is done: closing earlier could cost it the answer."""
    loop = asyncio.get_running_loop()
    connection.shutdown(socket.SHUT_WR)
    rest = 0
    while rest < LARGEST_REST and (received := await loop.sock_recv(connection, LARGEST_HEAD)):
        rest += len(received)
