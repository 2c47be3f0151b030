"""Record sets that follow from other records: a zone's apex, and what Cloud Map keeps in the zone of a namespace.

They are derived wherever they are needed (Route 53's answers and the resolver's), so that the two cannot differ.
Source: aws/ecs-cloudmap-exec.md section 10.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tsubo.model.cloudmap import DiscoveryService, Instance, Namespace
from tsubo.model.route53 import HostedZone, RecordSet
from tsubo.model.world import World

NAME_SERVER_TTL_SECONDS = 172_800
NEGATIVE_TTL_SECONDS = 86_400


@dataclass(frozen=True)
class DiscoveryRecordSet:
    """A record set of Cloud Map, with the instance's health."""

    record_set: RecordSet
    healthy: bool


def apex_record_sets(zone: HostedZone) -> tuple[RecordSet, RecordSet]:
    """Return the NS and SOA record sets that every zone has."""
    start_of_authority = (
        f"{zone.name_servers[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 {NEGATIVE_TTL_SECONDS}"
    )
    return (
        RecordSet(zone.zone_id, zone.name, "NS", NAME_SERVER_TTL_SECONDS, zone.name_servers),
        RecordSet(zone.zone_id, zone.name, "SOA", zone.soa_ttl, (start_of_authority,)),
    )


def discovery_record_sets(world: World, zone: HostedZone) -> Iterator[DiscoveryRecordSet]:
    """Yield the record sets that Cloud Map keeps in a zone: those of each instance of each service of its namespace."""
    namespaces = {n.namespace_id: n for n in world.namespaces.values() if n.hosted_zone_id == zone.zone_id}
    services = {s.service_id: s for s in world.discovery_services.values() if s.namespace_id in namespaces}
    for instance in world.instances.values():
        service = services.get(instance.service_id)
        if service is not None:
            namespace = namespaces[service.namespace_id]
            for record_set in _instance_record_sets(zone, namespace, service, instance):
                yield DiscoveryRecordSet(record_set, instance.health == "HEALTHY")


def _instance_record_sets(
    zone: HostedZone, namespace: Namespace, service: DiscoveryService, instance: Instance
) -> Iterator[RecordSet]:
    name = f"{service.name}.{namespace.name}.".lower()
    attributes = instance.attributes
    own_name = f"{instance.instance_id}.{name}"
    weighted = service.routing_policy == "WEIGHTED"

    def routed(record_type: str, ttl: int, value: str) -> RecordSet:
        return RecordSet(
            zone.zone_id,
            name,
            record_type,
            ttl,
            (value,),
            set_identifier=instance.instance_id,
            weight=1 if weighted else None,
            multivalue_answer=not weighted,
        )

    address_types = (("A", "AWS_INSTANCE_IPV4"), ("AAAA", "AWS_INSTANCE_IPV6"))
    for record in service.dns_records:
        if record.type == "SRV" and "AWS_INSTANCE_PORT" in attributes:
            yield routed("SRV", record.ttl, f"1 1 {attributes['AWS_INSTANCE_PORT']} {own_name}")
            for address_type, attribute in address_types:
                if attribute in attributes:
                    yield RecordSet(zone.zone_id, own_name, address_type, record.ttl, (attributes[attribute],))
        elif record.type == "CNAME" and "AWS_INSTANCE_CNAME" in attributes:
            yield routed("CNAME", record.ttl, attributes["AWS_INSTANCE_CNAME"].rstrip(".") + ".")
        else:
            attribute = dict(address_types).get(record.type, "")
            if attribute in attributes:
                yield routed(record.type, record.ttl, attributes[attribute])
