"""From a task and its definition to what the container engine is asked to run.

Sources: aws/ecs-cloudmap-exec.md sections 3, 5 and 17.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from tsubo.core.registry_names import referenced_image
from tsubo.core.task_identity import credentials_id, runtime_id, task_role_arn
from tsubo.model.containers import ContainerSpec, HealthProbe, TaskSpec
from tsubo.model.ecs import ContainerDefinition, Task, TaskDefinition
from tsubo.model.metadata import ENDPOINT_PORT, LINK_LOCAL_ADDRESS
from tsubo.model.vpc import Vpc
from tsubo.model.world import World

DEFAULT_STOP_TIMEOUT_SECONDS = 30
DEFAULT_NOFILE = ("nofile", 65535, 65535)
MEBIBYTE = 1024 * 1024
ECR_REGISTRY = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")


def task_spec(world: World, task: Task) -> TaskSpec:
    """Return what to run for a task that has its interface."""
    definition = world.task_definitions[task.task_definition_arn]
    interface = world.network_interfaces[task.network_interface_id or ""]
    vpc = world.vpcs[interface.vpc_id]
    return TaskSpec(
        task_id=task.task_id,
        network_interface_id=interface.network_interface_id,
        address=interface.private_ip,
        hostname=private_dns_name(vpc, task.region, interface.private_ip) or task.task_id[:12],
        nameservers=(str(ipaddress.ip_network(vpc.cidr)[2]),),
        search_domains=(search_domain(task.region),),
        containers=tuple(_container(world, task, definition, container) for container in definition.containers),
        stop_layers=stop_layers(definition),
    )


def image_candidates(reference: str) -> tuple[tuple[str, ...], str | None]:
    """Return the local references that an image may stand under, and the one to pull if none does.

    A reference into ECR, whatever its account and region, is looked up as it is and then without its registry, and
    is never fetched from AWS. What was pushed to our own ECR goes before both (`ContainerSpec.registry_image`).
    """
    tagged = reference if "@" in reference or ":" in reference.rsplit("/", 1)[-1] else f"{reference}:latest"
    match = ECR_REGISTRY.match(reference)
    if match:
        return (tagged, tagged[match.end() :]), None
    return (tagged,), tagged


def stop_layers(definition: TaskDefinition) -> tuple[tuple[str, ...], ...]:
    """Return container names in the order they are stopped: what depends on others goes before them (section 5)."""
    dependencies = {c.name: {d.container_name for d in c.depends_on} for c in definition.containers}
    layers = []
    while dependencies:
        needed = {name for others in dependencies.values() for name in others}
        layer = tuple(name for name in dependencies if name not in needed) or tuple(dependencies)
        layers.append(layer)
        dependencies = {name: others for name, others in dependencies.items() if name not in layer}
    return tuple(layers)


def private_dns_name(vpc: Vpc, region: str, address: str) -> str | None:
    """Return the name of a private address, or None where the VPC gives its interfaces none."""
    if vpc.enable_dns_support and vpc.enable_dns_hostnames:
        return f"ip-{address.replace('.', '-')}.{search_domain(region)}"
    return None


def search_domain(region: str) -> str:
    """Return the domain in which one-label names are looked up."""
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"


def _container(world: World, task: Task, definition: TaskDefinition, container: ContainerDefinition) -> ContainerSpec:
    override = _override(task, container.name)
    images, pull = image_candidates(container.image)
    pushed = referenced_image(world, container.image)
    memory = override.get("memory", container.memory) or task.memory
    return ContainerSpec(
        name=container.name,
        images=images,
        pull=pull,
        registry_image=pushed.name if pushed else None,
        environment=_environment(task, definition, container, override),
        secrets=container.secrets,
        command=tuple(override["command"]) if override.get("command") else container.command,
        entrypoint=container.entry_point,
        user=container.user,
        working_directory=container.working_directory,
        read_only=container.readonly_root_filesystem,
        init=container.init_process_enabled,
        tty=container.pseudo_terminal,
        stdin=container.interactive,
        stop_timeout=DEFAULT_STOP_TIMEOUT_SECONDS if container.stop_timeout is None else container.stop_timeout,
        memory_bytes=memory * MEBIBYTE if memory else None,
        memory_reservation_bytes=container.memory_reservation * MEBIBYTE if container.memory_reservation else None,
        ulimits=_ulimits(container),
        labels=container_labels(task, definition, container),
        health=_health(container),
        **_log_settings(task, container),
    )


def _override(task: Task, name: str) -> Mapping[str, Any]:
    overrides = task.overrides.get("containerOverrides", ())
    return next((override for override in overrides if override.get("name") == name), {})


def _environment(
    task: Task, definition: TaskDefinition, container: ContainerDefinition, override: Mapping[str, Any]
) -> dict[str, str]:
    """Return a container's environment: its own values replace the first five, the metadata's replace its own."""
    environment = {
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_REGION": task.region,
        "AWS_DEFAULT_REGION": task.region,
        # Not AWS's: SDKs of this machine's tasks are to find this machine's endpoint, by its address and no other name.
        "AWS_ENDPOINT_URL": f"http://{LINK_LOCAL_ADDRESS}:{ENDPOINT_PORT}",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
    environment.update(container.environment)
    environment.update({pair["name"]: pair["value"] for pair in override.get("environment", ())})
    return environment | _metadata_environment(task, definition, container.name)


def _metadata_environment(task: Task, definition: TaskDefinition, container_name: str) -> dict[str, str]:
    """Return where a container finds its metadata and, with a task role, its credentials (section 17)."""
    own = next(c for c in task.containers if c.name == container_name)
    uri, endpoint_id = f"http://{LINK_LOCAL_ADDRESS}", runtime_id(task, own)
    environment = {
        "ECS_CONTAINER_METADATA_URI": f"{uri}/v3/{endpoint_id}",
        "ECS_CONTAINER_METADATA_URI_V4": f"{uri}/v4/{endpoint_id}",
        "ECS_AGENT_URI": f"{uri}/api/{endpoint_id}",
    }
    if task_role_arn(task, definition) is not None:
        environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = f"/v2/credentials/{credentials_id(task)}"
    return environment


def _ulimits(container: ContainerDefinition) -> tuple[tuple[str, int, int], ...]:
    named = {name for name, _, _ in container.ulimits}
    return container.ulimits if "nofile" in named else (*container.ulimits, DEFAULT_NOFILE)


def container_labels(task: Task, definition: TaskDefinition, container: ContainerDefinition) -> dict[str, str]:
    """Return a container's labels: its definition's and ECS's."""
    return {
        **container.docker_labels,
        "com.amazonaws.ecs.cluster": task.cluster_arn,
        "com.amazonaws.ecs.container-name": container.name,
        "com.amazonaws.ecs.task-arn": task.arn,
        "com.amazonaws.ecs.task-definition-family": definition.family,
        "com.amazonaws.ecs.task-definition-version": str(definition.revision),
    }


def _health(container: ContainerDefinition) -> HealthProbe | None:
    check = container.health_check
    if check is None:
        return None
    return HealthProbe(check.command, check.interval, check.timeout, check.retries, check.start_period)


def log_stream(task: Task, container: ContainerDefinition) -> str:
    """Return the awslogs stream of a container: PREFIX/CONTAINER/TASK (section 15)."""
    prefix = container.log_options.get("awslogs-stream-prefix")
    return "/".join([*([prefix] if prefix else []), container.name, task.task_id])


def _log_settings(task: Task, container: ContainerDefinition) -> dict[str, Any]:
    options = container.log_options
    if container.log_driver != "awslogs" or "awslogs-group" not in options:
        return {}
    return {
        "log_group": options["awslogs-group"],
        "log_stream": log_stream(task, container),
        "create_log_group": options.get("awslogs-create-group", "false") == "true",
    }
