"""ECR's lifecycle policies: which images of a repository have expired.

The rules of evaluation are those of ECR's user guide ("How lifecycle policies work"): rules by priority; an image whose
tags a rule asks for is that rule's alone, whether it expires or not; the oldest expire first.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from tsubo.model.ecr import Image

DAY_SECONDS = 86400.0


@dataclass(frozen=True)
class LifecycleRule:
    """One rule. `patterns` are those that its images' tags match, all of them; `days` says what `count` counts."""

    priority: int
    tag_status: str
    patterns: tuple[str, ...]
    count: int
    days: bool

    def selects(self, image: Image) -> bool:
        """Return whether an image has the tags that the rule asks for."""
        if self.tag_status == "any":
            return True
        if self.tag_status == "untagged":
            return not image.tags
        return bool(image.tags) and all(
            any(fnmatchcase(tag, pattern) for tag in image.tags) for pattern in self.patterns
        )

    def expired(self, images: list[Image], now: float) -> list[Image]:
        """Return which of the images that the rule selects have expired."""
        if self.days:
            return [image for image in images if now - image.pushed_at > self.count * DAY_SECONDS]
        return sorted(images, key=lambda image: -image.pushed_at)[self.count :]


@cache
def read_rules(policy: str) -> tuple[LifecycleRule, ...]:
    """Return the rules of a policy that ECR has accepted, by priority."""
    rules = []
    for rule in json.loads(policy)["rules"]:
        selection = rule["selection"]
        prefixes = tuple(f"{prefix}*" for prefix in selection.get("tagPrefixList") or ())
        rules.append(
            LifecycleRule(
                priority=rule["rulePriority"],
                tag_status=selection["tagStatus"],
                patterns=prefixes + tuple(selection.get("tagPatternList") or ()),
                count=selection["countNumber"],
                days=selection["countType"] == "sinceImagePushed",
            )
        )
    return tuple(sorted(rules, key=lambda rule: rule.priority))


def expired_images(policy: str, images: Iterable[Image], now: float) -> list[tuple[Image, int]]:
    """Return a repository's expired images, each with the priority of the rule that says so, the oldest first.

    An image that is part of an index goes after the index, so it is none of them while the index stays.
    """
    everything = list(images)
    remaining, expired = everything, []
    for rule in read_rules(policy):
        selected = [image for image in remaining if rule.selects(image)]
        expired += [(image, rule.priority) for image in rule.expired(selected, now)]
        remaining = [image for image in remaining if image not in selected]
    going = {image.digest for image, _ in expired}
    held = {child for image in everything if image.digest not in going for child in image.children}
    ordered = sorted(expired, key=lambda each: each[0].pushed_at)
    return [(image, priority) for image, priority in ordered if image.digest not in held]
