"""What Fargate takes: task sizes, and the parameters it refuses.

`normalised_size` turns what a user writes ("1 vCPU", "1GB") into AWS's integers; `check` raises the ClientException
that registration answers with. Source: aws/ecs-cloudmap-exec.md section 3, aws/alb-vpc-terraform.md 5.3; texts that
neither gives follow the form "Fargate compatible task definitions do not support X".
"""

import re
from collections.abc import Mapping
from typing import Any

from tsubo.aws.ecs.lookup import client_error
from tsubo.aws.operations import Request

MEMORY_BY_CPU: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""The MiB of memory that go with each number of CPU units."""

SIZE_PATTERN = re.compile(r"(\d+|\d*\.\d+)\s*([a-z]*)")
UNITS = {"cpu": {"": 1, "vcpu": 1024}, "memory": {"": 1, "mb": 1, "gb": 1024}}
ECR_IMAGE_PATTERN = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/.+")
LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
MAXIMUM_STOP_TIMEOUT_SECONDS = 120
REFUSED_CONTAINER_PARAMETERS = (
    "disableNetworking",
    "dnsServers",
    "dnsSearchDomains",
    "dockerSecurityOptions",
    "extraHosts",
    "links",
    "privileged",
)
REFUSED_LINUX_PARAMETERS = ("devices", "maxSwap", "sharedMemorySize", "swappiness", "tmpfs")


def normalised_size(member: str, value: str | None) -> int | None:
    """Return CPU units (`member` cpu) or MiB (memory) of what a task definition says. Raises ClientException."""
    if not value:
        return None
    match = SIZE_PATTERN.fullmatch(str(value).strip().lower())
    factor = UNITS[member].get(match.group(2)) if match else None
    if match is None or factor is None:
        raise client_error(
            f"Invalid '{member}' setting for task. For more information, see the Troubleshooting section of the "
            "Amazon ECS Developer Guide."
        )
    return round(float(match.group(1)) * factor)


def check_size(cpu: int, memory: int) -> None:
    """Raise ClientException unless Fargate has this size."""
    if memory not in MEMORY_BY_CPU.get(cpu, ()):
        raise client_error("No Fargate configuration exists for given values.")


def check(request: Request, cpu: int | None, memory: int | None) -> None:
    """Raise the ClientException of the first thing in a task definition that Fargate does not take."""
    if request.get("networkMode") != "awsvpc":
        raise client_error("Fargate only supports network mode \u2018awsvpc\u2019.")
    for member, value in (("cpu", cpu), ("memory", memory)):
        if value is None:
            raise client_error(f"Fargate requires that '{member}' be defined at the task level.")
    assert cpu is not None
    assert memory is not None
    check_size(cpu, memory)
    _check_task_parameters(request)
    for container in request["containerDefinitions"]:
        _check_container(container)
    _check_execution_role(request)


def _refuse(parameter: str) -> None:
    raise client_error(f"Fargate compatible task definitions do not support {parameter}")


def _check_task_parameters(request: Request) -> None:
    if request.get("ipcMode"):
        raise client_error("Tasks using the Fargate launch type do not support ipcMode.")
    if request.get("placementConstraints"):
        _refuse("placementConstraints")
    if request.get("pidMode") == "host":
        raise client_error(
            "Tasks using the Fargate launch type do not support pidMode 'host'. "
            "The supported value for pidMode is 'task'."
        )
    for volume in request.get("volumes") or ():
        if (volume.get("host") or {}).get("sourcePath"):
            _refuse("sourcePath")
        if volume.get("dockerVolumeConfiguration"):
            _refuse("dockerVolumeConfiguration")
    size = (request.get("ephemeralStorage") or {}).get("sizeInGiB")
    if size is not None and not 21 <= size <= 200:
        raise client_error("Invalid ephemeralStorage.sizeInGiB: the value must be between 21 and 200.")


def _check_container(container: Mapping[str, Any]) -> None:
    for parameter in REFUSED_CONTAINER_PARAMETERS:
        if container.get(parameter):
            _refuse(parameter)
    linux_parameters = container.get("linuxParameters") or {}
    for parameter in REFUSED_LINUX_PARAMETERS:
        if linux_parameters.get(parameter):
            _refuse(parameter)
    added = set((linux_parameters.get("capabilities") or {}).get("add") or ()) - {"SYS_PTRACE"}
    if added:
        _refuse(f"capabilities add {', '.join(sorted(added))}")
    if any(item["type"] == "GPU" for item in container.get("resourceRequirements") or ()):
        _refuse("GPU resource requirements")
    if (container.get("stopTimeout") or 0) > MAXIMUM_STOP_TIMEOUT_SECONDS:
        raise client_error(
            f"Invalid setting for container '{container['name']}'. The 'stopTimeout' on Fargate cannot be greater "
            f"than {MAXIMUM_STOP_TIMEOUT_SECONDS} seconds."
        )
    driver = (container.get("logConfiguration") or {}).get("logDriver")
    if driver is not None and driver not in LOG_DRIVERS:
        _refuse(f"log driver {driver}")


def _check_execution_role(request: Request) -> None:
    if request.get("executionRoleArn"):
        return
    requires = "Fargate requires task definition to have execution role ARN to support"
    for container in request["containerDefinitions"]:
        if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            raise client_error(f"{requires} log driver awslogs.")
        if ECR_IMAGE_PATTERN.fullmatch(container["image"]):
            raise client_error(f"{requires} ECR images.")
        if container.get("secrets"):
            raise client_error(f"{requires} container secrets.")
