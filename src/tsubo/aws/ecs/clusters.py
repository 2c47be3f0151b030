"""Clusters: create, describe, list, update, delete; capacity providers.

A deleted cluster stays, INACTIVE and describable, until one of its name is created again.
Source: aws/ecs-cloudmap-exec.md section 2, aws/alb-vpc-terraform.md 6.8.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

from tsubo.aws.ecs.listing import listed, missing
from tsubo.aws.ecs.lookup import DEFAULT_CLUSTER, NAME_PATTERN, active_cluster, find_cluster, invalid_parameter
from tsubo.aws.ecs.tags import tag_list, tags_of
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.ecs import Cluster, JsonObject

CAPACITY_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
CONTAINER_INSIGHTS_OFF = {"name": "containerInsights", "value": "disabled"}
PENDING_STATES = ("PROVISIONING", "PENDING", "ACTIVATING")
EVERYTHING = ("TAGS", "SETTINGS", "CONFIGURATIONS")


def create_cluster(call: Call, request: Request) -> Response:
    """Create a cluster; an active one of that name is returned as it is."""
    name = request.get("clusterName") or DEFAULT_CLUSTER
    if not NAME_PATTERN.fullmatch(name):
        raise invalid_parameter(f"Invalid identifier: Identifier is for cluster. Your identifier is {name}")
    existing = find_cluster(call, name)
    if existing is not None and existing.status == "ACTIVE":
        return {"cluster": _view(call, existing, EVERYTHING)}
    cluster = Cluster(
        arn=call.arn("ecs", f"cluster/{name}"),
        name=name,
        region=call.region,
        settings=_settings(request.get("settings")),
        configuration=request.get("configuration") or {},
        capacity_providers=_providers(request.get("capacityProviders")),
        default_capacity_provider_strategy=checked_strategy(request.get("defaultCapacityProviderStrategy")),
        service_connect_namespace=(request.get("serviceConnectDefaults") or {}).get("namespace"),
        tags=tags_of(request.get("tags")),
    )
    call.put(cluster)
    return {"cluster": _view(call, cluster, EVERYTHING)}


def describe_clusters(call: Call, request: Request) -> Response:
    """Describe clusters by name or ARN; what is not there is a failure MISSING."""
    include = request.get("include") or ()
    clusters: list[Response] = []
    failures: list[Response] = []
    for identifier in request.get("clusters") or [DEFAULT_CLUSTER]:
        cluster = find_cluster(call, identifier)
        if cluster is None:
            name = identifier.rsplit("/", 1)[-1]
            failures.append(missing(call.arn("ecs", f"cluster/{name}")))
        else:
            clusters.append(_view(call, cluster, include))
    return {"clusters": clusters, "failures": failures}


def list_clusters(call: Call, request: Request) -> Response:
    """List the ARNs of the active clusters of the region."""
    arns = sorted(c.arn for c in call.world.clusters.values() if c.status == "ACTIVE" and c.region == call.region)
    return listed("clusterArns", arns, request)


def update_cluster(call: Call, request: Request) -> Response:
    """Change settings, configuration and the Service Connect namespace; what is not given stays."""
    cluster = active_cluster(call, request["cluster"])
    changes: dict[str, Any] = {}
    if "settings" in request:
        changes["settings"] = _settings(request["settings"])
    if "configuration" in request:
        changes["configuration"] = request["configuration"]
    if "serviceConnectDefaults" in request:
        changes["service_connect_namespace"] = request["serviceConnectDefaults"]["namespace"] or None
    return _changed(call, dataclasses.replace(cluster, **changes))


def put_cluster_capacity_providers(call: Call, request: Request) -> Response:
    """Replace a cluster's capacity providers and its default strategy."""
    cluster = active_cluster(call, request["cluster"])
    providers = _providers(request["capacityProviders"])
    strategy = checked_strategy(request["defaultCapacityProviderStrategy"])
    outside = [item["capacityProvider"] for item in strategy if item["capacityProvider"] not in providers]
    if outside:
        raise invalid_parameter(
            f"The default capacity provider strategy cannot contain a capacity provider that is not associated "
            f"with the cluster: {', '.join(outside)}"
        )
    return _changed(
        call,
        dataclasses.replace(cluster, capacity_providers=providers, default_capacity_provider_strategy=strategy),
    )


def delete_cluster(call: Call, request: Request) -> Response:
    """Make a cluster INACTIVE. Raises ClusterContainsServicesException or ClusterContainsTasksException."""
    cluster = active_cluster(call, request["cluster"])
    if any(s.cluster_arn == cluster.arn and s.status != "INACTIVE" for s in call.world.services.values()):
        message = "The Cluster cannot be deleted while Services are active."
        raise AwsError("ClusterContainsServicesException", message)
    if any(t.cluster_arn == cluster.arn and t.last_status != "STOPPED" for t in call.world.tasks.values()):
        raise AwsError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    return _changed(call, dataclasses.replace(cluster, status="INACTIVE"))


def describe_capacity_providers(call: Call, request: Request) -> Response:
    """Describe FARGATE and FARGATE_SPOT, the only capacity providers there are."""
    wanted = [name.rsplit("/", 1)[-1] for name in request.get("capacityProviders") or CAPACITY_PROVIDERS]
    found: list[Response] = [
        {
            "capacityProviderArn": call.arn("ecs", f"capacity-provider/{name}"),
            "name": name,
            "status": "ACTIVE",
            "tags": [],
            "type": name,
        }
        for name in wanted
        if name in CAPACITY_PROVIDERS
    ]
    failures = [
        missing(call.arn("ecs", f"capacity-provider/{name}")) for name in wanted if name not in CAPACITY_PROVIDERS
    ]
    return {**listed("capacityProviders", found, request), "failures": failures}


def checked_strategy(strategy: Iterable[JsonObject] | None) -> tuple[JsonObject, ...]:
    """Return a capacity provider strategy with weight and base filled in. Raises InvalidParameterException."""
    items = tuple(strategy or ())
    for item in items:
        _check_provider(item["capacityProvider"])
    return tuple({**item, "weight": item.get("weight", 0), "base": item.get("base", 0)} for item in items)


def _providers(names: Iterable[str] | None) -> tuple[str, ...]:
    providers = tuple(names or ())
    for name in providers:
        _check_provider(name)
    return providers


def _check_provider(name: str) -> None:
    if name not in CAPACITY_PROVIDERS:
        raise invalid_parameter(f"The specified capacity provider '{name}' was not found.")


def _settings(settings: Iterable[Request] | None) -> tuple[Request, ...]:
    given = tuple(settings or ())
    if any(item.get("name") == CONTAINER_INSIGHTS_OFF["name"] for item in given):
        return given
    return (CONTAINER_INSIGHTS_OFF, *given)


def _changed(call: Call, cluster: Cluster) -> Response:
    call.put(cluster)
    return {"cluster": _view(call, cluster, EVERYTHING)}


def _view(call: Call, cluster: Cluster, include: Iterable[str]) -> Response:
    shown = set(include)
    tasks = [t for t in call.world.tasks.values() if t.cluster_arn == cluster.arn]
    services = [s.status for s in call.world.services.values() if s.cluster_arn == cluster.arn]
    running = sum(t.last_status == "RUNNING" for t in tasks)
    pending = sum(t.last_status in PENDING_STATES for t in tasks)
    active, draining = services.count("ACTIVE"), services.count("DRAINING")
    view: Response = {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "activeServicesCount": active,
        "statistics": _statistics(running, pending, active, draining) if "STATISTICS" in shown else [],
        "tags": tag_list(cluster.tags) if "TAGS" in shown else [],
        "settings": list(cluster.settings) if "SETTINGS" in shown else [],
        "capacityProviders": list(cluster.capacity_providers),
        "defaultCapacityProviderStrategy": list(cluster.default_capacity_provider_strategy),
    }
    if "CONFIGURATIONS" in shown and cluster.configuration:
        view["configuration"] = cluster.configuration
    if cluster.service_connect_namespace:
        view["serviceConnectDefaults"] = {"namespace": cluster.service_connect_namespace}
    return view


def _statistics(running: int, pending: int, active: int, draining: int) -> list[Response]:
    counts = {
        "runningEC2TasksCount": 0,
        "runningFargateTasksCount": running,
        "pendingEC2TasksCount": 0,
        "pendingFargateTasksCount": pending,
        "activeEC2ServiceCount": 0,
        "activeFargateServiceCount": active,
        "drainingEC2ServiceCount": 0,
        "drainingFargateServiceCount": draining,
    }
    return [{"name": name, "value": str(count)} for name, count in counts.items()]


OPERATIONS: dict[str, Operation] = {
    "CreateCluster": create_cluster,
    "DescribeClusters": describe_clusters,
    "ListClusters": list_clusters,
    "UpdateCluster": update_cluster,
    "UpdateClusterSettings": update_cluster,
    "PutClusterCapacityProviders": put_cluster_capacity_providers,
    "DeleteCluster": delete_cluster,
    "DescribeCapacityProviders": describe_capacity_providers,
}
