"""The world: all that the AWS API was told, and the status beside it, as one immutable value.

The store publishes a new `World` after each commit; the core computes from it; nothing changes it.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_type_hints

from tsubo.model.acm import Certificate
from tsubo.model.cloudmap import DiscoveryService, Instance, Namespace, Operation
from tsubo.model.ecr import Image, RegistrySettings, Repository
from tsubo.model.ecs import Cluster, Service, Task, TaskDefinition
from tsubo.model.elbv2 import Listener, LoadBalancer, Rule, Target, TargetGroup
from tsubo.model.exec_session import ExecSession
from tsubo.model.identity import EngineIdentity
from tsubo.model.route53 import Change, HostedZone, RecordSet
from tsubo.model.scaling import ScalableTarget, ScalingPolicy, ScheduledAction
from tsubo.model.vpc import (
    Address,
    DhcpOptions,
    FlowLog,
    InternetGateway,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
    VpcEndpoint,
)

Record = (
    Vpc
    | Subnet
    | InternetGateway
    | RouteTable
    | SecurityGroup
    | SecurityGroupRule
    | NetworkAcl
    | Address
    | NatGateway
    | NetworkInterface
    | DhcpOptions
    | FlowLog
    | VpcEndpoint
    | Cluster
    | TaskDefinition
    | Service
    | Task
    | Namespace
    | DiscoveryService
    | Instance
    | Operation
    | HostedZone
    | RecordSet
    | Change
    | LoadBalancer
    | TargetGroup
    | Listener
    | Rule
    | Target
    | Certificate
    | ExecSession
    | Repository
    | Image
    | RegistrySettings
    | ScalableTarget
    | ScalingPolicy
    | ScheduledAction
)
R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class World:
    """Every record by kind and key. A field's name is also the kind's name in the store."""

    engine: EngineIdentity
    vpcs: Mapping[str, Vpc] = field(default_factory=dict)
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    internet_gateways: Mapping[str, InternetGateway] = field(default_factory=dict)
    route_tables: Mapping[str, RouteTable] = field(default_factory=dict)
    security_groups: Mapping[str, SecurityGroup] = field(default_factory=dict)
    security_group_rules: Mapping[str, SecurityGroupRule] = field(default_factory=dict)
    network_acls: Mapping[str, NetworkAcl] = field(default_factory=dict)
    addresses: Mapping[str, Address] = field(default_factory=dict)
    nat_gateways: Mapping[str, NatGateway] = field(default_factory=dict)
    network_interfaces: Mapping[str, NetworkInterface] = field(default_factory=dict)
    dhcp_options: Mapping[str, DhcpOptions] = field(default_factory=dict)
    flow_logs: Mapping[str, FlowLog] = field(default_factory=dict)
    vpc_endpoints: Mapping[str, VpcEndpoint] = field(default_factory=dict)
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    task_definitions: Mapping[str, TaskDefinition] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    discovery_services: Mapping[str, DiscoveryService] = field(default_factory=dict)
    instances: Mapping[str, Instance] = field(default_factory=dict)
    operations: Mapping[str, Operation] = field(default_factory=dict)
    hosted_zones: Mapping[str, HostedZone] = field(default_factory=dict)
    record_sets: Mapping[str, RecordSet] = field(default_factory=dict)
    changes: Mapping[str, Change] = field(default_factory=dict)
    load_balancers: Mapping[str, LoadBalancer] = field(default_factory=dict)
    target_groups: Mapping[str, TargetGroup] = field(default_factory=dict)
    listeners: Mapping[str, Listener] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    exec_sessions: Mapping[str, ExecSession] = field(default_factory=dict)
    repositories: Mapping[str, Repository] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    registry_settings: Mapping[str, RegistrySettings] = field(default_factory=dict)
    scalable_targets: Mapping[str, ScalableTarget] = field(default_factory=dict)
    scaling_policies: Mapping[str, ScalingPolicy] = field(default_factory=dict)
    scheduled_actions: Mapping[str, ScheduledAction] = field(default_factory=dict)

    def of(self, kind: type[R]) -> Mapping[str, R]:
        """Return the records of one kind by key."""
        records: Mapping[str, R] = getattr(self, KIND_NAMES[kind])
        return records

    def with_records(self, *records: Record) -> "World":
        """Return a world in which these records stand, new or in place of those with their keys."""
        changed: dict[str, dict[str, Any]] = {}
        for record in records:
            name = KIND_NAMES[type(record)]
            changed.setdefault(name, dict(getattr(self, name)))[record.key] = record
        return dataclasses.replace(self, **changed)  # type: ignore[arg-type]

    def without(self, *records: Record) -> "World":
        """Return a world in which these records do not stand."""
        changed: dict[str, dict[str, Any]] = {}
        for record in records:
            name = KIND_NAMES[type(record)]
            changed.setdefault(name, dict(getattr(self, name))).pop(record.key, None)
        return dataclasses.replace(self, **changed)  # type: ignore[arg-type]


KIND_NAMES: Mapping[type, str] = {
    get_args(hint)[1]: name for name, hint in get_type_hints(World).items() if get_args(hint)
}
"""The world's field (and the store's kind) of each record class."""
