"""What a task is told about itself at 169.254.170.2, and who is told: plain data, so that it can stand on disk as JSON.

`core/metadata.py` makes the table from the world; the metadata process serves it, with or without a controller.
Source: aws/ecs-cloudmap-exec.md section 17.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

LINK_LOCAL_ADDRESS = "169.254.170.2"
"""The address of a task's own services, the same in every task of every VPC."""
METADATA_PORT = 80
ENDPOINT_PORT = 4566
"""Where tasks find the AWS endpoint at that address, whatever its port on this machine is."""

JsonObject = Mapping[str, Any]


@dataclass(frozen=True)
class ContainerMetadata:
    """One container. `endpoint_id` stands in its metadata URI; `container_id` is the container engine's, once known."""

    endpoint_id: str
    document: JsonObject
    container_id: str | None = None


@dataclass(frozen=True)
class TaskMetadata:
    """One task. It is told from its own address only.

    `document` lacks the containers: theirs follow it. `role_arn` and `credentials_id` are None without a task role;
    `created_at` (seconds since the epoch) is when its credentials begin.
    """

    task_id: str
    address: str
    created_at: float
    document: JsonObject
    containers: tuple[ContainerMetadata, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    role_arn: str | None = None
    credentials_id: str | None = None


@dataclass(frozen=True)
class MetadataView:
    """The tasks of a VPC, in whose router's namespace they are served."""

    namespace: str
    tasks: tuple[TaskMetadata, ...] = ()

    @cached_property
    def tasks_by_address(self) -> Mapping[str, TaskMetadata]:
        """The tasks by the address of their network interface."""
        return {task.address: task for task in self.tasks}


@dataclass(frozen=True)
class MetadataTable:
    views: tuple[MetadataView, ...] = ()
