"""One health check as a load balancer's node makes it: from the node's namespace and address, one request, then close.

In: what to ask of whom. Out: the status, or how the check failed. What that means is `core.target_health`'s business.
Source: aws/alb-vpc-terraform.md section 1.7.
"""

import asyncio
import contextlib
import errno
import re
import socket
import ssl
import time
from dataclasses import dataclass

from tsubo.drivers.netns import socket_in
from tsubo.model.proxy import CheckOutcome

HEAD_LIMIT_BYTES = 32 * 1024
BODY_SECONDS = 1.0
"""How long the rest of an answer is read, so that a target can end its answer before the connection closes."""
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_SILENCE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT, errno.ENOENT})
"""Errors that a load balancer would see as silence. ENOENT: the node's namespace is not there (yet)."""


@dataclass(frozen=True)
class Check:
    """Whom to ask what, from where, and for how long: seconds to connect, and seconds in all."""

    namespace: str
    source_address: str
    address: str
    port: int
    path: str
    tls: bool
    connect_seconds: float
    total_seconds: float


async def check_target(check: Check) -> CheckOutcome:
    """Make one check. Never raises for what the network or the target does."""
    began_at = time.time()
    try:
        async with asyncio.timeout(check.total_seconds):
            status = await _ask(check)
    except TimeoutError:
        return CheckOutcome(began_at, time.time(), failure="Target.Timeout")
    except (OSError, ValueError, EOFError) as error:
        silent = isinstance(error, OSError) and error.errno in _SILENCE
        failure = "Target.Timeout" if silent else "Target.FailedHealthChecks"
        return CheckOutcome(began_at, time.time(), failure=failure)  # type: ignore[arg-type]
    return CheckOutcome(began_at, time.time(), status_code=status)


async def _ask(check: Check) -> int:
    connection = socket_in(check.namespace, socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.bind((check.source_address, 0))
        async with asyncio.timeout(check.connect_seconds):
            await asyncio.get_running_loop().sock_connect(connection, (check.address, check.port))
        reader, writer = await asyncio.open_connection(
            sock=connection,
            ssl=_unverified() if check.tls else None,
            server_hostname=check.address if check.tls else None,
            limit=HEAD_LIMIT_BYTES,
        )
    except BaseException:
        connection.close()
        raise
    try:
        writer.write(_request(check))
        head = await _head(reader)
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(BODY_SECONDS):
                await _finish(reader, head)
    finally:
        writer.close()
    return _status(head)


def _request(check: Check) -> bytes:
    return (
        f"GET {check.path} HTTP/1.1\r\n"
        f"Host: {check.address}:{check.port}\r\n"
        "Connection: close\r\n"
        "User-Agent: ELB-HealthChecker/2.0\r\n"
        "Accept-Encoding: gzip, compressed\r\n\r\n"
    ).encode()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise ValueError("the head of the answer is too long") from None


async def _finish(reader: asyncio.StreamReader, head: bytes) -> None:
    """Read the rest of an answer: as long as it says it is, or to the end of the connection."""
    length = _CONTENT_LENGTH.search(head)
    left = int(length[1]) if length else None
    while left is None or left > 0:
        data = await reader.read(HEAD_LIMIT_BYTES if left is None else min(left, HEAD_LIMIT_BYTES))
        if not data:
            return
        left = None if left is None else left - len(data)


def _status(head: bytes) -> int:
    version, _, rest = head.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise ValueError(f"not an HTTP/1 answer: {head[:40]!r}")
    return int(rest[:3])


def _unverified() -> ssl.SSLContext:
    """Return a TLS context that believes any certificate, as a load balancer does towards its targets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
