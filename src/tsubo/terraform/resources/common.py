"""What several resource types share: tags in AWS's shapes, names that Terraform makes up, small picks."""

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from tsubo.terraform.calls import Aws
from tsubo.terraform.table import Retag
from tsubo.terraform.values import Values

T = TypeVar("T")

_counter = itertools.count(1)


def first(elements: Iterable[T] | None) -> T | None:
    """Return the first element, or None where there is none."""
    return next(iter(elements or ()), None)


def block(values: Values, name: str) -> Values | None:
    """Return the one block of a name, or None where the configuration has none."""
    found: Values | None = first(values.get(name) or ())
    return found


def given(**members: Any) -> dict[str, Any]:
    """Return the members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def unique_name(prefix: str | None = None, longest: int = 255) -> str:
    """Return a name as Terraform makes one up: the prefix (`terraform-`), the time, a counter."""
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    text = f"{stamp}{time.time_ns() // 100_000 % 10_000:04d}{next(_counter):08x}"
    return ((prefix or "terraform-") + text)[:longest]


def name_of(values: Values, longest: int = 255, default_prefix: str | None = None) -> str:
    """Return the resource's name: given, made up from its `name_prefix`, or made up whole."""
    return values.get("name") or unique_name(values.get("name_prefix") or default_prefix, longest)


def tag_list(values: Values, key: str = "Key", value: str = "Value") -> list[dict[str, str]] | None:
    """Return a resource's tags as a list, None where it has none."""
    return tag_items(values.get("tags_all") or {}, key, value) or None


def tag_items(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: tag, value: text or ""} for tag, text in tags.items()]


def tag_map(tags: Iterable[Mapping[str, str]] | None, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Return tags that AWS lists as a map."""
    return {tag[key]: tag.get(value, "") for tag in tags or ()}


def retag_by(
    service: str, tag: str, untag: str, resource: str, tags: str, keys: str, item: tuple[str, str] | None = None
) -> Retag:
    """Return a `retag` for a service with one operation to tag and one to untag.

    `resource`, `tags` and `keys` name their parameters; `item` the members of a tag, where tags are a list.
    """

    def retag(aws: Aws, values: Values, changed: Mapping[str, str], removed: list[str]) -> None:
        identifier = values.get("arn") or values["id"]
        if removed:
            aws.call(service, untag, **{resource: identifier, keys: removed})
        if changed:
            aws.call(service, tag, **{resource: identifier, tags: tag_items(changed, *item) if item else dict(changed)})

    return retag


def retag_ec2(aws: Aws, values: Values, changed: Mapping[str, str], removed: list[str]) -> None:
    """Set and remove the tags of an EC2 resource."""
    if removed:
        aws.call("ec2", "delete_tags", Resources=[values["id"]], Tags=[{"Key": key} for key in removed])
    if changed:
        aws.call("ec2", "create_tags", Resources=[values["id"]], Tags=tag_items(changed))


def tag_specifications(values: Values, kind: str) -> list[dict[str, Any]] | None:
    """Return a resource's tags as EC2 takes them at creation."""
    tags = tag_list(values)
    return [{"ResourceType": kind, "Tags": tags}] if tags else None


def changed(before: Values, after: Values, *names: str) -> bool:
    """Say whether one of these attributes changed."""
    return any(before.get(name) != after.get(name) for name in names)


def without_dot(name: str) -> str:
    """Return a domain name in the form in which configurations write it."""
    return name.rstrip(".").lower()


def same_domain(one: str, other: str) -> bool:
    """Say whether two domain names are one."""
    return without_dot(one) == without_dot(other)


def same_folded(one: str, other: str) -> bool:
    """Say whether two texts differ in case at most."""
    return one.casefold() == other.casefold()


def same_last_part(one: str, other: str) -> bool:
    """Say whether an ARN and a name are one: equal after the last slash."""
    return one.rpartition("/")[2] == other.rpartition("/")[2]


def same_members(key: Callable[[Any], Any]) -> Callable[[Any, Any], bool]:
    """Return a comparison of two lists by the set of their elements' keys."""
    return lambda one, other: {key(element) for element in one} == {key(element) for element in other}
