"""Whether a listener may carry out actions: its target groups exist, fit its load balancer and its protocol.

Source: aws/alb-vpc-terraform.md sections 1.5 and 1.6.
"""

from collections.abc import Iterable

from tsubo.aws.elbv2.lookup import find_target_group
from tsubo.aws.elbv2.usage import load_balancers_by_target_group, target_group_arns
from tsubo.aws.operations import AwsError, Call
from tsubo.model.elbv2 import Action, LoadBalancer, TargetGroup


def check_actions(call: Call, load_balancer: LoadBalancer, protocol: str, actions: Iterable[Action]) -> None:
    """Raise the error AWS has for actions that a listener of this load balancer and protocol cannot carry out."""
    actions = tuple(actions)
    groups = [find_target_group(call, arn) for arn in sorted(target_group_arns(actions))]
    _check_association(call, load_balancer, groups)
    for group in groups:
        _check_group(load_balancer, protocol, group)
    for action in actions:
        if action.authentication and protocol != "HTTPS":
            raise AwsError(
                "InvalidLoadBalancerAction", f"An action of type '{action.type}' needs a listener with protocol 'HTTPS'"
            )
        if action.redirect and action.redirect.protocol == "HTTP" and protocol == "HTTPS":
            raise AwsError("InvalidLoadBalancerAction", "A redirect from 'HTTPS' to 'HTTP' is not allowed")


def _check_association(call: Call, load_balancer: LoadBalancer, groups: list[TargetGroup]) -> None:
    users = load_balancers_by_target_group(call.world)
    taken = [group.arn for group in groups if users.get(group.arn, set()) - {load_balancer.arn}]
    if taken:
        raise AwsError(
            "TargetGroupAssociationLimit",
            "The following target groups cannot be associated with more than one load balancer: " + ", ".join(taken),
        )


def _check_group(load_balancer: LoadBalancer, protocol: str, group: TargetGroup) -> None:
    if group.vpc_id != load_balancer.vpc_id:
        raise AwsError(
            "InvalidConfigurationRequest",
            f"Target group '{group.arn}' is in VPC '{group.vpc_id}', the load balancer in '{load_balancer.vpc_id}'",
        )
    if group.protocol_version != "HTTP1" and protocol != "HTTPS":
        raise AwsError(
            "InvalidConfigurationRequest",
            f"Listener protocol '{protocol}' is not supported with a target group with the protocol-version "
            f"'{group.protocol_version}'",
        )
