"""One hosted zone as a resolver serves it: record sets grouped, routing policies and aliases resolved.

In go a zone's record sets (the user's, Cloud Map's, the apex), out comes a `Zone`. Health decides here which values a
group offers; chance decides later. Health checks of Route 53 itself are not run: a record that names one counts as
healthy. Sources: aws/ecs-cloudmap-exec.md section 10, aws/alb-vpc-terraform.md section 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tsubo.model.derived import apex_record_sets, discovery_record_sets
from tsubo.model.nameserver import RecordGroup, RecordPool, ResourceRecord, Zone
from tsubo.model.route53 import HostedZone, RecordSet
from tsubo.model.world import World

LoadBalancerAddresses = Mapping[str, tuple[RecordPool, ...]]
"""What a load balancer's name answers with, by the name with its trailing dot."""

MULTIVALUE_LIMIT = 8
DEFAULT_TTL_SECONDS = 300
SERVICE_ZONE_SOA_TTL_SECONDS = 60
SetsByQuestion = Mapping[tuple[str, str], Sequence[RecordSet]]


def hosted_zone(world: World, zone: HostedZone, balancers: LoadBalancerAddresses) -> Zone:
    """Return a hosted zone as it is served."""
    sets: dict[tuple[str, str], list[RecordSet]] = {}
    for record_set in (*apex_record_sets(zone), *_own_record_sets(world, zone), *_healthy_discovery(world, zone)):
        sets.setdefault((_served_name(record_set.name), record_set.type), []).append(record_set)
    groups = tuple(RecordGroup(*question, _pools(zone, question, sets, balancers)) for question in sorted(sets))
    _, start_of_authority = apex_record_sets(zone)
    return Zone(zone.name, groups, _denial(zone.name, zone.soa_ttl, start_of_authority.values[0]))


def service_zone(name: str, groups: tuple[RecordGroup, ...], address_domain: str | None = None) -> Zone:
    """Return a zone of AWS's own (load balancers, names of addresses), with a start of authority like AWS's."""
    value = f"ns-1.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 {SERVICE_ZONE_SOA_TTL_SECONDS}"
    return Zone(name, groups, _denial(name, SERVICE_ZONE_SOA_TTL_SECONDS, value), address_domain)


def _denial(name: str, ttl: int, start_of_authority: str) -> ResourceRecord:
    """Return the SOA record of a denial: its TTL is the lesser of the record's own and its last field."""
    return ResourceRecord(name, "SOA", min(ttl, int(start_of_authority.rsplit(maxsplit=1)[-1])), start_of_authority)


def _served_name(name: str) -> str:
    return name.replace("\\052", "*")


def _own_record_sets(world: World, zone: HostedZone) -> list[RecordSet]:
    """Return the record sets that the user wrote, in a fixed order (an apex NS or SOA is derived, never stored)."""
    own = [record_set for record_set in world.record_sets.values() if record_set.zone_id == zone.zone_id]
    return sorted(own, key=lambda record_set: record_set.key)


def _healthy_discovery(world: World, zone: HostedZone) -> list[RecordSet]:
    """Return Cloud Map's record sets that may be answered: of each name and type the healthy ones, or, where none
    is healthy, all."""
    found = sorted(discovery_record_sets(world, zone), key=lambda discovered: discovered.record_set.key)
    with_healthy = {(d.record_set.name, d.record_set.type) for d in found if d.healthy}
    return [d.record_set for d in found if d.healthy or (d.record_set.name, d.record_set.type) not in with_healthy]


def _pools(
    zone: HostedZone,
    question: tuple[str, str],
    by_question: SetsByQuestion,
    balancers: LoadBalancerAddresses,
    followed: frozenset[tuple[str, str]] = frozenset(),
) -> tuple[RecordPool, ...]:
    """Return the pools that answer a name and type, by the routing policy of its record sets.

    `followed` are the aliases on the way here: one that leads back to itself has no data. A weighted alias to a
    weighted name gives each pool there the product of the weights.
    """
    if question in followed:
        return ()
    followed |= {question}
    resolved = [
        (record_set, pool)
        for record_set in by_question.get(question, ())
        for pool in _resolve(zone, record_set, by_question, balancers, followed)
    ]
    if not resolved:
        return ()
    if any(record_set.multivalue_answer for record_set, _ in resolved):
        values = tuple(value for _, pool in resolved for value in pool.values)
        return (RecordPool(min(pool.ttl for _, pool in resolved), values, limit=MULTIVALUE_LIMIT),)
    if any(record_set.weight is not None for record_set, _ in resolved):
        return tuple(replace(pool, weight=pool.weight * (record_set.weight or 0)) for record_set, pool in resolved)
    first, _ = resolved[0]
    return tuple(pool for record_set, pool in resolved if record_set is first)


def _resolve(
    zone: HostedZone,
    record_set: RecordSet,
    by_question: SetsByQuestion,
    balancers: LoadBalancerAddresses,
    followed: frozenset[tuple[str, str]],
) -> tuple[RecordPool, ...]:
    """Return a record set's own values, or what its alias points to: a record of the same type in the same zone, or
    a load balancer (which has only A records). An alias to anything else has no data."""
    alias = record_set.alias
    if alias is None:
        ttl = DEFAULT_TTL_SECONDS if record_set.ttl is None else record_set.ttl
        return (RecordPool(ttl, record_set.values),) if record_set.values else ()
    target = alias.dns_name.lower().rstrip(".") + "."
    if alias.hosted_zone_id == zone.zone_id:
        return _pools(zone, (_served_name(target), record_set.type), by_question, balancers, followed)
    return balancers.get(target.removeprefix("dualstack."), ()) if record_set.type == "A" else ()
