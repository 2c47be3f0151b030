"""The network configuration, load balancers and registries of a request: checked against the world, as records.

Each function returns records or raises the InvalidParameterException that AWS answers.
Source: aws/ecs-cloudmap-exec.md sections 2, 3 and 7; aws/alb-vpc-terraform.md 6.5.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tsubo.aws.ecs.lookup import invalid_parameter
from tsubo.aws.operations import Call
from tsubo.model.cloudmap import DiscoveryService
from tsubo.model.ecs import AwsvpcConfiguration, ServiceLoadBalancer, ServiceRegistry, TaskDefinition
from tsubo.model.elbv2 import Action
from tsubo.model.world import World

MAXIMUM_SUBNETS = 16
MAXIMUM_SECURITY_GROUPS = 5
MAXIMUM_TARGET_GROUPS = 5


def network_configuration(call: Call, configuration: Mapping[str, Any] | None) -> AwsvpcConfiguration:
    """Return the awsvpc configuration of a request; no group means the VPC's default one, and stays empty."""
    awsvpc = (configuration or {}).get("awsvpcConfiguration")
    if not awsvpc:
        raise invalid_parameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    subnets = tuple(awsvpc.get("subnets") or ())
    groups = tuple(awsvpc.get("securityGroups") or ())
    if not subnets:
        raise invalid_parameter("subnets can not be empty.")
    if len(subnets) > MAXIMUM_SUBNETS:
        raise invalid_parameter(f"subnets can have at most {MAXIMUM_SUBNETS} items.")
    if len(groups) > MAXIMUM_SECURITY_GROUPS:
        raise invalid_parameter(f"securityGroups can have at most {MAXIMUM_SECURITY_GROUPS} items.")
    _check_one_vpc(call, subnets, groups)
    return AwsvpcConfiguration(subnets, groups, awsvpc.get("assignPublicIp") == "ENABLED")


def _check_one_vpc(call: Call, subnets: Iterable[str], groups: Iterable[str]) -> None:
    vpcs: set[str] = set()
    for subnet_id in subnets:
        subnet = call.world.subnets.get(subnet_id)
        if subnet is None or subnet.region != call.region:
            raise invalid_parameter(
                f"Error retrieving subnet information for [{subnet_id}]: "
                f"The subnet ID '{subnet_id}' does not exist (ErrorCode: InvalidSubnetID.NotFound)"
            )
        vpcs.add(subnet.vpc_id)
    if len(vpcs) > 1:
        raise invalid_parameter("All of the subnets must be in the same VPC.")
    for group_id in groups:
        group = call.world.security_groups.get(group_id)
        if group is None or group.region != call.region:
            raise invalid_parameter(
                f"Error retrieving security group information for [{group_id}]: "
                f"The security group '{group_id}' does not exist (ErrorCode: InvalidGroup.NotFound)"
            )
        if group.vpc_id not in vpcs:
            raise invalid_parameter(f"Security group {group_id} does not belong to the VPC of the subnets.")


def load_balancers(
    call: Call, items: Iterable[Mapping[str, Any]] | None, task_definition: TaskDefinition
) -> tuple[ServiceLoadBalancer, ...]:
    """Return the target groups of a request; each must be of type ip, and reachable through a listener."""
    balancers = tuple(_load_balancer(call, item, task_definition) for item in items or ())
    if len(balancers) > MAXIMUM_TARGET_GROUPS:
        raise invalid_parameter(f"loadBalancers can have at most {MAXIMUM_TARGET_GROUPS} items.")
    return balancers


def _load_balancer(call: Call, item: Mapping[str, Any], task_definition: TaskDefinition) -> ServiceLoadBalancer:
    arn = item.get("targetGroupArn")
    name, port = item.get("containerName"), item.get("containerPort")
    if item.get("loadBalancerName") or not arn:
        raise invalid_parameter("Tasks with the awsvpc network mode need a targetGroupArn in each load balancer.")
    if not name or port is None:
        raise invalid_parameter("Container name and container port must be specified for each load balancer.")
    group = call.world.target_groups.get(arn)
    if group is None:
        raise invalid_parameter(f"The specified target group does not exist: {arn}")
    if group.target_type != "ip":
        raise invalid_parameter(
            f"The provided target group {arn} has target type {group.target_type}, which is incompatible with the "
            "awsvpc network mode specified in the task definition."
        )
    check_container_port(task_definition, name, port)
    if not _has_load_balancer(call.world, arn):
        raise invalid_parameter(
            f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        )
    return ServiceLoadBalancer(arn, name, port)


def check_container_port(task_definition: TaskDefinition, name: str, port: int) -> None:
    """Raise InvalidParameterException unless the definition has the container and the container the port."""
    container = next((c for c in task_definition.containers if c.name == name), None)
    if container is None:
        raise invalid_parameter(f"The container {name} does not exist in the task definition.")
    if port not in {mapping.container_port for mapping in container.port_mappings}:
        raise invalid_parameter(f"The container {name} did not have a container port {port} defined.")


def _has_load_balancer(world: World, target_group_arn: str) -> bool:
    def forwards(actions: Iterable[Action]) -> bool:
        return any(g.target_group_arn == target_group_arn for action in actions for g in action.target_groups)

    return any(forwards(listener.default_actions) for listener in world.listeners.values()) or any(
        forwards(rule.actions) for rule in world.rules.values()
    )


def registries(
    call: Call, items: Iterable[Mapping[str, Any]] | None, task_definition: TaskDefinition
) -> tuple[ServiceRegistry, ...]:
    """Return the Cloud Map services of a request; an SRV record needs a port, others take none."""
    return tuple(_registry(call, item, task_definition) for item in items or ())


def _registry(call: Call, item: Mapping[str, Any], task_definition: TaskDefinition) -> ServiceRegistry:
    arn = item.get("registryArn") or ""
    registry = call.world.discovery_services.get(arn.rsplit("/", 1)[-1])
    if registry is None or registry.arn != arn:
        raise invalid_parameter(f"The service registry {arn} was not found.")
    port, name, container_port = item.get("port"), item.get("containerName"), item.get("containerPort")
    _check_registry_port(registry, port, name, container_port)
    if name and container_port is not None:
        check_container_port(task_definition, name, container_port)
    return ServiceRegistry(arn, port, name or None, container_port)


def _check_registry_port(registry: DiscoveryService, port: int | None, name: str | None, container: int | None) -> None:
    if port is not None and (name or container is not None):
        raise invalid_parameter(
            "Specify a value for either 'port' or the 'containerName' and 'containerPort' combination, but not both. "
            "Remove one and retry."
        )
    has_port = port is not None or container is not None
    if any(record.type == "SRV" for record in registry.dns_records):
        if not has_port:
            raise invalid_parameter(
                "Specify a value for either 'port' or the 'containerName' and 'containerPort' combination, which the "
                f"SRV record of {registry.arn} requires."
            )
    elif has_port and registry.dns_records:
        member = "port" if port is not None else "containerPort"
        raise invalid_parameter(
            f"The values specified for serviceRegistries do not require a value for '{member}'. "
            "Remove the value and retry."
        )
