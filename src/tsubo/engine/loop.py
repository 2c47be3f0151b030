"""The loop: one snapshot, one observation, one decision, carried out; again when anything changes.

A pass makes the data plane true for the world it decided on, commits that world's records whole or not at all, and
only then starts steps. Nothing is said before it is true, and no step uses what is not committed.
"""

import logging
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tsubo.aws.store import Store
from tsubo.core.decide import decide
from tsubo.drivers.docker import ContainerEngine
from tsubo.engine.data_plane import DataPlane
from tsubo.engine.steps import StepRunner
from tsubo.model.observed import Observed, TargetReport
from tsubo.model.pace import Pace
from tsubo.model.plan import Plan, RecordChange
from tsubo.model.world import KIND_NAMES, World

log = logging.getLogger("tsubo.loop")

LONGEST_SLEEP_SECONDS = 2.0
"""The loop is told of every change; this is how long a lost message could matter."""
FAILED_PASS_PAUSE_SECONDS = 0.5


class SystemSupply:
    """Identifiers from the system's randomness."""

    def text(self, length: int, alphabet: str = "0123456789abcdef") -> str:
        """Return random characters of an alphabet."""
        return "".join(secrets.choice(alphabet) for _ in range(length))


@dataclass
class Machine:
    """What the loop acts on."""

    containers: ContainerEngine
    data_plane: DataPlane
    steps: StepRunner
    health_state: Path


class Loop:
    """Runs passes in a thread of its own. `wake` may be called from anywhere."""

    def __init__(self, store: Store, machine: Machine, pace: Pace) -> None:
        self._store = store
        self._machine = machine
        self._pace = pace
        self._supply = SystemSupply()
        self._dirty = threading.Event()
        self._dirty.set()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)
        self.passes = 0
        self.last_error: str | None = None

    def start(self) -> None:
        """Start running passes."""
        self._thread.start()

    def wake(self) -> None:
        """Ask for a pass soon."""
        self._dirty.set()

    def stop(self) -> None:
        """Let the present pass end and run no more."""
        self._stopping = True
        self._dirty.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        wake_at: float | None = None
        while not self._stopping:
            now = time.time()
            timeout = LONGEST_SLEEP_SECONDS if wake_at is None else min(LONGEST_SLEEP_SECONDS, wake_at - now)
            self._dirty.wait(max(0.001, timeout))
            self._dirty.clear()
            if self._stopping:
                return
            try:
                wake_at = self.run_pass()
                self.last_error = None
            except Exception as error:
                if self.last_error != repr(error):
                    log.exception("the pass failed and will be tried again")
                self.last_error = repr(error)
                self._dirty.set()
                time.sleep(FAILED_PASS_PAUSE_SECONDS)

    def run_pass(self) -> float | None:
        """Run one pass. Return when time alone asks for another (seconds since the epoch), if it does."""
        world = self._store.world
        observed = self.observe()
        plan = decide(world, observed, time.time(), self._supply, self._pace)
        self._machine.data_plane.apply(plan.world, observed.tasks)
        self.passes += 1
        if not self._commit(plan):
            self._dirty.set()
            return None
        for step in plan.steps:
            self._machine.steps.submit(step)
        return plan.wake_at

    def observe(self) -> Observed:
        """Return what this machine is now."""
        # Steps are read before containers: one that ends in between is seen as in flight, and decided on next time.
        in_flight = self._machine.steps.in_flight()
        return Observed(
            tasks=self._machine.containers.observe(),
            plugged_interfaces=self._machine.data_plane.network.observe(),
            in_flight=in_flight,
            start_failures=self._machine.steps.start_failures(),
            targets=_read_reports(self._machine.health_state),
        )

    def _commit(self, plan: Plan) -> bool:
        """Commit the plan's changes if every record is still what the decision saw; return whether they are in."""
        if not plan.changes:
            return True
        with self._store.transaction() as transaction:
            for change in plan.changes:
                if not _is_current(transaction.world, change):
                    return False
            transaction.put(*(c.after for c in plan.changes if c.after is not None))
            transaction.delete(*(c.before for c in plan.changes if c.after is None and c.before is not None))
        self._dirty.set()
        return True


def _is_current(world: World, change: RecordChange) -> bool:
    before = change.before
    record = before if before is not None else change.after
    standing = getattr(world, KIND_NAMES[type(record)]).get(record.key) if record else None
    return standing is before or standing == before


def _read_reports(path: Path) -> dict[str, TargetReport]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, TargetReport])
    except FileNotFoundError:
        return {}
