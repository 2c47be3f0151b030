"""From a task's connection to the AWS endpoint: the bytes both ways, unread and unchanged.

It goes on to the endpoint's own socket for tasks, so that whatever arrives there is a task's: a task cannot say that
it is anyone else, and the relay has nothing to say that could be forged.
"""

import asyncio
import contextlib
import socket
from pathlib import Path

CHUNK_BYTES = 64 * 1024


async def relay(client: socket.socket, endpoint: Path) -> None:
    """Carry a connection to a unix socket and back until the endpoint ends it. Raises OSError when it breaks."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as upstream:
        upstream.setblocking(False)
        await asyncio.get_running_loop().sock_connect(upstream, str(endpoint))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        requests = asyncio.create_task(_pump(client, upstream))
        try:
            await _pump(upstream, client)
        finally:
            requests.cancel()
            await asyncio.gather(requests, return_exceptions=True)


async def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry one direction to its end, however it ends, and then end it on the other side too."""
    loop = asyncio.get_running_loop()
    try:
        while data := await loop.sock_recv(source, CHUNK_BYTES):
            await loop.sock_sendall(sink, data)
    finally:
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
