"""DiscoverInstances: Cloud Map's data plane, which finds instances by names instead of ids.

Source: aws/ecs-cloudmap-exec.md section 9.
"""

from collections.abc import Mapping, Sequence

from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.aws.servicediscovery.instances import health_status
from tsubo.aws.servicediscovery.lookup import instances_of, invalid_input, services_of
from tsubo.model.cloudmap import DiscoveryService, Instance, Namespace

DEFAULT_MAXIMUM = 100
MAXIMUM_RESULTS = 1000
HEALTH_FILTERS = ("HEALTHY", "UNHEALTHY", "ALL", "HEALTHY_OR_ELSE_ALL")


def discover_instances(call: Call, request: Request) -> Response:
    """Return the instances of a service that match the attributes and the health that are asked for."""
    namespace, service = _named(call, request)
    limit = request.get("MaxResults") or DEFAULT_MAXIMUM
    if not 1 <= limit <= MAXIMUM_RESULTS:
        raise invalid_input(f"MaxResults must be between 1 and {MAXIMUM_RESULTS}.")
    wanted = request.get("HealthStatus") or "HEALTHY_OR_ELSE_ALL"
    if wanted not in HEALTH_FILTERS:
        raise invalid_input(f"HealthStatus must be one of {', '.join(HEALTH_FILTERS)}.")
    found = [i for i in instances_of(call, service) if _matches(i, request.get("QueryParameters") or {})]
    optional = request.get("OptionalParameters") or {}
    found = [i for i in found if _matches(i, optional)] or found
    if service.custom_health_check:
        found = _of_health(found, wanted)
    return {
        "Instances": [_view(namespace, service, instance) for instance in found[:limit]],
        "InstancesRevision": service.instances_revision,
    }


def discover_instances_revision(call: Call, request: Request) -> Response:
    """Return the number that grows whenever the service's instances change."""
    _, service = _named(call, request)
    return {"InstancesRevision": service.instances_revision}


def _named(call: Call, request: Request) -> tuple[Namespace, DiscoveryService]:
    namespace = next(
        (
            n
            for n in call.world.namespaces.values()
            if n.region == call.region and n.http_name == request["NamespaceName"]
        ),
        None,
    )
    if namespace is None:
        raise AwsError("NamespaceNotFound", f"Failed to find namespace {request['NamespaceName']}", 404)
    service = next((s for s in services_of(call, namespace) if s.name == request["ServiceName"]), None)
    if service is None:
        raise AwsError("ServiceNotFound", f"Failed to find service {request['ServiceName']}", 404)
    return namespace, service


def _matches(instance: Instance, parameters: Mapping[str, str]) -> bool:
    return all(instance.attributes.get(key) == value for key, value in parameters.items())


def _of_health(instances: Sequence[Instance], wanted: str) -> list[Instance]:
    if wanted == "ALL":
        return list(instances)
    if wanted == "HEALTHY_OR_ELSE_ALL":
        return [i for i in instances if i.health == "HEALTHY"] or list(instances)
    return [i for i in instances if i.health == wanted]


def _view(namespace: Namespace, service: DiscoveryService, instance: Instance) -> Response:
    return {
        "InstanceId": instance.instance_id,
        "NamespaceName": namespace.http_name,
        "ServiceName": service.name,
        "HealthStatus": health_status(service, instance),
        "Attributes": dict(instance.attributes),
    }


OPERATIONS: dict[str, Operation] = {
    "DiscoverInstances": discover_instances,
    "DiscoverInstancesRevision": discover_instances_revision,
}
