"""Finding what a request names: namespaces, services and instances, by id or ARN; the errors with AWS's status.

Source: aws/ecs-cloudmap-exec.md section 8 (the model's HTTP status of each error).
"""

from collections.abc import Sequence

from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.aws.paging import InvalidToken, page
from tsubo.model.cloudmap import DiscoveryService, Instance, Namespace

MAXIMUM_PAGE = 100


def invalid_input(message: str) -> AwsError:
    """Return an InvalidInput error."""
    return AwsError("InvalidInput", message)


def in_use(message: str) -> AwsError:
    """Return a ResourceInUse error."""
    return AwsError("ResourceInUse", message, 409)


def existing_namespace(call: Call, identifier: str) -> Namespace:
    """Return the namespace of an id or ARN in the call's region. Raises NamespaceNotFound."""
    namespace = call.world.namespaces.get(identifier.rsplit("/", 1)[-1])
    if namespace is None or namespace.region != call.region:
        raise AwsError("NamespaceNotFound", f"{identifier}", 404)
    return namespace


def existing_service(call: Call, identifier: str) -> DiscoveryService:
    """Return the service of an id or ARN in the call's region. Raises ServiceNotFound."""
    service = call.world.discovery_services.get(identifier.rsplit("/", 1)[-1])
    if service is None or service.region != call.region:
        raise AwsError("ServiceNotFound", f"{identifier}", 404)
    return service


def existing_instance(call: Call, service: DiscoveryService, instance_id: str) -> Instance:
    """Return an instance of a service. Raises InstanceNotFound."""
    instance = call.world.instances.get(f"{service.service_id}/{instance_id}")
    if instance is None:
        raise AwsError("InstanceNotFound", f"The instance with id {instance_id} was not found.", 404)
    return instance


def instances_of(call: Call, service: DiscoveryService) -> list[Instance]:
    """Return a service's instances by id."""
    found = [i for i in call.world.instances.values() if i.service_id == service.service_id]
    return sorted(found, key=lambda instance: instance.instance_id)


def services_of(call: Call, namespace: Namespace) -> list[DiscoveryService]:
    """Return a namespace's services by name."""
    found = [s for s in call.world.discovery_services.values() if s.namespace_id == namespace.namespace_id]
    return sorted(found, key=lambda service: service.name)


def listed(member: str, items: Sequence[object], request: Request) -> Response:
    """Return one page of `items` under `member`. Raises InvalidInput for a bad size or token."""
    size = request.get("MaxResults") or MAXIMUM_PAGE
    if not 1 <= size <= MAXIMUM_PAGE:
        raise invalid_input(f"MaxResults must be between 1 and {MAXIMUM_PAGE}.")
    try:
        found, next_token = page(items, request.get("NextToken"), size)
    except InvalidToken as error:
        raise invalid_input("The NextToken is not valid.") from error
    return {member: found, **({"NextToken": next_token} if next_token else {})}
