"""Whether a repository's tags may be moved, and the tags for which the opposite holds."""

import re
from dataclasses import replace

from tsubo.aws.ecr.lookup import find_repository, invalid
from tsubo.aws.operations import Call, Request, Response
from tsubo.model.ecr import Repository

MUTABILITIES = ("IMMUTABLE", "MUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION")
FILTER = re.compile(r"[0-9a-zA-Z._*-]{1,128}")
MOST_FILTERS = 5


def put_image_tag_mutability(call: Call, request: Request) -> Response:
    """PutImageTagMutability."""
    tag_mutability, exclusions = parse(request)
    repository = replace(
        find_repository(call, request), tag_mutability=tag_mutability, mutability_exclusions=exclusions
    )
    call.put(repository)
    return {"registryId": repository.registry_id, "repositoryName": repository.name, **view(repository)}


def parse(request: Request) -> tuple[str, tuple[str, ...]]:
    """Return the mutability and the excluded tag patterns of a request. Raises InvalidParameterException."""
    mutability = request.get("imageTagMutability") or "MUTABLE"
    filters = request.get("imageTagMutabilityExclusionFilters")
    if mutability not in MUTABILITIES:
        raise invalid("imageTagMutability", f"Member must satisfy enum value set: [{', '.join(MUTABILITIES)}]")
    if bool(filters) != mutability.endswith("_EXCLUSION"):
        number = "can't be null" if mutability.endswith("_EXCLUSION") else "must be null"
        raise invalid(
            "imageTagMutabilityExclusionFilters",
            f"ImageTagMutabilityExclusionFilters {number} when imageTagMutability is set as {mutability}",
        )
    for each in filters or ():
        if each.get("filterType") != "WILDCARD" or not FILTER.fullmatch(each.get("filter", "")):
            raise invalid("imageTagMutabilityExclusionFilters", f"a WILDCARD filter of {FILTER.pattern}")
    if len(filters or ()) > MOST_FILTERS:
        raise invalid("imageTagMutabilityExclusionFilters", f"at most {MOST_FILTERS} filters")
    return mutability, tuple(each["filter"] for each in filters or ())


def view(repository: Repository) -> Response:
    """Return the members that say a repository's mutability."""
    response: Response = {"imageTagMutability": repository.tag_mutability}
    if repository.mutability_exclusions:
        response["imageTagMutabilityExclusionFilters"] = [
            {"filterType": "WILDCARD", "filter": pattern} for pattern in repository.mutability_exclusions
        ]
    return response
