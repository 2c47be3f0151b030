"""Scaling policies. They have no alarms: CloudWatch has no metrics of the tasks."""

from tsubo.aws.applicationautoscaling.lookup import (
    find_target,
    listed,
    moment,
    not_found,
    of_target,
    target_key,
    target_members,
    validation_error,
)
from tsubo.aws.operations import Call, Operation, Request, Response
from tsubo.model.scaling import ScalingPolicy
from tsubo.model.supply import uuid_text

CONFIGURATIONS = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "PredictiveScaling": "PredictiveScalingPolicyConfiguration",
}
"""The member that a policy of each type must have."""


def put_scaling_policy(call: Call, request: Request) -> Response:
    """Make a policy, or change the one of that name."""
    target = find_target(call, request)
    key = f"{target.key}/{request['PolicyName']}"
    present = call.world.scaling_policies.get(key)
    kind = request.get("PolicyType") or (present.type if present else "StepScaling")
    if kind not in CONFIGURATIONS:
        raise validation_error(f"Unsupported policy type: {kind}")
    member = CONFIGURATIONS[kind]
    configuration = request.get(member) or (present.configuration.get(member) if present else None)
    if not configuration:
        raise validation_error(f"{member} is required for a policy of type {kind}.")
    place = f"resource/{target.namespace}/{target.resource_id}:policyName/{request['PolicyName']}"
    policy = ScalingPolicy(
        arn=present.arn if present else call.arn("autoscaling", f"scalingPolicy:{uuid_text(call.supply)}:{place}"),
        target_key=target.key,
        name=request["PolicyName"],
        type=kind,
        created_at=present.created_at if present else call.now,
        configuration={member: configuration},
    )
    call.put(policy)
    return {"PolicyARN": policy.arn, "Alarms": []}


def delete_scaling_policy(call: Call, request: Request) -> Response:
    """Delete a policy. Raises ObjectNotFoundException."""
    policy = call.world.scaling_policies.get(f"{target_key(call, request)}/{request['PolicyName']}")
    if policy is None:
        raise not_found("No scaling policy found for", request, f"policy name: {request['PolicyName']}")
    call.delete(policy)
    return {}


def describe_scaling_policies(call: Call, request: Request) -> Response:
    """Return the policies of a service namespace, or of one target."""
    names = request.get("PolicyNames")
    views = [
        {
            **target_members(call.world.scalable_targets[policy.target_key]),
            "PolicyARN": policy.arn,
            "PolicyName": policy.name,
            "PolicyType": policy.type,
            "Alarms": [],
            "CreationTime": moment(policy.created_at),
            **policy.configuration,
        }
        for policy in call.world.scaling_policies.values()
        if of_target(policy.target_key, call, request) and (not names or policy.name in names)
    ]
    return listed("ScalingPolicies", views, request)


OPERATIONS: dict[str, Operation] = {
    "PutScalingPolicy": put_scaling_policy,
    "DeleteScalingPolicy": delete_scaling_policy,
    "DescribeScalingPolicies": describe_scaling_policies,
}
