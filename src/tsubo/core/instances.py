"""Cloud Map instances: a custom health status takes effect after its delay.

Source: aws/ecs-cloudmap-exec.md section 9.
"""

from tsubo.core.draft import Draft
from tsubo.model.pace import Pace


def decide(draft: Draft, now: float, pace: Pace) -> None:
    """Apply the health that UpdateInstanceCustomHealthStatus asked for, once its delay is over."""
    for instance in list(draft.world.instances.values()):
        if instance.requested_health is None or instance.requested_at is None:
            continue
        takes_effect_at = instance.requested_at + pace.custom_health_takes_effect_after
        if now < takes_effect_at:
            draft.wake_at(takes_effect_at)
        else:
            draft.update(instance, health=instance.requested_health, requested_health=None, requested_at=None)
