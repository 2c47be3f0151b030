"""Tasks: run and stop. RunTask writes new records, StopTask a wish; the loop gives them a life.

Source: aws/ecs-cloudmap-exec.md sections 2 and 4.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tsubo.aws.ecs import fargate, network_rules, service_rules
from tsubo.aws.ecs.lookup import (
    existing_task,
    invalid_parameter,
    requested_cluster,
    runnable_task_definition,
    unsupported,
)
from tsubo.aws.ecs.tags import tags_of
from tsubo.aws.ecs.task_view import task_view
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.ecs import Cluster, JsonObject, Task, TaskDefinition
from tsubo.model.task_records import complete_overrides, new_task

MAXIMUM_COUNT = 10


def run_task(call: Call, request: Request) -> Response:
    """Start up to ten tasks that no service owns. The same client token again returns the same tasks."""
    cluster = requested_cluster(call, request)
    task_definition = runnable_task_definition(call, request["taskDefinition"])
    count = 1 if request.get("count") is None else request["count"]
    if not 1 <= count <= MAXIMUM_COUNT:
        raise invalid_parameter(f"count must be between 1 and {MAXIMUM_COUNT}.")
    overrides = _checked_overrides(task_definition, request.get("overrides") or {})
    tasks = _tasks_of_token(call, cluster, task_definition, overrides, request.get("clientToken"))
    if not tasks:
        tasks = _new_tasks(call, cluster, task_definition, overrides, request, count=count)
        call.put(*tasks)
    return {"tasks": [task_view(call.world, task, with_tags=True) for task in tasks], "failures": []}


def _tasks_of_token(
    call: Call, cluster: Cluster, task_definition: TaskDefinition, overrides: JsonObject, token: str | None
) -> list[Task]:
    if not token:
        return []
    tasks = [t for t in call.world.tasks.values() if t.client_token == token and t.cluster_arn == cluster.arn]
    complete = complete_overrides(task_definition, overrides)
    if any(t.task_definition_arn != task_definition.arn or t.overrides != complete for t in tasks):
        raise AwsError(
            "ConflictException",
            "The request parameters are inconsistent with an earlier request that used the same client token.",
            resourceIds=[t.arn for t in tasks],
        )
    return tasks


def _new_tasks(
    call: Call,
    cluster: Cluster,
    task_definition: TaskDefinition,
    overrides: JsonObject,
    request: Request,
    *,
    count: int,
) -> list[Task]:
    launch_type, strategy = service_rules.capacity(cluster, request)
    service_rules.check_fargate(task_definition, launch_type)
    service_rules.check_placement(request)
    service_rules.check_platform_version(request)
    network = network_rules.network_configuration(call, request.get("networkConfiguration"))
    with_exec = request.get("enableExecuteCommand") or False
    if with_exec and not (overrides.get("taskRoleArn") or task_definition.task_role_arn):
        raise invalid_parameter(
            "The task couldn't be run because a valid taskRoleArn is not being used. Specify a valid task role "
            "in your task definition and try again."
        )
    return [
        new_task(
            task_definition,
            cluster.arn,
            network,
            call.now,
            call.supply,
            started_by=request.get("startedBy"),
            group=request.get("group"),
            overrides=overrides,
            tags=_task_tags(cluster, task_definition, request),
            enable_execute_command=with_exec,
            capacity_provider_strategy=strategy,
            client_token=request.get("clientToken"),
        )
        for _ in range(count)
    ]


def _task_tags(cluster: Cluster, task_definition: TaskDefinition, request: Request) -> dict[str, str]:
    tags: dict[str, str] = {}
    if request.get("propagateTags") == "TASK_DEFINITION":
        tags.update(task_definition.tags)
    if request.get("enableECSManagedTags"):
        tags["aws:ecs:clusterName"] = cluster.name
    return {**tags, **tags_of(request.get("tags"))}


def _checked_overrides(task_definition: TaskDefinition, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return overrides with a normalised size. Raises for a container that is not there or a size Fargate has not."""
    names = {container.name for container in task_definition.containers}
    for override in overrides.get("containerOverrides") or ():
        if override.get("name") not in names:
            raise invalid_parameter(
                f"Override for container named {override.get('name')} is not a container in the TaskDefinition."
            )
    cpu = fargate.normalised_size("cpu", overrides.get("cpu")) or task_definition.cpu
    memory = fargate.normalised_size("memory", overrides.get("memory")) or task_definition.memory
    fargate.check_size(cpu or 0, memory or 0)
    sizes = {"cpu": str(cpu), "memory": str(memory)}
    return {member: sizes.get(member, value) for member, value in overrides.items()}


def stop_task(call: Call, request: Request) -> Response:
    """Ask for a task's end; the loop stops it in order. A task that is stopping already keeps its first reason."""
    task = existing_task(call, requested_cluster(call, request), request["task"])
    if task.desired_status != "STOPPED":
        task = dataclasses.replace(
            task,
            desired_status="STOPPED",
            stop_code="UserInitiated",
            stopped_reason=request.get("reason") or "Task stopped by user",
            version=task.version + 1,
        )
        call.put(task)
    return {"task": task_view(call.world, task, with_tags=True)}


def start_task(call: Call, request: Request) -> Response:
    """Refuse: StartTask places tasks on container instances, and there are none."""
    raise unsupported("StartTask places tasks on container instances; Tsubo runs tasks on Fargate only. Use RunTask.")


OPERATIONS: dict[str, Operation] = {
    "RunTask": run_task,
    "StopTask": stop_task,
    "StartTask": start_task,
}
