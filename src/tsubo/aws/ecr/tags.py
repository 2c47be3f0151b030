"""Tags of repositories."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tsubo.aws.ecr.lookup import invalid, repository_named
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.ecr import Repository

MOST_TAGS = 50
REPOSITORY_ARN = re.compile(r"arn:[^:]+:ecr:[^:]+:(?P<account>[^:]+):repository/(?P<name>.+)")


def parse_tags(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Return a request's tags by key. Raises TooManyTagsException."""
    return _counted({tag["Key"]: tag.get("Value", "") for tag in tags or ()})


def tag_resource(call: Call, request: Request) -> Response:
    """TagResource."""
    repository = _repository(call, request)
    call.put(replace(repository, tags=_counted({**repository.tags, **parse_tags(request["tags"])})))
    return {}


def untag_resource(call: Call, request: Request) -> Response:
    """UntagResource."""
    repository = _repository(call, request)
    kept = {key: value for key, value in repository.tags.items() if key not in request["tagKeys"]}
    call.put(replace(repository, tags=kept))
    return {}


def list_tags_for_resource(call: Call, request: Request) -> Response:
    """ListTagsForResource."""
    tags = _repository(call, request).tags
    return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _repository(call: Call, request: Request) -> Repository:
    parts = REPOSITORY_ARN.fullmatch(request["resourceArn"])
    if parts is None:
        raise invalid("resourceArn", "Invalid ARN")
    return repository_named(call, parts["account"], parts["name"])


def _counted(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > MOST_TAGS:
        raise AwsError("TooManyTagsException", f"The list of tags has more than {MOST_TAGS} tags")
    return tags
