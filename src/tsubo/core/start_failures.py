"""Tasks that do not start or do not stay: the service's memory of them, and the pause before the next try.

AWS's pause between failed starts grows up to 15 minutes; a task that reached RUNNING and then exited is replaced at the
scheduler's next tick, about 10 s (aws/ecs-cloudmap-exec.md section 6). Both begin small here, and a task that runs for
a while ends the count.
"""

import dataclasses

from tsubo.core.draft import Draft
from tsubo.core.events import add_event
from tsubo.model.ecs import Service, Task
from tsubo.model.supply import Supply

STAYS_SECONDS = 10.0
"""A task that ran this long has stayed: what happens to it later is no failure to start."""
FAILED_START_PAUSE_SECONDS = (1.0, 900.0)
QUICK_EXIT_PAUSE_SECONDS = (0.2, 10.0)


UNASSUMABLE_ROLE = "ECS was unable to assume the role "


def unassumable_role(role_arn: str) -> str:
    """Return why a task with a role that ECS cannot assume is not launched (aws/alb-vpc-terraform.md section 5.3)."""
    return (
        f"{UNASSUMABLE_ROLE}'{role_arn}' that was provided for this task. Please verify that the role being passed has "
        "the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
    )


def note_failed_start(draft: Draft, task: Task, reason: str, now: float, supply: Supply) -> None:
    """Count a task that could not be started, say so in the service's events, and pause its starts."""
    service = draft.world.services.get(task.service_arn or "")
    if service is not None:
        if reason.startswith(UNASSUMABLE_ROLE):
            text = f"failed to launch a task with (error {reason})."
        else:
            text = f"was unable to place a task. Reason: {reason.rstrip('.')}."
        add_event(draft, service.arn, text, now, supply)
        _pause(draft, draft.world.services[service.arn], task, now, FAILED_START_PAUSE_SECONDS)


def note_quick_exit(draft: Draft, task: Task, now: float) -> None:
    """Count a task that exited soon after it was started, and pause its service's starts a little."""
    service = draft.world.services.get(task.service_arn or "")
    if service is not None and (task.started_at is None or now - task.started_at < STAYS_SECONDS):
        _pause(draft, service, task, now, QUICK_EXIT_PAUSE_SECONDS)


def _pause(draft: Draft, service: Service, task: Task, now: float, bounds: tuple[float, float]) -> None:
    first, longest = bounds
    pause = min(longest, first * 2 ** min(service.failed_starts, 16))
    deployments = tuple(
        dataclasses.replace(d, failed_tasks=d.failed_tasks + 1) if d.deployment_id == task.deployment_id else d
        for d in service.deployments
    )
    draft.update(service, failed_starts=service.failed_starts + 1, next_start_at=now + pause, deployments=deployments)
