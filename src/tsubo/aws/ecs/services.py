"""Services: create, update, delete. What is written is the specification; the loop makes it true.

A new deployment is written as the PRIMARY before the ones it replaces; their counts, states and end are the loop's.
Source: aws/ecs-cloudmap-exec.md section 6.
"""

import dataclasses
from typing import Any

from tsubo.aws.ecs import network_rules, service_rules
from tsubo.aws.ecs.clusters import checked_strategy
from tsubo.aws.ecs.lookup import (
    NAME_PATTERN,
    existing_service,
    find_service,
    invalid_parameter,
    requested_cluster,
    runnable_task_definition,
    unsupported,
)
from tsubo.aws.ecs.service_view import service_view
from tsubo.aws.ecs.tags import tags_of
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.ecs import Cluster, Deployment, Service, TaskDefinition
from tsubo.model.task_records import deployment_id

PLAIN_FIELDS = {
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "enableExecuteCommand": "enable_execute_command",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "propagateTags": "propagate_tags",
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
}
"""Request members that are one field of the record and start no deployment."""

DEPLOYING_FIELDS = ("task_definition_arn", "network", "platform_version", "load_balancers", "registries")
"""Fields whose change starts a new deployment, besides what `service_rules.ACCEPTED` names."""


def create_service(call: Call, request: Request) -> Response:
    """Create a service in its first deployment. The same client token again returns the same service."""
    cluster = requested_cluster(call, request)
    existing = find_service(call, cluster, request["serviceName"])
    if existing is not None and existing.status != "INACTIVE":
        return {"service": service_view(_replayed(existing, request), with_tags=True)}
    service = _new_service(call, cluster, request)
    service = dataclasses.replace(service, deployments=(_new_deployment(call, service),))
    call.put(service)
    return {"service": service_view(service, with_tags=True)}


def _replayed(existing: Service, request: Request) -> Service:
    token = request.get("clientToken")
    if existing.status == "DRAINING":
        raise invalid_parameter("Unable to Start a service that is still Draining.")
    if not token or existing.client_token != token:
        raise invalid_parameter("Creation of service was not idempotent.")
    return existing


def _new_service(call: Call, cluster: Cluster, request: Request) -> Service:
    name = request["serviceName"]
    if not NAME_PATTERN.fullmatch(name):
        raise invalid_parameter(f"Invalid identifier: Identifier is for service. Your identifier is {name}")
    service_rules.check_service(request)
    if not request.get("taskDefinition"):
        raise invalid_parameter("TaskDefinition can not be blank.")
    if request.get("desiredCount") is None:
        raise invalid_parameter("The 'desiredCount' is required for the REPLICA scheduling strategy.")
    task_definition = runnable_task_definition(call, request["taskDefinition"])
    launch_type, strategy = service_rules.capacity(cluster, request)
    service_rules.check_fargate(task_definition, launch_type)
    service_rules.check_execute_command(request.get("enableExecuteCommand") or False, task_definition, "created")
    return Service(
        arn=f"{cluster.arn.replace(':cluster/', ':service/', 1)}/{name}",
        name=name,
        cluster_arn=cluster.arn,
        region=call.region,
        created_at=call.now,
        task_definition_arn=task_definition.arn,
        desired_count=request["desiredCount"],
        network=network_rules.network_configuration(call, request.get("networkConfiguration")),
        launch_type=launch_type,
        capacity_provider_strategy=strategy,
        platform_version=service_rules.check_platform_version(request),
        load_balancers=network_rules.load_balancers(call, request.get("loadBalancers"), task_definition),
        registries=network_rules.registries(call, request.get("serviceRegistries"), task_definition),
        created_by=f"arn:aws:iam::{call.account_id}:root",
        client_token=request.get("clientToken"),
        accepted=service_rules.accepted_fields(request, {}),
        tags=tags_of(request.get("tags")),
        **service_rules.deployment_fields(request.get("deploymentConfiguration")),
        **_plain_fields(request),
    )


def _plain_fields(request: Request) -> dict[str, Any]:
    return {field: request[member] for member, field in PLAIN_FIELDS.items() if request.get(member) is not None}


def _new_deployment(call: Call, service: Service) -> Deployment:
    identifier = deployment_id(call.supply)
    return Deployment(
        deployment_id=identifier,
        status="PRIMARY",
        task_definition_arn=service.task_definition_arn,
        network=service.network,
        created_at=call.now,
        updated_at=call.now,
        load_balancers=service.load_balancers,
        registries=service.registries,
        desired_count=service.desired_count,
        rollout_state_reason=f"ECS deployment {identifier} in progress.",
    )


def update_service(call: Call, request: Request) -> Response:
    """Change a service; what is not given stays. A change of what tasks are made of starts a new deployment."""
    service = existing_service(call, requested_cluster(call, request), request["service"])
    if service.status != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    changed = dataclasses.replace(service, **_changes(call, service, request))
    if changed.health_check_grace_period_seconds and not changed.load_balancers:
        raise invalid_parameter("Health check grace period is only valid for services configured to use load balancers")
    if request.get("forceNewDeployment") or _deploys(service, changed):
        former = tuple(
            dataclasses.replace(d, status="ACTIVE") if d.status == "PRIMARY" else d for d in service.deployments
        )
        changed = dataclasses.replace(changed, deployments=(_new_deployment(call, changed), *former), steady=False)
    elif changed.desired_count != service.desired_count:
        changed = _scaled(changed, call.now)
    # Any update ends the restart back-off (aws/ecs-cloudmap-exec.md section 6).
    changed = dataclasses.replace(changed, failed_starts=0, next_start_at=0.0)
    call.put(changed)
    return {"service": service_view(changed, with_tags=True)}


def _changes(call: Call, service: Service, request: Request) -> dict[str, Any]:
    service_rules.check_placement(request)
    service_rules.check_count(request.get("desiredCount"))
    controller = (request.get("deploymentController") or {}).get("type") or "ECS"
    if controller != "ECS":
        raise unsupported(f"Tsubo runs the ECS deployment controller only, not {controller}.")
    task_definition = _task_definition(call, service, request)
    changes: dict[str, Any] = {
        **_plain_fields(request),
        **service_rules.deployment_fields(request.get("deploymentConfiguration")),
        "accepted": service_rules.accepted_fields(request, service.accepted),
        "task_definition_arn": task_definition.arn,
    }
    if request.get("desiredCount") is not None:
        changes["desired_count"] = request["desiredCount"]
    if request.get("networkConfiguration"):
        changes["network"] = network_rules.network_configuration(call, request["networkConfiguration"])
    if request.get("platformVersion"):
        changes["platform_version"] = service_rules.check_platform_version(request)
    if request.get("loadBalancers") is not None:
        changes["load_balancers"] = network_rules.load_balancers(call, request["loadBalancers"], task_definition)
    if request.get("serviceRegistries") is not None:
        changes["registries"] = network_rules.registries(call, request["serviceRegistries"], task_definition)
    if request.get("capacityProviderStrategy") is not None:
        strategy = checked_strategy(request["capacityProviderStrategy"])
        changes["capacity_provider_strategy"] = strategy
        changes["launch_type"] = None if strategy else "FARGATE"
    return changes


def _task_definition(call: Call, service: Service, request: Request) -> TaskDefinition:
    """Return the definition that the service has or gets; only a new one must be ACTIVE."""
    identifier = request.get("taskDefinition")
    if identifier:
        task_definition = runnable_task_definition(call, identifier)
        service_rules.check_fargate(task_definition, service.launch_type)
        if request.get("loadBalancers") is None:
            for balancer in service.load_balancers:
                network_rules.check_container_port(task_definition, balancer.container_name, balancer.container_port)
    else:
        task_definition = call.world.task_definitions[service.task_definition_arn]
    enabled = request.get("enableExecuteCommand")
    service_rules.check_execute_command(
        service.enable_execute_command if enabled is None else enabled, task_definition, "updated"
    )
    return task_definition


def _deploys(before: Service, after: Service) -> bool:
    return any(getattr(before, field) != getattr(after, field) for field in DEPLOYING_FIELDS) or any(
        before.accepted.get(member) != after.accepted.get(member) for member in service_rules.ACCEPTED
    )


def _scaled(service: Service, now: float) -> Service:
    """Give the PRIMARY the service's count: a change of the count alone starts no deployment."""
    deployments = tuple(
        dataclasses.replace(d, desired_count=service.desired_count, updated_at=now) if d.status == "PRIMARY" else d
        for d in service.deployments
    )
    return dataclasses.replace(service, deployments=deployments, steady=False)


def delete_service(call: Call, request: Request) -> Response:
    """Start draining a service: no task is wanted any more. The loop makes it INACTIVE once its tasks are stopped."""
    service = existing_service(call, requested_cluster(call, request), request["service"])
    if service.status == "INACTIVE":
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.desired_count > 0 and not request.get("force"):
        raise invalid_parameter("The service cannot be stopped while it is scaled above 0.")
    deployments = tuple(dataclasses.replace(d, desired_count=0, updated_at=call.now) for d in service.deployments)
    service = dataclasses.replace(service, status="DRAINING", desired_count=0, deployments=deployments, steady=False)
    call.put(service)
    return {"service": service_view(service, with_tags=True)}


OPERATIONS: dict[str, Operation] = {
    "CreateService": create_service,
    "UpdateService": update_service,
    "DeleteService": delete_service,
}
