"""The health checker's process, with checks that are answered here: what it writes, keeps, and takes over."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tsubo.core.target_health import Spacing
from tsubo.drivers.envoy_admin import NotRunningError
from tsubo.drivers.health_checker import Check
from tsubo.engine import health_process
from tsubo.engine.health_process import HealthChecker
from tsubo.engine.health_state import read_state
from tsubo.model.elbv2 import HealthCheck
from tsubo.model.proxy import CheckedTarget, CheckOutcome, HealthTable, TargetPool

ONE = CheckedTarget("10.0.10.11", 80, 80, registered_at=1.0)
TWO = CheckedTarget("10.0.10.12", 80, 80, registered_at=1.0)
NODES = ("10.0.1.20", "10.0.2.20")


class Bench:
    """A state directory, targets that answer as `answers` says, and the checks that were made."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.answers: dict[tuple[str, str], int | None] = {}
        self.checks: list[Check] = []
        (home / "health").mkdir()
        (home / "run").mkdir()

    async def check(self, check: Check) -> CheckOutcome:
        self.checks.append(check)
        await asyncio.sleep(0)
        status = self.answers.get((check.source_address, check.address))
        failure = None if status else "Target.FailedHealthChecks"
        return CheckOutcome(time.time(), time.time(), status, failure)  # type: ignore[arg-type]

    def write(self, *targets: CheckedTarget) -> None:
        pools = [
            TargetPool(f"web@{node}", "arn", f"ns-{node}", node, HealthCheck(interval_seconds=30),
                       str(self.home / f"eds-{node}.json"), str(self.home / "admin.sock"), targets)
            for node in NODES
        ]  # fmt: skip
        (self.home / "health" / "table.json").write_bytes(msgspec.json.encode(HealthTable(tuple(pools))))

    def answer(self, target: CheckedTarget, status: int | None, *nodes: str) -> None:
        for node in nodes or NODES:
            self.answers[node, target.address] = status

    def state(self, target: CheckedTarget = ONE) -> str | None:
        saved = read_state(self.home).get(f"arn/{target.key}")
        return saved.state if saved else None

    def endpoints(self, node: str) -> dict[str, str]:
        document = json.loads((self.home / f"eds-{node}.json").read_text())
        found = document["resources"][0]["endpoints"][0]["lb_endpoints"]
        return {e["endpoint"]["address"]["socket_address"]["address"]: e["health_status"] for e in found}

    async def until(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 5
        while not what():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.005)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(tmp_path)
    monkeypatch.setattr(health_process, "check_target", made.check)
    return made


def run(bench: Bench, scenario: Callable[[HealthChecker], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        checker = HealthChecker(bench.home, Spacing())
        checker.reload()
        try:
            await scenario(checker)
        finally:
            checker.close()

    asyncio.run(main())


def test_each_node_routes_by_what_it_found_itself(bench: Bench) -> None:
    bench.write(ONE)
    bench.answer(ONE, 200, NODES[0])

    async def scenario(_: HealthChecker) -> None:
        await bench.until(lambda: bench.endpoints(NODES[0]) == {ONE.address: "HEALTHY"})
        assert bench.endpoints(NODES[1]) == {ONE.address: "UNHEALTHY"}
        assert bench.state() == "initial"
        bench.answer(ONE, 200)
        await bench.until(lambda: bench.state() == "healthy")
        assert bench.endpoints(NODES[1]) == {ONE.address: "HEALTHY"}

    run(bench, scenario)
    assert {(check.namespace, check.source_address) for check in bench.checks} == {(f"ns-{n}", n) for n in NODES}


def test_the_controller_is_told_of_a_change(bench: Bench) -> None:
    bench.write(ONE)
    bench.answer(ONE, 200)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as controller:
        controller.bind(str(bench.home / "run" / "controller.sock"))
        controller.setblocking(False)

        async def scenario(_: HealthChecker) -> None:
            await bench.until(lambda: bench.state() == "healthy")

        run(bench, scenario)
        assert controller.recv(16) == b"health"


def test_a_new_process_keeps_a_healthy_target_healthy_and_checks_it(bench: Bench) -> None:
    bench.write(ONE)
    bench.answer(ONE, 200)

    async def become_healthy(_: HealthChecker) -> None:
        await bench.until(lambda: bench.state() == "healthy")

    run(bench, become_healthy)
    bench.answer(ONE, None)
    bench.checks.clear()

    async def resume(_: HealthChecker) -> None:
        assert bench.endpoints(NODES[0]) == {ONE.address: "HEALTHY"}
        await bench.until(lambda: len(bench.checks) == len(NODES))
        assert bench.state() == "healthy"

    run(bench, resume)


def test_a_target_that_registers_anew_is_initial_again(bench: Bench) -> None:
    bench.write(ONE)
    bench.answer(ONE, 200)

    async def scenario(checker: HealthChecker) -> None:
        await bench.until(lambda: bench.state() == "healthy")
        bench.answer(ONE, None)
        bench.write(CheckedTarget(ONE.address, ONE.port, ONE.check_port, registered_at=2.0))
        checker.reload()
        assert bench.state() == "initial"
        assert bench.endpoints(NODES[0]) == {ONE.address: "UNHEALTHY"}

    run(bench, scenario)


def test_a_reload_that_adds_a_target_does_not_check_the_others_again(bench: Bench) -> None:
    bench.write(ONE)
    bench.answer(ONE, 200)
    bench.answer(TWO, 200)

    async def scenario(checker: HealthChecker) -> None:
        await bench.until(lambda: bench.state() == "healthy")
        bench.checks.clear()
        bench.write(ONE, TWO)
        checker.reload()
        await bench.until(lambda: bench.state(TWO) == "healthy")
        assert {check.address for check in bench.checks} == {TWO.address}

    run(bench, scenario)


def test_a_target_that_goes_is_no_longer_checked_nor_reported(bench: Bench) -> None:
    bench.write(ONE)

    async def scenario(checker: HealthChecker) -> None:
        await bench.until(lambda: len(bench.checks) >= len(NODES))
        bench.write()
        checker.reload()
        made = len(bench.checks)
        await asyncio.sleep(0.3)
        assert len(bench.checks) == made
        assert bench.state() is None
        assert bench.endpoints(NODES[0]) == {}

    run(bench, scenario)


def test_a_damaged_table_changes_nothing(bench: Bench) -> None:
    bench.write(ONE)
    bench.answer(ONE, 200)

    async def scenario(checker: HealthChecker) -> None:
        await bench.until(lambda: bench.state() == "healthy")
        (bench.home / "health" / "table.json").write_text("{")
        checker.reload()
        assert bench.endpoints(NODES[0]) == {ONE.address: "HEALTHY"}

    run(bench, scenario)


def test_active_requests_of_a_draining_target_are_the_larger_of_two_looks(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = {node: iter(counts) for node, counts in zip(NODES, ([2, 0, 0], [0, 1, 0]), strict=True)}
    last = dict.fromkeys(NODES, 0)

    def active(_: Path, cluster: str) -> dict[str, int]:
        node = cluster.partition("@")[2]
        last[node] = next(looks[node], 0)
        return {ONE.key: last[node]}

    monkeypatch.setattr(health_process, "draining_requests", active)
    monkeypatch.setattr(health_process, "DRAIN_POLL_SECONDS", 0.02)
    bench.write(CheckedTarget(ONE.address, 80, 80, registered_at=1.0, draining=True))
    seen: list[int | None] = []

    async def scenario(_: HealthChecker) -> None:
        assert bench.endpoints(NODES[0]) == {ONE.address: "DRAINING"}
        assert bench.state() == "draining"

        def idle() -> bool:
            active_requests = read_state(bench.home)[f"arn/{ONE.key}"].active_requests
            if active_requests not in seen:
                seen.append(active_requests)
            return active_requests == 0

        await bench.until(idle)

    run(bench, scenario)
    assert bench.checks == []
    assert seen == [None, 3, 1, 0]


def test_without_a_proxy_a_draining_target_is_idle(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_running(*_: object) -> dict[str, int]:
        raise NotRunningError

    monkeypatch.setattr(health_process, "draining_requests", not_running)
    bench.write(CheckedTarget(ONE.address, 80, 80, registered_at=1.0, draining=True))

    async def scenario(_: HealthChecker) -> None:
        await bench.until(lambda: read_state(bench.home)[f"arn/{ONE.key}"].active_requests == 0)

    run(bench, scenario)
