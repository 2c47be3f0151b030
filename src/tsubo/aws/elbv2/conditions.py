"""The conditions of rules: every form AWS takes, made into our records, and those in the form AWS answers.

Source: aws/alb-vpc-terraform.md section 1.4.
"""

import ipaddress
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tsubo.aws.elbv2.lookup import invalid
from tsubo.aws.operations import AwsError
from tsubo.model.elbv2 import Condition

CONFIG_MEMBERS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
PLAIN_VALUES_FIELDS = ("host-header", "path-pattern")
"""The fields that also take their values beside `Field`, as all did before 2019."""
ONCE_A_RULE = ("host-header", "path-pattern", "http-request-method", "source-ip")
MOST_VALUES = 5
LONGEST_VALUE = 128
LONGEST_HEADER_NAME = 40

Shape = dict[str, Any]


def parse_conditions(conditions: Iterable[Shape]) -> tuple[Condition, ...]:
    """Return the conditions of a rule. Raises ValidationError."""
    parsed = tuple(_parse(condition) for condition in conditions)
    if not parsed:
        raise invalid("A rule must have at least one condition")
    if sum(len(condition.values) + len(condition.query) for condition in parsed) > MOST_VALUES:
        raise invalid(f"A rule can only have '{MOST_VALUES}' condition values")
    for field, count in Counter(condition.field for condition in parsed).items():
        if field in ONCE_A_RULE and count > 1:
            raise invalid(f"A rule can only have one condition of field '{field}'")
    return parsed


def condition_shape(condition: Condition) -> Shape:
    """Return a condition as AWS answers it: with its config, and host and path with their values beside it too."""
    config: Shape = {"Values": list(condition.values)}
    if condition.header_name is not None:
        config["HttpHeaderName"] = condition.header_name
    if condition.field == "query-string":
        config["Values"] = [{"Value": value} | ({"Key": key} if key else {}) for key, value in condition.query]
    shape = {"Field": condition.field, CONFIG_MEMBERS[condition.field]: config}
    if condition.field in PLAIN_VALUES_FIELDS:
        shape["Values"] = list(condition.values)
    return shape


def _parse(condition: Shape) -> Condition:
    field = condition.get("Field")
    if field not in CONFIG_MEMBERS:
        raise invalid(f"Condition field '{field}' must be one of '[{','.join(CONFIG_MEMBERS)}]'")
    config = _config(condition, field)
    if condition.get("RegexValues") or config.get("RegexValues"):
        raise AwsError("OperationNotPermitted", "Regular expressions in conditions are not supported by Tsubo")
    if field == "query-string":
        return Condition(field, query=_query(config))
    values = tuple(config.get("Values") or ())
    if not values:
        raise invalid("A condition value must be specified")
    _check_values(field, values)
    return Condition(field, values, header_name=_header_name(config) if field == "http-header" else None)


def _config(condition: Shape, field: str) -> Shape:
    """Return a condition's config, whichever way it was given."""
    member = CONFIG_MEMBERS[field]
    config: Shape = condition.get(member) or {}
    plain = condition.get("Values")
    if not plain:
        if not config and field not in PLAIN_VALUES_FIELDS:
            raise invalid(f"A '{member}' must be specified with '{field}'")
        return config
    if field not in PLAIN_VALUES_FIELDS:
        raise invalid(f"The 'Values' field is not compatible with '{field}'")
    if config:
        raise invalid(f"You cannot provide both Values and '{member}' for a condition of type '{field}'")
    return {"Values": plain}


def _check_values(field: str, values: tuple[str, ...]) -> None:
    for value in values:
        if len(value) > LONGEST_VALUE:
            raise invalid(f"The '{field}' value is too long; the limit is '{LONGEST_VALUE}'")
        if field == "source-ip":
            _check_network(value)


def _check_network(value: str) -> None:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError as error:
        raise invalid(f"The 'source-ip' value '{value}' must be in CIDR format") from error


def _header_name(config: Shape) -> str:
    name = str(config.get("HttpHeaderName") or "")
    if not name:
        raise invalid("An 'HttpHeaderName' must be specified with 'http-header'")
    if len(name) > LONGEST_HEADER_NAME:
        raise invalid(f"The 'HttpHeaderName' value is too long; the limit is '{LONGEST_HEADER_NAME}'")
    if name.lower() == "host":
        raise invalid("The 'HttpHeaderName' value cannot be 'host'; use a condition of field 'host-header'")
    return name


def _query(config: Shape) -> tuple[tuple[str | None, str], ...]:
    pairs = config.get("Values") or ()
    if not pairs or any("Value" not in pair for pair in pairs):
        raise invalid("A 'Value' must be specified in 'QueryStringKeyValuePair'")
    return tuple((pair.get("Key") or None, pair["Value"]) for pair in pairs)
