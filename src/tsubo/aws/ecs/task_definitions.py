"""Task definitions: register, describe, list, deregister, delete.

A revision is kept for ever, so that a number is never used again. Source: aws/ecs-cloudmap-exec.md section 3.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tsubo.aws.ecs import fargate, task_definition_rules
from tsubo.aws.ecs.container_definitions import completed, parsed, without_nulls
from tsubo.aws.ecs.listing import listed, missing
from tsubo.aws.ecs.lookup import client_error, find_task_definition, invalid_parameter, revisions_of
from tsubo.aws.ecs.required_attributes import required_attributes
from tsubo.aws.ecs.tags import tag_list, tags_of
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.ecs import TaskDefinition

ECHOED = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "requiresCompatibilities",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)
NOT_THERE = "The specified task definition does not exist. Specify a valid account, family, revision and try again."


def register_task_definition(call: Call, request: Request) -> Response:
    """Register the next revision of a family. Raises ClientException for what AWS refuses."""
    asked: Request = without_nulls({k: v for k, v in request.items() if k != "tags"})
    cpu = fargate.normalised_size("cpu", asked.get("cpu"))
    memory = fargate.normalised_size("memory", asked.get("memory"))
    task_definition_rules.check(asked, cpu, memory)
    definition = _completed_definition(asked, cpu, memory)
    family = asked["family"]
    revision = max((d.revision for d in revisions_of(call, family)), default=0) + 1
    task_definition = TaskDefinition(
        arn=call.arn("ecs", f"task-definition/{family}:{revision}"),
        family=family,
        revision=revision,
        region=call.region,
        registered_at=call.now,
        containers=tuple(parsed(container) for container in definition["containerDefinitions"]),
        definition=definition,
        network_mode=definition["networkMode"],
        cpu=cpu,
        memory=memory,
        task_role_arn=asked.get("taskRoleArn") or None,
        execution_role_arn=asked.get("executionRoleArn") or None,
        tags=tags_of(request.get("tags")),
    )
    call.put(task_definition)
    return {"taskDefinition": _view(call, task_definition), "tags": tag_list(task_definition.tags)}


def _completed_definition(asked: Request, cpu: int | None, memory: int | None) -> dict[str, Any]:
    network_mode = asked.get("networkMode", "bridge")
    definition: dict[str, Any] = {member: asked[member] for member in ECHOED if asked.get(member)}
    definition["networkMode"] = network_mode
    definition["containerDefinitions"] = [completed(c, network_mode) for c in asked["containerDefinitions"]]
    definition["volumes"] = [_completed_volume(volume) for volume in asked.get("volumes", [])]
    definition["placementConstraints"] = asked.get("placementConstraints", [])
    for member, value in (("cpu", cpu), ("memory", memory)):
        if value is not None:
            definition[member] = str(value)
    definition["compatibilities"] = _compatibilities(asked, cpu, memory)
    definition["requiresAttributes"] = required_attributes(definition)
    return definition


def _completed_volume(volume: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a volume as ECS shows it: one of which nothing but the name is said is an empty one of the host."""
    told = any(value for member, value in volume.items() if member != "name")
    return volume if told else {"host": {}, **volume}


def _compatibilities(asked: Request, cpu: int | None, memory: int | None) -> list[str]:
    """What it could run on, which may be more than it requires; a broken requirement raises."""
    try:
        fargate.check(asked, cpu, memory)
    except AwsError:
        if "FARGATE" in asked.get("requiresCompatibilities", ()):
            raise
        return ["EC2"]
    return ["EC2", "FARGATE"]


def describe_task_definition(call: Call, request: Request) -> Response:
    """Describe a revision by ARN, family:revision, or the latest active one by family."""
    task_definition = find_task_definition(call, request["taskDefinition"])
    if task_definition is None:
        raise client_error("Unable to describe task definition.")
    response: Response = {"taskDefinition": _view(call, task_definition)}
    if "TAGS" in (request.get("include") or ()):
        response["tags"] = tag_list(task_definition.tags)
    return response


def list_task_definitions(call: Call, request: Request) -> Response:
    """List the ARNs of a status (ACTIVE by default) by family and revision."""
    status = request.get("status") or "ACTIVE"
    family = request.get("familyPrefix")
    found = [
        d
        for d in call.world.task_definitions.values()
        if d.region == call.region and d.status == status and family in (None, "", d.family)
    ]
    found.sort(key=lambda d: (d.family, d.revision), reverse=request.get("sort") == "DESC")
    return listed("taskDefinitionArns", [d.arn for d in found], request)


def list_task_definition_families(call: Call, request: Request) -> Response:
    """List families: with an active revision (ACTIVE), without any (INACTIVE), or all of them."""
    status = request.get("status") or "ALL"
    prefix = request.get("familyPrefix") or ""
    regional = [d for d in call.world.task_definitions.values() if d.region == call.region]
    families = {d.family for d in regional if d.family.startswith(prefix)}
    active = {d.family for d in regional if d.status == "ACTIVE"}
    chosen = {"ALL": families, "ACTIVE": families & active, "INACTIVE": families - active}.get(status)
    if chosen is None:
        raise invalid_parameter(f"Invalid status: {status}")
    return listed("families", sorted(chosen), request)


def deregister_task_definition(call: Call, request: Request) -> Response:
    """Make one revision INACTIVE; services that use it go on doing so."""
    task_definition = find_task_definition(call, _with_revision(request["taskDefinition"]))
    if task_definition is None:
        raise client_error(NOT_THERE)
    if task_definition.status == "ACTIVE":
        task_definition = dataclasses.replace(task_definition, status="INACTIVE", deregistered_at=call.now)
        call.put(task_definition)
    return {"taskDefinition": _view(call, task_definition)}


def delete_task_definitions(call: Call, request: Request) -> Response:
    """Mark INACTIVE revisions DELETE_IN_PROGRESS; an active or missing one is a failure."""
    deleted: list[Response] = []
    failures: list[Response] = []
    for identifier in request["taskDefinitions"]:
        task_definition = find_task_definition(call, _with_revision(identifier))
        if task_definition is None:
            failures.append(missing(identifier, NOT_THERE))
        elif task_definition.status == "ACTIVE":
            reason = (
                "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
            )
            failures.append(missing(task_definition.arn, reason))
        else:
            task_definition = dataclasses.replace(task_definition, status="DELETE_IN_PROGRESS")
            call.put(task_definition)
            deleted.append(_view(call, task_definition))
    return {"taskDefinitions": deleted, "failures": failures}


def _with_revision(identifier: str) -> str:
    if ":" not in identifier.rsplit("/", 1)[-1]:
        raise invalid_parameter("Invalid revision number. Number: null")
    return identifier


def _view(call: Call, task_definition: TaskDefinition) -> Response:
    view: Response = {
        **task_definition.definition,
        "taskDefinitionArn": task_definition.arn,
        "revision": task_definition.revision,
        "status": task_definition.status,
        "registeredAt": task_definition.registered_at,
        "registeredBy": f"arn:aws:iam::{call.account_id}:root",
    }
    if task_definition.deregistered_at is not None:
        view["deregisteredAt"] = task_definition.deregistered_at
    return view


OPERATIONS: dict[str, Operation] = {
    "RegisterTaskDefinition": register_task_definition,
    "DescribeTaskDefinition": describe_task_definition,
    "ListTaskDefinitions": list_task_definitions,
    "ListTaskDefinitionFamilies": list_task_definition_families,
    "DeregisterTaskDefinition": deregister_task_definition,
    "DeleteTaskDefinitions": delete_task_definitions,
}
