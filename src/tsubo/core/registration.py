"""A task's places in Cloud Map and in target groups: taken before it is RUNNING, given back before it is stopped.

Source: aws/ecs-cloudmap-exec.md section 7.
"""

from tsubo.core.draft import Draft
from tsubo.core.events import add_event
from tsubo.model.cloudmap import DiscoveryService, Instance
from tsubo.model.ecs import Service, ServiceRegistry, Task, TaskDefinition
from tsubo.model.elbv2 import Target
from tsubo.model.supply import Supply
from tsubo.model.world import World


def register(draft: Draft, task: Task, now: float, supply: Supply) -> None:
    """Register a service's task with its target groups and Cloud Map services."""
    service = draft.world.services.get(task.service_arn or "")
    if service is None or task.private_ip is None:
        return
    for load_balancer in task.load_balancers:
        if load_balancer.target_group_arn not in draft.world.target_groups:
            continue
        target = Target(
            target_group_arn=load_balancer.target_group_arn,
            address=task.private_ip,
            port=load_balancer.container_port,
            registered_at=now,
            availability_zone=task.availability_zone,
        )
        if target.key not in draft.world.targets:
            draft.put(target)
            add_event(
                draft, service.arn, f"registered 1 targets in (target-group {target.target_group_arn})", now, supply
            )
    for registry in task.registries:
        _register_instance(draft, service, task, registry, now)


def _register_instance(draft: Draft, service: Service, task: Task, registry: ServiceRegistry, now: float) -> None:
    discovery_service = _by_arn(draft.world, registry.registry_arn)
    if discovery_service is None:
        return
    definition = draft.world.task_definitions[task.task_definition_arn]
    checked = has_container_check(definition)
    health = "UNHEALTHY" if checked and discovery_service.custom_health_check else "HEALTHY"
    instance = Instance(
        service_id=discovery_service.service_id,
        instance_id=task.task_id,
        registered_at=now,
        attributes=_attributes(draft.world, service, task, registry, discovery_service, health),
        health=health,  # type: ignore[arg-type]
    )
    if instance.key not in draft.world.instances:
        draft.put(instance)
        _next_revision(draft, discovery_service)


def deregister(draft: Draft, task: Task, now: float, supply: Supply) -> None:
    """Take a task out of Cloud Map at once, and let its targets drain."""
    for instance in _instances(draft.world, task):
        draft.delete(instance)
        discovery_service = draft.world.discovery_services.get(instance.service_id)
        if discovery_service is not None:
            _next_revision(draft, discovery_service)
    for target in targets_of(draft.world, task):
        if target.draining_since is None:
            draft.update(target, draining_since=now)
            if task.service_arn is not None and task.service_arn in draft.world.services:
                text = f"deregistered 1 targets in (target-group {target.target_group_arn})"
                add_event(draft, task.service_arn, text, now, supply)


def report_container_health(draft: Draft, task: Task, now: float) -> None:
    """Tell Cloud Map what the task's container checks say, where the service takes custom health."""
    if task.health_status == "UNKNOWN":
        return
    for instance in _instances(draft.world, task):
        service = draft.world.discovery_services.get(instance.service_id)
        if service is None or not service.custom_health_check:
            continue
        if instance.health == task.health_status:
            draft.update(instance, requested_health=None, requested_at=None)
        elif instance.requested_health != task.health_status:
            draft.update(instance, requested_health=task.health_status, requested_at=now)


def targets_of(world: World, task: Task) -> list[Target]:
    """Return a service task's targets, those that drain included."""
    keys = (f"{lb.target_group_arn}/{task.private_ip}:{lb.container_port}" for lb in task.load_balancers)
    return [world.targets[key] for key in keys if key in world.targets]


def has_container_check(definition: TaskDefinition) -> bool:
    """Return whether any essential container of a task definition has a health check."""
    return any(c.essential and c.health_check is not None for c in definition.containers)


def _instances(world: World, task: Task) -> list[Instance]:
    return [i for i in world.instances.values() if i.instance_id == task.task_id]


def _by_arn(world: World, arn: str) -> DiscoveryService | None:
    return next((s for s in world.discovery_services.values() if s.arn == arn), None)


def _next_revision(draft: Draft, service: DiscoveryService) -> None:
    draft.update(draft.world.discovery_services[service.service_id], instances_revision=service.instances_revision + 1)


def _attributes(
    world: World,
    service: Service,
    task: Task,
    registry: ServiceRegistry,
    discovery_service: DiscoveryService,
    health: str,
) -> dict[str, str]:
    definition = world.task_definitions[task.task_definition_arn]
    attributes = {
        "AWS_INSTANCE_IPV4": task.private_ip or "",
        "AVAILABILITY_ZONE": task.availability_zone or "",
        "REGION": task.region,
        "ECS_SERVICE_NAME": service.name,
        "ECS_CLUSTER_NAME": task.cluster_arn.rsplit("/", 1)[-1],
        "ECS_TASK_DEFINITION_FAMILY": definition.family,
    }
    port = registry.port or registry.container_port
    if port is not None:
        attributes["AWS_INSTANCE_PORT"] = str(port)
    if discovery_service.custom_health_check:
        attributes["AWS_INIT_HEALTH_STATUS"] = health
    return attributes
