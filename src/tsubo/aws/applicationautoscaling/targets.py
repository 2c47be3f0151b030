"""Scalable targets, and the activities that there never are."""

import dataclasses

from tsubo.aws.applicationautoscaling.lookup import (
    find_target,
    listed,
    moment,
    require_resource,
    target_key,
    target_members,
    validation_error,
)
from tsubo.aws.applicationautoscaling.tags import checked_tags
from tsubo.aws.operations import Call, Operation, Request, Response
from tsubo.model.scaling import ScalableTarget
from tsubo.model.supply import ALPHANUMERIC

SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
ROLE_SUFFIXES = {"ecs": "ECSService", "dynamodb": "DynamoDBTable", "rds": "RDSCluster", "lambda": "LambdaConcurrency"}


def register_scalable_target(call: Call, request: Request) -> Response:
    """Register a target, or change one that is there; what is not named stays."""
    key = target_key(call, request)
    require_resource(call, request)
    present = call.world.scalable_targets.get(key)
    target = present or _new_target(call, request)
    suspended = request.get("SuspendedState") or {}
    target = dataclasses.replace(
        target,
        min_capacity=_or(request.get("MinCapacity"), target.min_capacity),
        max_capacity=_or(request.get("MaxCapacity"), target.max_capacity),
        role_arn=request.get("RoleARN") or target.role_arn,
        suspended_state={name: bool(suspended.get(name, target.suspended_state.get(name))) for name in SUSPENSIONS},
        tags=checked_tags({**target.tags, **(request.get("Tags") or {})}),
    )
    if target.min_capacity > target.max_capacity:
        raise validation_error("Maximum capacity cannot be less than minimum capacity")
    call.put(target)
    return {"ScalableTargetARN": target.arn}


def _or(given: int | None, standing: int) -> int:
    return standing if given is None else int(given)


def _new_target(call: Call, request: Request) -> ScalableTarget:
    for member in ("MinCapacity", "MaxCapacity"):
        if request.get(member) is None:
            raise validation_error(f"{member} is required when registering a new scalable target.")
    namespace = request["ServiceNamespace"]
    role = f"AWSServiceRoleForApplicationAutoScaling_{ROLE_SUFFIXES.get(namespace, namespace)}"
    path = f"aws-service-role/{namespace}.application-autoscaling.amazonaws.com/{role}"
    return ScalableTarget(
        arn=call.arn("application-autoscaling", f"scalable-target/{call.supply.text(36, ALPHANUMERIC)}"),
        region=call.region,
        namespace=namespace,
        resource_id=request["ResourceId"],
        dimension=request["ScalableDimension"],
        min_capacity=0,
        max_capacity=0,
        role_arn=f"arn:aws:iam::{call.account_id}:role/{path}",
        created_at=call.now,
    )


def deregister_scalable_target(call: Call, request: Request) -> Response:
    """Forget a target, and with it its policies and scheduled actions."""
    target = find_target(call, request)
    call.delete(
        target,
        *(policy for policy in call.world.scaling_policies.values() if policy.target_key == target.key),
        *(action for action in call.world.scheduled_actions.values() if action.target_key == target.key),
    )
    return {}


def describe_scalable_targets(call: Call, request: Request) -> Response:
    """Return the targets of a service namespace."""
    wanted = request.get("ResourceIds")
    views = [
        {
            **target_members(target),
            "ScalableTargetARN": target.arn,
            "MinCapacity": target.min_capacity,
            "MaxCapacity": target.max_capacity,
            "RoleARN": target.role_arn,
            "CreationTime": moment(target.created_at),
            "SuspendedState": dict(target.suspended_state),
        }
        for target in call.world.scalable_targets.values()
        if target.region == call.region
        and target.namespace == request["ServiceNamespace"]
        and (not wanted or target.resource_id in wanted)
        and request.get("ScalableDimension") in (None, target.dimension)
    ]
    return listed("ScalableTargets", views, request)


def describe_scaling_activities(_call: Call, _request: Request) -> Response:
    """Return no activity: nothing is ever scaled."""
    return {"ScalingActivities": []}


OPERATIONS: dict[str, Operation] = {
    "RegisterScalableTarget": register_scalable_target,
    "DeregisterScalableTarget": deregister_scalable_target,
    "DescribeScalableTargets": describe_scalable_targets,
    "DescribeScalingActivities": describe_scaling_activities,
}
