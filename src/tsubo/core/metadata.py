"""What each task is told about itself: the metadata documents, version 4, as Fargate shows them.

In: the world and the containers as observed. Out: a `MetadataTable`, equal for equal worlds. What changes with each
request (statistics, the clock, credentials) is added by the process that serves the table.
Source: aws/ecs-cloudmap-exec.md section 17.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from tsubo.core import ipam
from tsubo.core.containers import container_labels, log_stream, private_dns_name, search_domain
from tsubo.core.task_identity import credentials_id, runtime_id, task_role_arn
from tsubo.model.ecs import ContainerDefinition, Task, TaskContainer, TaskDefinition, TaskStatus
from tsubo.model.metadata import ContainerMetadata, MetadataTable, MetadataView, TaskMetadata
from tsubo.model.observed import ObservedContainer, ObservedTask
from tsubo.model.vpc import NetworkInterface
from tsubo.model.world import World

CPU_UNITS = 1024
CPU_OF_CONTAINER_WITHOUT = 2
"""The CPU units that Fargate shows for a container whose definition has none."""
EPHEMERAL_STORAGE_OVERHEAD_MEBIBYTES = 16
DEFAULT_EPHEMERAL_STORAGE_GIBIBYTES = 20
KNOWN_STATUS: Mapping[TaskStatus, str] = {
    "PROVISIONING": "NONE",
    "PENDING": "CREATED",
    "ACTIVATING": "RUNNING",
    "RUNNING": "RUNNING",
    "DEACTIVATING": "RUNNING",
    "STOPPING": "RUNNING",
    "DEPROVISIONING": "STOPPED",
    "STOPPED": "STOPPED",
}
"""The agent's words for a task's status: what its containers do, not what ECS does around them."""
CONTAINER_KNOWN_STATUS = {"PENDING": "CREATED", "RUNNING": "RUNNING", "STOPPED": "STOPPED"}

JsonObject = dict[str, Any]


def metadata_table(world: World, observed: Mapping[str, ObservedTask]) -> MetadataTable:
    """Return what to tell each task that has an interface. `observed` are the tasks' containers by task id."""
    views: dict[str, list[TaskMetadata]] = {vpc_id: [] for vpc_id in world.vpcs}
    for task in world.tasks.values():
        interface = world.network_interfaces.get(task.network_interface_id or "")
        if interface is not None and task.last_status != "STOPPED":
            seen = observed.get(task.task_id)
            views[interface.vpc_id].append(_task(world, task, interface, seen.containers if seen else {}))
    return MetadataTable(
        tuple(MetadataView(world.engine.namespace(vpc_id), tuple(views[vpc_id])) for vpc_id in sorted(views))
    )


def _task(
    world: World, task: Task, interface: NetworkInterface, observed: Mapping[str, ObservedContainer]
) -> TaskMetadata:
    definition = world.task_definitions[task.task_definition_arn]
    definitions = {container.name: container for container in definition.containers}
    network = _network(world, interface)
    role_arn = task_role_arn(task, definition)
    return TaskMetadata(
        task_id=task.task_id,
        address=interface.private_ip,
        created_at=task.created_at,
        document=_task_document(task, definition),
        containers=tuple(
            _container(task, definition, definitions[c.name], c, network, observed.get(c.name)) for c in task.containers
        ),
        tags=dict(task.tags),
        role_arn=role_arn,
        credentials_id=credentials_id(task) if role_arn is not None else None,
    )


def _task_document(task: Task, definition: TaskDefinition) -> JsonObject:
    storage = definition.definition.get("ephemeralStorage") or {}
    reserved = storage.get("sizeInGiB", DEFAULT_EPHEMERAL_STORAGE_GIBIBYTES) * 1024
    return _known(
        {
            "Cluster": task.cluster_arn,
            "ServiceName": task.service_arn.rsplit("/", 1)[-1] if task.service_arn else None,
            "TaskARN": task.arn,
            "Family": definition.family,
            "Revision": str(definition.revision),
            "DesiredStatus": task.desired_status,
            "KnownStatus": KNOWN_STATUS[task.last_status],
            "Limits": _known({"CPU": task.cpu / CPU_UNITS if task.cpu else None, "Memory": task.memory}),
            "PullStartedAt": _time(task.pull_started_at),
            "PullStoppedAt": _time(task.pull_stopped_at),
            "AvailabilityZone": task.availability_zone,
            "LaunchType": task.launch_type,
            "EphemeralStorageMetrics": {"Reserved": reserved + EPHEMERAL_STORAGE_OVERHEAD_MEBIBYTES},
            "FaultInjectionEnabled": bool(definition.definition.get("enableFaultInjection")),
        }
    )


def _container(
    task: Task,
    definition: TaskDefinition,
    container: ContainerDefinition,
    state: TaskContainer,
    network: JsonObject,
    seen: ObservedContainer | None,
) -> ContainerMetadata:
    identity = runtime_id(task, state)
    document = _known(
        {
            "DockerId": identity,
            "Name": container.name,
            "DockerName": container.name,
            "Image": container.image,
            "ImageID": state.image_digest,
            "Labels": container_labels(task, definition, container),
            "DesiredStatus": task.desired_status,
            "KnownStatus": CONTAINER_KNOWN_STATUS[state.last_status],
            "ExitCode": state.exit_code,
            "Limits": _known({"CPU": container.cpu or CPU_OF_CONTAINER_WITHOUT, "Memory": container.memory}),
            "CreatedAt": _time(seen.created_at) if seen else None,
            "StartedAt": _time(seen.started_at) if seen else None,
            "FinishedAt": _time(seen.finished_at) if seen else None,
            "Type": "NORMAL",
            "Health": _health(container, state, seen),
            "LogDriver": container.log_driver,
            "LogOptions": _log_options(task, container),
            "ContainerARN": state.arn,
            "Networks": [network],
            "Snapshotter": "overlayfs",
        }
    )
    return ContainerMetadata(identity, document, seen.container_id if seen else None)


def _health(container: ContainerDefinition, state: TaskContainer, seen: ObservedContainer | None) -> JsonObject | None:
    if container.health_check is None:
        return None
    since, output = (seen.health_since, seen.health_output) if seen else (None, "")
    return _known({"status": state.health_status, "statusSince": _time(since), "output": output or None})


def _log_options(task: Task, container: ContainerDefinition) -> JsonObject | None:
    """Return the log options: awslogs' with the stream that its prefix has become."""
    if container.log_driver is None:
        return None
    if container.log_driver != "awslogs":
        return dict(container.log_options)
    kept = {name: container.log_options.get(name) for name in ("awslogs-group", "awslogs-region")}
    return _known({**kept, "awslogs-stream": log_stream(task, container)})


def _network(world: World, interface: NetworkInterface) -> JsonObject:
    vpc, subnet = world.vpcs[interface.vpc_id], world.subnets[interface.subnet_id]
    resolver, gateway = _addresses(vpc.cidr, subnet.cidr)
    return _known(
        {
            "NetworkMode": "awsvpc",
            "IPv4Addresses": [interface.private_ip],
            "AttachmentIndex": 0,
            "MACAddress": interface.mac,
            "IPv4SubnetCIDRBlock": subnet.cidr,
            "DomainNameServers": [resolver],
            "DomainNameSearchList": [search_domain(interface.region)],
            "PrivateDNSName": private_dns_name(vpc, interface.region, interface.private_ip),
            "SubnetGatewayIpv4Address": gateway,
        }
    )


@lru_cache(maxsize=1024)
def _addresses(vpc_cidr: str, subnet_cidr: str) -> tuple[str, str]:
    """Return a VPC's resolver and a subnet's router, with its prefix length: the same in every pass."""
    return (
        ipam.resolver_address(vpc_cidr),
        f"{ipam.subnet_gateway(subnet_cidr)}/{ipam.prefix_length(subnet_cidr)}",
    )


def _known(members: JsonObject) -> JsonObject:
    """Return the members that have a value: the agent leaves the others out."""
    return {name: value for name, value in members.items() if value is not None}


@lru_cache(maxsize=4096)
def _time(seconds: float | None) -> str | None:
    """Return a time as RFC 3339 in UTC with nanoseconds."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
