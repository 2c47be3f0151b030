"""Whether the target of an alias is there: a load balancer of ours, or a record in the same zone.

Source: aws/alb-vpc-terraform.md section 3.
"""

from collections.abc import Iterable

from tsubo.aws.operations import Call
from tsubo.aws.route53.names import lies_in
from tsubo.model.route53 import AliasTarget, HostedZone, RecordSet

ADDRESS_TYPES = ("A", "AAAA")


def alias_problem(call: Call, zone: HostedZone, record_set: RecordSet, record_sets: Iterable[RecordSet]) -> str | None:
    """Return what is wrong with an alias, in the words of Route 53, or None; `record_sets` are those of the zone."""
    alias = record_set.alias
    if alias is None:
        return None
    problem = _problem(call, zone, record_set.type, alias, record_sets)
    if problem is None:
        return None
    return (
        f"Tried to create an alias that targets {alias.dns_name}, type {record_set.type} in zone "
        f"{alias.hosted_zone_id}, but {problem}"
    )


def _problem(
    call: Call, zone: HostedZone, kind: str, alias: AliasTarget, record_sets: Iterable[RecordSet]
) -> str | None:
    if alias.hosted_zone_id == zone.zone_id:
        if not lies_in(alias.dns_name, zone.name):
            return "the alias target name does not lie within the target zone"
        found = any(each.name == alias.dns_name and each.type == kind for each in record_sets)
        return None if found else "that target was not found"
    name = alias.dns_name.removeprefix("dualstack.").removesuffix(".")
    for load_balancer in call.world.load_balancers.values():
        if load_balancer.dns_name.lower() == name and kind in ADDRESS_TYPES:
            in_zone = load_balancer.canonical_hosted_zone_id == alias.hosted_zone_id
            return None if in_zone else "the alias target name does not lie within the target zone"
    return "that target was not found"
