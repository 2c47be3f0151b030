"""Tags of namespaces and services. Source: aws/ecs-cloudmap-exec.md section 8."""

import dataclasses
from collections.abc import Iterable, Mapping

from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.cloudmap import DiscoveryService, Namespace
from tsubo.model.vpc import Tags

MAXIMUM_TAGS = 50


def tags_of(pairs: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Return the tags of a request. Raises TooManyTagsException."""
    return _checked({pair["Key"]: pair["Value"] for pair in pairs or ()})


def _checked(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > MAXIMUM_TAGS:
        raise AwsError("TooManyTagsException", f"A resource can have at most {MAXIMUM_TAGS} tags.")
    return tags


def tag_list(tags: Tags) -> list[Response]:
    """Return tags as a response has them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _tagged(call: Call, arn: str) -> Namespace | DiscoveryService:
    identifier = arn.rsplit("/", 1)[-1]
    found = call.world.namespaces.get(identifier) or call.world.discovery_services.get(identifier)
    if found is None or found.arn != arn:
        raise AwsError("ResourceNotFoundException", f"The resource {arn} was not found.", 404)
    return found


def tag_resource(call: Call, request: Request) -> Response:
    """Add tags to a namespace or service."""
    resource = _tagged(call, request["ResourceARN"])
    call.put(dataclasses.replace(resource, tags=_checked({**resource.tags, **tags_of(request["Tags"])})))
    return {}


def untag_resource(call: Call, request: Request) -> Response:
    """Remove tags by key; a key that is not there is no error."""
    resource = _tagged(call, request["ResourceARN"])
    removed = set(request["TagKeys"])
    call.put(dataclasses.replace(resource, tags={k: v for k, v in resource.tags.items() if k not in removed}))
    return {}


def list_tags_for_resource(call: Call, request: Request) -> Response:
    """Return the tags of one resource."""
    return {"Tags": tag_list(_tagged(call, request["ResourceARN"]).tags)}


OPERATIONS: dict[str, Operation] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
