"""Record sets: all those of a zone, their form in answers, and ListResourceRecordSets.

A zone's apex NS and SOA, and what Cloud Map keeps in it, are derived from other records and listed with the rest.
Source: aws/ecs-cloudmap-exec.md sections 10 and 11.
"""

from tsubo.aws.operations import Call, Request, Response
from tsubo.aws.route53.lookup import find_zone, invalid_input
from tsubo.aws.route53.names import BadName, normalized, sort_key
from tsubo.aws.route53.pages import page_from, page_size
from tsubo.model.derived import apex_record_sets, discovery_record_sets
from tsubo.model.route53 import HostedZone, RecordSet
from tsubo.model.world import World

PAGE_SIZE = 300


def record_sets_of(world: World, zone: HostedZone) -> list[RecordSet]:
    """Return every record set of a zone: the apex's, Cloud Map's, and those written by ChangeResourceRecordSets."""
    return [
        *apex_record_sets(zone),
        *(discovered.record_set for discovered in discovery_record_sets(world, zone)),
        *written_record_sets(world, zone),
    ]


def written_record_sets(world: World, zone: HostedZone) -> list[RecordSet]:
    """Return the record sets of a zone that ChangeResourceRecordSets wrote."""
    return [record_set for record_set in world.record_sets.values() if record_set.zone_id == zone.zone_id]


def list_resource_record_sets(call: Call, request: Request) -> Response:
    """ListResourceRecordSets: by reversed labels, type and set identifier, from the place a request names on."""
    zone = find_zone(call, request.get("HostedZoneId"))
    size = page_size(request.get("MaxItems"), PAGE_SIZE)
    shown, following = page_from(record_sets_of(call.world, zone), _place, size, _start(request))
    return {
        "ResourceRecordSets": [record_set_shape(record_set) for record_set in shown],
        "IsTruncated": following is not None,
        "MaxItems": str(size),
        **(_next(following) if following else {}),
    }


def record_set_shape(record_set: RecordSet) -> Response:
    """Return a record set in the form AWS answers."""
    shape: Response = {"Name": record_set.name, "Type": record_set.type}
    if record_set.set_identifier is not None:
        shape["SetIdentifier"] = record_set.set_identifier
    if record_set.weight is not None:
        shape["Weight"] = record_set.weight
    if record_set.multivalue_answer:
        shape["MultiValueAnswer"] = True
    if record_set.alias is not None:
        shape["AliasTarget"] = {
            "HostedZoneId": record_set.alias.hosted_zone_id,
            "DNSName": record_set.alias.dns_name,
            "EvaluateTargetHealth": record_set.alias.evaluate_target_health,
        }
    else:
        shape["TTL"] = record_set.ttl
        shape["ResourceRecords"] = [{"Value": value} for value in record_set.values]
    if record_set.health_check_id is not None:
        shape["HealthCheckId"] = record_set.health_check_id
    return shape


def _place(record_set: RecordSet) -> tuple[tuple[str, ...], str, str]:
    return sort_key(record_set.name), record_set.type, record_set.set_identifier or ""


def _start(request: Request) -> tuple[tuple[str, ...], str, str] | None:
    name, kind, identifier = (request.get(f"StartRecord{part}") for part in ("Name", "Type", "Identifier"))
    if kind and not name:
        raise invalid_input("StartRecordName must be specified with StartRecordType")
    if identifier and not kind:
        raise invalid_input("StartRecordType must be specified with StartRecordIdentifier")
    if not name:
        return None
    try:
        return sort_key(normalized(name)), kind or "", identifier or ""
    except BadName as error:
        raise invalid_input(str(error)) from error


def _next(following: RecordSet) -> Response:
    identifier = following.set_identifier
    return {
        "NextRecordName": following.name,
        "NextRecordType": following.type,
        **({"NextRecordIdentifier": identifier} if identifier is not None else {}),
    }
