"""Application Auto Scaling: what may be scaled, and by which policies and schedules. Kept; nothing acts on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tsubo.model.vpc import Tags

JsonObject = Mapping[str, Any]


@dataclass(frozen=True)
class ScalableTarget:
    """`namespace` is AWS's service namespace (`ecs`), `dimension` what is scaled (`ecs:service:DesiredCount`)."""

    arn: str
    region: str
    namespace: str
    resource_id: str
    dimension: str
    min_capacity: int
    max_capacity: int
    role_arn: str
    created_at: float
    suspended_state: Mapping[str, bool] = field(default_factory=dict)
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.region}/{self.dimension}/{self.resource_id}"


@dataclass(frozen=True)
class ScalingPolicy:
    """A policy of a target; `configuration` has the one member of its type, as the API writes it."""

    arn: str
    target_key: str
    name: str
    type: str
    created_at: float
    configuration: JsonObject = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.target_key}/{self.name}"


@dataclass(frozen=True)
class ScheduledAction:
    """A change of a target's capacity at certain times; those it begins and ends at are seconds since the epoch."""

    arn: str
    target_key: str
    name: str
    schedule: str
    created_at: float
    timezone: str | None = None
    starts_at: float | None = None
    ends_at: float | None = None
    capacity: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.target_key}/{self.name}"
