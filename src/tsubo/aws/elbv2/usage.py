"""Who uses a target group: the listeners and rules that forward to it, and by them the load balancers."""

from collections.abc import Iterable

from tsubo.model.elbv2 import Action
from tsubo.model.world import World


def target_group_arns(actions: Iterable[Action]) -> set[str]:
    """Return the target groups that actions forward to."""
    return {group.target_group_arn for action in actions for group in action.target_groups}


def load_balancers_by_target_group(world: World) -> dict[str, set[str]]:
    """Return for each target group in use the ARNs of its load balancers (AWS allows one)."""
    users: dict[str, set[str]] = {}
    for listener in world.listeners.values():
        for arn in target_group_arns(listener.default_actions):
            users.setdefault(arn, set()).add(listener.load_balancer_arn)
    for rule in world.rules.values():
        owner = world.listeners.get(rule.listener_arn)
        for arn in target_group_arns(rule.actions):
            users.setdefault(arn, set()).add(owner.load_balancer_arn if owner else rule.listener_arn)
    return users
