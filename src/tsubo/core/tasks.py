"""A task's life, from PROVISIONING to STOPPED: for each task, what its status says next and which step it needs.

    PROVISIONING   an ENI with an address of a subnet                  -> PENDING
    PENDING        StartTask: containers in the ENI's namespace        -> ACTIVATING when the essential ones started
    ACTIVATING     Cloud Map instance and targets are there            -> RUNNING in the next pass
    RUNNING        until it is told to stop, or an essential one exits
    DEACTIVATING   out of Cloud Map, targets drain                     -> STOPPING when they are gone
    STOPPING       StopTask: SIGTERM, SIGKILL                          -> DEPROVISIONING when no container runs
    DEPROVISIONING RemoveTask: containers and link                     -> STOPPED, the ENI is deleted

Source: aws/ecs-cloudmap-exec.md sections 4, 5 and 7.
"""

import dataclasses
from collections.abc import Mapping
from typing import Literal

from tsubo.core import placement
from tsubo.core.draft import Draft
from tsubo.core.registration import deregister, register, report_container_health, targets_of
from tsubo.core.start_failures import note_failed_start, note_quick_exit
from tsubo.core.task_identity import runtime_id
from tsubo.model.ecs import ContainerDefinition, Task, TaskContainer, TaskDefinition
from tsubo.model.observed import Observed, ObservedContainer, ObservedTask, StartFailure
from tsubo.model.plan import RemoveTask, StartContainers, StartTask, StopTask
from tsubo.model.supply import Supply

STOPPED_STAYS_VISIBLE_SECONDS = 3600.0
"""Stopped tasks stay visible for at least an hour (section 4)."""
CONTAINER_STATUS: Mapping[str, Literal["PENDING", "RUNNING", "STOPPED"]] = {
    "created": "PENDING",
    "running": "RUNNING",
    "exited": "STOPPED",
}
OUT_OF_MEMORY_REASON = "OutOfMemoryError: Container killed due to memory usage"


def decide(draft: Draft, observed: Observed, now: float, supply: Supply) -> None:
    """Move every task along, and remove the containers of those that are no more."""
    for arn in list(draft.world.tasks):
        _Progress(draft, observed, now, supply, draft.world.tasks[arn]).decide()
    _remove_unknown(draft, observed)


def _remove_unknown(draft: Draft, observed: Observed) -> None:
    """Remove the containers of tasks of which there is no record: all were forgotten, by a reset or a lost store."""
    known = {task.task_id for task in draft.world.tasks.values()}
    for task_id in sorted(observed.tasks.keys() - known):
        step = RemoveTask(task_id, None, None, "there is no such task")
        if not {step.key, f"start-task/{task_id}"} & observed.in_flight:
            draft.step(step)


class _Progress:
    """One task in one pass."""

    def __init__(self, draft: Draft, observed: Observed, now: float, supply: Supply, task: Task) -> None:
        self.draft = draft
        self.observed = observed
        self.now = now
        self.supply = supply
        self.task = task
        self.seen: ObservedTask | None = observed.tasks.get(task.task_id)
        self.definition: TaskDefinition = draft.world.task_definitions[task.task_definition_arn]

    def decide(self) -> None:
        if self.task.last_status == "STOPPED":
            self._forget_when_old()
            return
        self._take_over_container_states()
        before = self.task.last_status
        if self.task.desired_status == "STOPPED" and before in ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"):
            self._deactivate()
        elif before == "PROVISIONING":
            self._provision()
        elif before == "PENDING":
            self._start()
        elif before == "ACTIVATING":
            self._update(last_status="RUNNING", started_at=self.task.started_at or self.now)
        elif before == "RUNNING":
            self._watch()
        elif before == "DEACTIVATING":
            self._await_drain()
        elif before == "STOPPING":
            self._stop_containers()
        elif before == "DEPROVISIONING":
            self._deprovision()

    def _update(self, **fields: object) -> None:
        if any(getattr(self.task, name) != value for name, value in fields.items()):
            self.task = self.draft.update(self.task, version=self.task.version + 1, **fields)

    # PROVISIONING and PENDING

    def _provision(self) -> None:
        interface = placement.place(self.draft, self.task, self.now, self.supply)
        if interface is None:
            self._fail_to_start(StartFailure("RESOURCE:ENI: the subnets have no free addresses."))
            return
        self._update(
            last_status="PENDING",
            network_interface_id=interface.network_interface_id,
            private_ip=interface.private_ip,
            mac=interface.mac,
            subnet_id=interface.subnet_id,
            availability_zone=interface.availability_zone,
            attachment_status="ATTACHED",
            connectivity_at=self.now,
            pull_started_at=self.now,
        )

    def _start(self) -> None:
        failure = self.observed.start_failures.get(self.task.task_id)
        if failure is not None:
            self._fail_to_start(failure)
            return
        ready = [c.name for c in self.definition.containers if self._may_start(c)]
        waiting_for_none = tuple(c.name for c in self.definition.containers if not c.depends_on)
        if self.seen is None or any(not self._started(name) for name in waiting_for_none):
            step = StartTask(self.task.arn, self.task.task_id, waiting_for_none, "its interface is in the data plane")
            if step.key not in self.observed.in_flight:
                self.draft.step(step)
            return
        self._start_dependents(ready)
        if self._essential_exited():
            self._end_by_exit()
        elif all(self._started(c.name) for c in self.definition.containers if c.essential):
            self._update(last_status="ACTIVATING", pull_stopped_at=self.now)
            register(self.draft, self.task, self.now, self.supply)

    def _start_dependents(self, ready: list[str]) -> None:
        names = tuple(name for name in ready if not self._started(name))
        if names:
            step = StartContainers(self.task.arn, self.task.task_id, names, "their dependencies are met")
            if step.key not in self.observed.in_flight:
                self.draft.step(step)

    def _may_start(self, container: ContainerDefinition) -> bool:
        return all(
            self._dependency_met(dependency.container_name, dependency.condition) for dependency in container.depends_on
        )

    def _dependency_met(self, name: str, condition: str) -> bool:
        container = self._container(name)
        if container is None:
            return False
        if condition == "START":
            return container.status != "created"
        if condition == "HEALTHY":
            return container.health == "HEALTHY"
        return container.status == "exited" and (condition == "COMPLETE" or container.exit_code == 0)

    def _fail_to_start(self, failure: StartFailure) -> None:
        containers = tuple(
            dataclasses.replace(c, last_status="STOPPED", reason=failure.container_reason or c.reason)
            if c.name == failure.container_name
            else dataclasses.replace(c, last_status="STOPPED")
            for c in self.task.containers
        )
        self._update(
            desired_status="STOPPED",
            last_status="DEPROVISIONING",
            stop_code="TaskFailedToStart",
            stopped_reason=failure.reason,
            stopping_at=self.now,
            execution_stopped_at=self.now,
            containers=containers,
        )
        note_failed_start(self.draft, self.task, failure.reason, self.now, self.supply)

    # RUNNING

    def _watch(self) -> None:
        self._start_dependents([c.name for c in self.definition.containers if self._may_start(c)])
        if self.seen is None or not self.seen.pause_running or self._essential_exited():
            self._end_by_exit()
        else:
            report_container_health(self.draft, self.task, self.now)

    def _essential_exited(self) -> bool:
        essential = (self._container(c.name) for c in self.definition.containers if c.essential)
        return any(container is None or container.status == "exited" for container in essential)

    def _end_by_exit(self) -> None:
        self._update(
            desired_status="STOPPED",
            stop_code=self.task.stop_code or "EssentialContainerExited",
            stopped_reason=self.task.stopped_reason or "Essential container in task exited",
        )
        note_quick_exit(self.draft, self.task, self.now)
        # The task is gone first and deregistration follows (section 7): there is nothing to drain.
        deregister(self.draft, self.task, self.now, self.supply)
        self._update(last_status="STOPPING", stopping_at=self.now, deregistered_at=self.now)

    # DEACTIVATING to STOPPED

    def _deactivate(self) -> None:
        deregister(self.draft, self.task, self.now, self.supply)
        self._update(last_status="DEACTIVATING", deregistered_at=self.now)

    def _await_drain(self) -> None:
        if not targets_of(self.draft.world, self.task):
            self._update(last_status="STOPPING", stopping_at=self.now)

    def _stop_containers(self) -> None:
        running = self.seen is not None and any(c.status == "running" for c in self.seen.containers.values())
        starting = f"start-task/{self.task.task_id}" in self.observed.in_flight
        if running or starting:
            step = StopTask(self.task.arn, self.task.task_id, self.task.stopped_reason or "the task is stopped")
            if step.key not in self.observed.in_flight and not starting:
                self.draft.step(step)
            return
        self._update(last_status="DEPROVISIONING", execution_stopped_at=self.now)

    def _deprovision(self) -> None:
        interface = self.draft.world.network_interfaces.get(self.task.network_interface_id or "")
        interface_id = interface.network_interface_id if interface else None
        if self.seen is not None or interface_id in self.observed.plugged_interfaces:
            vpc_id = interface.vpc_id if interface else None
            step = RemoveTask(self.task.task_id, interface_id, vpc_id, "no container runs any more")
            busy = {step.key, f"start-task/{self.task.task_id}", f"stop-task/{self.task.task_id}"}
            if not busy & self.observed.in_flight:
                self.draft.step(step)
            return
        if interface is not None:
            self.draft.delete(interface)
        # A crashed task's targets are left draining so that requests in flight end; its address is free again, so
        # they go now.
        for target in targets_of(self.draft.world, self.task):
            self.draft.delete(target)
        containers = tuple(dataclasses.replace(c, last_status="STOPPED") for c in self.task.containers)
        self._update(last_status="STOPPED", stopped_at=self.now, attachment_status="DELETED", containers=containers)

    def _forget_when_old(self) -> None:
        stopped_at = self.task.stopped_at or self.now
        if self.now - stopped_at > STOPPED_STAYS_VISIBLE_SECONDS:
            self.draft.delete(self.task)

    # Containers

    def _container(self, name: str) -> ObservedContainer | None:
        return self.seen.containers.get(name) if self.seen else None

    def _started(self, name: str) -> bool:
        container = self._container(name)
        return container is not None and container.status != "created"

    def _take_over_container_states(self) -> None:
        if self.seen is None:
            return
        containers = tuple(self._container_state(container) for container in self.task.containers)
        self._update(containers=containers, health_status=self._health(containers))

    def _container_state(self, container: TaskContainer) -> TaskContainer:
        seen = self._container(container.name)
        if seen is None:
            return container
        reason = OUT_OF_MEMORY_REASON if seen.out_of_memory else container.reason
        return dataclasses.replace(
            container,
            last_status=CONTAINER_STATUS[seen.status],
            runtime_id=runtime_id(self.task, container),
            image_digest=seen.image_digest,
            exit_code=seen.exit_code if seen.status == "exited" else None,
            reason=reason,
            health_status=seen.health,
        )

    def _health(self, containers: tuple[TaskContainer, ...]) -> str:
        """Return the worst health of the essential containers that have a check (section 5)."""
        checked = {c.name for c in self.definition.containers if c.essential and c.health_check is not None}
        health = {c.health_status for c in containers if c.name in checked}
        return next((state for state in ("UNHEALTHY", "UNKNOWN", "HEALTHY") if state in health), "UNKNOWN")
