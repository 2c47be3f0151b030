"""Rules of listeners: CreateRule, ModifyRule, DescribeRules, DeleteRule, SetRulePriorities.

Sources: aws/alb-vpc-terraform.md sections 1.4 and 1.5.
"""

import dataclasses
from collections.abc import Iterable

from tsubo.aws.elbv2.actions import parse_actions
from tsubo.aws.elbv2.arns import rule_arn
from tsubo.aws.elbv2.conditions import parse_conditions
from tsubo.aws.elbv2.forwarding import check_actions
from tsubo.aws.elbv2.lookup import find_listener, find_load_balancer, find_rule, invalid, of_region, paged, required
from tsubo.aws.elbv2.rule_shapes import default_rule_owner, default_rule_shape, rule_shape
from tsubo.aws.elbv2.tags import parse_tags
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.elbv2 import Listener, Rule

LAST_PRIORITY = 50_000
MOST_RULES = 100


def create_rule(call: Call, request: Request) -> Response:
    """CreateRule: at a priority that is free."""
    listener = find_listener(call, required(request, "ListenerArn", "A listener ARN"))
    _refuse_transforms(request)
    rule = Rule(
        arn=rule_arn(call, listener.arn),
        listener_arn=listener.arn,
        region=call.region,
        priority=_check_priority(int(required(request, "Priority", "A priority"))),
        conditions=parse_conditions(request.get("Conditions") or ()),
        actions=parse_actions(request.get("Actions") or ()),
        tags=parse_tags(request.get("Tags")),
    )
    siblings = _rules(call, listener)
    if len(siblings) >= MOST_RULES:
        raise AwsError("TooManyRules", f"A listener can have at most '{MOST_RULES}' rules")
    _check_free((rule,), siblings)
    _check_actions(call, listener, rule)
    call.put(rule)
    return {"Rules": [rule_shape(rule)]}


def modify_rule(call: Call, request: Request) -> Response:
    """ModifyRule: its conditions, its actions or both, each as a whole."""
    rule = _own_rule(call, required(request, "RuleArn", "A rule ARN"), "modified")
    _refuse_transforms(request)
    conditions, actions = request.get("Conditions"), request.get("Actions")
    if not conditions and not actions and not request.get("ResetTransforms"):
        raise invalid("Either conditions or actions must be specified")
    rule = dataclasses.replace(
        rule,
        conditions=parse_conditions(conditions) if conditions else rule.conditions,
        actions=parse_actions(actions) if actions else rule.actions,
    )
    _check_actions(call, find_listener(call, rule.listener_arn), rule)
    call.put(rule)
    return {"Rules": [rule_shape(rule)]}


def delete_rule(call: Call, request: Request) -> Response:
    """DeleteRule: any but a listener's default."""
    call.delete(_own_rule(call, required(request, "RuleArn", "A rule ARN"), "deleted"))
    return {}


def describe_rules(call: Call, request: Request) -> Response:
    """DescribeRules: of a listener in order, its default last; or those named."""
    listener_arn, arns = request.get("ListenerArn"), request.get("RuleArns")
    if listener_arn and arns:
        raise invalid("Listener rule ARNs and a listener ARN cannot be specified at the same time")
    if arns:
        shapes = [_described(call, arn) for arn in arns]
    elif listener_arn:
        listener = find_listener(call, listener_arn)
        shapes = [rule_shape(rule) for rule in _rules(call, listener)] + [default_rule_shape(listener)]
    else:
        raise invalid("You must specify either listener rule ARNs or a listener ARN")
    shown, more = paged(request, shapes)
    return {"Rules": shown, **more}


def set_rule_priorities(call: Call, request: Request) -> Response:
    """SetRulePriorities: of several rules at once, so that they can change places."""
    moved: dict[str, Rule] = {}
    for pair in request.get("RulePriorities") or ():
        rule = _own_rule(call, pair["RuleArn"], "given a priority")
        moved[rule.arn] = dataclasses.replace(rule, priority=_check_priority(int(pair["Priority"])))
    for listener_arn in {rule.listener_arn for rule in moved.values()}:
        listener = find_listener(call, listener_arn)
        staying = [rule for rule in _rules(call, listener) if rule.arn not in moved]
        _check_free([rule for rule in moved.values() if rule.listener_arn == listener_arn], staying)
    call.put(*moved.values())
    return {"Rules": [rule_shape(rule) for rule in moved.values()]}


def _described(call: Call, arn: str) -> Response:
    owner = default_rule_owner(call, arn)
    return default_rule_shape(owner) if owner else rule_shape(find_rule(call, arn))


def _own_rule(call: Call, arn: str, what: str) -> Rule:
    if default_rule_owner(call, arn):
        raise AwsError("OperationNotPermitted", f"Default rule '{arn}' cannot be {what}")
    return find_rule(call, arn)


def _rules(call: Call, listener: Listener) -> list[Rule]:
    rules = [rule for rule in of_region(call, Rule) if rule.listener_arn == listener.arn]
    return sorted(rules, key=lambda rule: rule.priority)


def _check_priority(priority: int) -> int:
    if not 1 <= priority <= LAST_PRIORITY:
        raise invalid(f"Rule priority '{priority}' must be between '1' and '{LAST_PRIORITY}'")
    return priority


def _check_free(rules: Iterable[Rule], others: Iterable[Rule]) -> None:
    """Raise PriorityInUse if one of the rules has the priority of one of the others, or of one among themselves."""
    taken = {rule.priority for rule in others}
    for rule in rules:
        if rule.priority in taken:
            raise AwsError("PriorityInUse", f"Priority '{rule.priority}' is currently in use")
        taken.add(rule.priority)


def _check_actions(call: Call, listener: Listener, rule: Rule) -> None:
    load_balancer = find_load_balancer(call, listener.load_balancer_arn)
    check_actions(call, load_balancer, listener.protocol, rule.actions)


def _refuse_transforms(request: Request) -> None:
    if request.get("Transforms"):
        raise AwsError("OperationNotPermitted", "Transforms of rules are not supported by Tsubo")
