"""Tags of load balancers, target groups, listeners and rules: AddTags, RemoveTags, DescribeTags."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping

from tsubo.aws.elbv2.lookup import (
    find_listener,
    find_load_balancer,
    find_rule,
    find_target_group,
    invalid,
)
from tsubo.aws.elbv2.rule_shapes import default_rule_owner
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.elbv2 import Listener, LoadBalancer, Rule, TargetGroup

MOST_TAGS = 50
MOST_RESOURCES = 20
Tagged = LoadBalancer | TargetGroup | Listener | Rule

_FINDERS: Mapping[str, Callable[[Call, str], Tagged]] = {
    "loadbalancer": find_load_balancer,
    "targetgroup": find_target_group,
    "listener": find_listener,
    "listener-rule": find_rule,
}


def parse_tags(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Return a request's tags by key. Raises DuplicateTagKeys, TooManyTags."""
    parsed: dict[str, str] = {}
    for tag in tags or ():
        if tag["Key"] in parsed:
            raise AwsError("DuplicateTagKeys", f"A tag key was specified more than once: '{tag['Key']}'")
        parsed[tag["Key"]] = tag.get("Value", "")
    if len(parsed) > MOST_TAGS:
        raise AwsError("TooManyTags", f"The number of tags cannot be more than '{MOST_TAGS}'")
    return parsed


def add_tags(call: Call, request: Request) -> Response:
    """AddTags: to each of the resources named."""
    added = parse_tags(request.get("Tags"))
    for resource in _resources(call, request):
        tags = {**resource.tags, **added}
        if len(tags) > MOST_TAGS:
            raise AwsError("TooManyTags", f"The number of tags cannot be more than '{MOST_TAGS}'")
        call.put(dataclasses.replace(resource, tags=tags))
    return {}


def remove_tags(call: Call, request: Request) -> Response:
    """RemoveTags: by key, from each of the resources named."""
    removed = set(request.get("TagKeys") or ())
    for resource in _resources(call, request):
        tags = {key: value for key, value in resource.tags.items() if key not in removed}
        call.put(dataclasses.replace(resource, tags=tags))
    return {}


def describe_tags(call: Call, request: Request) -> Response:
    """DescribeTags: of each of the resources named. A listener's default rule has none."""
    arns = list(request.get("ResourceArns") or ())
    if len(arns) > MOST_RESOURCES:
        raise invalid(f"The number of resources cannot be more than '{MOST_RESOURCES}'")
    return {"TagDescriptions": [{"ResourceArn": arn, "Tags": _listed(call, arn)} for arn in arns]}


def _listed(call: Call, arn: str) -> list[dict[str, str]]:
    if default_rule_owner(call, arn):
        return []
    return [{"Key": key, "Value": value} for key, value in _find(call, arn).tags.items()]


def _resources(call: Call, request: Request) -> list[Tagged]:
    return [_find(call, arn) for arn in request.get("ResourceArns") or ()]


def _find(call: Call, arn: str) -> Tagged:
    if default_rule_owner(call, arn):
        raise AwsError("OperationNotPermitted", f"Default rule '{arn}' cannot be tagged")
    kind, _, _ = arn.rpartition(":")[2].partition("/")
    finder = _FINDERS.get(kind)
    if finder is None:
        raise invalid(f"'{arn}' is not a valid resource ARN")
    return finder(call, arn)
