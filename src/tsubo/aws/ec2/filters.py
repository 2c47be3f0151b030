"""Filters of Describe operations: every filter holds, any value of a filter matches, `*` and `?` are wildcards.

A filter looks at what the caller would see: each operation has a table from filter names to paths into its own
answer, such as `association.main` to `Associations.Main`. A path walks through lists.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tsubo.aws.ec2.errors import invalid_value

View = dict[str, Any]
"""One resource as an answer shows it, in boto3's form."""


def select(
    views: Iterable[View], filters: Sequence[Mapping[str, Any]], paths: Mapping[str, str], tag_member: str = "Tags"
) -> list[View]:
    """Return the views that pass every filter; raise InvalidParameterValue for a filter the operation does not have."""
    kept = list(views)
    for condition in filters:
        name = condition.get("Name", "")
        patterns = [wildcard_pattern(str(value)) for value in condition.get("Values") or []]
        path = _path(name, paths)
        kept = [
            view
            for view in kept
            if any(pattern.fullmatch(value) for value in _values(view, name, path, tag_member) for pattern in patterns)
        ]
    return kept


def wildcard_pattern(value: str) -> re.Pattern[str]:
    """Return the pattern of a filter value: `*` any text, `?` one character, a backslash makes the next one literal."""
    parts: list[str] = []
    for token in re.findall(r"\\.|.", value, re.DOTALL):
        if token == "*":
            parts.append(".*")
        elif token == "?":
            parts.append(".")
        else:
            parts.append(re.escape(token[-1]))
    return re.compile("".join(parts), re.DOTALL)


def values_at(view: View, path: str) -> Iterator[str]:
    """Yield, as text, the values at a dotted path of a view."""
    found: list[Any] = [view]
    for member in path.split("."):
        found = [part[member] for part in found if part.get(member) is not None]
        found = [item for part in found for item in (part if isinstance(part, list) else [part])]
    for value in found:
        yield str(value).lower() if isinstance(value, bool) else str(value)


def _path(name: str, paths: Mapping[str, str]) -> str | None:
    if name == "tag-key" or name.startswith("tag:"):
        return None
    if name not in paths:
        raise invalid_value(f"The filter '{name}' is invalid")
    return paths[name]


def _values(view: View, name: str, path: str | None, tag_member: str) -> Iterable[str]:
    if path is not None:
        return values_at(view, path)
    tags = view.get(tag_member) or []
    if name == "tag-key":
        return [tag["Key"] for tag in tags]
    return [tag["Value"] for tag in tags if tag["Key"] == name.removeprefix("tag:")]
