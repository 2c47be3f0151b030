"""Reading services: describe, list, and the deployments and revisions that follow from their records.

Source: aws/ecs-cloudmap-exec.md sections 2 and 6. Only the deployments that a service still has are known: history
that the loop has let go is MISSING.
"""

from collections.abc import Iterator

from tsubo.aws.ecs.listing import listed, missing
from tsubo.aws.ecs.lookup import existing_service, find_service, invalid_parameter, requested_cluster, service_arn
from tsubo.aws.ecs.service_view import (
    capacity_view,
    deployment_configuration,
    load_balancer_view,
    network_view,
    registry_view,
    service_deployment_arn,
    service_revision_arn,
    service_view,
)
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.ecs import Deployment, Service

MAXIMUM_DESCRIBED = 10
DEFAULT_PAGE = 10


def describe_services(call: Call, request: Request) -> Response:
    """Describe up to ten services, in any status; what is not there is a failure MISSING."""
    cluster = requested_cluster(call, request)
    identifiers = request.get("services") or []
    if not identifiers:
        raise invalid_parameter("Services cannot be empty.")
    if len(identifiers) > MAXIMUM_DESCRIBED:
        raise invalid_parameter(f"Services cannot have more than {MAXIMUM_DESCRIBED} items.")
    with_tags = "TAGS" in (request.get("include") or ())
    found = {identifier: find_service(call, cluster, identifier) for identifier in identifiers}
    return {
        "services": [service_view(s, with_tags=with_tags) for s in found.values() if s is not None],
        "failures": [missing(service_arn(cluster, i)) for i, service in found.items() if service is None],
    }


def list_services(call: Call, request: Request) -> Response:
    """List the ARNs of a cluster's active services."""
    cluster = requested_cluster(call, request)
    launch_type = request.get("launchType")
    strategy = request.get("schedulingStrategy")
    arns = sorted(
        s.arn
        for s in call.world.services.values()
        if s.cluster_arn == cluster.arn
        and s.status == "ACTIVE"
        and launch_type in (None, s.launch_type)
        and strategy in (None, s.scheduling_strategy)
    )
    return listed("serviceArns", arns, request, DEFAULT_PAGE)


def list_services_by_namespace(call: Call, request: Request) -> Response:
    """List the ARNs of active services whose Service Connect configuration names a namespace."""
    identifier = request["namespace"]
    names = {n.name: n for n in call.world.namespaces.values() if n.region == call.region}
    found = next((n for n in names.values() if identifier in (n.name, n.arn)), None)
    if found is None:
        raise AwsError("NamespaceNotFoundException", "The specified namespace wasn't found.")
    arns = sorted(
        s.arn
        for s in call.world.services.values()
        if s.status == "ACTIVE" and _service_connect_namespace(call, s) in (found.name, found.arn)
    )
    return listed("serviceArns", arns, request, DEFAULT_PAGE)


def _service_connect_namespace(call: Call, service: Service) -> str | None:
    configuration = service.accepted.get("serviceConnectConfiguration") or {}
    if not configuration.get("enabled"):
        return None
    namespace: str | None = configuration.get("namespace")
    return namespace or call.world.clusters[service.cluster_arn].service_connect_namespace


def list_service_deployments(call: Call, request: Request) -> Response:
    """List a service's deployments, the newest first, by status and creation time."""
    service = existing_service(call, requested_cluster(call, request), request["service"])
    wanted = set(request.get("status") or ())
    created = request.get("createdAt") or {}
    after, before = (created[m].timestamp() if m in created else None for m in ("after", "before"))
    briefs = [
        _deployment_brief(service, d)
        for d in service.deployments
        if (not wanted or _status(d) in wanted)
        and (after is None or d.created_at > after)
        and (before is None or d.created_at < before)
    ]
    return listed("serviceDeployments", briefs, request)


def describe_service_deployments(call: Call, request: Request) -> Response:
    """Describe deployments by service deployment ARN."""
    known = {service_deployment_arn(s, d): (s, d) for s, d in _deployments(call)}
    arns = request["serviceDeploymentArns"]
    return {
        "serviceDeployments": [_service_deployment(*known[arn]) for arn in arns if arn in known],
        "failures": [missing(arn) for arn in arns if arn not in known],
    }


def describe_service_revisions(call: Call, request: Request) -> Response:
    """Describe the revisions that deployments brought about, by service revision ARN."""
    known = {service_revision_arn(s, d): (s, d) for s, d in _deployments(call)}
    arns = request["serviceRevisionArns"]
    return {
        "serviceRevisions": [_service_revision(call, *known[arn]) for arn in arns if arn in known],
        "failures": [missing(arn) for arn in arns if arn not in known],
    }


def _deployments(call: Call) -> Iterator[tuple[Service, Deployment]]:
    return ((s, d) for s in call.world.services.values() for d in s.deployments)


def _status(deployment: Deployment) -> str:
    if deployment.rollout_state == "COMPLETED":
        return "SUCCESSFUL"
    stopped = deployment.rollout_state == "FAILED" or deployment.status != "PRIMARY"
    return "STOPPED" if stopped else "IN_PROGRESS"


def _deployment_brief(service: Service, deployment: Deployment) -> Response:
    status = _status(deployment)
    brief: Response = {
        "serviceDeploymentArn": service_deployment_arn(service, deployment),
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "createdAt": deployment.created_at,
        "startedAt": deployment.created_at,
        "targetServiceRevisionArn": service_revision_arn(service, deployment),
        "status": status,
        "statusReason": deployment.rollout_state_reason,
    }
    if status != "IN_PROGRESS":
        brief["finishedAt"] = deployment.updated_at
    return brief


def _service_deployment(service: Service, deployment: Deployment) -> Response:
    view = _deployment_brief(service, deployment)
    view.pop("targetServiceRevisionArn")
    sources = [d for d in service.deployments if d.created_at < deployment.created_at]
    return {
        **view,
        "updatedAt": deployment.updated_at,
        "sourceServiceRevisions": [_revision_summary(service, d) for d in sources],
        "targetServiceRevision": _revision_summary(service, deployment),
        "deploymentConfiguration": deployment_configuration(service),
        "deploymentCircuitBreaker": {
            "status": "MONITORING" if service.circuit_breaker_enable else "DISABLED",
            "failureCount": deployment.failed_tasks,
        },
    }


def _revision_summary(service: Service, deployment: Deployment) -> Response:
    return {
        "arn": service_revision_arn(service, deployment),
        "requestedTaskCount": deployment.desired_count,
        "runningTaskCount": deployment.running_count,
        "pendingTaskCount": deployment.pending_count,
    }


def _service_revision(call: Call, service: Service, deployment: Deployment) -> Response:
    containers = call.world.task_definitions[deployment.task_definition_arn].containers
    return {
        "serviceRevisionArn": service_revision_arn(service, deployment),
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "taskDefinition": deployment.task_definition_arn,
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "loadBalancers": [load_balancer_view(b) for b in deployment.load_balancers],
        "serviceRegistries": [registry_view(r) for r in deployment.registries],
        "networkConfiguration": network_view(deployment.network),
        "containerImages": [{"containerName": c.name, "image": c.image} for c in containers],
        "guardDutyEnabled": False,
        "createdAt": deployment.created_at,
        **capacity_view(service),
    }


OPERATIONS: dict[str, Operation] = {
    "DescribeServices": describe_services,
    "ListServices": list_services,
    "ListServicesByNamespace": list_services_by_namespace,
    "ListServiceDeployments": list_service_deployments,
    "DescribeServiceDeployments": describe_service_deployments,
    "DescribeServiceRevisions": describe_service_revisions,
}
