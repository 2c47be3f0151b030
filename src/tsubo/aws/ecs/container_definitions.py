"""Container definitions: AWS's defaults filled in, and the part that is run as a typed record.

`completed` is what DescribeTaskDefinition echoes; `parsed` is what the engine runs of it.
Source: aws/ecs-cloudmap-exec.md sections 3 and 5.
"""

from collections.abc import Mapping
from typing import Any

from tsubo.model.ecs import ContainerDefinition, ContainerDependency, ContainerHealthCheck, PortMapping

ALWAYS_LISTED = ("portMappings", "environment", "mountPoints", "volumesFrom", "systemControls")
HEALTH_CHECK_DEFAULTS = {"interval": 30, "timeout": 5, "retries": 3}


def without_nulls(value: Any) -> Any:
    """Return a request's value without its null members: AWS takes null for absent."""
    if isinstance(value, Mapping):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(item) for item in value if item is not None]
    return value


def completed(container: Mapping[str, Any], network_mode: str) -> dict[str, Any]:
    """Return a container definition as AWS echoes it."""
    whole: dict[str, Any] = {"cpu": 0, "essential": True, **container}
    for member in ALWAYS_LISTED:
        whole.setdefault(member, [])
    whole["portMappings"] = [_completed_port(mapping, network_mode) for mapping in whole["portMappings"]]
    if "healthCheck" in whole:
        whole["healthCheck"] = {**HEALTH_CHECK_DEFAULTS, **whole["healthCheck"]}
    return whole


def _completed_port(mapping: Mapping[str, Any], network_mode: str) -> dict[str, Any]:
    whole = {"protocol": "tcp", **mapping}
    if "containerPort" in whole:
        whole.setdefault("hostPort", whole["containerPort"] if network_mode in ("awsvpc", "host") else 0)
    return whole


def parsed(container: Mapping[str, Any]) -> ContainerDefinition:
    """Return the record of a completed container definition."""
    logs = container.get("logConfiguration", {})
    return ContainerDefinition(
        name=container["name"],
        image=container["image"],
        essential=container["essential"],
        cpu=container["cpu"],
        memory=container.get("memory"),
        memory_reservation=container.get("memoryReservation"),
        command=_words(container.get("command")),
        entry_point=_words(container.get("entryPoint")),
        environment=tuple((item.get("name", ""), item.get("value", "")) for item in container["environment"]),
        secrets=tuple((item["name"], item["valueFrom"]) for item in container.get("secrets", ())),
        port_mappings=tuple(
            PortMapping(mapping["containerPort"], mapping["protocol"], mapping.get("name"))
            for mapping in container["portMappings"]
            if "containerPort" in mapping
        ),
        depends_on=tuple(
            ContainerDependency(item["containerName"], item["condition"]) for item in container.get("dependsOn", ())
        ),
        health_check=_health_check(container.get("healthCheck")),
        log_driver=logs.get("logDriver"),
        log_options=dict(logs.get("options", {})),
        user=container.get("user"),
        working_directory=container.get("workingDirectory"),
        readonly_root_filesystem=container.get("readonlyRootFilesystem", False),
        stop_timeout=container.get("stopTimeout"),
        start_timeout=container.get("startTimeout"),
        ulimits=tuple((u["name"], u["softLimit"], u["hardLimit"]) for u in container.get("ulimits", ())),
        docker_labels=dict(container.get("dockerLabels", {})),
        init_process_enabled=container.get("linuxParameters", {}).get("initProcessEnabled", False),
        mount_points=tuple(container["mountPoints"]),
        interactive=container.get("interactive", False),
        pseudo_terminal=container.get("pseudoTerminal", False),
    )


def _words(value: list[str] | None) -> tuple[str, ...] | None:
    """An empty command means the image's own, as an absent one does."""
    return tuple(value) if value else None


def _health_check(definition: Mapping[str, Any] | None) -> ContainerHealthCheck | None:
    if definition is None:
        return None
    return ContainerHealthCheck(
        command=tuple(definition["command"]),
        interval=definition["interval"],
        timeout=definition["timeout"],
        retries=definition["retries"],
        start_period=definition.get("startPeriod", 0),
    )
