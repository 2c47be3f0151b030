"""CloudWatch alarms. CloudWatch keeps them; there are no metrics for them to watch."""

from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import block, first, given, retag_by, tag_list, tag_map
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

_MEMBERS = {
    "alarm_description": "AlarmDescription",
    "comparison_operator": "ComparisonOperator",
    "datapoints_to_alarm": "DatapointsToAlarm",
    "evaluate_low_sample_count_percentiles": "EvaluateLowSampleCountPercentile",
    "evaluation_periods": "EvaluationPeriods",
    "extended_statistic": "ExtendedStatistic",
    "metric_name": "MetricName",
    "namespace": "Namespace",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "threshold_metric_id": "ThresholdMetricId",
    "unit": "Unit",
}
_ACTIONS = {
    "alarm_actions": "AlarmActions",
    "insufficient_data_actions": "InsufficientDataActions",
    "ok_actions": "OKActions",
}


def _put(aws: Aws, values: Values, **more: Any) -> None:
    aws.call(
        "cloudwatch",
        "put_metric_alarm",
        AlarmName=values["alarm_name"],
        ActionsEnabled=values.get("actions_enabled"),
        Dimensions=_dimensions(values.get("dimensions")),
        TreatMissingData=values.get("treat_missing_data") or "missing",
        Metrics=[_query(query) for query in values.get("metric_query") or ()] or None,
        **{member: values.get(name) or None for name, member in _ACTIONS.items()},
        **{member: values[name] for name, member in _MEMBERS.items() if values.get(name) not in (None, "")},
        **more,
    )


def _dimensions(dimensions: dict[str, str] | None) -> list[dict[str, str]] | None:
    return [{"Name": name, "Value": value} for name, value in (dimensions or {}).items()] or None


def _query(query: Values) -> dict[str, Any]:
    metric = block(query, "metric")
    return given(
        Id=query["id"],
        AccountId=query.get("account_id") or None,
        Expression=query.get("expression") or None,
        Label=query.get("label") or None,
        Period=query.get("period") or None,
        ReturnData=query.get("return_data"),
        MetricStat={
            "Metric": given(
                MetricName=metric["metric_name"],
                Namespace=metric.get("namespace") or None,
                Dimensions=_dimensions(metric.get("dimensions")),
            ),
            "Period": metric["period"],
            "Stat": metric["stat"],
        }
        | given(Unit=metric.get("unit") or None)
        if metric
        else None,
    )


def _create(aws: Aws, values: Values) -> Values:
    _put(aws, values, Tags=tag_list(values))
    return {"id": values["alarm_name"]}


def _read(aws: Aws, values: Values) -> Values | None:
    alarm = first(aws.call("cloudwatch", "describe_alarms", AlarmNames=[values["id"]])["MetricAlarms"])
    if alarm is None:
        return None
    tags = aws.call("cloudwatch", "list_tags_for_resource", ResourceARN=alarm["AlarmArn"])["Tags"]
    return (
        {name: alarm.get(member) for name, member in _MEMBERS.items()}
        | {name: alarm.get(member) or [] for name, member in _ACTIONS.items()}
        | {
            "arn": alarm["AlarmArn"],
            "alarm_name": alarm["AlarmName"],
            "actions_enabled": alarm.get("ActionsEnabled", True),
            "treat_missing_data": _unless_default(alarm.get("TreatMissingData"), values),
            "dimensions": {d["Name"]: d["Value"] for d in alarm.get("Dimensions") or ()},
            "tags": tag_map(tags),
        }
    )


def _unless_default(treatment: str | None, known: Values) -> str | None:
    """Return how missing data count; what is not configured and CloudWatch's default is not shown."""
    return (
        known.get("treat_missing_data") if treatment == "missing" and not known.get("treat_missing_data") else treatment
    )


def _update(aws: Aws, _before: Values, values: Values) -> None:
    _put(aws, values)


def _delete(aws: Aws, values: Values) -> None:
    aws.call("cloudwatch", "delete_alarms", AlarmNames=[values["id"]])


RESOURCES = {
    "aws_cloudwatch_metric_alarm": ResourceType(
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=retag_by(
            "cloudwatch", "tag_resource", "untag_resource", "ResourceARN", "Tags", "TagKeys", ("Key", "Value")
        ),
        acts=False,
    )
}
