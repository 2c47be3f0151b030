"""What a task is known by besides its ARN: its containers' runtime ids, its credentials' id, its roles.

All of it follows from the task alone, so that a container's environment can name it before the container exists.
"""

import hashlib
from functools import lru_cache

from tsubo.model.ecs import Task, TaskContainer, TaskDefinition

_RUNTIME_DIGITS = 10


def runtime_id(task: Task, container: TaskContainer) -> str:
    """Return a container's id as Fargate shows it, and as its metadata URI ends: the task's id and ten digits.

    Source: aws/ecs-cloudmap-exec.md sections 4 and 17.
    """
    return f"{task.task_id}-{_digits(container.arn)}"


@lru_cache(maxsize=4096)
def _digits(container_arn: str) -> str:
    number = int(hashlib.sha256(container_arn.encode()).hexdigest(), 16)
    return f"{number % 10**_RUNTIME_DIGITS:0{_RUNTIME_DIGITS}d}"


def credentials_id(task: Task) -> str:
    """Return the UUID in the URI of a task's credentials. It is no secret: another task's address is refused."""
    digits = hashlib.sha256(f"credentials of {task.arn}".encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def task_role_arn(task: Task, definition: TaskDefinition) -> str | None:
    """Return the role of the task's own AWS calls, or None: RunTask may put another in the definition's place."""
    return task.overrides.get("taskRoleArn") or definition.task_role_arn


def execution_role_arn(task: Task, definition: TaskDefinition) -> str | None:
    """Return the role by which ECS fetches images and secrets and writes logs for the task, or None."""
    return task.overrides.get("executionRoleArn") or definition.execution_role_arn
