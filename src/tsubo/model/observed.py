"""What this machine is, as far as a decision needs to know: containers, links, steps in flight, health reports.

The engine observes it anew for every pass; nothing here is remembered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class ObservedContainer:
    """One container of a task. Times are seconds since the epoch; `exit_code` is None until it has exited."""

    name: str
    container_id: str
    status: Literal["created", "running", "exited"]
    exit_code: int | None = None
    out_of_memory: bool = False
    started_at: float | None = None
    finished_at: float | None = None
    health: Literal["UNKNOWN", "HEALTHY", "UNHEALTHY"] = "UNKNOWN"
    image_digest: str | None = None
    created_at: float | None = None
    health_since: float | None = None
    """When the check that led to `health` ended, and what it printed."""
    health_output: str = ""


@dataclass(frozen=True)
class ObservedTask:
    """A task's containers on this machine. `pause_running` is whether the container that holds the network runs."""

    task_id: str
    pause_running: bool
    containers: Mapping[str, ObservedContainer] = field(default_factory=dict)


@dataclass(frozen=True)
class StartFailure:
    """Why a task could not be started: ECS's own words, and the container they are about, if one."""

    reason: str
    container_name: str | None = None
    container_reason: str | None = None


@dataclass(frozen=True)
class TargetReport:
    """What the health checker says of a target. `active_requests` is known for a draining target only."""

    state: Literal["initial", "healthy", "unhealthy", "draining"]
    reason: str | None = None
    description: str | None = None
    active_requests: int | None = None


@dataclass(frozen=True)
class Observed:
    """`in_flight` are keys of steps; `tasks` and `start_failures` are by task id, `targets` by Target.key."""

    tasks: Mapping[str, ObservedTask] = field(default_factory=dict)
    plugged_interfaces: frozenset[str] = frozenset()
    in_flight: frozenset[str] = frozenset()
    start_failures: Mapping[str, StartFailure] = field(default_factory=dict)
    targets: Mapping[str, TargetReport] = field(default_factory=dict)
