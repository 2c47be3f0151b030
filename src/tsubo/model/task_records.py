"""New task records: what a task is at the moment it is asked for, before it has an address.

In goes what is to run (a task definition, a network configuration, maybe the service and deployment it belongs to),
out comes a `Task` in PROVISIONING with its containers PENDING. RunTask and the service scheduler both use it, so that
a task of either looks the same. Source: aws/ecs-cloudmap-exec.md section 4.
"""

from collections.abc import Sequence
from typing import Any

from tsubo.model.ecs import (
    AwsvpcConfiguration,
    Deployment,
    JsonObject,
    Service,
    Task,
    TaskContainer,
    TaskDefinition,
)
from tsubo.model.supply import Supply, uuid_text
from tsubo.model.vpc import Tags

DIGITS = "0123456789"
PLATFORM_VERSION = "1.4.0"
"""What LATEST means on Fargate for Linux."""


def deployment_id(supply: Supply) -> str:
    """Return a new deployment id: `ecs-svc/` and 19 digits of which the first is not zero."""
    return f"ecs-svc/{supply.text(1, DIGITS[1:])}{supply.text(18, DIGITS)}"


def new_task(
    task_definition: TaskDefinition,
    cluster_arn: str,
    network: AwsvpcConfiguration,
    now: float,
    supply: Supply,
    *,
    service: Service | None = None,
    deployment: Deployment | None = None,
    started_by: str | None = None,
    group: str | None = None,
    overrides: JsonObject | None = None,
    tags: Tags | None = None,
    enable_execute_command: bool = False,
    capacity_provider_strategy: Sequence[JsonObject] = (),
    client_token: str | None = None,
) -> Task:
    """Return a new task in PROVISIONING, with every identifier it keeps for life.

    With `service` and `deployment` it is the service's: group, starter, tags and capacity provider follow from them
    (`tags` are added). Without, it is a task of RunTask. `now` is in seconds since the epoch.
    """
    task_id = supply.text(32)
    chosen = overrides or {}
    if service is not None:
        capacity_provider_strategy = service.capacity_provider_strategy
    return Task(
        arn=f"{cluster_arn.replace(':cluster/', ':task/', 1)}/{task_id}",
        task_id=task_id,
        cluster_arn=cluster_arn,
        region=task_definition.region,
        task_definition_arn=task_definition.arn,
        group=f"service:{service.name}" if service is not None else group or f"family:{task_definition.family}",
        created_at=now,
        network=network,
        containers=_containers(task_definition, cluster_arn, task_id, supply),
        load_balancers=() if deployment is None else deployment.load_balancers,
        registries=() if deployment is None else deployment.registries,
        service_arn=None if service is None else service.arn,
        deployment_id=None if deployment is None else deployment.deployment_id,
        started_by=started_by if deployment is None else deployment.deployment_id,
        attachment_id=uuid_text(supply),
        cpu=int(chosen["cpu"]) if "cpu" in chosen else task_definition.cpu,
        memory=int(chosen["memory"]) if "memory" in chosen else task_definition.memory,
        capacity_provider_name=heaviest_capacity_provider(capacity_provider_strategy),
        platform_version=PLATFORM_VERSION,
        enable_execute_command=enable_execute_command,
        overrides=complete_overrides(task_definition, chosen),
        client_token=client_token,
        tags={**({} if service is None else service_task_tags(service, task_definition)), **(tags or {})},
    )


def _containers(
    task_definition: TaskDefinition, cluster_arn: str, task_id: str, supply: Supply
) -> tuple[TaskContainer, ...]:
    prefix = cluster_arn.replace(":cluster/", ":container/", 1)
    return tuple(
        TaskContainer(name=c.name, arn=f"{prefix}/{task_id}/{uuid_text(supply)}", image=c.image)
        for c in task_definition.containers
    )


def complete_overrides(task_definition: TaskDefinition, overrides: JsonObject) -> JsonObject:
    """Return the overrides as a task shows them: an entry for each container, overridden or not."""
    given: dict[str, JsonObject] = {c["name"]: c for c in overrides.get("containerOverrides", ())}
    complete: dict[str, Any] = dict(overrides)
    complete["containerOverrides"] = [dict(given.get(c.name, {"name": c.name})) for c in task_definition.containers]
    complete["inferenceAcceleratorOverrides"] = []
    return complete


def heaviest_capacity_provider(strategy: Sequence[JsonObject]) -> str | None:
    """Return the provider of a strategy that tasks are said to run on.

    FARGATE and FARGATE_SPOT are the same machine here, so the split by base and weight is not played out.
    """
    if not strategy:
        return None
    heaviest = max(strategy, key=lambda item: (item.get("weight", 0), item.get("base", 0)))
    return str(heaviest["capacityProvider"])


def service_task_tags(service: Service, task_definition: TaskDefinition) -> Tags:
    """Return the tags that a service gives its tasks: propagated ones, and ECS's own when they are enabled."""
    tags: dict[str, str] = {}
    if service.propagate_tags == "SERVICE":
        tags.update(service.tags)
    elif service.propagate_tags == "TASK_DEFINITION":
        tags.update(task_definition.tags)
    if service.enable_ecs_managed_tags:
        tags["aws:ecs:clusterName"] = service.cluster_arn.rsplit("/", 1)[1]
        tags["aws:ecs:serviceName"] = service.name
    return tags
