"""Targets, policies and scheduled actions, each request and answer checked against botocore's model."""

from typing import Any

import pytest

from tests.aws.checked import Checked
from tests.aws.direct import REGION
from tsubo.aws.applicationautoscaling import OPERATIONS
from tsubo.model.ecs import AwsvpcConfiguration, Cluster, Service
from tsubo.model.identity import ACCOUNT_ID

ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT_ID}"
CLUSTER = Cluster(f"{ECS}:cluster/main", "main", REGION)
WEB: dict[str, Any] = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/main/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
TRACKING = {
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    },
}


def service(name: str = "web") -> Service:
    return Service(
        arn=f"{ECS}:service/main/{name}",
        name=name,
        cluster_arn=CLUSTER.arn,
        region=REGION,
        task_definition_arn=f"{ECS}:task-definition/{name}:1",
        desired_count=1,
        created_at=0.0,
        network=AwsvpcConfiguration((), ()),
    )


@pytest.fixture
def scaling() -> Checked:
    """A cluster with the service `web`, which is no target yet."""
    return Checked("application-autoscaling", OPERATIONS, CLUSTER, service())


@pytest.fixture
def target_arn(scaling: Checked) -> str:
    return str(scaling("RegisterScalableTarget", WEB, MinCapacity=1, MaxCapacity=4)["ScalableTargetARN"])


def test_a_target_is_registered_and_changed(scaling: Checked, target_arn: str) -> None:
    changed = scaling("RegisterScalableTarget", WEB, MaxCapacity=9, SuspendedState={"DynamicScalingInSuspended": True})
    assert changed["ScalableTargetARN"] == target_arn
    [target] = scaling("DescribeScalableTargets", ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 9)
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    assert target["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_ECSService")
    assert scaling("DescribeScalableTargets", ServiceNamespace="dynamodb")["ScalableTargets"] == []
    assert scaling("DescribeScalingActivities", ServiceNamespace="ecs") == {"ScalingActivities": []}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ResourceId": "service/main/other"}, "ECS service doesn't exist: service/main/other"),
        ({"ResourceId": "service/other/web"}, "ECS service doesn't exist"),
        ({"ResourceId": "web"}, "Unsupported resource ID"),
        ({"MinCapacity": 5}, "Maximum capacity cannot be less"),
        ({"MaxCapacity": None}, "MaxCapacity is required"),
        ({"ScalableDimension": "dynamodb:table:ReadCapacityUnits"}, "Unsupported service namespace"),
        ({"ServiceNamespace": "nosuch"}, "Member must satisfy enum value set"),
    ],
)
def test_what_cannot_be_a_target(scaling: Checked, change: dict[str, Any], words: str) -> None:
    asked = {**WEB, "MinCapacity": 1, "MaxCapacity": 4, **change}
    error = scaling.refused("RegisterScalableTarget", {k: v for k, v in asked.items() if v is not None})
    assert error.code == "ValidationException"
    assert words in error.message


def test_a_policy_is_made_changed_and_deleted(scaling: Checked, target_arn: str) -> None:
    made = scaling("PutScalingPolicy", WEB, PolicyName="cpu", **TRACKING)
    again = scaling("PutScalingPolicy", WEB, PolicyName="cpu", **TRACKING)
    assert made == again
    [policy] = scaling("DescribeScalingPolicies", ServiceNamespace="ecs", PolicyNames=["cpu"])["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 60.0
    assert policy["ResourceId"] == "service/main/web"
    assert "StepScalingPolicyConfiguration" not in policy
    scaling("DeleteScalingPolicy", WEB, PolicyName="cpu")
    assert scaling("DescribeScalingPolicies", ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert scaling.refused("DeleteScalingPolicy", WEB, PolicyName="cpu").code == "ObjectNotFoundException"


def test_a_policy_needs_a_target_and_its_configuration(scaling: Checked) -> None:
    error = scaling.refused("PutScalingPolicy", WEB, PolicyName="cpu", **TRACKING)
    assert error.code == "ObjectNotFoundException"
    assert "resource ID: service/main/web" in error.message
    scaling("RegisterScalableTarget", WEB, MinCapacity=1, MaxCapacity=4)
    error = scaling.refused("PutScalingPolicy", WEB, PolicyName="steps")
    assert (error.code, "StepScalingPolicyConfiguration is required" in error.message) == ("ValidationException", True)


def test_a_scheduled_action_keeps_what_is_not_named(scaling: Checked, target_arn: str) -> None:
    capacity = {"MinCapacity": 2}
    night = {**WEB, "ScheduledActionName": "night"}
    scaling(
        "PutScheduledAction", night, Schedule="cron(0 22 * * ? *)", ScalableTargetAction=capacity, Timezone="Asia/Tokyo"
    )
    scaling("PutScheduledAction", night, Schedule="rate(1 hour)")
    [action] = scaling("DescribeScheduledActions", ServiceNamespace="ecs")["ScheduledActions"]
    assert (action["Schedule"], action["Timezone"]) == ("rate(1 hour)", "Asia/Tokyo")
    assert action["ScalableTargetAction"] == capacity
    error = scaling.refused("PutScheduledAction", night, Schedule="every night")
    assert error.code == "ValidationException"
    scaling("DeleteScheduledAction", night)
    assert scaling.refused("DeleteScheduledAction", night).code == "ObjectNotFoundException"


def test_a_target_takes_its_policies_and_actions_with_it(scaling: Checked, target_arn: str) -> None:
    scaling("PutScalingPolicy", WEB, PolicyName="cpu", **TRACKING)
    action = {"Schedule": "rate(1 day)", "ScalableTargetAction": {"MaxCapacity": 1}}
    scaling("PutScheduledAction", WEB, ScheduledActionName="day", **action)
    scaling("DeregisterScalableTarget", WEB)
    assert not scaling.world.scaling_policies
    assert not scaling.world.scheduled_actions
    assert scaling.refused("DeregisterScalableTarget", WEB).code == "ObjectNotFoundException"


def test_tags(scaling: Checked, target_arn: str) -> None:
    scaling("TagResource", ResourceARN=target_arn, Tags={"a": "1", "b": "2"})
    scaling("UntagResource", ResourceARN=target_arn, TagKeys=["a"])
    assert scaling("ListTagsForResource", ResourceARN=target_arn) == {"Tags": {"b": "2"}}
    many = {f"key{number}": "" for number in range(50)}
    assert scaling.refused("TagResource", ResourceARN=target_arn, Tags=many).code == "TooManyTagsException"
    assert scaling.refused("ListTagsForResource", ResourceARN="arn:none").code == "ResourceNotFoundException"


def test_pages(scaling: Checked) -> None:
    scaling.put(*(service(f"s{number}") for number in range(3)))
    for number in range(3):
        target = {**WEB, "ResourceId": f"service/main/s{number}"}
        scaling("RegisterScalableTarget", target, MinCapacity=1, MaxCapacity=1)
    first = scaling("DescribeScalableTargets", ServiceNamespace="ecs", MaxResults=2)
    rest = scaling("DescribeScalableTargets", ServiceNamespace="ecs", MaxResults=2, NextToken=first["NextToken"])
    assert [len(first["ScalableTargets"]), len(rest["ScalableTargets"])] == [2, 1]
    assert "NextToken" not in rest
    error = scaling.refused("DescribeScalableTargets", ServiceNamespace="ecs", NextToken="none")
    assert error.code == "InvalidNextTokenException"
