"""HTTP as the registry needs it on top of ASGI: a request that is read piece by piece, and answers of all sizes."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tsubo.engine.registry_catalog import RegistryError

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

CHUNK_BYTES = 1024 * 1024


class ClientGoneError(Exception):
    """The client went away in the middle of its request."""


class RegistryRequest:
    """A request whose body has not been read yet. Header names are lower-case."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        self._receive = receive

    @property
    def host(self) -> str:
        """The `Host` that the client called."""
        host: str = self.headers.get("host", "")
        return host

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes. Raises ClientGoneError."""
        more = True
        while more:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise ClientGoneError
            more = event.get("more_body", False)
            if body := event.get("body", b""):
                yield body

    async def content(self, limit: int) -> bytes:
        """Return the whole body. Raises RegistryError for one that is longer than the limit."""
        content = bytearray()
        async for piece in self.pieces():
            content += piece
            if len(content) > limit:
                raise RegistryError(413, "SIZE_INVALID", f"The manifest is larger than {limit} bytes.")
        return bytes(content)


async def respond(send: Send, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
    """Send a response whole. A HEAD request's answer has the Content-Length of what it leaves out in `headers`."""
    given = {"Content-Length": str(len(body)), **(headers or {}), "Docker-Distribution-Api-Version": "registry/2.0"}
    await send({"type": "http.response.start", "status": status, "headers": _encoded(given)})
    await send({"type": "http.response.body", "body": body})


async def respond_error(send: Send, error: RegistryError, headers: Mapping[str, str] | None = None) -> None:
    """Send an error in the form of the registry's API."""
    body = json.dumps({"errors": [{"code": error.code, "message": error.message}]}).encode()
    await respond(send, error.status, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, body)


async def respond_file(send: Send, path: Path, status: int, headers: Mapping[str, str], part: range) -> None:
    """Send a part of a file."""
    await send({"type": "http.response.start", "status": status, "headers": _encoded(headers)})
    with path.open("rb") as file:
        file.seek(part.start)
        left = len(part)
        while left > 0 and (data := file.read(min(CHUNK_BYTES, left))):
            left -= len(data)
            await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
