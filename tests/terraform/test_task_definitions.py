"""Container definitions: what is the same and what is refused."""

import json
from typing import Any

import pytest

from tsubo.terraform.calls import CallError
from tsubo.terraform.resources.ecs_services import RESOURCES
from tsubo.terraform.resources.task_definitions import containers_of, same_containers


def text(**container: Any) -> str:
    return json.dumps([{"name": "web", "image": "web"} | container])


PORT = {"containerPort": 80}
FILLED_PORT = {"containerPort": 80, "hostPort": 80, "protocol": "tcp"}
CHECK = {"command": ["CMD", "true"]}
VARIABLES = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({}, {"cpu": 0, "essential": True, "environment": [], "mountPoints": []}, True),
        ({"portMappings": [PORT]}, {"portMappings": [FILLED_PORT]}, True),
        ({"environment": VARIABLES}, {"environment": VARIABLES[::-1]}, True),
        ({"Command": ["x"]}, {"command": ["x"]}, True),
        ({"command": None}, {}, True),
        ({"readonlyRootFilesystem": False}, {"logConfiguration": {}}, True),
        ({"healthCheck": CHECK}, {"healthCheck": CHECK | {"interval": 30, "timeout": 5, "retries": 3}}, True),
        ({"healthCheck": CHECK}, {"healthCheck": CHECK | {"interval": 31}}, False),
        ({"mountPoints": [{"readOnly": False}]}, {"mountPoints": [{}]}, True),
        ({"essential": False}, {}, False),
        ({"image": "web:2"}, {}, False),
        ({"portMappings": [PORT | {"protocol": "udp"}]}, {"portMappings": [PORT]}, False),
    ],
)
def test_what_aws_fills_in_makes_no_difference(one: dict[str, Any], other: dict[str, Any], expected: bool) -> None:
    assert same_containers(text(**one), text(**other)) is expected


@pytest.mark.parametrize("given", ["{", "{}", "[1]"])
def test_what_is_no_list_of_containers_is_refused(given: str) -> None:
    with pytest.raises(CallError, match="container_definitions"):
        containers_of(given)


def test_a_service_may_name_its_task_definition_in_three_ways() -> None:
    same = RESOURCES["aws_ecs_service"].alike["task_definition"]
    arn = "arn:aws:ecs:r:1:task-definition/web:3"
    assert same(arn, "web:3")
    assert same(arn, "web")
    assert not same(arn, "web:4")
    assert not same(arn, "other")
