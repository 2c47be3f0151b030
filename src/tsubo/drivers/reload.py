"""How the controller tells a helper process that its table on disk has changed.

Each helper (resolver, relay, health checker) listens on a unix socket in the state directory. The controller writes
the table by `replace_file` and calls `request_reload`, which returns once the helper serves the new table. A helper
that is not there yet reads the table from disk when it starts, so nothing is lost by a refused connection.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(temporary, path)


def request_reload(socket_path: Path, timeout_seconds: float = 2.0) -> bool:
    """Ask a helper to read its table again and wait until it has. Return False if it is not listening."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_seconds)
        try:
            connection.connect(str(socket_path))
            connection.sendall(b"reload\n")
            return connection.recv(16).startswith(b"ok")
        except OSError:
            return False


async def serve_reload(socket_path: Path, reload: Callable[[], None]) -> asyncio.Server:
    """Listen on a unix socket; call `reload` for each request and answer once it returned."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readline():
                reload()
                writer.write(b"ok\n")
                await writer.drain()
        finally:
            writer.close()

    socket_path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(answer, path=str(socket_path))
    socket_path.chmod(0o600)
    return server
