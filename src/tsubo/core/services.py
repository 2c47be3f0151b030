"""The service scheduler: which tasks a service starts and stops next, and what its deployments say.

For each service, from what stands now: the tasks of its PRIMARY deployment, those of older ones, which of them are
healthy; never fewer healthy ones than the minimum allows, never more in all than the maximum.
Source: aws/ecs-cloudmap-exec.md section 6.
"""

import dataclasses
import math

from tsubo.core.draft import Draft
from tsubo.core.events import add_event
from tsubo.core.registration import has_container_check, targets_of
from tsubo.core.start_failures import STAYS_SECONDS
from tsubo.model.ecs import Deployment, Service, Task
from tsubo.model.pace import Pace
from tsubo.model.supply import Supply
from tsubo.model.task_records import deployment_id, new_task

GONE = ("STOPPING", "DEPROVISIONING", "STOPPED")
"""A service is INACTIVE when all its tasks are in one of these (DeleteService's text)."""


def decide(draft: Draft, now: float, supply: Supply, pace: Pace) -> None:
    """Bring every service one step nearer to what was asked."""
    tasks: dict[str, list[Task]] = {}
    for task in draft.world.tasks.values():
        if task.service_arn is not None:
            tasks.setdefault(task.service_arn, []).append(task)
    for service in list(draft.world.services.values()):
        own = tasks.get(service.arn, [])
        if service.status == "DRAINING":
            _drain(draft, service, own)
        elif service.status == "ACTIVE" and service.deployments:
            _Scheduler(draft, service.arn, own, now, supply, pace).decide()


def _drain(draft: Draft, service: Service, tasks: list[Task]) -> None:
    for task in tasks:
        stop_task(draft, task, f"Scaling activity initiated by (deployment {task.deployment_id})")
    if all(task.last_status in GONE for task in tasks):
        draft.update(service, status="INACTIVE", desired_count=0, deployments=())


def stop_task(draft: Draft, task: Task, reason: str) -> None:
    """Tell a task to stop, on behalf of the scheduler; a task that is stopping keeps its reason."""
    if task.desired_status == "RUNNING":
        draft.update(
            task,
            desired_status="STOPPED",
            stop_code="ServiceSchedulerInitiated",
            stopped_reason=reason,
            version=task.version + 1,
        )


class _Scheduler:
    """One service in one pass."""

    def __init__(
        self, draft: Draft, service_arn: str, tasks: list[Task], now: float, supply: Supply, pace: Pace
    ) -> None:
        self.draft = draft
        self.arn = service_arn
        self.now = now
        self.supply = supply
        self.pace = pace
        self.live = [task for task in tasks if task.desired_status == "RUNNING"]
        self.stopping = [task for task in tasks if task.desired_status == "STOPPED" and task.last_status != "STOPPED"]

    @property
    def service(self) -> Service:
        return self.draft.world.services[self.arn]

    @property
    def primary(self) -> Deployment:
        return self.service.deployments[0]

    def decide(self) -> None:
        self._stop_unhealthy()
        current = [task for task in self.live if task.deployment_id == self.primary.deployment_id]
        older = [task for task in self.live if task.deployment_id != self.primary.deployment_id]
        self._stop_older(current, older)
        self._stop_surplus(current)
        if self.primary.rollout_state != "FAILED":
            self._start_missing(current, older)
        self._trip_circuit_breaker()
        self._update_deployments()

    # Health

    def _healthy(self, task: Task) -> bool:
        if task.last_status != "RUNNING" or task.started_at is None:
            return False
        definition = self.draft.world.task_definitions[task.task_definition_arn]
        checked = has_container_check(definition)
        if checked and task.health_status != "HEALTHY":
            return False
        targets = targets_of(self.draft.world, task)
        if targets:
            return all(target.state in ("healthy", "unused", "unavailable") for target in targets)
        if checked:
            return True
        counts_from = task.started_at + self.pace.task_without_check_is_healthy_after
        if self.now < counts_from:
            self.draft.wake_at(counts_from)
        return self.now >= counts_from

    def _stop_unhealthy(self) -> None:
        """Stop tasks that their checks found unhealthy, after the grace period; the missing ones are started anew."""
        for task in list(self.live):
            reason = self._unhealthy_reason(task)
            if reason is None or task.started_at is None:
                continue
            grace_ends_at = task.started_at + self.service.health_check_grace_period_seconds
            if self.now < grace_ends_at:
                self.draft.wake_at(grace_ends_at)
                continue
            self._stop(task, reason)
            self._tell(f"(task {task.task_id}) {_lower_first(reason)}.")

    def _unhealthy_reason(self, task: Task) -> str | None:
        if task.last_status != "RUNNING":
            return None
        if task.health_status == "UNHEALTHY":
            return "Task failed container health checks"
        for target in targets_of(self.draft.world, task):
            if target.state == "unhealthy":
                return f"Task failed ELB health checks in (target-group {target.target_group_arn})"
        return None

    def _stop(self, task: Task, reason: str) -> None:
        stop_task(self.draft, task, reason)
        self.live.remove(task)
        self.stopping.append(task)

    # Numbers

    def _stop_older(self, current: list[Task], older: list[Task]) -> None:
        """Stop tasks of older deployments as far as enough healthy ones remain."""
        if not older:
            return
        minimum = math.ceil(self.service.desired_count * self.service.minimum_healthy_percent / 100)
        healthy = sum(map(self._healthy, current)) + sum(map(self._healthy, older))
        spare = max(0, healthy - minimum)
        reason = f"Scaling activity initiated by (deployment {self.primary.deployment_id})"
        stopped = []
        for task in sorted(older, key=lambda task: (self._healthy(task), task.created_at)):
            if self._healthy(task):
                if spare == 0:
                    break
                spare -= 1
            elif not current and self.service.desired_count > 0:
                # An older task that is not healthy yet gives way only to one of the new deployment.
                continue
            self._stop(task, reason)
            stopped.append(task)
        self._tell_stopped(stopped)

    def _stop_surplus(self, current: list[Task]) -> None:
        """Stop tasks above the desired count: unhealthy ones, then those of the fullest zone, then the newest."""
        surplus = len(current) - self.service.desired_count
        stopped = []
        for _ in range(surplus):
            zones = [task.availability_zone for task in current]
            task = max(
                current,
                key=lambda task: (not self._healthy(task), zones.count(task.availability_zone), task.created_at),
            )
            self._stop(task, f"Scaling activity initiated by (deployment {self.primary.deployment_id})")
            current.remove(task)
            stopped.append(task)
        self._tell_stopped(stopped)

    def _start_missing(self, current: list[Task], older: list[Task]) -> None:
        """Start tasks up to the desired count, as far as the maximum leaves room and the back-off is over."""
        desired = self.service.desired_count
        missing = desired - len(current)
        if missing <= 0:
            return
        if self.now < self.service.next_start_at:
            self.draft.wake_at(self.service.next_start_at)
            return
        maximum = math.floor(desired * self.service.maximum_percent / 100)
        room = maximum - len(current) - len(older) if older else missing
        started = [self._start_one() for _ in range(min(missing, room))]
        current += started
        self.live += started
        if started:
            ids = " ".join(f"(task {task.task_id})" for task in started)
            self._tell(f"has started {len(started)} tasks: {ids}.")

    def _start_one(self) -> Task:
        definition = self.draft.world.task_definitions[self.primary.task_definition_arn]
        task = new_task(
            definition,
            self.service.cluster_arn,
            self.primary.network,
            self.now,
            self.supply,
            service=self.service,
            deployment=self.primary,
            enable_execute_command=self.service.enable_execute_command,
        )
        self.draft.put(task)
        return task

    # What is said

    def _tell(self, text: str) -> None:
        add_event(self.draft, self.arn, text, self.now, self.supply)

    def _tell_stopped(self, tasks: list[Task]) -> None:
        if tasks:
            ids = " ".join(f"(task {task.task_id})" for task in tasks)
            self._tell(f"has stopped {len(tasks)} running tasks: {ids}.")

    def _trip_circuit_breaker(self) -> None:
        """Fail a deployment whose tasks keep failing, where the service asked for that."""
        threshold = min(max(math.ceil(self.service.desired_count / 2), 3), 200)
        in_progress = self.primary.rollout_state == "IN_PROGRESS"
        if not (self.service.circuit_breaker_enable and in_progress and self.primary.failed_tasks >= threshold):
            return
        reason = "ECS deployment circuit breaker: tasks failed to start."
        failed = dataclasses.replace(
            self.primary, rollout_state="FAILED", rollout_state_reason=reason, updated_at=self.now
        )
        older = self.service.deployments[1:]
        self.draft.update(self.service, deployments=(failed, *older))
        self._tell(f"(deployment {failed.deployment_id}) deployment failed: tasks failed to start.")
        completed = next((d for d in older if d.rollout_state == "COMPLETED"), None)
        if self.service.circuit_breaker_rollback and completed is not None:
            self._roll_back(failed, completed)

    def _roll_back(self, failed: Deployment, completed: Deployment) -> None:
        """Deploy again what the last completed deployment ran."""
        again = dataclasses.replace(
            completed,
            deployment_id=deployment_id(self.supply),
            status="PRIMARY",
            created_at=self.now,
            updated_at=self.now,
            failed_tasks=0,
            rollout_state="IN_PROGRESS",
            rollout_state_reason="ECS deployment circuit breaker: rolling back.",
        )
        self.draft.update(
            self.service,
            deployments=(again, dataclasses.replace(failed, status="ACTIVE"), *self.service.deployments[1:]),
            task_definition_arn=again.task_definition_arn,
            failed_starts=0,
            next_start_at=0.0,
        )
        self._tell(f"rolling back to deployment {again.deployment_id}.")

    def _update_deployments(self) -> None:
        """Write the counts of each deployment, end the older ones that have no task left, and say what is complete."""
        standing = []
        for deployment in self.service.deployments:
            own = [task for task in self.live if task.deployment_id == deployment.deployment_id]
            running = sum(task.last_status == "RUNNING" for task in own)
            is_primary = deployment.status == "PRIMARY"
            leaving = any(task.deployment_id == deployment.deployment_id for task in self.stopping)
            if is_primary or own or leaving:
                desired = self.service.desired_count if is_primary else len(own)
                standing.append(
                    dataclasses.replace(
                        deployment, desired_count=desired, running_count=running, pending_count=len(own) - running
                    )
                )
        service = self.draft.update(self.service, deployments=tuple(standing))
        healthy = [t for t in self.live if t.deployment_id == self.primary.deployment_id and self._healthy(t)]
        only_primary = not any(t.deployment_id != self.primary.deployment_id for t in self.live)
        steady = len(healthy) == service.desired_count == len(self.live) and only_primary
        if steady and self.primary.rollout_state == "IN_PROGRESS":
            self._complete()
        if steady and not service.steady:
            self._tell("has reached a steady state.")
        stays = bool(healthy) and min(self.now - (t.started_at or self.now) for t in healthy) >= STAYS_SECONDS
        fields: dict[str, object] = {"failed_starts": 0, "next_start_at": 0.0} if stays else {}
        if service.failed_starts and healthy and not stays:
            self.draft.wake_at(self.now + STAYS_SECONDS)
        self.draft.update(self.service, steady=steady, **fields)

    def _complete(self) -> None:
        deployment = self.primary
        completed = dataclasses.replace(
            deployment,
            rollout_state="COMPLETED",
            rollout_state_reason=f"ECS deployment {deployment.deployment_id} completed.",
            updated_at=self.now,
        )
        self.draft.update(self.service, deployments=(completed, *self.service.deployments[1:]))
        self._tell(f"(deployment {deployment.deployment_id}) deployment completed.")


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
