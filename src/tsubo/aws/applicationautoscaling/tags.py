"""Tags of scalable targets."""

import dataclasses
from collections.abc import Mapping

from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.scaling import ScalableTarget
from tsubo.model.vpc import Tags

MOST_TAGS = 50


def checked_tags(tags: Mapping[str, str]) -> Tags:
    """Return a target's tags. Raises TooManyTagsException."""
    if len(tags) > MOST_TAGS:
        raise AwsError("TooManyTagsException", f"A resource can have at most {MOST_TAGS} tags.")
    return dict(tags)


def _tagged(call: Call, request: Request) -> ScalableTarget:
    arn = request["ResourceARN"]
    for target in call.world.scalable_targets.values():
        if target.arn == arn:
            return target
    raise AwsError("ResourceNotFoundException", f"The resource {arn} was not found.")


def tag_resource(call: Call, request: Request) -> Response:
    target = _tagged(call, request)
    call.put(dataclasses.replace(target, tags=checked_tags({**target.tags, **request["Tags"]})))
    return {}


def untag_resource(call: Call, request: Request) -> Response:
    target = _tagged(call, request)
    kept = {key: value for key, value in target.tags.items() if key not in request["TagKeys"]}
    call.put(dataclasses.replace(target, tags=kept))
    return {}


def list_tags_for_resource(call: Call, request: Request) -> Response:
    return {"Tags": dict(_tagged(call, request).tags)}


OPERATIONS: dict[str, Operation] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
