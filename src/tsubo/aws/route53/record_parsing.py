"""A record set of a request, made into our record; or what is wrong with it.

Source: aws/ecs-cloudmap-exec.md section 11. What makes no sense by itself is InvalidInput; what does not fit is
InvalidChangeBatch (`changes.py`).
"""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from tsubo.aws.operations import AwsError
from tsubo.aws.route53.lookup import bare_id, invalid_input
from tsubo.aws.route53.names import BadName, normalized
from tsubo.model.route53 import AliasTarget, RecordSet

TYPES = (
    *("SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV"),
    *("SPF", "AAAA", "CAA", "DS", "TLSA", "SSHFP", "SVCB", "HTTPS"),
)
UNSUPPORTED_ROUTING = ("Region", "Failover", "GeoLocation", "GeoProximityLocation", "CidrRoutingConfig")
LONGEST_TTL = 2_147_483_647
HEAVIEST_WEIGHT = 255

Shape = Mapping[str, Any]


def parse_record_set(zone_id: str, action: str, shape: Shape) -> RecordSet:
    """Return the record set of one change.

    Raises InvalidInput, NoSuchHealthCheck (there are none), and BadName for a name that is none.
    """
    where = _where(action, shape)
    if shape.get("Type") not in TYPES:
        raise invalid_input(f"Invalid request: Type must be one of {', '.join(TYPES)} in {where}")
    for member in UNSUPPORTED_ROUTING:
        if shape.get(member):
            raise invalid_input(f"Invalid request: routing by {member} is not supported by Tsubo in {where}")
    if shape.get("HealthCheckId"):
        raise AwsError("NoSuchHealthCheck", f"No health check exists with the ID: {shape['HealthCheckId']}")
    _check_routing(shape, where)
    values = tuple(record["Value"] for record in shape.get("ResourceRecords") or ())
    alias = shape.get("AliasTarget")
    _check_contents(shape, values, where)
    return RecordSet(
        zone_id=zone_id,
        name=normalized(shape.get("Name") or ""),
        type=shape["Type"],
        ttl=None if alias else int(shape["TTL"]),
        values=values,
        alias=_alias(alias) if alias else None,
        set_identifier=shape.get("SetIdentifier"),
        weight=None if shape.get("Weight") is None else int(shape["Weight"]),
        multivalue_answer=bool(shape.get("MultiValueAnswer")),
    )


def value_problem(kind: str, values: tuple[str, ...]) -> str | None:
    """Return what is wrong with a record set's values, in the words of Route 53, or None."""
    if len(set(values)) < len(values):
        twice = next(value for value in values if values.count(value) > 1)
        return f"Duplicate Resource Record: '{twice}'"
    if kind == "CNAME" and len(values) > 1:
        return "RRSet of type CNAME contains more than one resource record"
    check = _VALUE_CHECKS.get(kind)
    for value in values:
        problem = check(value) if check else None
        if problem:
            return f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
    return None


def _where(action: str, shape: Shape) -> str:
    identifier = shape.get("SetIdentifier") or "null"
    return (
        f"Change with [Action={action}, Name={shape.get('Name')}, Type={shape.get('Type')}, SetIdentifier={identifier}]"
    )


def _check_routing(shape: Shape, where: str) -> None:
    weight, multivalue, identifier = (shape.get(name) for name in ("Weight", "MultiValueAnswer", "SetIdentifier"))
    if weight is not None and multivalue:
        raise invalid_input(f"Invalid request: Expected at most one of [Weight, MultiValueAnswer] in {where}")
    if (weight is not None or multivalue) and not identifier:
        raise invalid_input(f"Invalid request: Missing field 'SetIdentifier' in {where}")
    if identifier and weight is None and not multivalue:
        raise invalid_input(f"Invalid request: Expected exactly one of [Weight, MultiValueAnswer] in {where}")
    if weight is not None and not 0 <= int(weight) <= HEAVIEST_WEIGHT:
        raise invalid_input(f"Invalid request: Weight must be between 0 and {HEAVIEST_WEIGHT} in {where}")
    if multivalue and shape.get("AliasTarget"):
        raise invalid_input(f"Invalid request: an alias cannot be a multivalue answer in {where}")


def _check_contents(shape: Shape, values: tuple[str, ...], where: str) -> None:
    ttl, alias = shape.get("TTL"), shape.get("AliasTarget")
    found = None
    if alias and (ttl is not None or values):
        found = "more than one"
    elif not alias and (ttl is None or not values):
        found = "none"
    if found:
        raise invalid_input(
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], but found {found} in {where}"
        )
    if ttl is not None and not 0 <= int(ttl) <= LONGEST_TTL:
        raise invalid_input(f"Invalid request: TTL must be between 0 and {LONGEST_TTL} in {where}")


def _alias(target: Shape) -> AliasTarget:
    return AliasTarget(
        hosted_zone_id=bare_id(target.get("HostedZoneId") or ""),
        dns_name=normalized(target.get("DNSName") or ""),
        evaluate_target_health=bool(target.get("EvaluateTargetHealth")),
    )


def _ipv4_problem(value: str) -> str | None:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
    return None


def _ipv6_problem(value: str) -> str | None:
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
    return None


def _text_problem(value: str) -> str | None:
    if len(value) >= 2 and value.startswith('"') and value.endswith('"'):
        return None
    return "InvalidCharacterString (Value should be enclosed in quotation marks)"


def _name_problem(value: str) -> str | None:
    try:
        normalized(value)
    except BadName:
        return "InvalidDomainName (Value is not a valid domain name)"
    return None


def _fields_problem(*kinds: type) -> Callable[[str], str | None]:
    """Return a check of values that are fields divided by spaces: numbers, then a domain name."""

    def problem(value: str) -> str | None:
        fields = value.split()
        if len(fields) != len(kinds):
            return f"RRDATANotEnoughFields (Value must have {len(kinds)} fields)"
        if any(kind is int and not field.isdecimal() for kind, field in zip(kinds, fields, strict=True)):
            return "RRDATANotANumber (Value must have numbers before the domain name)"
        return _name_problem(fields[-1]) if fields[-1] != "." else None

    return problem


_VALUE_CHECKS: Mapping[str, Callable[[str], str | None]] = {
    "A": _ipv4_problem,
    "AAAA": _ipv6_problem,
    "TXT": _text_problem,
    "SPF": _text_problem,
    "CNAME": _name_problem,
    "NS": _name_problem,
    "PTR": _name_problem,
    "MX": _fields_problem(int, str),
    "SRV": _fields_problem(int, int, int, str),
}
