"""One check against a target on loopback, with sockets made here instead of in a node's namespace."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.authority import issue
from tsubo.drivers import health_checker
from tsubo.drivers.health_checker import Check, check_target
from tsubo.model.proxy import CheckOutcome

CHECK = Check("none", "127.0.0.1", "127.0.0.1", 0, "/up?x=1", tls=False, connect_seconds=5.0, total_seconds=5.0)
Respond = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def _sockets_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_checker, "socket_in", lambda _namespace, family, kind: socket.socket(family, kind))


def check(respond: Respond, tls: ssl.SSLContext | None = None, total_seconds: float = 5.0) -> CheckOutcome:
    async def run() -> CheckOutcome:
        server = await asyncio.start_server(respond, "127.0.0.1", 0, ssl=tls)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await check_target(replace(CHECK, port=port, tls=bool(tls), total_seconds=total_seconds))

    return asyncio.run(run())


def answering(answer: bytes, seen: list[bytes] | None = None, close: bool = True) -> Respond:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(request)
        writer.write(answer)
        await writer.drain()
        if not close:
            await reader.read()
        writer.close()

    return respond


def test_the_request_is_that_of_a_load_balancer() -> None:
    """aws/alb-vpc-terraform.md section 1.7."""
    seen: list[bytes] = []
    assert check(answering(b"HTTP/1.1 204 No Content\r\n\r\n", seen)).status_code == 204
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "GET /up?x=1 HTTP/1.1"
    assert lines[1].startswith("Host: 127.0.0.1:")
    assert "User-Agent: ELB-HealthChecker/2.0" in lines


def test_a_target_that_keeps_the_connection_open_costs_no_time() -> None:
    outcome = check(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", close=False))
    assert outcome.status_code == 200
    assert outcome.ended_at - outcome.began_at < health_checker.BODY_SECONDS


@pytest.mark.parametrize(
    "answer", [b"", b"not HTTP\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"x" * 99_999]
)
def test_a_malformed_answer_fails(answer: bytes) -> None:
    outcome = check(answering(answer))
    assert (outcome.status_code, outcome.failure) == (None, "Target.FailedHealthChecks")


def test_silence_is_a_timeout() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    outcome = check(silent, total_seconds=0.1)
    assert outcome.failure == "Target.Timeout"
    assert outcome.ended_at - outcome.began_at >= 0.1


def test_a_refused_connection_fails() -> None:
    async def run() -> CheckOutcome:
        server = await asyncio.start_server(answering(b""), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await check_target(replace(CHECK, port=port))

    assert asyncio.run(run()).failure == "Target.FailedHealthChecks"


def test_a_node_whose_namespace_is_not_there_sees_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise FileNotFoundError(2, "no such namespace")

    monkeypatch.setattr(health_checker, "socket_in", missing)
    assert asyncio.run(check_target(replace(CHECK, port=1))).failure == "Target.Timeout"


def test_any_certificate_of_a_target_is_believed(tmp_path: Path) -> None:
    pem, key, _ = issue(["another.name"], tmp_path)
    (tmp_path / "server.pem").write_text(key + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    assert check(answering(b"HTTP/1.1 200 OK\r\n\r\n"), tls=context).status_code == 200
