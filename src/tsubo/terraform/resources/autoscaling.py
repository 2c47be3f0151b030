"""Application Auto Scaling: targets, policies, scheduled actions. The service keeps them; nothing acts on them."""

from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import block, changed, first, given, retag_by
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

_SERVICE = "application-autoscaling"


def _target_of(values: Values) -> dict[str, Any]:
    """Return the three members that name a scalable target."""
    return {
        "ServiceNamespace": values["service_namespace"],
        "ResourceId": values["resource_id"],
        "ScalableDimension": values["scalable_dimension"],
    }


def _create_target(aws: Aws, values: Values) -> Values:
    _register(aws, values, Tags=values.get("tags_all") or None)
    return {"id": values["resource_id"]}


def _register(aws: Aws, values: Values, **more: Any) -> None:
    suspended = block(values, "suspended_state")
    aws.call(
        _SERVICE,
        "register_scalable_target",
        **_target_of(values),
        MinCapacity=values["min_capacity"],
        MaxCapacity=values["max_capacity"],
        RoleARN=values.get("role_arn") or None,
        SuspendedState={
            "DynamicScalingInSuspended": bool(suspended.get("dynamic_scaling_in_suspended")),
            "DynamicScalingOutSuspended": bool(suspended.get("dynamic_scaling_out_suspended")),
            "ScheduledScalingSuspended": bool(suspended.get("scheduled_scaling_suspended")),
        }
        if suspended
        else None,
        **more,
    )


def _read_target(aws: Aws, values: Values) -> Values | None:
    target = _target_of(values)
    answer = aws.call(
        _SERVICE,
        "describe_scalable_targets",
        ServiceNamespace=target["ServiceNamespace"],
        ResourceIds=[target["ResourceId"]],
        ScalableDimension=target["ScalableDimension"],
    )
    found = first(answer["ScalableTargets"])
    if found is None:
        return None
    return given(
        arn=found.get("ScalableTargetARN"),
        min_capacity=found["MinCapacity"],
        max_capacity=found["MaxCapacity"],
        role_arn=found.get("RoleARN"),
    )


def _update_target(aws: Aws, before: Values, values: Values) -> None:
    if changed(before, values, "min_capacity", "max_capacity", "role_arn", "suspended_state"):
        _register(aws, values)


def _delete_target(aws: Aws, values: Values) -> None:
    aws.call(_SERVICE, "deregister_scalable_target", **_target_of(values))


def _put_policy(aws: Aws, values: Values) -> Values:
    steps = block(values, "step_scaling_policy_configuration")
    tracking = block(values, "target_tracking_scaling_policy_configuration")
    answer = aws.call(
        _SERVICE,
        "put_scaling_policy",
        PolicyName=values["name"],
        PolicyType=values.get("policy_type"),
        **_target_of(values),
        StepScalingPolicyConfiguration=_steps(steps) if steps else None,
        TargetTrackingScalingPolicyConfiguration=_tracking(tracking) if tracking else None,
    )
    return {"id": values["name"], "arn": answer["PolicyARN"]}


def _steps(steps: Values) -> dict[str, Any]:
    return given(
        AdjustmentType=steps.get("adjustment_type"),
        Cooldown=steps.get("cooldown"),
        MetricAggregationType=steps.get("metric_aggregation_type"),
        MinAdjustmentMagnitude=steps.get("min_adjustment_magnitude") or None,
        StepAdjustments=[
            given(
                MetricIntervalLowerBound=_number(step.get("metric_interval_lower_bound")),
                MetricIntervalUpperBound=_number(step.get("metric_interval_upper_bound")),
                ScalingAdjustment=step["scaling_adjustment"],
            )
            for step in steps.get("step_adjustment") or ()
        ],
    )


def _number(text: Any) -> float | None:
    return None if text in (None, "") else float(text)


def _tracking(tracking: Values) -> dict[str, Any]:
    predefined = block(tracking, "predefined_metric_specification")
    customized = block(tracking, "customized_metric_specification")
    return given(
        TargetValue=tracking["target_value"],
        DisableScaleIn=bool(tracking.get("disable_scale_in")),
        ScaleInCooldown=tracking.get("scale_in_cooldown"),
        ScaleOutCooldown=tracking.get("scale_out_cooldown"),
        PredefinedMetricSpecification=given(
            PredefinedMetricType=predefined["predefined_metric_type"],
            ResourceLabel=predefined.get("resource_label") or None,
        )
        if predefined
        else None,
        CustomizedMetricSpecification=_customized(customized) if customized else None,
    )


def _customized(metric: Values) -> dict[str, Any]:
    dimensions = [{"Name": d["name"], "Value": d["value"]} for d in metric.get("dimensions") or ()]
    return given(
        MetricName=metric.get("metric_name"),
        Namespace=metric.get("namespace"),
        Statistic=metric.get("statistic"),
        Unit=metric.get("unit") or None,
        Dimensions=dimensions or None,
    )


def _read_policy(aws: Aws, values: Values) -> Values | None:
    target = _target_of(values)
    answer = aws.call(_SERVICE, "describe_scaling_policies", **target, PolicyNames=[values["name"]])
    policy = first(answer["ScalingPolicies"])
    if policy is None:
        return None
    alarms = [alarm["AlarmARN"] for alarm in policy.get("Alarms") or ()]
    return {"arn": policy["PolicyARN"], "policy_type": policy["PolicyType"], "alarm_arns": alarms}


def _update_policy(aws: Aws, _before: Values, values: Values) -> None:
    _put_policy(aws, values)


def _delete_policy(aws: Aws, values: Values) -> None:
    aws.call(_SERVICE, "delete_scaling_policy", PolicyName=values["name"], **_target_of(values))


def _put_schedule(aws: Aws, values: Values) -> Values:
    capacity = block(values, "scalable_target_action") or {}
    aws.call(
        _SERVICE,
        "put_scheduled_action",
        ScheduledActionName=values["name"],
        **_target_of(values),
        Schedule=values["schedule"],
        Timezone=values.get("timezone"),
        StartTime=values.get("start_time") or None,
        EndTime=values.get("end_time") or None,
        ScalableTargetAction={
            member: int(capacity[name])
            for name, member in (("min_capacity", "MinCapacity"), ("max_capacity", "MaxCapacity"))
            if capacity.get(name) not in (None, "")
        },
    )
    return {"id": f"{values['name']}-{values['service_namespace']}-{values['resource_id']}"}


def _read_schedule(aws: Aws, values: Values) -> Values | None:
    target = _target_of(values)
    answer = aws.call(_SERVICE, "describe_scheduled_actions", **target, ScheduledActionNames=[values["name"]])
    action = first(answer["ScheduledActions"])
    return None if action is None else {"arn": action["ScheduledActionARN"], "schedule": action["Schedule"]}


def _update_schedule(aws: Aws, _before: Values, values: Values) -> None:
    _put_schedule(aws, values)


def _delete_schedule(aws: Aws, values: Values) -> None:
    aws.call(_SERVICE, "delete_scheduled_action", ScheduledActionName=values["name"], **_target_of(values))


RESOURCES = {
    "aws_appautoscaling_target": ResourceType(
        create=_create_target,
        read=_read_target,
        update=_update_target,
        delete=_delete_target,
        retag=retag_by(_SERVICE, "tag_resource", "untag_resource", "ResourceARN", "Tags", "TagKeys"),
        acts=False,
    ),
    "aws_appautoscaling_policy": ResourceType(
        create=_put_policy, read=_read_policy, update=_update_policy, delete=_delete_policy, acts=False
    ),
    "aws_appautoscaling_scheduled_action": ResourceType(
        create=_put_schedule, read=_read_schedule, update=_update_schedule, delete=_delete_schedule, acts=False
    ),
}
