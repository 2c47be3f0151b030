"""What a Cloud Map service may be: its name, its DNS records, its health check.

Each function returns what a request means, or raises InvalidInput. Source: aws/ecs-cloudmap-exec.md sections 8 and 9.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tsubo.aws.operations import Request
from tsubo.aws.servicediscovery.lookup import invalid_input
from tsubo.model.cloudmap import DiscoveryService, DnsRecord, Namespace

RECORD_COMBINATIONS = ({"A"}, {"AAAA"}, {"A", "AAAA"}, {"SRV"}, {"A", "SRV"}, {"AAAA", "SRV"}, {"CNAME"})
"""SRV together with A or AAAA is what public stacks write, and AWS takes it."""

ROUTING_POLICIES = ("MULTIVALUE", "WEIGHTED")
MAXIMUM_TTL_SECONDS = 2**31 - 1
LABEL = r"[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?"
NAME_PATTERN = re.compile(rf"(?=.{{1,127}}$){LABEL}(\.{LABEL})*")


def check_name(name: str) -> None:
    """Raise InvalidInput for a name that is no sequence of DNS labels."""
    if not NAME_PATTERN.fullmatch(name):
        raise invalid_input(f"The service name {name!r} is not valid.")


def dns_records(items: Iterable[Mapping[str, Any]]) -> tuple[DnsRecord, ...]:
    """Return the records of a DnsConfig: a legal combination of types with a sound TTL."""
    records = tuple(DnsRecord(item["Type"], item["TTL"]) for item in items)
    types = [record.type for record in records]
    if records and (len(set(types)) != len(types) or set(types) not in RECORD_COMBINATIONS):
        raise invalid_input(f"Invalid combination of DNS record types: {', '.join(types)}.")
    for record in records:
        if not 0 <= record.ttl <= MAXIMUM_TTL_SECONDS:
            raise invalid_input(f"Invalid TTL {record.ttl}: it must be between 0 and {MAXIMUM_TTL_SECONDS} seconds.")
    return records


def check_create(namespace: Namespace, request: Request) -> None:
    """Check how the parts of a CreateService request go together and with the namespace."""
    dns = request.get("DnsConfig")
    if dns is not None and namespace.type == "HTTP":
        raise invalid_input("A service in an HTTP namespace cannot have a DnsConfig.")
    if dns is not None and request.get("Type") == "HTTP":
        raise invalid_input("A service of type HTTP cannot have a DnsConfig.")
    if request.get("Type") not in (None, "HTTP"):
        raise invalid_input("The only valid value for Type is HTTP.")
    if dns is not None:
        _check_routing(dns, request)
    check_health_check(namespace, request)


def _check_routing(dns: Mapping[str, Any], request: Request) -> None:
    policy = dns.get("RoutingPolicy") or "MULTIVALUE"
    types = {record["Type"] for record in dns["DnsRecords"]}
    if policy not in ROUTING_POLICIES:
        raise invalid_input(f"Unknown routing policy {policy}.")
    if "CNAME" in types and policy != "WEIGHTED":
        raise invalid_input("A CNAME record needs the WEIGHTED routing policy.")
    if "CNAME" in types and request.get("HealthCheckConfig"):
        raise invalid_input("A service with a CNAME record cannot have a HealthCheckConfig.")


def check_health_check(namespace: Namespace, request: Request) -> None:
    """Check the health check configuration: one kind at most, Route 53's in public and HTTP namespaces only."""
    if request.get("HealthCheckConfig") is None:
        return
    if request.get("HealthCheckCustomConfig") is not None:
        raise invalid_input("Specify either HealthCheckConfig or HealthCheckCustomConfig, but not both.")
    if namespace.type == "DNS_PRIVATE":
        raise invalid_input("HealthCheckConfig is not supported in a private DNS namespace.")


def changed_records(service: DiscoveryService, change: Mapping[str, Any]) -> tuple[DnsRecord, ...]:
    """Return the records after an update: other TTLs, or fewer records; types cannot be added or changed."""
    if "DnsConfig" not in change:
        return ()
    records = dns_records(change["DnsConfig"]["DnsRecords"])
    added = {record.type for record in records} - {record.type for record in service.dns_records}
    if added:
        raise invalid_input(f"DNS record types cannot be added to a service: {', '.join(sorted(added))}.")
    return records
