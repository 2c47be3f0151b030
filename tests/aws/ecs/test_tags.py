"""Tags and account settings."""

import pytest

from tests.aws.direct import Direct
from tests.aws.ecs.conftest import RUN, SERVICE


@pytest.mark.parametrize("kind", ["clusters", "services", "tasks", "task_definitions"])
def test_every_kind_is_tagged_and_untagged(ecs: Direct, kind: str) -> None:
    ecs("CreateService", SERVICE)
    ecs("RunTask", RUN)
    (arn,) = getattr(ecs.world, kind)
    ecs("TagResource", resourceArn=arn, tags=[{"key": "b", "value": "2"}, {"key": "a", "value": "1"}])
    ecs("TagResource", resourceArn=arn, tags=[{"key": "b", "value": "3"}])
    tags = ecs("ListTagsForResource", resourceArn=arn)["tags"]
    assert tags == [{"key": "a", "value": "1"}, {"key": "b", "value": "3"}]
    ecs("UntagResource", resourceArn=arn, tagKeys=["a", "absent"])
    assert ecs("ListTagsForResource", resourceArn=arn)["tags"] == [{"key": "b", "value": "3"}]


def test_what_tagging_refuses(ecs: Direct) -> None:
    (arn,) = ecs.world.clusters
    too_many = [{"key": str(i), "value": ""} for i in range(51)]
    for tags in (too_many, [{"key": "aws:x", "value": ""}], [{"value": "no key"}]):
        assert ecs.refused("TagResource", resourceArn=arn, tags=tags).code == "InvalidParameterException"
    service = arn.replace(":cluster/", ":service/") + "/no"
    assert "service was not found" in ecs.refused("ListTagsForResource", resourceArn=service).message
    assert ecs.refused("ListTagsForResource", resourceArn=arn + "x").code == "ClusterNotFoundException"
    assert ecs.refused("ListTagsForResource", resourceArn="arn:aws:s3:::x").code == "InvalidParameterException"


def test_account_settings_are_what_is_in_force(empty: Direct) -> None:
    assert empty("ListAccountSettings")["settings"] == []
    shown = empty("ListAccountSettings", effectiveSettings=True, name="taskLongArnFormat")["settings"]
    assert [(s["name"], s["value"]) for s in shown] == [("taskLongArnFormat", "enabled")]
    put = empty("PutAccountSettingDefault", name="taskLongArnFormat", value="enabled")["setting"]
    assert put == shown[0]
    refused = empty.refused("PutAccountSetting", name="taskLongArnFormat", value="disabled")
    assert refused.code == "InvalidParameterException"
