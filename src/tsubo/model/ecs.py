"""ECS: clusters, task definitions, services with their deployments and events, tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tsubo.model.vpc import Tags

JsonObject = Mapping[str, Any]


@dataclass(frozen=True)
class Cluster:
    arn: str
    name: str
    region: str
    status: Literal["ACTIVE", "INACTIVE"] = "ACTIVE"
    settings: tuple[JsonObject, ...] = ()
    configuration: JsonObject = field(default_factory=dict)
    capacity_providers: tuple[str, ...] = ()
    default_capacity_provider_strategy: tuple[JsonObject, ...] = ()
    service_connect_namespace: str | None = None
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.arn


@dataclass(frozen=True)
class PortMapping:
    container_port: int
    protocol: str = "tcp"
    name: str | None = None


@dataclass(frozen=True)
class ContainerDependency:
    container_name: str
    condition: Literal["START", "COMPLETE", "SUCCESS", "HEALTHY"]


@dataclass(frozen=True)
class ContainerHealthCheck:
    """A container's check; times in seconds. `command` starts with CMD or CMD-SHELL."""

    command: tuple[str, ...]
    interval: int = 30
    timeout: int = 5
    retries: int = 3
    start_period: int = 0


@dataclass(frozen=True)
class ContainerDefinition:
    """What the engine runs of a container definition; `TaskDefinition.definition` keeps all that AWS echoes."""

    name: str
    image: str
    essential: bool = True
    cpu: int = 0
    memory: int | None = None
    memory_reservation: int | None = None
    command: tuple[str, ...] | None = None
    entry_point: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    port_mappings: tuple[PortMapping, ...] = ()
    depends_on: tuple[ContainerDependency, ...] = ()
    health_check: ContainerHealthCheck | None = None
    log_driver: str | None = None
    log_options: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    working_directory: str | None = None
    readonly_root_filesystem: bool = False
    stop_timeout: int | None = None
    start_timeout: int | None = None
    ulimits: tuple[tuple[str, int, int], ...] = ()
    docker_labels: Mapping[str, str] = field(default_factory=dict)
    init_process_enabled: bool = False
    mount_points: tuple[JsonObject, ...] = ()
    interactive: bool = False
    pseudo_terminal: bool = False


@dataclass(frozen=True)
class TaskDefinition:
    """One revision. `definition` is the registered request as AWS echoes it (camelCase keys, defaults filled in)."""

    arn: str
    family: str
    revision: int
    region: str
    registered_at: float
    containers: tuple[ContainerDefinition, ...]
    definition: JsonObject
    status: Literal["ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"] = "ACTIVE"
    network_mode: str = "awsvpc"
    cpu: int | None = None
    memory: int | None = None
    task_role_arn: str | None = None
    execution_role_arn: str | None = None
    deregistered_at: float | None = None
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.arn


@dataclass(frozen=True)
class AwsvpcConfiguration:
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...] = ()
    assign_public_ip: bool = False


@dataclass(frozen=True)
class ServiceLoadBalancer:
    target_group_arn: str
    container_name: str
    container_port: int


@dataclass(frozen=True)
class ServiceRegistry:
    registry_arn: str
    port: int | None = None
    container_name: str | None = None
    container_port: int | None = None


@dataclass(frozen=True)
class Deployment:
    """One deployment. UpdateService writes a new PRIMARY; counts, states and the end of old ones are the loop's.

    Placement settings are the deployment's own, so that tasks of an old one keep what they were started with.
    """

    deployment_id: str
    status: Literal["PRIMARY", "ACTIVE", "INACTIVE"]
    task_definition_arn: str
    network: AwsvpcConfiguration
    created_at: float
    updated_at: float
    load_balancers: tuple[ServiceLoadBalancer, ...] = ()
    registries: tuple[ServiceRegistry, ...] = ()
    desired_count: int = 0
    pending_count: int = 0
    running_count: int = 0
    failed_tasks: int = 0
    rollout_state: Literal["IN_PROGRESS", "COMPLETED", "FAILED"] = "IN_PROGRESS"
    rollout_state_reason: str = ""


@dataclass(frozen=True)
class ServiceEvent:
    event_id: str
    created_at: float
    message: str


@dataclass(frozen=True)
class Service:
    """An ECS service. Fields from `deployments` down are status, the loop's; an API call only adds a PRIMARY."""

    arn: str
    name: str
    cluster_arn: str
    region: str
    created_at: float
    task_definition_arn: str
    desired_count: int
    network: AwsvpcConfiguration
    status: Literal["ACTIVE", "DRAINING", "INACTIVE"] = "ACTIVE"
    launch_type: str | None = "FARGATE"
    capacity_provider_strategy: tuple[JsonObject, ...] = ()
    scheduling_strategy: Literal["REPLICA", "DAEMON"] = "REPLICA"
    platform_version: str = "LATEST"
    load_balancers: tuple[ServiceLoadBalancer, ...] = ()
    registries: tuple[ServiceRegistry, ...] = ()
    minimum_healthy_percent: int = 100
    maximum_percent: int = 200
    circuit_breaker_enable: bool = False
    circuit_breaker_rollback: bool = False
    health_check_grace_period_seconds: int = 0
    enable_execute_command: bool = False
    enable_ecs_managed_tags: bool = False
    propagate_tags: str = "NONE"
    availability_zone_rebalancing: str = "ENABLED"
    created_by: str = ""
    role_arn: str = ""
    client_token: str | None = None
    accepted: JsonObject = field(default_factory=dict)
    """What was accepted but is not run (service connect, alarms, ...), echoed as it came."""
    tags: Tags = field(default_factory=dict)
    deployments: tuple[Deployment, ...] = ()
    """The PRIMARY first."""
    events: tuple[ServiceEvent, ...] = ()
    """Newest first, at most 100."""
    failed_starts: int = 0
    """Starts that failed one after another: the memory of the restart back-off."""
    next_start_at: float = 0.0
    steady: bool = False

    @property
    def key(self) -> str:
        return self.arn


TaskStatus = Literal[
    "PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"
]


@dataclass(frozen=True)
class TaskContainer:
    name: str
    arn: str
    image: str
    last_status: Literal["PENDING", "RUNNING", "STOPPED"] = "PENDING"
    runtime_id: str | None = None
    image_digest: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    health_status: Literal["UNKNOWN", "HEALTHY", "UNHEALTHY"] = "UNKNOWN"


@dataclass(frozen=True)
class Task:
    """One task. RunTask or the loop makes it; StopTask or the loop sets `desired_status`; the rest is the loop's.

    Times are seconds since the epoch. `service_arn` is None for a task of RunTask.
    """

    arn: str
    task_id: str
    cluster_arn: str
    region: str
    task_definition_arn: str
    group: str
    created_at: float
    network: AwsvpcConfiguration
    containers: tuple[TaskContainer, ...]
    load_balancers: tuple[ServiceLoadBalancer, ...] = ()
    registries: tuple[ServiceRegistry, ...] = ()
    """Where the task registers: its deployment's, kept here because the deployment may end before the task."""
    service_arn: str | None = None
    deployment_id: str | None = None
    started_by: str | None = None
    desired_status: Literal["RUNNING", "STOPPED"] = "RUNNING"
    last_status: TaskStatus = "PROVISIONING"
    version: int = 1
    attachment_id: str = ""
    attachment_status: str = "PRECREATED"
    network_interface_id: str | None = None
    private_ip: str | None = None
    mac: str | None = None
    subnet_id: str | None = None
    availability_zone: str | None = None
    cpu: int | None = None
    memory: int | None = None
    launch_type: str = "FARGATE"
    capacity_provider_name: str | None = None
    platform_version: str = "1.4.0"
    enable_execute_command: bool = False
    overrides: JsonObject = field(default_factory=dict)
    client_token: str | None = None
    connectivity_at: float | None = None
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    started_at: float | None = None
    deregistered_at: float | None = None
    """When it was taken out of Cloud Map, and its targets began to drain."""
    stopping_at: float | None = None
    execution_stopped_at: float | None = None
    stopped_at: float | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    health_status: Literal["UNKNOWN", "HEALTHY", "UNHEALTHY"] = "UNKNOWN"
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.arn
