"""ECS task definitions. Calls: aws/alb-vpc-terraform.md sections 6.2 and 6.4.

Container definitions are compared by meaning: what AWS fills in, and empty members, make no difference.
"""

import json
from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.resources.common import block, given
from tsubo.terraform.resources.ecs_clusters import ecs_tag_map, ecs_tags, retag_ecs
from tsubo.terraform.resources.volumes import volume_blocks, volumes_of
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

_FILLED_IN: dict[str, Any] = {"cpu": 0, "essential": True}
_HEALTH_CHECK = {"interval": 30, "timeout": 5, "retries": 3}
_BY_NAME = ("environment", "secrets")


def containers_of(text: str) -> list[dict[str, Any]]:
    """Return container definitions from their JSON, without members that are null. Raises CallError."""
    try:
        containers = json.loads(text)
    except ValueError as error:
        raise CallError(f"container_definitions is not JSON: {error}") from error
    if not isinstance(containers, list) or not all(isinstance(container, dict) for container in containers):
        raise CallError("container_definitions is not a JSON list of objects")
    dropped: list[dict[str, Any]] = _without_null(containers)
    return dropped


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_null(member) for member in value if member is not None]
    return value


def same_containers(one: str, other: str) -> bool:
    """Say whether two texts define the same containers."""
    try:
        return [_normal(container) for container in containers_of(one)] == [
            _normal(container) for container in containers_of(other)
        ]
    except CallError:
        return False


def _normal(container: dict[str, Any]) -> dict[str, Any]:
    """Return a container with what AWS fills in, without what is empty, and with names in order."""
    full = _FILLED_IN | {_lower_first(key): value for key, value in container.items()}
    normal: dict[str, Any] = {key: _without_empty(value) for key, value in full.items()}
    for name in _BY_NAME:
        normal[name] = sorted(normal.get(name) or [], key=lambda entry: str(entry.get("name", "")))
    normal["portMappings"] = [_normal_port(mapping) for mapping in normal.get("portMappings") or ()]
    if normal.get("healthCheck"):
        normal["healthCheck"] = _HEALTH_CHECK | normal["healthCheck"]
    return {key: value for key, value in normal.items() if key in _FILLED_IN or not _is_empty(value)}


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        members = {key: _without_empty(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if not _is_empty(member)}
    return [_without_empty(member) for member in value] if isinstance(value, list) else value


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


def _normal_port(mapping: dict[str, Any]) -> dict[str, Any]:
    port = mapping.get("containerPort")
    return {"protocol": "tcp", "hostPort": port} | {key: value for key, value in mapping.items() if value != 0}


def _create(aws: Aws, values: Values) -> Values:
    platform = block(values, "runtime_platform")
    storage = block(values, "ephemeral_storage")
    answer = aws.call(
        "ecs",
        "register_task_definition",
        family=values["family"],
        containerDefinitions=containers_of(values["container_definitions"]),
        cpu=values.get("cpu"),
        memory=values.get("memory"),
        networkMode=values.get("network_mode"),
        requiresCompatibilities=values.get("requires_compatibilities") or None,
        executionRoleArn=values.get("execution_role_arn") or None,
        taskRoleArn=values.get("task_role_arn") or None,
        ipcMode=values.get("ipc_mode") or None,
        pidMode=values.get("pid_mode") or None,
        enableFaultInjection=values.get("enable_fault_injection"),
        volumes=volumes_of(values.get("volume")) or None,
        placementConstraints=_placement(values) or None,
        proxyConfiguration=_proxy(values),
        ephemeralStorage={"sizeInGiB": storage["size_in_gib"]} if storage else None,
        runtimePlatform=given(
            cpuArchitecture=platform.get("cpu_architecture"),
            operatingSystemFamily=platform.get("operating_system_family"),
        )
        if platform
        else None,
        tags=ecs_tags(values),
    )
    return {"id": values["family"]} | _names(answer["taskDefinition"])


def _names(definition: dict[str, Any]) -> Values:
    arn = definition["taskDefinitionArn"]
    return {"arn": arn, "arn_without_revision": arn.rpartition(":")[0], "revision": definition["revision"]}


def _placement(values: Values) -> list[dict[str, str]]:
    constraints = values.get("placement_constraints") or ()
    return [given(type=c["type"], expression=c.get("expression") or None) for c in constraints]


def _proxy(values: Values) -> dict[str, Any] | None:
    proxy = block(values, "proxy_configuration")
    if proxy is None:
        return None
    properties = [{"name": name, "value": value} for name, value in (proxy.get("properties") or {}).items()]
    return {"type": proxy["type"], "containerName": proxy["container_name"], "properties": properties}


def _read(aws: Aws, values: Values) -> Values | None:
    name = values["family"] if values.get("track_latest") else values.get("arn") or values["id"]
    answer = aws.find("ecs", "describe_task_definition", taskDefinition=name, include=["TAGS"])
    if answer is None or answer["taskDefinition"].get("status") == "INACTIVE":
        return None
    definition = answer["taskDefinition"]
    platform = definition.get("runtimePlatform")
    storage = definition.get("ephemeralStorage")
    return _names(definition) | {
        "family": definition["family"],
        "container_definitions": json.dumps(definition["containerDefinitions"]),
        "cpu": definition.get("cpu"),
        "memory": definition.get("memory"),
        "network_mode": definition.get("networkMode", ""),
        "requires_compatibilities": definition.get("requiresCompatibilities") or [],
        "execution_role_arn": definition.get("executionRoleArn", ""),
        "task_role_arn": definition.get("taskRoleArn", ""),
        "ipc_mode": definition.get("ipcMode", ""),
        "pid_mode": definition.get("pidMode", ""),
        "enable_fault_injection": definition.get("enableFaultInjection", False),
        "volume": volume_blocks(definition.get("volumes") or ()),
        "runtime_platform": [
            {
                "cpu_architecture": platform.get("cpuArchitecture", ""),
                "operating_system_family": platform.get("operatingSystemFamily", ""),
            }
        ]
        if platform
        else [],
        "ephemeral_storage": [{"size_in_gib": storage["sizeInGiB"]}] if storage else [],
        "tags": ecs_tag_map(answer.get("tags")),
    }


def _delete(aws: Aws, values: Values) -> None:
    if not values.get("skip_destroy"):
        aws.call("ecs", "deregister_task_definition", taskDefinition=values["arn"])


RESOURCES = {
    "aws_ecs_task_definition": ResourceType(
        create=_create,
        read=_read,
        delete=_delete,
        retag=retag_ecs,
        alike={"container_definitions": same_containers},
        import_values=lambda arn: {"id": arn, "arn": arn},
    )
}
