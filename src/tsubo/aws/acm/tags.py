"""Tags of certificates."""

import dataclasses
from collections.abc import Iterable, Mapping

from tsubo.aws.acm.lookup import find_certificate
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.acm import Certificate

MOST_TAGS = 50


def parse_tags(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Return a request's tags by key. Raises TooManyTagsException."""
    parsed = {tag["Key"]: tag.get("Value", "") for tag in tags or ()}
    if len(parsed) > MOST_TAGS:
        raise AwsError("TooManyTagsException", f"A certificate can have at most {MOST_TAGS} tags")
    return parsed


def add_tags_to_certificate(call: Call, request: Request) -> None:
    """AddTagsToCertificate."""
    _add(call, find_certificate(call, request), request)


def remove_tags_from_certificate(call: Call, request: Request) -> None:
    """RemoveTagsFromCertificate: by key; where a value is given too, only a tag that has it."""
    certificate = find_certificate(call, request)
    removed = {tag["Key"]: tag.get("Value") for tag in request.get("Tags") or ()}
    tags = {
        key: value for key, value in certificate.tags.items() if key not in removed or removed[key] not in (None, value)
    }
    call.put(dataclasses.replace(certificate, tags=tags))


def list_tags_for_certificate(call: Call, request: Request) -> Response:
    """ListTagsForCertificate."""
    return _listed(find_certificate(call, request))


def tag_resource(call: Call, request: Request) -> None:
    """TagResource."""
    _add(call, find_certificate(call, request, "ResourceArn"), request)


def untag_resource(call: Call, request: Request) -> None:
    """UntagResource: by key."""
    certificate = find_certificate(call, request, "ResourceArn")
    removed = set(request.get("TagKeys") or ())
    tags = {key: value for key, value in certificate.tags.items() if key not in removed}
    call.put(dataclasses.replace(certificate, tags=tags))


def list_tags_for_resource(call: Call, request: Request) -> Response:
    """ListTagsForResource."""
    return _listed(find_certificate(call, request, "ResourceArn"))


def _add(call: Call, certificate: Certificate, request: Request) -> None:
    tags = {**certificate.tags, **parse_tags(request.get("Tags"))}
    if len(tags) > MOST_TAGS:
        raise AwsError("TooManyTagsException", f"A certificate can have at most {MOST_TAGS} tags")
    call.put(dataclasses.replace(certificate, tags=tags))


def _listed(certificate: Certificate) -> Response:
    return {"Tags": [{"Key": key, "Value": value} for key, value in certificate.tags.items()]}
