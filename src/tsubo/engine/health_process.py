"""The health checker: a process of its own that checks each target from each node and steers the proxies by the result.

    python -m tsubo.engine.health_process --home HOME [--time-scale N]

In: HOME/health/table.json. Out: the endpoint files that the proxies watch, and HOME/health/state.json. It needs no
controller: what DescribeTargetHealth says and what the proxies route to come from here, and go on when it is dead. A
restarted checker goes on from the file: a healthy target stays healthy.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tsubo.core import target_health
from tsubo.core.target_health import Spacing, TargetHealth
from tsubo.drivers.endpoints import Endpoint, endpoints_document
from tsubo.drivers.envoy_admin import AdminError, NotRunningError, draining_requests
from tsubo.drivers.health_checker import Check, check_target
from tsubo.drivers.reload import replace_file
from tsubo.engine.health_state import SavedTarget, encode_state, read_state, write_state
from tsubo.engine.helper_process import argument_parser, run
from tsubo.engine.home import HomeError, open_home
from tsubo.model.proxy import CheckedTarget, HealthTable, TargetPool

CONCURRENT_CHECKS = 256
DRAIN_POLL_SECONDS = 0.2
MESSAGE_TO_CONTROLLER = b"health"

log = logging.getLogger(__name__)

Watched = tuple[str, str]
"""A pool's name and a target's key (`address:port`)."""


@dataclass(frozen=True)
class _Subject:
    """What a watch depends on: if any of it changes, the watch begins anew."""

    pool: TargetPool
    target: CheckedTarget


class HealthChecker:
    """All checks of one engine."""

    def __init__(self, home: Path, spacing: Spacing) -> None:
        self._home = home
        self._spacing = spacing
        self._table = HealthTable()
        self._saved = read_state(home)
        self._healths: dict[Watched, TargetHealth] = {}
        self._watches: dict[Watched, tuple[_Subject, asyncio.Task[None]]] = {}
        self._active_requests: dict[Watched, int] = {}
        self._drains: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(CONCURRENT_CHECKS)
        self._published = b""

    def reload(self) -> None:
        """Read the table and check what it says from now on. A damaged table leaves the old one in force."""
        path = self._home / "health" / "table.json"
        try:
            self._table = msgspec.json.decode(path.read_bytes(), type=HealthTable)
        except FileNotFoundError:
            self._table = HealthTable()
        except msgspec.DecodeError:
            log.exception("%s is damaged; the table before it stays in force", path)
            return
        self._compare()
        for pool in self._table.pools:
            self._write_endpoints(pool)
        self._publish()

    def close(self) -> None:
        """End all checks."""
        for _, task in self._watches.values():
            task.cancel()
        if self._drains:
            self._drains.cancel()

    def _compare(self) -> None:
        wanted = {
            (pool.name, target.key): _Subject(replace(pool, targets=()), target)
            for pool in self._table.pools
            for target in pool.targets
        }
        checked = {watched: subject for watched, subject in wanted.items() if not subject.target.draining}
        for watched in [w for w, (subject, _) in self._watches.items() if checked.get(w) != subject]:
            self._watches.pop(watched)[1].cancel()
        self._healths = {
            watched: self._known(watched, subject)
            or target_health.registered(subject.target.registered_at, time.time())
            for watched, subject in checked.items()
        }
        for watched, subject in checked.items():
            if watched not in self._watches:
                self._watches[watched] = (subject, asyncio.create_task(self._watch(watched, subject)))
        draining = wanted.keys() - checked.keys()
        self._active_requests = {w: n for w, n in self._active_requests.items() if w in draining}
        if draining and (self._drains is None or self._drains.done()):
            self._drains = asyncio.create_task(self._watch_drains())

    def _known(self, watched: Watched, subject: _Subject) -> TargetHealth | None:
        """Return what is known of a target, from this process or the one before; nothing if it registered anew."""
        known = self._healths.get(watched)
        if known is None:
            saved = self._saved.get(f"{subject.pool.target_group_arn}/{subject.target.key}")
            known = saved.pools.get(watched[0]) if saved else None
        return known if known and known.registered_at == subject.target.registered_at else None

    async def _watch(self, watched: Watched, subject: _Subject) -> None:
        while True:
            health = self._healths[watched]
            await asyncio.sleep(max(0.0, health.next_check_at - time.time()))
            async with self._slots:
                outcome = await check_target(self._check(subject, health))
            found = target_health.advance(health, subject.pool.health_check, outcome, self._spacing)
            self._healths[watched] = found
            if found.state != health.state:
                log.info("%s in %s: %s -> %s %s", watched[1], watched[0], health.state, found.state, found.reason or "")
                self._write_endpoints(next(pool for pool in self._table.pools if pool.name == watched[0]))
            self._publish()

    def _check(self, subject: _Subject, health: TargetHealth) -> Check:
        pool, settings = subject.pool, subject.pool.health_check
        connect_seconds, total_seconds = self._spacing.timeouts(health, settings)
        return Check(
            namespace=pool.namespace,
            source_address=pool.node_address,
            address=subject.target.address,
            port=subject.target.check_port,
            path=settings.path,
            tls=settings.protocol == "HTTPS",
            connect_seconds=connect_seconds,
            total_seconds=total_seconds,
        )

    async def _watch_drains(self) -> None:
        """Ask the proxies for the active requests of draining targets as long as there are any."""
        before: Mapping[Watched, int] = {}
        while pools := [pool for pool in self._table.pools if any(target.draining for target in pool.targets)]:
            now: dict[Watched, int] = {}
            for pool in pools:
                now |= await asyncio.to_thread(_drain_of, pool)
            # A request that waits for its connection is nobody's yet: one look that finds nothing is not enough.
            self._active_requests = {
                watched: max(count, before[watched]) for watched, count in now.items() if watched in before
            }
            before = now
            self._publish()
            await asyncio.sleep(DRAIN_POLL_SECONDS)

    def _write_endpoints(self, pool: TargetPool) -> None:
        states = {t.key: self._healths[pool.name, t.key].state for t in pool.targets if not t.draining}
        routable = target_health.routable(states)

        def endpoint(target: CheckedTarget) -> Endpoint:
            health = "DRAINING" if target.draining else "HEALTHY" if target.key in routable else "UNHEALTHY"
            return target.address, target.port, health  # type: ignore[return-value]

        content = endpoints_document(pool.name, map(endpoint, pool.targets))
        path = Path(pool.endpoints_path)
        # The load balancer may be gone, and its directory with it, before the next table says so.
        with contextlib.suppress(FileNotFoundError):
            if not path.exists() or path.read_bytes() != content:
                replace_file(path, content)

    def _publish(self) -> None:
        """Write the findings if they changed, and tell the controller."""
        pools: dict[str, list[tuple[TargetPool, CheckedTarget]]] = {}
        for pool in self._table.pools:
            for target in pool.targets:
                pools.setdefault(f"{pool.target_group_arn}/{target.key}", []).append((pool, target))
        content = encode_state({key: self._saved_target(seen) for key, seen in pools.items()})
        if content == self._published:
            return
        self._published = content
        write_state(self._home, content)
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as poke:
            poke.setblocking(False)
            poke.sendto(MESSAGE_TO_CONTROLLER, str(self._home / "run" / "controller.sock"))

    def _saved_target(self, seen: list[tuple[TargetPool, CheckedTarget]]) -> SavedTarget:
        if seen[0][1].draining:
            counts = [self._active_requests.get((pool.name, target.key)) for pool, target in seen]
            known = [count for count in counts if count is not None]
            return SavedTarget(
                "draining",
                "Target.DeregistrationInProgress",
                "Target deregistration is in progress",
                active_requests=sum(known) if len(known) == len(counts) else None,
            )
        healths = {pool.name: self._healths[pool.name, target.key] for pool, target in seen}
        # When a check was made is not news: the next process checks at once.
        settled = {name: replace(h, count=0, next_check_at=0.0, failure_due_at=h.since) for name, h in healths.items()}
        report = target_health.report(healths.values())
        return SavedTarget(report.state, report.reason, report.description, pools=settled)


def _drain_of(pool: TargetPool) -> dict[Watched, int]:
    """Return the active requests of a pool's draining targets. A proxy that does not run has none under way."""
    try:
        counts = draining_requests(Path(pool.admin_path), pool.name)
    except NotRunningError:
        counts = {target.key: 0 for target in pool.targets if target.draining}
    except AdminError as error:
        log.warning("no answer about draining targets: %s", error)
        counts = {}
    return {(pool.name, key): count for key, count in counts.items()}


def _time_scale(home: Path, given: float | None) -> float | None:
    if given is not None:
        return given
    with contextlib.suppress(HomeError):
        return 1.0 if open_home(home).settings.real_time else None
    return None


def main() -> None:
    """Parse the command line and check."""
    parser = argument_parser("health", __doc__)
    parser.add_argument("--time-scale", type=float, help="take AWS's times multiplied by this, good news included")
    arguments = parser.parse_args()
    spacing = Spacing(_time_scale(arguments.home, arguments.time_scale))
    run("health", arguments.home, lambda: HealthChecker(arguments.home, spacing))


if __name__ == "__main__":
    main()
