"""Namespaces: a private one is a hosted zone tied to a VPC, a public one a hosted zone, an HTTP one neither.

The call succeeds where its arguments are sound; that the zone cannot be made is the operation's failure.
Source: aws/ecs-cloudmap-exec.md sections 8 and 10.
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Literal

from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.aws.servicediscovery.journal import finish, operation_of
from tsubo.aws.servicediscovery.lookup import existing_namespace, in_use, invalid_input, listed, services_of
from tsubo.aws.servicediscovery.tags import tags_of
from tsubo.model.cloudmap import Namespace
from tsubo.model.route53 import HostedZone, ZoneVpc
from tsubo.model.supply import ALPHANUMERIC, Supply, uuid_text

NamespaceType = Literal["DNS_PRIVATE", "DNS_PUBLIC", "HTTP"]
SERVICE_PRINCIPAL = "servicediscovery.amazonaws.com"
PRIVATE_NAME_SERVERS = (
    "ns-1536.awsdns-00.co.uk.",
    "ns-0.awsdns-00.com.",
    "ns-1024.awsdns-00.org.",
    "ns-512.awsdns-00.net.",
)
"""The name servers of every private zone."""

PUBLIC_DOMAINS = ("com", "net", "org", "co.uk")
DEFAULT_SOA_TTL_SECONDS = 900
MAXIMUM_NAME = {"DNS_PRIVATE": 253, "DNS_PUBLIC": 253, "HTTP": 1024}
DNS_NAME_PATTERN = re.compile(r"[!-\x2d/-~]{1,63}(\.[!-\x2d/-~]{1,63})*")
HTTP_NAME_PATTERN = re.compile(r"[!-~]+")


def create_private_dns_namespace(call: Call, request: Request) -> Response:
    """Create a namespace and the private hosted zone of its name, tied to one VPC."""
    return _create(call, request, "DNS_PRIVATE")


def create_public_dns_namespace(call: Call, request: Request) -> Response:
    """Create a namespace and the public hosted zone of its name."""
    return _create(call, request, "DNS_PUBLIC")


def create_http_namespace(call: Call, request: Request) -> Response:
    """Create a namespace that only DiscoverInstances reads."""
    return _create(call, request, "HTTP")


def _create(call: Call, request: Request, kind: NamespaceType) -> Response:
    name = request["Name"]
    pattern = HTTP_NAME_PATTERN if kind == "HTTP" else DNS_NAME_PATTERN
    if not pattern.fullmatch(name) or len(name) > MAXIMUM_NAME[kind]:
        raise invalid_input(f"The namespace name {name!r} is not valid.")
    tags = tags_of(request.get("Tags"))
    repeated = _repeated(call, request, kind)
    if repeated is not None:
        return repeated
    namespace_id = f"ns-{call.supply.text(16, ALPHANUMERIC)}"
    targets = {"NAMESPACE": namespace_id}
    namespace = Namespace(
        namespace_id=namespace_id,
        arn=call.arn("servicediscovery", f"namespace/{namespace_id}"),
        name=name,
        type=kind,
        region=call.region,
        created_at=call.now,
        http_name=_http_name(call, name),
        description=request.get("Description"),
        creator_request_id=request.get("CreatorRequestId"),
        tags=tags,
    )
    if kind != "HTTP":
        failure = _zone_failure(call, name, request.get("Vpc"))
        if failure is not None:
            return finish(call, "CREATE_NAMESPACE", targets, ("CANNOT_CREATE_HOSTED_ZONE", failure))
        zone = _zone(call, namespace, request)
        namespace = dataclasses.replace(namespace, hosted_zone_id=zone.zone_id)
        call.put(zone)
    call.put(namespace)
    return finish(call, "CREATE_NAMESPACE", targets)


def _repeated(call: Call, request: Request, kind: NamespaceType) -> Response | None:
    """Return the operation of the same request made before. Raises NamespaceAlreadyExists for other settings."""
    token, name = request.get("CreatorRequestId"), request["Name"]
    for namespace in call.world.namespaces.values():
        if namespace.region != call.region:
            continue
        if token and namespace.creator_request_id == token:
            same = (namespace.name, namespace.type, namespace.description) == (name, kind, request.get("Description"))
            operation = operation_of(call, "CREATE_NAMESPACE", "NAMESPACE", namespace.namespace_id)
            if same and operation is not None:
                return operation
            raise _already_exists(namespace)
        if kind == "HTTP" and namespace.type == "HTTP" and namespace.name == name:
            raise _already_exists(namespace)
    return None


def _already_exists(namespace: Namespace) -> AwsError:
    return AwsError(
        "NamespaceAlreadyExists",
        f"A namespace of the name {namespace.name} exists already.",
        NamespaceId=namespace.namespace_id,
        CreatorRequestId=namespace.creator_request_id,
    )


def _http_name(call: Call, name: str) -> str:
    """A name that is taken as an HTTP name gets a suffix."""
    taken = {n.http_name for n in call.world.namespaces.values() if n.region == call.region}
    return f"{name}-{call.supply.text(8, ALPHANUMERIC)}" if name in taken else name


def _zone_failure(call: Call, name: str, vpc_id: str | None) -> str | None:
    """Return why Route 53 would refuse the zone: its VPC is not there, or has a zone of that name.

    A zone above or below in the same VPC is no conflict: the resolver takes the longest name (section 12).
    """
    if vpc_id is None:
        return None
    vpc = call.world.vpcs.get(vpc_id)
    if vpc is None or vpc.region != call.region:
        return _route53_failure(call, "InvalidVPCId", f"The VPC: {vpc_id} does not exist in region {call.region}.")
    for zone in call.world.hosted_zones.values():
        if zone.name == _zone_name(name) and any(associated.vpc_id == vpc_id for associated in zone.vpcs):
            return _route53_failure(
                call,
                "ConflictingDomainExists",
                f"The VPC {vpc_id} in region {call.region} has already been associated with the hosted zone "
                f"{zone.zone_id} with the same domain name.",
            )
    return None


def _route53_failure(call: Call, code: str, message: str) -> str:
    return f"{message} (Service: AmazonRoute53; Status Code: 400; Error Code: {code}; Request ID: {call.request_id})"


def _zone_name(name: str) -> str:
    return name.lower().rstrip(".") + "."


def _zone(call: Call, namespace: Namespace, request: Request) -> HostedZone:
    private = namespace.type == "DNS_PRIVATE"
    return HostedZone(
        zone_id=f"Z{call.supply.text(20, ALPHANUMERIC.upper())}",
        name=_zone_name(namespace.name),
        private=private,
        caller_reference=uuid_text(call.supply),
        created_at=call.now,
        name_servers=PRIVATE_NAME_SERVERS if private else _public_name_servers(call.supply),
        soa_ttl=_soa_ttl(request) or DEFAULT_SOA_TTL_SECONDS,
        vpcs=(ZoneVpc(request["Vpc"], call.region),) if private else (),
        comment=f"Created by AWS Cloud Map namespace with ARN {namespace.arn}",
        linked_service_principal=SERVICE_PRINCIPAL,
        linked_service_description=namespace.arn,
    )


def _soa_ttl(request: Request) -> int | None:
    properties = request.get("Properties") or {}
    ttl: int | None = properties["DnsProperties"]["SOA"]["TTL"] if "DnsProperties" in properties else None
    if ttl is not None and ttl < 0:
        raise invalid_input("The TTL of the SOA record cannot be negative.")
    return ttl


def _public_name_servers(supply: Supply) -> tuple[str, ...]:
    """Four of Route 53's, one under each of its domains."""
    number = int(supply.text(2, "0123456789"))
    return tuple(f"ns-{512 * i + number}.awsdns-{number % 64:02}.{domain}." for i, domain in enumerate(PUBLIC_DOMAINS))


def _update(kind: NamespaceType) -> Callable[[Call, Request], Response]:
    def update_namespace(call: Call, request: Request) -> Response:
        """Change a namespace's description and its zone's SOA TTL."""
        namespace = existing_namespace(call, request["Id"])
        if namespace.type != kind:
            raise invalid_input(f"The namespace {namespace.namespace_id} is of type {namespace.type}.")
        change = request["Namespace"]
        if change.get("Description") is not None:
            call.put(dataclasses.replace(namespace, description=change["Description"]))
        ttl = _soa_ttl(change)
        if ttl is not None and namespace.hosted_zone_id is not None:
            call.put(dataclasses.replace(call.world.hosted_zones[namespace.hosted_zone_id], soa_ttl=ttl))
        return finish(call, "UPDATE_NAMESPACE", {"NAMESPACE": namespace.namespace_id})

    return update_namespace


def delete_namespace(call: Call, request: Request) -> Response:
    """Delete a namespace without services, and its hosted zone. Raises ResourceInUse."""
    namespace = existing_namespace(call, request["Id"])
    if services_of(call, namespace):
        raise in_use(f"Namespace {namespace.namespace_id} contains registered services; delete the services first.")
    if namespace.hosted_zone_id is not None:
        call.delete(call.world.hosted_zones[namespace.hosted_zone_id])
    call.delete(namespace)
    return finish(call, "DELETE_NAMESPACE", {"NAMESPACE": namespace.namespace_id})


def get_namespace(call: Call, request: Request) -> Response:
    """Return one namespace."""
    namespace = existing_namespace(call, request["Id"])
    view = _view(call, namespace)
    if namespace.creator_request_id is not None:
        view["CreatorRequestId"] = namespace.creator_request_id
    return {"Namespace": view}


def list_namespaces(call: Call, request: Request) -> Response:
    """List the region's namespaces that pass every filter, by name."""
    filters = request.get("Filters") or ()
    found = [
        n
        for n in call.world.namespaces.values()
        if n.region == call.region and all(_passes(call, n, item) for item in filters)
    ]
    found.sort(key=lambda n: (n.name, n.namespace_id))
    return listed("Namespaces", [_view(call, n) for n in found], request)


def _passes(call: Call, namespace: Namespace, item: Request) -> bool:
    if item["Name"] == "RESOURCE_OWNER":
        return bool({"SELF", call.account_id} & set(item["Values"]))
    fields = {"TYPE": namespace.type, "NAME": namespace.name, "HTTP_NAME": namespace.http_name}
    if item["Name"] not in fields:
        raise invalid_input(f"Unknown filter {item['Name']}.")
    value = fields[item["Name"]]
    if item.get("Condition") == "BEGINS_WITH":
        return any(value.startswith(start) for start in item["Values"])
    return value in item["Values"]


def _view(call: Call, namespace: Namespace) -> Response:
    properties: Response = {"DnsProperties": {"SOA": {}}, "HttpProperties": {"HttpName": namespace.http_name}}
    if namespace.hosted_zone_id is not None:
        zone = call.world.hosted_zones[namespace.hosted_zone_id]
        properties["DnsProperties"] = {"HostedZoneId": zone.zone_id, "SOA": {"TTL": zone.soa_ttl}}
    view: Response = {
        "Id": namespace.namespace_id,
        "Arn": namespace.arn,
        "ResourceOwner": call.account_id,
        "Name": namespace.name,
        "Type": namespace.type,
        "ServiceCount": len(services_of(call, namespace)),
        "Properties": properties,
        "CreateDate": namespace.created_at,
    }
    if namespace.description is not None:
        view["Description"] = namespace.description
    return view


OPERATIONS: dict[str, Operation] = {
    "CreatePrivateDnsNamespace": create_private_dns_namespace,
    "CreatePublicDnsNamespace": create_public_dns_namespace,
    "CreateHttpNamespace": create_http_namespace,
    "UpdatePrivateDnsNamespace": _update("DNS_PRIVATE"),
    "UpdatePublicDnsNamespace": _update("DNS_PUBLIC"),
    "UpdateHttpNamespace": _update("HTTP"),
    "DeleteNamespace": delete_namespace,
    "GetNamespace": get_namespace,
    "ListNamespaces": list_namespaces,
}
