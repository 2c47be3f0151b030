"""Cloud Map services: create, read, update, delete, and their attributes.

Source: aws/ecs-cloudmap-exec.md sections 8 and 9.
"""

import dataclasses

from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.aws.servicediscovery import service_rules
from tsubo.aws.servicediscovery.journal import finish
from tsubo.aws.servicediscovery.lookup import (
    existing_namespace,
    existing_service,
    in_use,
    instances_of,
    invalid_input,
    listed,
    services_of,
)
from tsubo.aws.servicediscovery.tags import tags_of
from tsubo.model.cloudmap import DiscoveryService, Namespace
from tsubo.model.supply import ALPHANUMERIC

MAXIMUM_ATTRIBUTES = 30


def create_service(call: Call, request: Request) -> Response:
    """Create a service in the namespace that the request names, at its top or in DnsConfig."""
    namespace = _namespace(call, request)
    service_rules.check_name(request["Name"])
    service_rules.check_create(namespace, request)
    service = _new_service(call, namespace, request)
    existing = _same_name(call, namespace, service.name)
    if existing is None:
        call.put(service)
        return {"Service": _view(call, service, whole=True)}
    token = request.get("CreatorRequestId")
    if token and existing.creator_request_id == token and _settings(existing) == _settings(service):
        return {"Service": _view(call, existing, whole=True)}
    raise AwsError(
        "ServiceAlreadyExists",
        "A service with the same name exists in the namespace already.",
        ServiceId=existing.service_id,
        ServiceArn=existing.arn,
        CreatorRequestId=existing.creator_request_id,
    )


def _namespace(call: Call, request: Request) -> Namespace:
    places = (request.get("NamespaceId"), (request.get("DnsConfig") or {}).get("NamespaceId"))
    identifiers = {identifier for identifier in places if identifier}
    if not identifiers:
        raise invalid_input("A NamespaceId is required.")
    if len(identifiers) > 1:
        raise invalid_input("NamespaceId and DnsConfig.NamespaceId name different namespaces.")
    return existing_namespace(call, identifiers.pop())


def _new_service(call: Call, namespace: Namespace, request: Request) -> DiscoveryService:
    service_id = f"srv-{call.supply.text(16, ALPHANUMERIC)}"
    dns = request.get("DnsConfig") or {}
    records = service_rules.dns_records(dns.get("DnsRecords") or ())
    return DiscoveryService(
        service_id=service_id,
        arn=call.arn("servicediscovery", f"service/{service_id}"),
        name=request["Name"],
        namespace_id=namespace.namespace_id,
        region=call.region,
        created_at=call.now,
        type="DNS_HTTP" if records else "HTTP",
        routing_policy=dns.get("RoutingPolicy") or "MULTIVALUE",
        dns_records=records,
        custom_health_check=request.get("HealthCheckCustomConfig") is not None,
        health_check_config=request.get("HealthCheckConfig"),
        description=request.get("Description"),
        creator_request_id=request.get("CreatorRequestId"),
        tags=tags_of(request.get("Tags")),
    )


def _same_name(call: Call, namespace: Namespace, name: str) -> DiscoveryService | None:
    """Return the service that has the name; names that DNS serves differ in more than case."""

    def spelled(text: str) -> str:
        return text if namespace.type == "HTTP" else text.lower()

    return next((s for s in services_of(call, namespace) if spelled(s.name) == spelled(name)), None)


def _settings(service: DiscoveryService) -> tuple[object, ...]:
    return (
        service.name,
        service.type,
        service.routing_policy,
        service.dns_records,
        service.custom_health_check,
        service.health_check_config,
        service.description,
    )


def get_service(call: Call, request: Request) -> Response:
    """Return one service."""
    return {"Service": _view(call, existing_service(call, request["Id"]), whole=True)}


def list_services(call: Call, request: Request) -> Response:
    """List the region's services that pass every filter, by name."""
    filters = request.get("Filters") or ()
    found = [
        s
        for s in call.world.discovery_services.values()
        if s.region == call.region and all(_passes(call, s, item) for item in filters)
    ]
    found.sort(key=lambda s: (s.name, s.service_id))
    return listed("Services", [_view(call, s, whole=False) for s in found], request)


def _passes(call: Call, service: DiscoveryService, item: Request) -> bool:
    if item["Name"] == "NAMESPACE_ID":
        return service.namespace_id in {value.rsplit("/", 1)[-1] for value in item["Values"]}
    if item["Name"] == "RESOURCE_OWNER":
        return bool({"SELF", call.account_id} & set(item["Values"]))
    raise invalid_input(f"Unknown filter {item['Name']}.")


def update_service(call: Call, request: Request) -> Response:
    """Change a service's description, TTLs and health check; records and a check that are left out are removed."""
    service = existing_service(call, request["Id"])
    change = request["Service"]
    namespace = existing_namespace(call, service.namespace_id)
    if service.custom_health_check and change.get("HealthCheckConfig") is not None:
        raise invalid_input("A service with a HealthCheckCustomConfig cannot get a HealthCheckConfig.")
    service_rules.check_health_check(namespace, change)
    call.put(
        dataclasses.replace(
            service,
            description=change.get("Description", service.description),
            dns_records=service_rules.changed_records(service, change),
            health_check_config=change.get("HealthCheckConfig"),
        )
    )
    return finish(call, "UPDATE_SERVICE", {"SERVICE": service.service_id})


def delete_service(call: Call, request: Request) -> Response:
    """Delete a service without instances. Raises ResourceInUse."""
    service = existing_service(call, request["Id"])
    if instances_of(call, service):
        raise in_use("Service contains registered instances; delete the instances before deleting the service")
    call.delete(service)
    return {}


def get_service_attributes(call: Call, request: Request) -> Response:
    """Return a service's attributes."""
    service = existing_service(call, request["ServiceId"])
    return {
        "ServiceAttributes": {
            "ServiceArn": service.arn,
            "ResourceOwner": call.account_id,
            "Attributes": dict(service.attributes),
        }
    }


def update_service_attributes(call: Call, request: Request) -> Response:
    """Add or change attributes of a service. Raises ServiceAttributesLimitExceededException."""
    service = existing_service(call, request["ServiceId"])
    attributes = {**service.attributes, **request["Attributes"]}
    if len(attributes) > MAXIMUM_ATTRIBUTES:
        raise AwsError(
            "ServiceAttributesLimitExceededException", f"A service can have at most {MAXIMUM_ATTRIBUTES} attributes."
        )
    call.put(dataclasses.replace(service, attributes=attributes))
    return {}


def delete_service_attributes(call: Call, request: Request) -> Response:
    """Remove attributes of a service by key."""
    service = existing_service(call, request["ServiceId"])
    removed = set(request["Attributes"])
    kept = {key: value for key, value in service.attributes.items() if key not in removed}
    call.put(dataclasses.replace(service, attributes=kept))
    return {}


def _view(call: Call, service: DiscoveryService, *, whole: bool) -> Response:
    """Return a service; the list shows less than Get (no namespace, no request id)."""
    view: Response = {
        "Id": service.service_id,
        "Arn": service.arn,
        "ResourceOwner": call.account_id,
        "Name": service.name,
        "Type": service.type,
        "InstanceCount": len(instances_of(call, service)),
        "CreateDate": service.created_at,
        "CreatedByAccount": call.account_id,
    }
    if service.type == "DNS_HTTP":
        view["DnsConfig"] = {
            "NamespaceId": service.namespace_id,
            "RoutingPolicy": service.routing_policy,
            "DnsRecords": [{"Type": record.type, "TTL": record.ttl} for record in service.dns_records],
        }
    if service.custom_health_check:
        view["HealthCheckCustomConfig"] = {"FailureThreshold": 1}
    if service.health_check_config is not None:
        view["HealthCheckConfig"] = dict(service.health_check_config)
    if service.description is not None:
        view["Description"] = service.description
    if whole:
        view["NamespaceId"] = service.namespace_id
        if service.creator_request_id is not None:
            view["CreatorRequestId"] = service.creator_request_id
    return view


OPERATIONS: dict[str, Operation] = {
    "CreateService": create_service,
    "GetService": get_service,
    "ListServices": list_services,
    "UpdateService": update_service,
    "DeleteService": delete_service,
    "GetServiceAttributes": get_service_attributes,
    "UpdateServiceAttributes": update_service_attributes,
    "DeleteServiceAttributes": delete_service_attributes,
}
