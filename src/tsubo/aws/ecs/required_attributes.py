"""`requiresAttributes`: the agent capabilities that AWS computes from a task definition.

Nothing runs by them here; clients (and plans) compare them. Source: aws/ecs-cloudmap-exec.md section 3 says that they
are computed; the names are those of the public agent's capability list.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tsubo.aws.ecs.fargate import ECR_IMAGE_PATTERN

AGENT = "com.amazonaws.ecs.capability"
CAPABILITY = "ecs.capability"


def required_attributes(definition: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the attributes of a completed definition, sorted by name."""
    names = set(_task_attributes(definition))
    for container in definition["containerDefinitions"]:
        names.update(_container_attributes(container, bool(definition.get("executionRoleArn"))))
    return [{"name": name} for name in sorted(names)]


def _task_attributes(definition: Mapping[str, Any]) -> Iterator[str]:
    yield f"{AGENT}.docker-remote-api.1.18"
    if definition["networkMode"] == "awsvpc":
        yield f"{CAPABILITY}.task-eni"
    if definition.get("taskRoleArn"):
        yield f"{AGENT}.task-iam-role"
    if definition.get("pidMode") or definition.get("ipcMode"):
        yield f"{CAPABILITY}.pid-ipc-namespace-sharing"
    for volume in definition["volumes"]:
        if "efsVolumeConfiguration" in volume:
            yield f"{CAPABILITY}.efsAuth"


def _container_attributes(container: Mapping[str, Any], has_execution_role: bool) -> Iterator[str]:
    driver = container.get("logConfiguration", {}).get("logDriver")
    if driver:
        yield f"{AGENT}.logging-driver.{driver}"
    if driver == "awslogs":
        yield f"{AGENT}.docker-remote-api.1.19"
        if has_execution_role:
            yield f"{CAPABILITY}.execution-role-awslogs"
    if ECR_IMAGE_PATTERN.fullmatch(container["image"]):
        yield f"{AGENT}.ecr-auth"
        if has_execution_role:
            yield f"{CAPABILITY}.execution-role-ecr-pull"
    if "memoryReservation" in container:
        yield f"{AGENT}.docker-remote-api.1.21"
    if "healthCheck" in container:
        yield f"{CAPABILITY}.container-health-check"
    if container.get("dependsOn"):
        yield f"{CAPABILITY}.container-ordering"
    for secret in container.get("secrets", ()):
        store = "asm" if ":secretsmanager:" in secret["valueFrom"] else "ssm"
        yield f"{CAPABILITY}.secrets.{store}.environment-variables"
