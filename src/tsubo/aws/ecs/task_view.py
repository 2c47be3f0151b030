"""A task as DescribeTasks shows it: what is not known yet has no key at all.

Source: aws/ecs-cloudmap-exec.md section 4.
"""

from tsubo.aws.ecs.exec_agent import agent_view
from tsubo.aws.ecs.tags import tag_list
from tsubo.aws.operations import Response
from tsubo.model.ecs import ContainerDefinition, Task, TaskContainer
from tsubo.model.world import World

EPHEMERAL_STORAGE_GIB = 20
TIMES = {
    "connectivityAt": "connectivity_at",
    "pullStartedAt": "pull_started_at",
    "pullStoppedAt": "pull_stopped_at",
    "startedAt": "started_at",
    "stoppingAt": "stopping_at",
    "executionStoppedAt": "execution_stopped_at",
    "stoppedAt": "stopped_at",
}
REASONS = {"startedBy": "started_by", "stopCode": "stop_code", "stoppedReason": "stopped_reason"}


def task_view(world: World, task: Task, *, with_tags: bool) -> Response:
    """Return every field that AWS fills of a task."""
    definition = world.task_definitions[task.task_definition_arn]
    storage = definition.definition.get("ephemeralStorage", {"sizeInGiB": EPHEMERAL_STORAGE_GIB})
    containers = {container.name: container for container in definition.containers}
    view: Response = {
        "taskArn": task.arn,
        "clusterArn": task.cluster_arn,
        "taskDefinitionArn": task.task_definition_arn,
        "group": task.group,
        "desiredStatus": task.desired_status,
        "lastStatus": task.last_status,
        "healthStatus": task.health_status,
        "version": task.version,
        "createdAt": task.created_at,
        "cpu": str(task.cpu),
        "memory": str(task.memory),
        "platformVersion": task.platform_version,
        "platformFamily": "Linux",
        "enableExecuteCommand": task.enable_execute_command,
        "overrides": task.overrides,
        "attachments": [_attachment(world, task)],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "containers": [_container(task, c, containers.get(c.name)) for c in task.containers],
        "ephemeralStorage": storage,
        "fargateEphemeralStorage": storage,
        "inferenceAccelerators": [],
        "tags": tag_list(task.tags) if with_tags else [],
    }
    if task.capacity_provider_name:
        view["capacityProviderName"] = task.capacity_provider_name
    else:
        view["launchType"] = task.launch_type
    if task.availability_zone:
        view["availabilityZone"] = task.availability_zone
    if task.connectivity_at is not None:
        view["connectivity"] = "CONNECTED"
    for member, field in {**TIMES, **REASONS}.items():
        if getattr(task, field) is not None:
            view[member] = getattr(task, field)
    return view


def _attachment(world: World, task: Task) -> Response:
    details = {
        "subnetId": task.subnet_id,
        "networkInterfaceId": task.network_interface_id,
        "macAddress": task.mac,
        "privateDnsName": _private_dns_name(world, task),
        "privateIPv4Address": task.private_ip,
    }
    return {
        "id": task.attachment_id,
        "type": "ElasticNetworkInterface",
        "status": task.attachment_status,
        "details": [{"name": name, "value": value} for name, value in details.items() if value],
    }


def _private_dns_name(world: World, task: Task) -> str | None:
    """A task's address has a name only where the VPC gives its instances names."""
    subnet = world.subnets.get(task.subnet_id or "")
    vpc = world.vpcs.get(subnet.vpc_id) if subnet is not None else None
    if task.private_ip is None or vpc is None or not (vpc.enable_dns_hostnames and vpc.enable_dns_support):
        return None
    domain = "ec2.internal" if task.region == "us-east-1" else f"{task.region}.compute.internal"
    return f"ip-{task.private_ip.replace('.', '-')}.{domain}"


def _container(task: Task, container: TaskContainer, definition: ContainerDefinition | None) -> Response:
    view: Response = {
        "containerArn": container.arn,
        "taskArn": task.arn,
        "name": container.name,
        "image": container.image,
        "lastStatus": container.last_status,
        "healthStatus": container.health_status,
        "networkBindings": [],
        "networkInterfaces": _network_interfaces(task),
        "cpu": str(definition.cpu if definition is not None else 0),
    }
    known = {
        "imageDigest": container.image_digest,
        "runtimeId": container.runtime_id,
        "exitCode": container.exit_code,
        "reason": container.reason,
        "memory": _text(definition.memory if definition is not None else None),
        "memoryReservation": _text(definition.memory_reservation if definition is not None else None),
    }
    view.update({member: value for member, value in known.items() if value is not None})
    if task.enable_execute_command:
        view["managedAgents"] = [agent_view(task, container, definition)]
    return view


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _network_interfaces(task: Task) -> list[Response]:
    if task.private_ip is None:
        return []
    return [{"attachmentId": task.attachment_id, "privateIpv4Address": task.private_ip}]
