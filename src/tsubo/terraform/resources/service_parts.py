"""The parts of an ECS service between Terraform's blocks and ECS's members."""

from typing import Any

from tsubo.terraform.resources.common import block, given
from tsubo.terraform.values import Values

_CONNECT_NAMES = {
    "port_name": "portName",
    "discovery_name": "discoveryName",
    "ingress_port_override": "ingressPortOverride",
}


def deployment_configuration(values: Values) -> dict[str, Any] | None:
    """Return percentages, circuit breaker and alarms; None for a controller that is not ECS's."""
    controller = block(values, "deployment_controller")
    if controller is not None and controller["type"] != "ECS":
        return None
    breaker, alarms = block(values, "deployment_circuit_breaker"), block(values, "alarms")
    return given(
        maximumPercent=values.get("deployment_maximum_percent"),
        minimumHealthyPercent=values.get("deployment_minimum_healthy_percent"),
        deploymentCircuitBreaker={"enable": breaker["enable"], "rollback": breaker["rollback"]} if breaker else None,
        alarms={"alarmNames": alarms["alarm_names"], "enable": alarms["enable"], "rollback": alarms["rollback"]}
        if alarms
        else None,
    )


def circuit_breaker_blocks(deployment: dict[str, Any]) -> list[Values]:
    breaker = deployment.get("deploymentCircuitBreaker") or {}
    if not breaker.get("enable") and not breaker.get("rollback"):
        return []
    return [{"enable": breaker["enable"], "rollback": breaker.get("rollback", False)}]


def network_configuration(values: Values) -> dict[str, Any] | None:
    network = block(values, "network_configuration")
    if network is None:
        return None
    configuration = given(
        subnets=sorted(network["subnets"]),
        securityGroups=sorted(network.get("security_groups") or ()) or None,
        assignPublicIp="ENABLED" if network.get("assign_public_ip") else "DISABLED",
    )
    return {"awsvpcConfiguration": configuration}


def network_blocks(service: dict[str, Any]) -> list[Values]:
    configuration = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if not configuration:
        return []
    return [
        {
            "subnets": configuration["subnets"],
            "security_groups": configuration.get("securityGroups") or [],
            "assign_public_ip": configuration.get("assignPublicIp") == "ENABLED",
        }
    ]


def load_balancers_of(values: Values) -> list[dict[str, Any]]:
    return [
        given(
            targetGroupArn=item.get("target_group_arn") or None,
            loadBalancerName=item.get("elb_name") or None,
            containerName=item["container_name"],
            containerPort=item["container_port"],
        )
        for item in values.get("load_balancer") or ()
    ]


def load_balancer_blocks(service: dict[str, Any]) -> list[Values]:
    return [
        {
            "target_group_arn": item.get("targetGroupArn", ""),
            "elb_name": item.get("loadBalancerName", ""),
            "container_name": item["containerName"],
            "container_port": item["containerPort"],
        }
        for item in service.get("loadBalancers") or ()
    ]


def registries_of(values: Values) -> list[dict[str, Any]]:
    return [
        given(
            registryArn=item["registry_arn"],
            port=item.get("port") or None,
            containerName=item.get("container_name") or None,
            containerPort=item.get("container_port") or None,
        )
        for item in values.get("service_registries") or ()
    ]


def registry_blocks(service: dict[str, Any]) -> list[Values]:
    return [
        {
            "registry_arn": item["registryArn"],
            "port": item.get("port", 0),
            "container_name": item.get("containerName", ""),
            "container_port": item.get("containerPort", 0),
        }
        for item in service.get("serviceRegistries") or ()
    ]


def strategy_of(values: Values) -> list[dict[str, Any]]:
    return [
        given(capacityProvider=item["capacity_provider"], base=item.get("base"), weight=item.get("weight"))
        for item in values.get("capacity_provider_strategy") or ()
    ]


def strategy_blocks(service: dict[str, Any]) -> list[Values]:
    return [
        {
            "capacity_provider": item["capacityProvider"],
            "base": item.get("base", 0),
            "weight": item.get("weight", 0),
        }
        for item in service.get("capacityProviderStrategy") or ()
    ]


def connect_configuration(values: Values) -> dict[str, Any] | None:
    """Return the service connect configuration: accepted by the API, not run."""
    connect = block(values, "service_connect_configuration")
    if connect is None:
        return None
    services = []
    for service in connect.get("service") or ():
        members = {member: service[name] for name, member in _CONNECT_NAMES.items() if service.get(name)}
        aliases = [
            given(port=alias["port"], dnsName=alias.get("dns_name")) for alias in service.get("client_alias") or ()
        ]
        services.append(members | ({"clientAliases": aliases} if aliases else {}))
    return given(enabled=connect["enabled"], namespace=connect.get("namespace"), services=services or None)
