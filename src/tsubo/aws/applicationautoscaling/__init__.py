"""Application Auto Scaling: targets, policies and scheduled actions are kept as AWS keeps them, and nothing scales."""

from tsubo.aws.applicationautoscaling import policies, schedules, tags, targets
from tsubo.aws.operations import Operations

OPERATIONS: Operations = {
    **targets.OPERATIONS,
    **policies.OPERATIONS,
    **schedules.OPERATIONS,
    **tags.OPERATIONS,
}

__all__ = ["OPERATIONS"]
