"""Elastic Load Balancing v2: application load balancers, listeners, rules, target groups, targets.

`OPERATIONS` are the operations by their names. Errors carry the codes of the wire (`LoadBalancerNotFound`).
Sources: aws/alb-vpc-terraform.md sections 1 and 6.
"""

from tsubo.aws.elbv2 import (
    certificates,
    limits,
    listeners,
    load_balancer_settings,
    load_balancers,
    rules,
    ssl_policies,
    tags,
    target_groups,
    targets,
)
from tsubo.aws.operations import Operations

OPERATIONS: Operations = {
    "CreateLoadBalancer": load_balancers.create_load_balancer,
    "DescribeLoadBalancers": load_balancers.describe_load_balancers,
    "DeleteLoadBalancer": load_balancers.delete_load_balancer,
    "SetSecurityGroups": load_balancer_settings.set_security_groups,
    "SetSubnets": load_balancer_settings.set_subnets,
    "SetIpAddressType": load_balancer_settings.set_ip_address_type,
    "ModifyLoadBalancerAttributes": load_balancer_settings.modify_load_balancer_attributes,
    "DescribeLoadBalancerAttributes": load_balancer_settings.describe_load_balancer_attributes,
    "DescribeCapacityReservation": load_balancer_settings.describe_capacity_reservation,
    "CreateTargetGroup": target_groups.create_target_group,
    "ModifyTargetGroup": target_groups.modify_target_group,
    "DescribeTargetGroups": target_groups.describe_target_groups,
    "DeleteTargetGroup": target_groups.delete_target_group,
    "ModifyTargetGroupAttributes": target_groups.modify_target_group_attributes,
    "DescribeTargetGroupAttributes": target_groups.describe_target_group_attributes,
    "RegisterTargets": targets.register_targets,
    "DeregisterTargets": targets.deregister_targets,
    "DescribeTargetHealth": targets.describe_target_health,
    "CreateListener": listeners.create_listener,
    "ModifyListener": listeners.modify_listener,
    "DescribeListeners": listeners.describe_listeners,
    "DeleteListener": listeners.delete_listener,
    "ModifyListenerAttributes": listeners.modify_listener_attributes,
    "DescribeListenerAttributes": listeners.describe_listener_attributes,
    "AddListenerCertificates": certificates.add_listener_certificates,
    "RemoveListenerCertificates": certificates.remove_listener_certificates,
    "DescribeListenerCertificates": certificates.describe_listener_certificates,
    "CreateRule": rules.create_rule,
    "ModifyRule": rules.modify_rule,
    "DescribeRules": rules.describe_rules,
    "DeleteRule": rules.delete_rule,
    "SetRulePriorities": rules.set_rule_priorities,
    "AddTags": tags.add_tags,
    "RemoveTags": tags.remove_tags,
    "DescribeTags": tags.describe_tags,
    "DescribeSSLPolicies": ssl_policies.describe_ssl_policies,
    "DescribeAccountLimits": limits.describe_account_limits,
}
