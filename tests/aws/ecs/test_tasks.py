"""Tasks: run, stop, describe, list (aws/ecs-cloudmap-exec.md sections 4 and 13)."""

import dataclasses
from typing import Any

import pytest

from tests.aws.direct import NOW, Direct
from tests.aws.ecs.conftest import ROLE, RUN, SERVICE, WEB
from tsubo.model.ecs import Task
from tsubo.model.task_records import new_task


def only_task(ecs: Direct) -> Task:
    (task,) = ecs.world.tasks.values()
    return task


def described(ecs: Direct, task: Task) -> dict[str, Any]:
    answer: dict[str, Any] = ecs("DescribeTasks", cluster="navi", tasks=[task.task_id])["tasks"][0]
    return answer


def with_address(task: Task) -> Task:
    """Return the task as the loop leaves it when it runs."""
    containers = tuple(
        dataclasses.replace(c, last_status="RUNNING", runtime_id=f"{task.task_id}-1234567890", image_digest="sha256:1")
        for c in task.containers
    )
    return dataclasses.replace(
        task,
        containers=containers,
        last_status="RUNNING",
        subnet_id="subnet-a",
        network_interface_id="eni-1",
        mac="02:00:00:00:00:01",
        private_ip="10.0.1.5",
        attachment_status="ATTACHED",
        availability_zone="ap-northeast-1a",
        connectivity_at=NOW + 1,
        started_at=NOW + 2,
    )


def test_a_task_that_was_just_run(ecs: Direct) -> None:
    answer = ecs("RunTask", RUN, startedBy="me", tags=[{"key": "a", "value": "1"}])
    (task,) = answer["tasks"]
    record = only_task(ecs)
    assert answer["failures"] == []
    assert (task["lastStatus"], task["desiredStatus"], task["version"]) == ("PROVISIONING", "RUNNING", 1)
    assert (task["group"], task["startedBy"], task["createdAt"]) == ("family:web", "me", NOW)
    assert (task["launchType"], task["platformVersion"], task["platformFamily"]) == ("FARGATE", "1.4.0", "Linux")
    assert (task["cpu"], task["memory"]) == ("256", "512")
    assert task["tags"] == [{"key": "a", "value": "1"}]
    assert task["taskArn"].endswith(f":task/navi/{record.task_id}")
    assert len(record.task_id) == 32
    assert task["attachments"] == [
        {"id": record.attachment_id, "type": "ElasticNetworkInterface", "status": "PRECREATED", "details": []}
    ]
    nginx, api = task["containers"]
    assert (nginx["lastStatus"], nginx["healthStatus"], nginx["networkInterfaces"]) == ("PENDING", "UNKNOWN", [])
    assert f":container/navi/{record.task_id}/" in nginx["containerArn"]
    assert (api["cpu"], api["memory"], api["memoryReservation"]) == ("64", "128", "64")
    for member in ("exitCode", "runtimeId", "imageDigest", "reason", "managedAgents", "memory"):
        assert member not in nginx
    for member in ("startedAt", "stoppedAt", "stopCode", "connectivity", "availabilityZone"):
        assert member not in task
    assert [c["name"] for c in task["overrides"]["containerOverrides"]] == ["nginx", "api"]


def test_a_running_task_shows_its_address(ecs: Direct) -> None:
    ecs("RunTask", RUN)
    record = with_address(only_task(ecs))
    ecs.put(record)
    task = described(ecs, record)
    details = {item["name"]: item["value"] for item in task["attachments"][0]["details"]}
    assert details == {
        "subnetId": "subnet-a",
        "networkInterfaceId": "eni-1",
        "macAddress": "02:00:00:00:00:01",
        "privateDnsName": "ip-10-0-1-5.ap-northeast-1.compute.internal",
        "privateIPv4Address": "10.0.1.5",
    }
    container = task["containers"][0]
    assert container["networkInterfaces"] == [{"attachmentId": record.attachment_id, "privateIpv4Address": "10.0.1.5"}]
    assert (container["runtimeId"], container["imageDigest"]) == (f"{record.task_id}-1234567890", "sha256:1")
    assert (task["connectivity"], task["startedAt"]) == ("CONNECTED", NOW + 2)
    ecs.put(dataclasses.replace(ecs.world.vpcs["vpc-1"], enable_dns_hostnames=False))
    names = [item["name"] for item in described(ecs, record)["attachments"][0]["details"]]
    assert "privateDnsName" not in names


def test_an_exit_code_is_shown_when_it_is_known_zero_too(ecs: Direct) -> None:
    ecs("RunTask", RUN)
    record = only_task(ecs)
    nginx, api = record.containers
    ecs.put(dataclasses.replace(record, containers=(dataclasses.replace(nginx, exit_code=0, reason="gone"), api)))
    shown = described(ecs, record)["containers"]
    assert (shown[0]["exitCode"], shown[0]["reason"]) == (0, "gone")
    assert "exitCode" not in shown[1]


def test_several_tasks_differ_in_every_identifier(ecs: Direct) -> None:
    tasks = ecs("RunTask", RUN, count=3)["tasks"]
    assert len({t["taskArn"] for t in tasks}) == 3
    assert len({t["attachments"][0]["id"] for t in tasks}) == 3
    assert len({c["containerArn"] for t in tasks for c in t["containers"]}) == 6


def test_overrides_change_the_size_and_are_shown_for_each_container(ecs: Direct) -> None:
    override = {"name": "api", "command": ["php", "-v"]}
    request = {"containerOverrides": [override], "cpu": "1 vCPU", "memory": "2 GB"}
    task = ecs("RunTask", RUN, overrides=request, clientToken="t")["tasks"][0]
    assert (task["cpu"], task["memory"]) == ("1024", "2048")
    assert task["overrides"]["containerOverrides"] == [{"name": "nginx"}, override]
    assert ecs("RunTask", RUN, overrides=request, clientToken="t")["tasks"][0]["taskArn"] == task["taskArn"]
    assert ecs.refused("RunTask", RUN, clientToken="t").code == "ConflictException"
    assert len(ecs.world.tasks) == 1


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"cluster": "no"}, "ClusterNotFoundException", "Cluster not found."),
        ({"taskDefinition": "no"}, "ClientException", "TaskDefinition not found."),
        ({"count": 11}, "InvalidParameterException", "between 1 and 10"),
        ({"count": 0}, "InvalidParameterException", "between 1 and 10"),
        ({"networkConfiguration": None}, "InvalidParameterException", "Network Configuration must be provided"),
        ({"launchType": "EC2"}, "UnsupportedFeatureException", "Fargate only"),
        (
            {"overrides": {"containerOverrides": [{"name": "no"}]}},
            "InvalidParameterException",
            "Override for container named no is not a container in the TaskDefinition.",
        ),
        ({"overrides": {"containerOverrides": [{}]}}, "InvalidParameterException", "Override for container named"),
        ({"overrides": {"cpu": "512"}}, "ClientException", "No Fargate configuration exists for given values."),
    ],
)
def test_what_running_refuses(ecs: Direct, members: dict[str, Any], code: str, message: str) -> None:
    refused = ecs.refused("RunTask", {**RUN, **members})
    assert refused.code == code
    assert message in refused.message


def test_tags_are_propagated(ecs: Direct) -> None:
    ecs("RegisterTaskDefinition", WEB, tags=[{"key": "from", "value": "definition"}])
    members = {"propagateTags": "TASK_DEFINITION", "enableECSManagedTags": True}
    ecs("RunTask", RUN, **members, tags=[{"key": "own", "value": "1"}])
    assert only_task(ecs).tags == {"from": "definition", "aws:ecs:clusterName": "navi", "own": "1"}


def test_stopping_is_a_wish_with_a_reason(ecs: Direct) -> None:
    ecs("RunTask", RUN)
    record = only_task(ecs)
    stopped = ecs("StopTask", cluster="navi", task=record.arn)["task"]
    assert (stopped["desiredStatus"], stopped["lastStatus"]) == ("STOPPED", "PROVISIONING")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "Task stopped by user")
    assert stopped["version"] == 2
    again = ecs("StopTask", cluster="navi", task=record.task_id, reason="another")["task"]
    assert again["stoppedReason"] == "Task stopped by user"
    assert ecs.refused("StopTask", cluster="navi", task="0" * 32).message == "The referenced task was not found."


def test_a_reason_is_returned_verbatim(ecs: Direct) -> None:
    ecs("RunTask", RUN)
    task = ecs("StopTask", cluster="navi", task=only_task(ecs).arn, reason="Because.")["task"]
    assert task["stoppedReason"] == "Because."


def test_listing_filters(ecs: Direct) -> None:
    service_arn = ecs("CreateService", SERVICE)["service"]["serviceArn"]
    service = ecs.world.services[service_arn]
    definition = ecs.world.task_definitions[service.task_definition_arn]
    owned = new_task(
        definition,
        service.cluster_arn,
        service.network,
        NOW,
        ecs.supply,
        service=service,
        deployment=service.deployments[0],
    )
    ecs.put(owned)
    ecs("RegisterTaskDefinition", WEB, family="job")
    job = ecs("RunTask", RUN, taskDefinition="job", startedBy="me")["tasks"][0]["taskArn"]
    gone = ecs("RunTask", RUN, taskDefinition="job")["tasks"][0]["taskArn"]
    ecs("StopTask", cluster="navi", task=gone)

    def listed(**members: Any) -> list[str]:
        arns: list[str] = ecs("ListTasks", cluster="navi", **members)["taskArns"]
        return arns

    assert set(listed()) == {owned.arn, job}
    assert listed(serviceName="web") == [owned.arn]
    assert listed(family="job") == [job]
    assert listed(startedBy="me") == [job]
    assert listed(startedBy=service.deployments[0].deployment_id) == [owned.arn]
    assert listed(desiredStatus="STOPPED") == [gone]
    assert (listed(launchType="EC2"), listed(desiredStatus="PENDING")) == ([], [])
    assert ecs.refused("ListTasks", cluster="navi", serviceName="no").code == "ServiceNotFoundException"


def test_describing(ecs: Direct) -> None:
    arn = ecs("RunTask", RUN)["tasks"][0]["taskArn"]
    ecs("CreateCluster", clusterName="other")
    missing = ecs("DescribeTasks", cluster="other", tasks=[arn])
    assert (missing["tasks"], missing["failures"]) == ([], [{"arn": arn, "reason": "MISSING"}])
    assert ecs.refused("DescribeTasks", cluster="navi", tasks=[]).message == "Tasks cannot be empty."


def test_start_task_and_protection_are_refused_where_they_would_not_be_true(ecs: Direct) -> None:
    refused = ecs.refused("StartTask", cluster="navi", taskDefinition="web", containerInstances=["i"])
    assert refused.code == "UnsupportedFeatureException"
    task = ecs("RunTask", RUN)["tasks"][0]["taskArn"]
    protected = ecs("GetTaskProtection", cluster="navi", tasks=[task])["protectedTasks"]
    assert protected == [{"taskArn": task, "protectionEnabled": False}]
    request = {"cluster": "navi", "tasks": [task]}
    assert ecs("UpdateTaskProtection", request, protectionEnabled=False)["protectedTasks"] == protected
    assert ecs.refused("UpdateTaskProtection", request, protectionEnabled=True).code == "UnsupportedFeatureException"


def test_exec_needs_a_task_role(ecs: Direct) -> None:
    ecs("RegisterTaskDefinition", {**WEB, "taskRoleArn": None})
    assert "taskRoleArn" in ecs.refused("RunTask", RUN, enableExecuteCommand=True).message
    assert ecs("RunTask", RUN, enableExecuteCommand=True, overrides={"taskRoleArn": ROLE})["tasks"]
