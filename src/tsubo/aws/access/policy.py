"""What policies say about one access. Pure: documents and an access go in, a verdict comes out.

A statement that denies wins over any that allows; without one that allows, the access is denied. A permissions boundary
must allow as well. Conditions compare the values that the access brings along: a key that it does not bring is absent,
as for IAM.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any, Literal

Document = Mapping[str, Any]
Statement = Mapping[str, Any]
Verdict = Literal["allowed", "not allowed", "not allowed by the boundary", "denied"]

VARIABLE = re.compile(r"\$\{([^}]*)\}")
LITERAL_VARIABLES = {"*": "[*]", "?": "[?]", "$": "$"}
ANY_CHARACTERS = "*"


@dataclass(frozen=True)
class Access:
    """One thing that somebody wants to do: `sqs:SendMessage` on an ARN, and what conditions may ask about it.

    `resource` is None where it is not known which; then a statement that allows is taken to mean it, and one that
    denies only if it means every resource. Keys of `context` are compared without case.
    """

    action: str
    resource: str | None = "*"
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    def values(self, key: str) -> tuple[str, ...] | None:
        """Return the values that the access has for a condition key, or None."""
        for name, value in self.context.items():
            if name.lower() == key.lower():
                return (value,) if isinstance(value, str) else tuple(value)
        return None


def decide(policies: Iterable[Document], access: Access, boundary: Document | None = None) -> Verdict:
    """Return what identity policies, and a permissions boundary, say of an access."""
    statements = [s for policy in policies for s in statements_of(policy)]
    limits = statements_of(boundary) if boundary is not None else []
    if any(_applies(s, access, "Deny") for s in (*statements, *limits)):
        return "denied"
    if not any(_applies(s, access, "Allow") for s in statements):
        return "not allowed"
    if boundary is not None and not any(_applies(s, access, "Allow") for s in limits):
        return "not allowed by the boundary"
    return "allowed"


def trusts(policy: Document, service: str, context: Mapping[str, str]) -> bool:
    """Return whether a role's trust policy lets a service (`ecs-tasks.amazonaws.com`) assume the role."""
    access = Access("sts:AssumeRole", None, context)
    of_service = [s for s in statements_of(policy) if _names_service(s, service)]
    denied = any(s.get("Effect") == "Deny" and _matches(s, access) for s in of_service)
    return not denied and any(s.get("Effect") == "Allow" and _matches(s, access) for s in of_service)


def statements_of(policy: Document) -> list[Statement]:
    """Return a policy's statements: there may be one without a list around it."""
    statements = policy.get("Statement", [])
    return [statements] if isinstance(statements, Mapping) else list(statements)


def _names_service(statement: Statement, service: str) -> bool:
    principal = statement.get("Principal", {})
    if principal == "*":
        return True
    return isinstance(principal, Mapping) and bool({service, "*"} & set(_listed(principal.get("Service", ()))))


def _applies(statement: Statement, access: Access, effect: str) -> bool:
    if statement.get("Effect") != effect or not _matches(statement, access):
        return False
    return effect == "Allow" or access.resource is not None or "*" in _listed(statement.get("Resource", ()))


def _matches(statement: Statement, access: Access) -> bool:
    """Return whether a statement is about an access: its action, its resource, its conditions."""
    return (
        _named(statement, "Action", lambda pattern: like(access.action.lower(), pattern.lower()))
        and _named(statement, "Resource", lambda pattern: _means(pattern, access))
        and all(
            _condition(operator, key, _listed(wanted), access)
            for operator, block in statement.get("Condition", {}).items()
            for key, wanted in block.items()
        )
    )


def _named(statement: Statement, member: str, matches: Callable[[str], bool]) -> bool:
    """Return whether a statement's member, or its `Not` form, takes something in; without either it does."""
    if f"Not{member}" in statement:
        return not any(matches(pattern) for pattern in _listed(statement[f"Not{member}"]))
    return member not in statement or any(matches(pattern) for pattern in _listed(statement[member]))


def _means(pattern: str, access: Access) -> bool:
    return access.resource is None or like(access.resource, _with_variables(pattern, access))


def _with_variables(pattern: str, access: Access) -> str:
    """Return a pattern with its policy variables filled in; one that has no value matches nothing."""

    def value(found: re.Match[str]) -> str:
        name, _, default = found[1].partition(",")
        if name in LITERAL_VARIABLES:
            return LITERAL_VARIABLES[name]
        values = access.values(name.strip())
        return values[0] if values else default.strip().strip("'") or "\0"

    return VARIABLE.sub(value, pattern) if "${" in pattern else pattern


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """Return a pattern with `*` and `?` as a regular expression; `[*]` and `[?]` stand for themselves."""
    parts = re.split(r"(\[\*\]|\[\?\]|\*|\?)", pattern)
    meanings = {"*": ".*", "?": ".", "[*]": r"\*", "[?]": r"\?"}
    return re.compile("".join(meanings.get(part, re.escape(part)) for part in parts), re.DOTALL)


def like(text: str, pattern: str) -> bool:
    """Return whether a text matches a pattern in which `*` stands for any characters and `?` for one."""
    return pattern == ANY_CHARACTERS or _pattern(pattern).fullmatch(text) is not None


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [str(v).lower() if isinstance(v, bool) else str(v) for v in values]


# Conditions

Comparison = Callable[[str, str], bool]


def _number(compare: Callable[[float, float], bool]) -> Comparison:
    return lambda actual, wanted: compare(float(actual), float(wanted))


def _date(compare: Callable[[float, float], bool]) -> Comparison:
    return lambda actual, wanted: compare(_seconds(actual), _seconds(wanted))


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()


def _in_range(actual: str, wanted: str) -> bool:
    return ip_address(actual) in ip_network(wanted, strict=False)


COMPARISONS: Mapping[str, Comparison] = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringEqualsIgnoreCase": lambda actual, wanted: actual.lower() == wanted.lower(),
    "StringLike": like,
    "ArnEquals": like,
    "ArnLike": like,
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
    "BinaryEquals": lambda actual, wanted: actual == wanted,
    "IpAddress": _in_range,
    "NumericEquals": _number(lambda a, b: a == b),
    "NumericLessThan": _number(lambda a, b: a < b),
    "NumericLessThanEquals": _number(lambda a, b: a <= b),
    "NumericGreaterThan": _number(lambda a, b: a > b),
    "NumericGreaterThanEquals": _number(lambda a, b: a >= b),
    "DateEquals": _date(lambda a, b: a == b),
    "DateLessThan": _date(lambda a, b: a < b),
    "DateLessThanEquals": _date(lambda a, b: a <= b),
    "DateGreaterThan": _date(lambda a, b: a > b),
    "DateGreaterThanEquals": _date(lambda a, b: a >= b),
}
NEGATIONS: Mapping[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}


def _condition(operator: str, key: str, wanted: list[str], access: Access) -> bool:
    """Return whether a condition holds: one of the wanted values, of a negated operator none of them."""
    quantifier, _, name = operator.rpartition(":")
    actual = access.values(key)
    if name == "Null":
        return wanted == [str(actual is None).lower()]
    if name.endswith("IfExists"):
        name = name.removesuffix("IfExists")
        if actual is None:
            return True
    negated = name in NEGATIONS
    comparison = COMPARISONS.get(NEGATIONS.get(name, name))
    if comparison is None:
        return False
    if not actual:
        return negated or quantifier == "ForAllValues"
    wanted = [_with_variables(value, access) for value in wanted]
    hits = [any(_holds(comparison, value, w) for w in wanted) != negated for value in actual]
    return any(hits) if quantifier == "ForAnyValue" else all(hits)


def _holds(comparison: Comparison, actual: str, wanted: str) -> bool:
    try:
        return comparison(actual, wanted)
    except ValueError:
        # A value of another kind: no number, no address, no date.
        return False
