"""Targets: what the health checker reported becomes what the API says, and drained targets go.

Source: aws/alb-vpc-terraform.md sections 1.6 and 1.7.
"""

from tsubo.core.draft import Draft
from tsubo.model.elbv2 import Target
from tsubo.model.observed import Observed, TargetReport
from tsubo.model.pace import Pace
from tsubo.model.world import World


def used_target_groups(world: World) -> frozenset[str]:
    """Return the ARNs of the target groups that a listener or a rule forwards to."""
    actions = [a for listener in world.listeners.values() for a in listener.default_actions]
    actions += [a for rule in world.rules.values() for a in rule.actions]
    return frozenset(group.target_group_arn for action in actions for group in action.target_groups)


def decide(draft: Draft, observed: Observed, now: float, pace: Pace) -> None:
    """Update each target's state from its report; delete those whose drain is over or whose group is gone."""
    used = used_target_groups(draft.world)
    for target in list(draft.world.targets.values()):
        report = observed.targets.get(target.key)
        if target.target_group_arn not in draft.world.target_groups:
            draft.delete(target)
        elif target.draining_since is not None:
            _drain(draft, target, report, target.target_group_arn in used, now, pace)
        elif report is not None and target.target_group_arn in used and report.state != "draining":
            draft.update(target, state=report.state, reason=report.reason, description=report.description)


def _drain(draft: Draft, target: Target, report: TargetReport | None, in_use: bool, now: float, pace: Pace) -> None:
    assert target.draining_since is not None
    group = draft.world.target_groups[target.target_group_arn]
    ends_at = target.draining_since + group.deregistration_delay_seconds
    # Without a load balancer in front there is nothing to drain; with one, only its own word counts as idle.
    idle = report is not None and report.state == "draining" and report.active_requests == 0
    if now >= ends_at or not in_use or (idle and pace.idle_drain_ends_early):
        draft.delete(target)
        return
    draft.update(
        target,
        state="draining",
        reason="Target.DeregistrationInProgress",
        description="Target deregistration is in progress",
    )
    draft.wake_at(ends_at)
