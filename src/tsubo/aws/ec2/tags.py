"""Tags: how requests give them, the limits AWS sets, and how answers show them."""

from collections.abc import Iterable, Mapping
from typing import Any

from tsubo.aws.ec2.errors import invalid_value
from tsubo.aws.operations import AwsError, Request
from tsubo.model.vpc import Tags

MOST_TAGS = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256


def tag_list(tags: Tags) -> list[dict[str, str]]:
    """Return tags in the form of an answer, ordered by key."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def shown_tags(tags: Tags) -> dict[str, Any]:
    """Return the Tags member of an answer that AWS leaves out where there are none (VPCs, subnets, groups, ...)."""
    return {"Tags": tag_list(tags)} if tags else {}


def tags_asked(request: Request, resource_type: str) -> Tags:
    """Return the tags a create request gives to a type of resource by its TagSpecifications."""
    asked: list[Mapping[str, str]] = []
    for specification in request.get("TagSpecifications") or []:
        named = specification.get("ResourceType")
        if named != resource_type:
            raise invalid_value(f"'{named}' is not a valid taggable resource type for this operation.")
        asked += specification.get("Tags") or []
    return with_tags({}, asked)


def with_tags(tags: Tags, asked: Iterable[Mapping[str, str]]) -> Tags:
    """Return `tags` with those asked for added or replaced; raise where AWS refuses them."""
    added: dict[str, str] = {}
    for tag in asked:
        key, value = tag.get("Key") or "", tag.get("Value") or ""
        if key in added:
            raise invalid_value(f"Duplicate tag key '{key}' specified.")
        _check(key, value)
        added[key] = value
    together = {**tags, **added}
    if len(together) > MOST_TAGS:
        raise AwsError("TagLimitExceeded", f"The maximum number of tags for a resource is {MOST_TAGS}.")
    return together


def without_tags(tags: Tags, unwanted: Iterable[Mapping[str, str]] | None) -> Tags:
    """Return `tags` without those named; a value, if given, must be equal; none named means all."""
    if not unwanted:
        return {}
    kept = dict(tags)
    for tag in unwanted:
        key = tag.get("Key") or ""
        if tag.get("Value") in (None, tags.get(key)):
            kept.pop(key, None)
    return kept


def _check(key: str, value: str) -> None:
    if not key:
        raise invalid_value("Tag key cannot be empty.")
    if key.lower().startswith("aws:"):
        raise invalid_value("Tag keys starting with 'aws:' are reserved for internal use")
    if len(key) > LONGEST_KEY:
        raise invalid_value(f"Tag key exceeds the maximum length of {LONGEST_KEY} characters")
    if len(value) > LONGEST_VALUE:
        raise invalid_value(f"Tag value exceeds the maximum length of {LONGEST_VALUE} characters")
