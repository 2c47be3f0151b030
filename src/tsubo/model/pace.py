"""The two kinds of wait (design rule 9): which of AWS's delays are compressed, and to what."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Delays in seconds. The defaults compress waiting for good news; `real_pace` is AWS's own throughout."""

    task_without_check_is_healthy_after: float = 0.5
    """How long a task with neither target group nor container check must run to count as healthy (AWS: 40 s)."""
    custom_health_takes_effect_after: float = 0.0
    """How long Cloud Map waits before it acts on UpdateInstanceCustomHealthStatus (AWS: about 30 s)."""
    idle_drain_ends_early: bool = True
    """Whether a draining target with no active request leaves before its deregistration delay."""


def real_pace() -> Pace:
    """Return AWS's own delays. Sources: aws/ecs-cloudmap-exec.md sections 6 and 9."""
    return Pace(
        task_without_check_is_healthy_after=40.0,
        custom_health_takes_effect_after=30.0,
        idle_drain_ends_early=False,
    )
