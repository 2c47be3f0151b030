"""Waiting until a stack is settled: services steady, targets healthy, load balancers serving; and seeing why not.

What is awaited is told as it changes. What cannot become good is an error at once, in ECS's own words.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from tsubo.core.start_failures import UNASSUMABLE_ROLE
from tsubo.engine.context import EngineContext
from tsubo.engine.errors import FAILED, UserError
from tsubo.model.ecs import Service, Task
from tsubo.model.world import World

SETTLE_TIMEOUT_SECONDS = 180.0
POLL_SECONDS = 0.02
FAILURES_BEFORE_GIVING_UP = 8
"""Some tasks exit until the name of another service is there, so a few failures are no reason to give up."""
PERMANENT_FAILURES = (
    "CannotPullContainerError", "ResourceInitializationError", "CannotStartContainerError", UNASSUMABLE_ROLE,
)  # fmt: skip


def await_settled(context: EngineContext, addresses: Mapping[str, str], since: float) -> Iterator[dict[str, Any]]:
    """Yield what is awaited until all is as it should be. Raises UserError if it cannot be, or takes too long.

    `addresses` are Terraform addresses by ARN, for the messages; what happened before `since` (seconds since the
    epoch) is not told.
    """
    deadline = time.monotonic() + SETTLE_TIMEOUT_SECONDS
    told_events = {event.event_id for service in _active(context.store.world) for event in service.events}
    yield from ({"type": "progress", "text": text} for text in _events_since(context.store.world, since))
    last_waiting = None
    while True:
        world = context.store.world
        yield from _new_events(world, told_events)
        for service in _active(world):
            _raise_if_hopeless(world, service, addresses, since)
        awaited = _awaited(context, world)
        if not awaited:
            return
        if time.monotonic() > deadline:
            raise UserError(
                f"Not settled after {SETTLE_TIMEOUT_SECONDS:.0f} s: {'; '.join(awaited)}.",
                "See `tsubo status`, `tsubo ps` and `tsubo logs SERVICE`.",
                FAILED,
            )
        if awaited != last_waiting:
            yield {"type": "waiting", "text": f"waiting for {'; '.join(awaited)}"}
            last_waiting = awaited
        time.sleep(POLL_SECONDS)


def _active(world: World) -> list[Service]:
    return [service for service in world.services.values() if service.status == "ACTIVE"]


def _events_since(world: World, since: float) -> list[str]:
    """Return what has happened while Terraform still worked, oldest first, for services that are not steady yet."""
    events = [event for service in _active(world) if not service.steady for event in service.events]
    return [event.message for event in sorted(events, key=lambda event: event.created_at) if event.created_at >= since]


def _new_events(world: World, told: set[str]) -> Iterator[dict[str, Any]]:
    for service in _active(world):
        for event in reversed(service.events):
            if event.event_id not in told:
                told.add(event.event_id)
                yield {"type": "progress", "text": event.message}


def _awaited(context: EngineContext, world: World) -> list[str]:
    awaited = []
    for service in _active(world):
        if not service.steady:
            awaited.append(f"{service.name} ({_state(world, service)})")
    awaited += [f"load balancer {name}" for name in context.data_plane.proxies_not_ready()]
    return awaited


def _state(world: World, service: Service) -> str:
    """Say in a few words where a service's tasks are."""
    tasks = [t for t in world.tasks.values() if t.service_arn == service.arn and t.desired_status == "RUNNING"]
    words = []
    for task in tasks:
        if task.last_status != "RUNNING":
            words.append("pulling or starting" if task.last_status == "PENDING" else task.last_status.lower())
            continue
        states = [t for t in world.targets.values() if t.address == task.private_ip and t.state != "healthy"]
        words += [f"target {target.address}:{target.port} is {target.state}" for target in states]
    return ", ".join(words) or f"{len(tasks)} of {service.desired_count} tasks"


def _raise_if_hopeless(world: World, service: Service, addresses: Mapping[str, str], since: float) -> None:
    """Raise UserError for a service whose newest deployment cannot come up, as its tasks since then show."""
    primary = service.deployments[0] if service.deployments else None
    if primary is None or service.steady or primary.rollout_state == "COMPLETED":
        return
    tasks = [t for t in world.tasks.values() if t.deployment_id == primary.deployment_id]
    own = [t for t in tasks if t.stopped_reason and t.created_at >= since]
    if not own:
        return
    last = max(own, key=lambda task: task.created_at)
    reason = last.stopped_reason or ""
    permanent = last.stop_code == "TaskFailedToStart" and reason.startswith(PERMANENT_FAILURES)
    if permanent or primary.rollout_state == "FAILED" or primary.failed_tasks >= FAILURES_BEFORE_GIVING_UP:
        where = addresses.get(service.arn)
        raise UserError(
            f"{service.name}{f' ({where})' if where else ''}: {reason}{_exit_codes(last)}\n"
            f"  task {last.arn}, {primary.failed_tasks} of this deployment failed",
            _remedy(reason, service.name),
            FAILED,
        )


def _exit_codes(task: Task) -> str:
    codes = [f"{c.name} exited with {c.exit_code}" for c in task.containers if c.exit_code is not None]
    return f" ({', '.join(codes)})" if codes else ""


def _remedy(reason: str, service_name: str) -> str:
    if reason.startswith(UNASSUMABLE_ROLE):
        return "Its trust policy (assume_role_policy) must name the service ecs-tasks.amazonaws.com."
    if reason.startswith("CannotPullContainerError"):
        return "Build the image, or tag a local one with that name; `docker images` shows what is there."
    if "log group does not exist" in reason:
        return "Create the log group (aws_cloudwatch_log_group), or set awslogs-create-group."
    return f"See what its containers wrote: tsubo logs {service_name}"
