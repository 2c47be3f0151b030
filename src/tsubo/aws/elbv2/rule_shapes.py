"""Rules as AWS answers them, a listener's default rule among them (its action is kept in the listener's record)."""

from tsubo.aws.elbv2.actions import action_shape
from tsubo.aws.elbv2.arns import default_rule_arn
from tsubo.aws.elbv2.conditions import condition_shape
from tsubo.aws.operations import Call, Response
from tsubo.model.elbv2 import Listener, Rule


def rule_shape(rule: Rule) -> Response:
    """Return a rule in the form AWS answers."""
    return {
        "RuleArn": rule.arn,
        "Priority": str(rule.priority),
        "Conditions": [condition_shape(condition) for condition in rule.conditions],
        "Actions": [action_shape(action) for action in rule.actions],
        "IsDefault": False,
    }


def default_rule_shape(listener: Listener) -> Response:
    """Return a listener's default rule in the form AWS answers."""
    return {
        "RuleArn": default_rule_arn(listener.arn),
        "Priority": "default",
        "Conditions": [],
        "Actions": [action_shape(action) for action in listener.default_actions],
        "IsDefault": True,
    }


def default_rule_owner(call: Call, arn: str) -> Listener | None:
    """Return the listener whose default rule an ARN names, if it names one."""
    listener_arn = arn.replace(":listener-rule/", ":listener/", 1).rpartition("/")[0]
    listener = call.world.listeners.get(listener_arn)
    return listener if listener and default_rule_arn(listener.arn) == arn else None
