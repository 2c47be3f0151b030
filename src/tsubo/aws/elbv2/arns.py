"""The ARNs of ELBv2: each names what it belongs to, down to the load balancer."""

import hashlib

from tsubo.aws.operations import Call

SERVICE = "elasticloadbalancing"


def load_balancer_arn(call: Call, name: str) -> str:
    """Return a new load balancer's ARN."""
    return call.arn(SERVICE, f"loadbalancer/app/{name}/{call.supply.text(16)}")


def target_group_arn(call: Call, name: str) -> str:
    """Return a new target group's ARN."""
    return call.arn(SERVICE, f"targetgroup/{name}/{call.supply.text(16)}")


def listener_arn(call: Call, load_balancer: str) -> str:
    """Return a new listener's ARN."""
    return f"{load_balancer.replace(':loadbalancer/', ':listener/', 1)}/{call.supply.text(16)}"


def rule_arn(call: Call, listener: str) -> str:
    """Return a new rule's ARN."""
    return _rule_arn(listener, call.supply.text(16))


def default_rule_arn(listener: str) -> str:
    """Return the ARN of a listener's default rule: it has no record of its own, so it follows from the listener's."""
    return _rule_arn(listener, hashlib.sha256(listener.encode()).hexdigest()[:16])


def _rule_arn(listener: str, rule_id: str) -> str:
    return f"{listener.replace(':listener/', ':listener-rule/', 1)}/{rule_id}"
