"""A service as DescribeServices shows it, and its deployments as the newer deployment operations do.

Pure reading: counts are sums over the deployments, which the loop keeps. Source: aws/ecs-cloudmap-exec.md section 6,
aws/alb-vpc-terraform.md 6.9.
"""

from collections.abc import Mapping
from typing import Any

from tsubo.aws.ecs.tags import tag_list
from tsubo.aws.operations import Response
from tsubo.model.ecs import AwsvpcConfiguration, Deployment, Service, ServiceLoadBalancer, ServiceRegistry

SERVICE_LINKED_ROLE = "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
MAXIMUM_EVENTS = 100


def service_view(service: Service, *, with_tags: bool) -> Response:
    """Return every field that AWS fills of a service."""
    account = service.arn.split(":")[4]
    view: Response = {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster_arn,
        "status": service.status,
        "taskDefinition": service.task_definition_arn,
        "desiredCount": service.desired_count,
        "runningCount": sum(d.running_count for d in service.deployments),
        "pendingCount": sum(d.pending_count for d in service.deployments),
        "platformVersion": service.platform_version,
        "platformFamily": "Linux",
        "deploymentConfiguration": deployment_configuration(service),
        "deploymentController": {"type": "ECS"},
        "deployments": [_deployment(service, d) for d in service.deployments],
        "events": [
            {"id": e.event_id, "createdAt": e.created_at, "message": e.message} for e in service.events[:MAXIMUM_EVENTS]
        ],
        "loadBalancers": [load_balancer_view(b) for b in service.load_balancers],
        "serviceRegistries": [registry_view(r) for r in service.registries],
        "networkConfiguration": network_view(service.network),
        "healthCheckGracePeriodSeconds": service.health_check_grace_period_seconds,
        "schedulingStrategy": service.scheduling_strategy,
        "placementConstraints": [],
        "placementStrategy": [],
        "createdAt": service.created_at,
        "createdBy": service.created_by,
        "roleArn": service.role_arn or f"arn:aws:iam::{account}:{SERVICE_LINKED_ROLE}",
        "enableECSManagedTags": service.enable_ecs_managed_tags,
        "propagateTags": service.propagate_tags,
        "enableExecuteCommand": service.enable_execute_command,
        "availabilityZoneRebalancing": service.availability_zone_rebalancing,
        "currentServiceRevisions": [_revision_counts(service, d) for d in service.deployments],
        **capacity_view(service),
    }
    if service.deployments:
        view["currentServiceDeployment"] = service_deployment_arn(service, service.deployments[0])
    if with_tags:
        view["tags"] = tag_list(service.tags)
    return view


def deployment_configuration(service: Service) -> Response:
    """Return a service's deployment configuration, with AWS's defaults and what is accepted but not run."""
    return {
        "deploymentCircuitBreaker": {
            "enable": service.circuit_breaker_enable,
            "rollback": service.circuit_breaker_rollback,
        },
        "maximumPercent": service.maximum_percent,
        "minimumHealthyPercent": service.minimum_healthy_percent,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        **service.accepted.get("deploymentConfiguration", {}),
    }


def capacity_view(service: Service) -> Response:
    """Return the launch type or the capacity provider strategy, whichever a service has."""
    if service.capacity_provider_strategy:
        return {"capacityProviderStrategy": list(service.capacity_provider_strategy)}
    return {"launchType": service.launch_type}


def network_view(network: AwsvpcConfiguration) -> Response:
    """Return a network configuration."""
    return {
        "awsvpcConfiguration": {
            "subnets": list(network.subnets),
            "securityGroups": list(network.security_groups),
            "assignPublicIp": "ENABLED" if network.assign_public_ip else "DISABLED",
        }
    }


def load_balancer_view(balancer: ServiceLoadBalancer) -> Response:
    """Return one load balancer of a service."""
    return {
        "targetGroupArn": balancer.target_group_arn,
        "containerName": balancer.container_name,
        "containerPort": balancer.container_port,
    }


def registry_view(registry: ServiceRegistry) -> Response:
    """Return one service registry, with the members that it has."""
    members: Mapping[str, Any] = {
        "registryArn": registry.registry_arn,
        "port": registry.port,
        "containerName": registry.container_name,
        "containerPort": registry.container_port,
    }
    return {name: value for name, value in members.items() if value is not None}


def service_deployment_arn(service: Service, deployment: Deployment) -> str:
    """Return the ARN of the service deployment that a deployment is."""
    return _part_arn(service, deployment, ":service-deployment/")


def service_revision_arn(service: Service, deployment: Deployment) -> str:
    """Return the ARN of the service revision that a deployment brings about."""
    return _part_arn(service, deployment, ":service-revision/")


def _part_arn(service: Service, deployment: Deployment, kind: str) -> str:
    number = deployment.deployment_id.removeprefix("ecs-svc/")
    return f"{service.arn.replace(':service/', kind, 1)}/{number}"


def _deployment(service: Service, deployment: Deployment) -> Response:
    view: Response = {
        "id": deployment.deployment_id,
        "status": deployment.status,
        "taskDefinition": deployment.task_definition_arn,
        "desiredCount": deployment.desired_count,
        "pendingCount": deployment.pending_count,
        "runningCount": deployment.running_count,
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": network_view(deployment.network),
        "rolloutState": deployment.rollout_state,
        "rolloutStateReason": deployment.rollout_state_reason,
        **capacity_view(service),
    }
    for member in ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"):
        if service.accepted.get(member):
            view[member] = service.accepted[member]
    return view


def _revision_counts(service: Service, deployment: Deployment) -> Response:
    return {
        "arn": service_revision_arn(service, deployment),
        "requestedTaskCount": deployment.desired_count,
        "runningTaskCount": deployment.running_count,
        "pendingTaskCount": deployment.pending_count,
    }
