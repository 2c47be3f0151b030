"""ExecuteCommand: preconditions, errors, the session (aws/ecs-cloudmap-exec.md section 13)."""

import dataclasses
import hashlib
from typing import Any

import pytest

from tests.aws.direct import NOW, REGION, Direct
from tests.aws.ecs.conftest import RUN, WEB
from tsubo.model.ecs import Task
from tsubo.model.exec_session import ExecSession


def start_task(ecs: Direct, **fields: Any) -> Task:
    """Run a task with ECS Exec, as the loop leaves it when it runs."""
    ecs("RunTask", RUN, enableExecuteCommand=True)
    task = next(reversed(ecs.world.tasks.values()))
    containers = tuple(dataclasses.replace(c, last_status="RUNNING") for c in task.containers)
    task = dataclasses.replace(
        task, **{"last_status": "RUNNING", "started_at": NOW, "containers": containers, **fields}
    )
    ecs.put(task)
    return task


def request(task: Task, **members: Any) -> dict[str, Any]:
    return {"cluster": "navi", "task": task.arn, "command": "sh", "interactive": True, "container": "api", **members}


def agents(ecs: Direct, task: Task) -> list[Any]:
    described = ecs("DescribeTasks", cluster="navi", tasks=[task.task_id])["tasks"][0]
    return [container.get("managedAgents") for container in described["containers"]]


def test_a_session(ecs: Direct) -> None:
    task = start_task(ecs)
    answer = ecs("ExecuteCommand", request(task, command="ls -l"))
    (record,) = ecs.world.exec_sessions.values()
    session = answer.pop("session")
    assert answer == {
        "clusterArn": task.cluster_arn,
        "taskArn": task.arn,
        "containerArn": task.containers[1].arn,
        "containerName": "api",
        "interactive": True,
    }
    digest = hashlib.sha256(session["tokenValue"].encode()).hexdigest()
    assert record == ExecSession(session["sessionId"], REGION, task.arn, "api", "ls -l", NOW, digest)
    assert session["sessionId"].startswith("ecs-execute-command-")
    assert len(session["sessionId"]) == len("ecs-execute-command-") + 17
    url = f"ws://127.0.0.1:4566/v1/data-channel/{session['sessionId']}?role=publish_subscribe"
    assert session["streamUrl"] == url


def test_the_container_may_be_left_out_where_there_is_one(ecs: Direct) -> None:
    ecs("RegisterTaskDefinition", {**WEB, "containerDefinitions": WEB["containerDefinitions"][:1]})
    task = start_task(ecs)
    without = {name: value for name, value in request(task).items() if name != "container"}
    assert ecs("ExecuteCommand", without)["containerName"] == "nginx"


def test_the_container_must_be_named_where_there_are_more(ecs: Direct) -> None:
    task = start_task(ecs)
    refused = ecs.refused("ExecuteCommand", request(task, container=None))
    assert (refused.code, "Specify a container" in refused.message) == ("InvalidParameterException", True)
    assert "does not exist" in ecs.refused("ExecuteCommand", request(task, container="no")).message


def test_it_must_be_interactive(ecs: Direct) -> None:
    refused = ecs.refused("ExecuteCommand", request(start_task(ecs), interactive=False))
    assert (refused.code, refused.message) == ("InvalidParameterException", "Interactive must be set to true.")


@pytest.mark.parametrize(
    "fields", [{"enable_execute_command": False}, {"last_status": "PENDING"}, {"last_status": "STOPPED"}]
)
def test_not_enabled_when_the_task_was_run_or_no_agent(ecs: Direct, fields: dict[str, Any]) -> None:
    task = start_task(ecs, **fields)
    if fields.get("last_status") == "STOPPED":
        stopped = tuple(dataclasses.replace(c, last_status="STOPPED") for c in task.containers)
        ecs.put(dataclasses.replace(task, containers=stopped))
    refused = ecs.refused("ExecuteCommand", request(task))
    assert refused.code == "InvalidParameterException"
    assert "was not enabled when the task was run or the execute command agent isn" in refused.message


def test_unknown_task_and_cluster(ecs: Direct) -> None:
    task = start_task(ecs)
    assert ecs.refused("ExecuteCommand", {**request(task), "task": "0" * 32}).code == "InvalidParameterException"
    assert ecs.refused("ExecuteCommand", request(task, cluster="no")).code == "ClusterNotFoundException"


def test_no_agent_on_a_read_only_root_file_system(ecs: Direct) -> None:
    nginx, api = WEB["containerDefinitions"]
    ecs("RegisterTaskDefinition", {**WEB, "containerDefinitions": [nginx, {**api, "readonlyRootFilesystem": True}]})
    task = start_task(ecs)
    assert "isn\u2019t running" in ecs.refused("ExecuteCommand", request(task)).message
    assert [agent[0]["lastStatus"] for agent in agents(ecs, task)] == ["RUNNING", "STOPPED"]


def test_two_sessions_a_container(ecs: Direct) -> None:
    task = start_task(ecs)
    first = ecs("ExecuteCommand", request(task))["session"]["sessionId"]
    ecs("ExecuteCommand", request(task))
    assert ecs.refused("ExecuteCommand", request(task)).code == "TargetNotConnectedException"
    assert ecs("ExecuteCommand", request(task, container="nginx"))
    ecs.put(dataclasses.replace(ecs.world.exec_sessions[first], terminated=True))
    assert ecs("ExecuteCommand", request(task))


def test_the_agent_as_it_is_described(ecs: Direct) -> None:
    task = start_task(ecs)
    running = [{"name": "ExecuteCommandAgent", "lastStatus": "RUNNING", "lastStartedAt": NOW}]
    assert agents(ecs, task) == [running, running]
    ecs.put(dataclasses.replace(task, last_status="ACTIVATING", started_at=None))
    assert agents(ecs, task)[0] == [{"name": "ExecuteCommandAgent", "lastStatus": "PENDING"}]
    ecs.put(dataclasses.replace(task, enable_execute_command=False))
    assert agents(ecs, task) == [None, None]
