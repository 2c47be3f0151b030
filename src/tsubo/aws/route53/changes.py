"""ChangeResourceRecordSets and GetChange: a batch of changes that is made whole or not at all.

The batch is tried on a draft of the zone; all that is wrong is told at once, in Route 53's words, and only a draft
with nothing wrong is written. Sources: aws/alb-vpc-terraform.md section 3, aws/ecs-cloudmap-exec.md section 11.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field

from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.aws.route53.alias_targets import alias_problem
from tsubo.aws.route53.lookup import (
    bare_id,
    change_shape,
    find_zone,
    invalid_input,
    record_change,
    refuse_linked,
)
from tsubo.aws.route53.names import BadName, lies_in
from tsubo.aws.route53.record_parsing import parse_record_set, value_problem
from tsubo.aws.route53.record_sets import written_record_sets
from tsubo.model.derived import apex_record_sets
from tsubo.model.route53 import HostedZone, RecordSet

ACTIONS = ("CREATE", "DELETE", "UPSERT")
MOST_CHANGES = 1000
LAST_APEX_RECORDS = {
    "NS": "A HostedZone must contain at least one NS record for the zone itself.",
    "SOA": "A HostedZone must contain exactly one SOA record.",
}


@dataclass
class _Draft:
    """A zone with the changes of a batch so far: its written record sets by key, and what is wrong."""

    zone: HostedZone
    record_sets: dict[str, RecordSet]
    touched: dict[str, RecordSet] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def change_resource_record_sets(call: Call, request: Request) -> Response:
    """ChangeResourceRecordSets. Raises InvalidChangeBatch, InvalidInput, AccessDenied (a zone of Cloud Map)."""
    zone = find_zone(call, request.get("HostedZoneId"))
    refuse_linked(zone)
    batch = request.get("ChangeBatch") or {}
    changes = batch.get("Changes") or ()
    if len(changes) > MOST_CHANGES:
        raise _bad_batch([f"Number of records limit of {MOST_CHANGES} exceeded."])
    before = {record_set.key: record_set for record_set in written_record_sets(call.world, zone)}
    draft = _Draft(zone, dict(before))
    for action, record_set in _parsed(zone, changes):
        _apply(draft, action, record_set)
    _check_fit(call, draft)
    if draft.problems:
        raise _bad_batch(draft.problems)
    call.delete(*(record_set for key, record_set in before.items() if key not in draft.record_sets))
    call.put(*(record_set for key, record_set in draft.record_sets.items() if before.get(key) != record_set))
    if draft.zone != zone:
        call.put(draft.zone)
    return {"ChangeInfo": record_change(call, batch.get("Comment"))}


def get_change(call: Call, request: Request) -> Response:
    """GetChange: every change is in sync once it was answered."""
    change_id = bare_id(request.get("Id") or "")
    change = call.world.changes.get(change_id)
    if change is None:
        raise AwsError("NoSuchChange", f"A change with ID {change_id} does not exist.")
    return {"ChangeInfo": change_shape(change, "INSYNC")}


def _bad_batch(problems: Iterable[str]) -> AwsError:
    return AwsError("InvalidChangeBatch", f"[{', '.join(problems)}]")


def _parsed(zone: HostedZone, changes: Iterable[Response]) -> list[tuple[str, RecordSet]]:
    parsed = []
    for change in changes:
        action, shape = change.get("Action") or "", change.get("ResourceRecordSet") or {}
        if action not in ACTIONS:
            raise invalid_input(f"Invalid request: Action '{action}' must be one of {', '.join(ACTIONS)}")
        try:
            parsed.append((action, parse_record_set(zone.zone_id, action, shape)))
        except BadName as error:
            raise _bad_batch([str(error)]) from error
    return parsed


def _apply(draft: _Draft, action: str, record_set: RecordSet) -> None:
    """Make one change on the draft, or note why it cannot be made."""
    zone = draft.zone
    if not lies_in(record_set.name, zone.name):
        draft.problems.append(f"RRSet with DNS name {record_set.name} is not permitted in zone {zone.name}")
    elif record_set.name == zone.name and record_set.type in LAST_APEX_RECORDS:
        _apply_to_apex(draft, action, record_set)
    elif action == "DELETE":
        _delete(draft, record_set)
    elif action == "CREATE" and record_set.key in draft.record_sets:
        draft.problems.append(f"Tried to create {_named(record_set)} but it already exists")
    else:
        problem = value_problem(record_set.type, record_set.values)
        draft.problems += [problem] if problem else []
        draft.record_sets[record_set.key] = draft.touched[record_set.key] = record_set


def _delete(draft: _Draft, record_set: RecordSet) -> None:
    standing = draft.record_sets.get(record_set.key)
    if standing is None:
        draft.problems.append(f"Tried to delete {_named(record_set)} but it was not found")
    elif _comparable(standing) != _comparable(record_set):
        draft.problems.append(
            f"Tried to delete {_named(record_set)} but the values provided do not match the current values"
        )
    else:
        del draft.record_sets[record_set.key]
        draft.touched.pop(record_set.key, None)


def _apply_to_apex(draft: _Draft, action: str, record_set: RecordSet) -> None:
    """Change a zone's own NS or SOA, which follow from the zone: only the SOA's TTL can be another."""
    if action == "CREATE":
        draft.problems.append(f"Tried to create {_named(record_set)} but it already exists")
        return
    if action == "DELETE":
        draft.problems.append(LAST_APEX_RECORDS[record_set.type])
        return
    standing = next(each for each in apex_record_sets(draft.zone) if each.type == record_set.type)
    same_values = _bare_values(standing) == _bare_values(record_set)
    if same_values and record_set.type == "SOA" and record_set.ttl is not None:
        draft.zone = dataclasses.replace(draft.zone, soa_ttl=record_set.ttl)
    elif not same_values or record_set.ttl != standing.ttl:
        raise invalid_input(
            f"Invalid request: of a zone's own NS and SOA only the TTL of the SOA can be changed in Tsubo "
            f"(the {standing.type} of {draft.zone.name})"
        )


def _check_fit(call: Call, draft: _Draft) -> None:
    """Note what does not fit together in the zone as the batch would leave it."""
    for record_set in draft.touched.values():
        siblings = [each for each in draft.record_sets.values() if each.name == record_set.name]
        draft.problems += _conflicts(draft.zone, record_set, siblings)
        problem = alias_problem(call, draft.zone, record_set, draft.record_sets.values())
        draft.problems += [problem] if problem else []


def _conflicts(zone: HostedZone, record_set: RecordSet, siblings: list[RecordSet]) -> list[str]:
    problems = []
    kind, name = record_set.type, record_set.name
    if kind == "CNAME" and name == zone.name:
        problems.append(f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone.name}")
    for other in siblings:
        if other.type != kind and "CNAME" in (other.type, kind):
            problems.append(
                f"RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type "
                f"{other.type} with the same DNS name already exists in zone {zone.name}"
            )
        if other.type == kind and _policy(other) != _policy(record_set):
            problems.append(
                f"RRSet with DNS name {name}, type {kind}, SetIdentifier {record_set.set_identifier or 'null'} "
                f"cannot be created because a {_policy(other)} RRSet exists with the same name and type"
            )
    return problems


def _policy(record_set: RecordSet) -> str:
    if record_set.multivalue_answer:
        return "multivalue answer"
    return "simple" if record_set.weight is None else "weighted"


def _named(record_set: RecordSet) -> str:
    identifier = f", set-identifier='{record_set.set_identifier}'" if record_set.set_identifier else ""
    return f"resource record set [name='{record_set.name}', type='{record_set.type}'{identifier}]"


def _comparable(record_set: RecordSet) -> RecordSet:
    """Return what two descriptions of one record set must agree in: the order of values says nothing."""
    return dataclasses.replace(record_set, values=tuple(sorted(record_set.values)))


def _bare_values(record_set: RecordSet) -> list[str]:
    return sorted(value.lower().removesuffix(".") for value in record_set.values)
