"""Statistics from a container engine that is played by a unix socket."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tsubo.drivers import container_stats
from tsubo.drivers.container_stats import ContainerStats


class FakeEngine:
    """Answers as the container engine does, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.running = True
        self.samples = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readline()).split()[1].decode()
        self.asked[path] += 1
        content: dict[str, Any] | None = None
        if path == "/containers/c1/json":
            content = {"State": {"Running": self.running, "Pid": os.getpid()}}
        elif path.startswith("/containers/c1/stats?"):
            self.samples += 1
            content = {"read": f"2026-01-01T00:00:{self.samples:02d}.5Z", "cpu_stats": {"sample": self.samples}}
        body = json.dumps(content or {"message": "No such container"}).encode()
        writer.write(f"HTTP/1.0 {200 if content else 404} x\r\n\r\n".encode() + body)
        writer.close()


def run(tmp_path: Path, test: Callable[[FakeEngine, ContainerStats], Awaitable[None]], clock: list[float]) -> None:
    async def main() -> None:
        engine = FakeEngine()
        server = await asyncio.start_unix_server(engine.answer, tmp_path / "engine.sock")
        await asyncio.wait_for(test(engine, ContainerStats(str(tmp_path / "engine.sock"), lambda: clock[0])), 10)
        server.close()

    asyncio.run(main())


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_stats, "FIRST_PAUSE_SECONDS", 0.0)


def test_each_sample_stands_beside_the_one_before(tmp_path: Path) -> None:
    clock = [0.0]

    async def test(engine: FakeEngine, stats: ContainerStats) -> None:
        first = await stats.of("c1") or {}
        assert (first["precpu_stats"], first["cpu_stats"]) == ({"sample": 1}, {"sample": 2})
        assert first["preread"] == "2026-01-01T00:00:01.5Z"
        assert set(first["network_rate_stats"]) == {"rx_bytes_per_sec", "tx_bytes_per_sec"}
        assert all(set(device) >= {"rx_bytes", "tx_dropped"} for device in first["networks"].values())
        clock[0] = 5.0
        second = await stats.of("c1") or {}
        assert (second["precpu_stats"], second["cpu_stats"]) == ({"sample": 2}, {"sample": 3})

    run(tmp_path, test, clock)


def test_the_engine_is_asked_once_a_second_however_many_ask(tmp_path: Path) -> None:
    clock = [0.0]

    async def test(engine: FakeEngine, stats: ContainerStats) -> None:
        answers = await asyncio.gather(*(stats.of("c1") for _ in range(50)))
        assert all(answer == answers[0] for answer in answers)
        assert engine.samples == 2
        clock[0] = 0.9
        assert await stats.of("c1") == answers[0]
        assert engine.samples == 2

    run(tmp_path, test, clock)


def test_a_container_that_does_not_run_has_none(tmp_path: Path) -> None:
    async def test(engine: FakeEngine, stats: ContainerStats) -> None:
        assert await stats.of("unknown") is None
        engine.running = False
        assert await stats.of("c1") is None

    run(tmp_path, test, [0.0])


def test_without_an_engine_there_are_none(tmp_path: Path) -> None:
    assert asyncio.run(ContainerStats(str(tmp_path / "nothing.sock")).of("c1")) is None
