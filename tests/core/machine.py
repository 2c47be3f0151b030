"""A machine that is only simulated: it carries out plans at once or when told to, and is observed like a real one."""

import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from tsubo.core.decide import decide
from tsubo.core.targets import used_target_groups
from tsubo.model.identity import EngineIdentity
from tsubo.model.observed import Observed, ObservedContainer, ObservedTask, StartFailure, TargetReport
from tsubo.model.pace import Pace
from tsubo.model.plan import IssueCertificate, Plan, RemoveTask, StartContainers, StartTask, StopTask
from tsubo.model.world import World

ENGINE = EngineIdentity("0123abcd")


class CountingSupply:
    """Identifiers that count: different, and the same in every run."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def text(self, length: int, alphabet: str = "0123456789abcdef") -> str:
        """Return the next number, written in the alphabet."""
        number, digits = next(self._numbers), ""
        while len(digits) < length:
            number, digit = divmod(number, len(alphabet))
            digits = alphabet[digit] + digits
        return digits


@dataclass
class Machine:
    """The world, what runs, and the time. `broken` names images that cannot be had; `deaf` targets answer no check."""

    world: World
    now: float = 1_000.0
    pace: Pace = field(default_factory=Pace)
    tasks: dict[str, dict[str, ObservedContainer]] = field(default_factory=dict)
    failures: dict[str, StartFailure] = field(default_factory=dict)
    plugged: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)
    active_requests: int = 0
    supply: CountingSupply = field(default_factory=CountingSupply)

    def observe(self) -> Observed:
        """Return what a pass would see."""
        return Observed(
            tasks={task_id: ObservedTask(task_id, True, dict(own)) for task_id, own in self.tasks.items()},
            plugged_interfaces=frozenset(self.plugged),
            start_failures=dict(self.failures),
            targets=self._reports(),
        )

    def decide(self) -> Plan:
        """Return the next plan without carrying it out."""
        return decide(self.world, self.observe(), self.now, self.supply, self.pace)

    def run_pass(self, times: Callable[[], int] = lambda: 1, *, committed: bool = True) -> Plan:
        """Decide, commit and carry out.

        A controller that dies in between carries a step out not at all, or again after its return (`times`), or
        never commits what it decided.
        """
        plan = self.decide()
        if committed:
            self.world = plan.world
            for step in plan.steps:
                for _ in range(times()):
                    self._carry_out(step)
        return plan

    def settle(self, passes: int = 200, seconds_per_pass: float = 0.1) -> None:
        """Run passes until nothing changes and no time is awaited."""
        for _ in range(passes):
            plan = self.run_pass()
            self.now += seconds_per_pass
            if not plan.steps and not plan.changes and (plan.wake_at is None or plan.wake_at > self.now + 100):
                return
        raise AssertionError(f"still busy after {passes} passes: {plan.steps} {plan.changes}")

    def kill(self, task_id: str, container: str, exit_code: int = 137) -> None:
        """Let a container exit."""
        seen = self.tasks[task_id][container]
        self.tasks[task_id][container] = dataclasses.replace(seen, status="exited", exit_code=exit_code)

    def _reports(self) -> dict[str, TargetReport]:
        reports = {}
        used = used_target_groups(self.world)
        for key, target in self.world.targets.items():
            if target.target_group_arn not in used:
                continue
            if target.draining_since is not None:
                reports[key] = TargetReport("draining", active_requests=self.active_requests)
            elif target.address in self.deaf:
                reports[key] = TargetReport("unhealthy", "Target.Timeout", "Request timed out")
            else:
                reports[key] = TargetReport("healthy")
        return reports

    def _carry_out(self, step: object) -> None:
        match step:
            case StartTask():
                self._start(step)
            case StartContainers():
                self._run(step.task_id, step.containers)
            case StopTask():
                for name in self.tasks.get(step.task_id, {}):
                    self.kill(step.task_id, name, 143)
            case RemoveTask():
                self.tasks.pop(step.task_id, None)
                self.failures.pop(step.task_id, None)
                self.plugged.discard(step.network_interface_id or "")
            case IssueCertificate():
                certificate = self.world.certificates[step.certificate_arn]
                self.world = self.world.with_records(dataclasses.replace(certificate, status="ISSUED"))

    def _start(self, step: StartTask) -> None:
        task = self.world.tasks[step.task_arn]
        if task.network_interface_id not in self.world.network_interfaces:
            return  # a start that comes after the task's end: the real one finds no interface to plug
        missing = next((c for c in task.containers if c.image in self.broken), None)
        if missing is not None:
            reason = f"CannotPullContainerError: failed to resolve ref {missing.image}: not found"
            self.failures[task.task_id] = StartFailure(reason, missing.name, reason)
            return
        assert task.network_interface_id is not None
        self.plugged.add(task.network_interface_id)
        own = self.tasks.setdefault(task.task_id, {})
        for number, container in enumerate(task.containers):
            own.setdefault(container.name, ObservedContainer(container.name, f"{number:012x}", "created"))
        self._run(task.task_id, step.containers)

    def _run(self, task_id: str, names: tuple[str, ...]) -> None:
        for name in names:
            seen = self.tasks[task_id][name]
            if seen.status == "created":
                self.tasks[task_id][name] = dataclasses.replace(seen, status="running", started_at=self.now)
