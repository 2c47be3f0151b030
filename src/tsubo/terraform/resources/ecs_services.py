"""ECS services. Calls and defaults: aws/alb-vpc-terraform.md sections 6.2, 6.5, 6.6 and 6.8."""

from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import block, changed, first, given, same_last_part, unique_name
from tsubo.terraform.resources.ecs_clusters import ecs_tag_map, ecs_tags, retag_ecs
from tsubo.terraform.resources.service_parts import (
    circuit_breaker_blocks,
    connect_configuration,
    deployment_configuration,
    load_balancer_blocks,
    load_balancers_of,
    network_blocks,
    network_configuration,
    registries_of,
    registry_blocks,
    strategy_blocks,
    strategy_of,
)
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values


def _cluster(values: Values) -> str:
    return values.get("cluster") or "default"


def _changeable(values: Values) -> dict[str, Any]:
    """Return the parameters that both CreateService and UpdateService take."""
    daemon = values.get("scheduling_strategy") == "DAEMON"
    return given(
        taskDefinition=values.get("task_definition"),
        desiredCount=None if daemon else values.get("desired_count") or 0,
        deploymentConfiguration=deployment_configuration(values),
        networkConfiguration=network_configuration(values),
        capacityProviderStrategy=strategy_of(values) or None,
        platformVersion=values.get("platform_version") or None,
        healthCheckGracePeriodSeconds=values.get("health_check_grace_period_seconds"),
        loadBalancers=load_balancers_of(values) or None,
        serviceRegistries=registries_of(values) or None,
        serviceConnectConfiguration=connect_configuration(values),
        enableECSManagedTags=values.get("enable_ecs_managed_tags"),
        enableExecuteCommand=values.get("enable_execute_command"),
        propagateTags=values.get("propagate_tags") or None,
        availabilityZoneRebalancing=values.get("availability_zone_rebalancing"),
    )


def _create(aws: Aws, values: Values) -> Values:
    controller = block(values, "deployment_controller")
    answer = aws.call(
        "ecs",
        "create_service",
        cluster=values.get("cluster") or None,
        serviceName=values["name"],
        clientToken=unique_name(),
        launchType=values.get("launch_type") or None,
        schedulingStrategy=values.get("scheduling_strategy"),
        deploymentController={"type": controller["type"]} if controller else None,
        role=values.get("iam_role") or None,
        tags=ecs_tags(values),
        **_changeable(values),
    )
    return {"id": answer["service"]["serviceArn"]}


def _complete(aws: Aws, values: Values) -> None:
    if values.get("wait_for_steady_state"):
        _await_steady(aws, values)


def _await_steady(aws: Aws, values: Values) -> None:
    def steady() -> bool | None:
        service = find_service(aws, values) or {}
        one_deployment = len(service.get("deployments") or ()) == 1
        return True if one_deployment and service["runningCount"] == service["desiredCount"] else None

    aws.wait(f"the service {values['name']} to reach a steady state", steady)


def find_service(aws: Aws, values: Values) -> Any:
    """Return a service as ECS describes it, or None where it is gone."""
    parameters = {"cluster": _cluster(values), "services": [values["id"]], "include": ["TAGS"]}
    answer = aws.find("ecs", "describe_services", **parameters) or {}
    return first(service for service in answer.get("services") or () if service["status"] != "INACTIVE")


def _read(aws: Aws, values: Values) -> Values | None:
    service = find_service(aws, values)
    if service is None or service["status"] == "DRAINING":
        return None
    deployment = service.get("deploymentConfiguration") or {}
    propagated = service.get("propagateTags", "NONE")
    return {
        "name": service["serviceName"],
        "cluster": service["clusterArn"],
        "task_definition": service.get("taskDefinition", ""),
        "desired_count": service["desiredCount"],
        "launch_type": service.get("launchType", ""),
        "platform_version": service.get("platformVersion", ""),
        "scheduling_strategy": service.get("schedulingStrategy", "REPLICA"),
        "deployment_maximum_percent": deployment.get("maximumPercent", 200),
        "deployment_minimum_healthy_percent": deployment.get("minimumHealthyPercent", 100),
        "deployment_circuit_breaker": circuit_breaker_blocks(deployment),
        "deployment_controller": [service.get("deploymentController") or {"type": "ECS"}],
        "health_check_grace_period_seconds": service.get("healthCheckGracePeriodSeconds", 0),
        "enable_ecs_managed_tags": service.get("enableECSManagedTags", False),
        "enable_execute_command": service.get("enableExecuteCommand", False),
        "propagate_tags": None if propagated == "NONE" else propagated,
        "availability_zone_rebalancing": service.get("availabilityZoneRebalancing"),
        "capacity_provider_strategy": strategy_blocks(service),
        "network_configuration": network_blocks(service),
        "load_balancer": load_balancer_blocks(service),
        "service_registries": registry_blocks(service),
        "tags": ecs_tag_map(service.get("tags")),
    }


def _update(aws: Aws, before: Values, values: Values) -> None:
    old, new = _changeable(before), _changeable(values)
    different = {name: value for name, value in new.items() if old.get(name) != value}
    for emptied in ("loadBalancers", "serviceRegistries"):
        if emptied in old and emptied not in new:
            different[emptied] = []
    if different or (values.get("force_new_deployment") and changed(before, values, "triggers")):
        force = True if values.get("force_new_deployment") else None
        aws.call(
            "ecs",
            "update_service",
            cluster=_cluster(values),
            service=values["name"],
            forceNewDeployment=force,
            **different,
        )
    _complete(aws, values)


def _delete(aws: Aws, values: Values) -> None:
    service = find_service(aws, values)
    if service is None:
        return
    cluster, name, force = _cluster(values), service["serviceName"], bool(values.get("force_delete"))
    if service["status"] == "ACTIVE":
        if service.get("schedulingStrategy") != "DAEMON" and not force and service["desiredCount"] > 0:
            aws.call("ecs", "update_service", cluster=cluster, service=name, desiredCount=0)
        aws.call("ecs", "delete_service", cluster=cluster, service=name, force=force or None)
    aws.wait(f"the tasks of the service {name} to stop", lambda: True if find_service(aws, values) is None else None)


def _import(identifier: str) -> Values:
    cluster, _, name = identifier.partition("/")
    return {"id": name, "cluster": cluster, "name": name}


def _same_task_definition(one: str, other: str) -> bool:
    """A configuration may name a task definition by ARN, `family:revision` or, for its latest revision, by family."""
    short_one, short_other = one.rpartition("/")[2], other.rpartition("/")[2]
    if ":" in short_one and ":" in short_other:
        return short_one == short_other
    return short_one.partition(":")[0] == short_other.partition(":")[0]


RESOURCES = {
    "aws_ecs_service": ResourceType(
        create=_create,
        complete=_complete,
        read=_read,
        update=_update,
        delete=_delete,
        retag=retag_ecs,
        alike={"cluster": same_last_part, "task_definition": _same_task_definition},
        import_values=_import,
    )
}
