"""What registration checks for any launch type: names, memory, dependencies, health checks, volumes, logs.

`check` raises the ClientException of the first rule that is broken. Source: aws/ecs-cloudmap-exec.md sections 3
and 5; the texts are AWS's where a public report quotes them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tsubo.aws.ecs.lookup import NAME_PATTERN, client_error
from tsubo.aws.operations import Request

Container = Mapping[str, Any]
MAXIMUM_CONTAINERS = 10
CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")
AWSLOGS_REQUIRED = ("awslogs-region", "awslogs-group")
HEALTH_CHECK_RANGES = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}


def check(request: Request, cpu: int | None, memory: int | None) -> None:
    """Check a RegisterTaskDefinition request whose task size is `cpu` units and `memory` MiB."""
    if not NAME_PATTERN.fullmatch(request["family"]):
        raise client_error("Family contains invalid characters.")
    containers: Sequence[Container] = request["containerDefinitions"]
    if not containers:
        raise client_error("Container list cannot be empty.")
    if len(containers) > MAXIMUM_CONTAINERS:
        raise client_error("Too many containers.")
    _check_names(containers)
    if not any(container.get("essential", True) for container in containers):
        raise client_error("At least one container in the task definition must be marked as essential.")
    # Fargate has its own words for a task without memory.
    own_memory_required = memory is None and "FARGATE" not in request.get("requiresCompatibilities", ())
    volumes = {volume.get("name") for volume in request.get("volumes") or ()}
    for container in containers:
        _check_memory(container, own_memory_required)
        _check_ports(container, request.get("networkMode"))
        _check_health_check(container)
        _check_logs(container)
        for mount in container.get("mountPoints") or ():
            if mount.get("sourceVolume") not in volumes:
                raise client_error(f"Unknown volume '{mount.get('sourceVolume')}'.")
    _check_sums(containers, cpu, memory)
    _check_dependencies({c["name"]: c for c in containers})


def _check_names(containers: Sequence[Container]) -> None:
    seen: set[str] = set()
    for container in containers:
        name = container.get("name")
        if not name:
            raise client_error("Container.name should not be null or empty.")
        if not NAME_PATTERN.fullmatch(name):
            raise client_error("Container.name contains invalid characters.")
        if name in seen:
            raise client_error(f"Container names must be unique. The name '{name}' is used more than once.")
        if not container.get("image"):
            raise client_error("Container.image should not be null or empty.")
        seen.add(name)


def _check_memory(container: Container, required: bool) -> None:
    memory, reservation = container.get("memory"), container.get("memoryReservation")
    where = f"Invalid setting for container '{container['name']}'."
    if required and memory is None and reservation is None:
        raise client_error(f"{where} At least one of 'memory' or 'memoryReservation' must be specified.")
    if memory is not None and reservation is not None and reservation > memory:
        raise client_error(f"{where} 'memoryReservation' cannot be greater than 'memory'.")


def _check_ports(container: Container, network_mode: str | None) -> None:
    for mapping in container.get("portMappings") or ():
        host_port = mapping.get("hostPort")
        if network_mode == "awsvpc" and host_port is not None and host_port != mapping.get("containerPort"):
            raise client_error(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
            )


def _check_health_check(container: Container) -> None:
    check_definition = container.get("healthCheck")
    if not check_definition:
        return
    where = f"Invalid health check for container '{container['name']}'."
    command = check_definition.get("command") or []
    if len(command) < 2 or command[0] not in ("CMD", "CMD-SHELL"):
        raise client_error(f"{where} The command must start with CMD or CMD-SHELL and name what to run.")
    for member, (lowest, highest) in HEALTH_CHECK_RANGES.items():
        value = check_definition.get(member)
        if value is not None and not lowest <= value <= highest:
            raise client_error(f"{where} The {member} must be between {lowest} and {highest}.")


def _check_logs(container: Container) -> None:
    configuration = container.get("logConfiguration") or {}
    if configuration.get("logDriver") != "awslogs":
        return
    absent = [option for option in AWSLOGS_REQUIRED if option not in (configuration.get("options") or {})]
    if absent:
        raise client_error(f"Log driver awslogs requires options: {', '.join(absent)}")


def _check_sums(containers: Sequence[Container], cpu: int | None, memory: int | None) -> None:
    for member, limit in (("cpu", cpu), ("memory", memory)):
        if limit is not None and sum(container.get(member) or 0 for container in containers) > limit:
            raise client_error(
                f"The sum of all container '{member}' values cannot be greater than the value of the task '{member}'."
            )


def _check_dependencies(containers: Mapping[str, Container]) -> None:
    for name, container in containers.items():
        for dependency in container.get("dependsOn") or ():
            target = containers.get(dependency["containerName"])
            condition = dependency["condition"]
            if condition not in CONDITIONS:
                raise client_error(f"Invalid dependency condition '{condition}' of container '{name}'.")
            if target is None:
                raise client_error(
                    f"Container '{name}' depends on container '{dependency['containerName']}', "
                    "which does not exist in the task definition."
                )
            if condition in ("SUCCESS", "COMPLETE") and target.get("essential", True):
                raise client_error(
                    "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"
                )
            if condition == "HEALTHY" and not target.get("healthCheck"):
                raise client_error(
                    f"Container '{name}' waits for container '{target['name']}' to be HEALTHY, "
                    "which has no health check."
                )
    _check_acyclic({n: [d["containerName"] for d in c.get("dependsOn") or ()] for n, c in containers.items()})


def _check_acyclic(dependencies: Mapping[str, Sequence[str]]) -> None:
    settled: set[str] = set()
    while len(settled) < len(dependencies):
        ready = {n for n, needed in dependencies.items() if n not in settled and settled.issuperset(needed)}
        if not ready:
            raise client_error("The container dependencies of a task definition cannot form a cycle.")
        settled |= ready
