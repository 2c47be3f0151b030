"""Pages as ECS has them: `nextToken`, `maxResults`, and the error for a token that is none."""

from collections.abc import Sequence

from tsubo.aws.ecs.lookup import invalid_parameter
from tsubo.aws.operations import Request, Response
from tsubo.aws.paging import InvalidToken, page

MAXIMUM_PAGE = 100


def listed(member: str, items: Sequence[object], request: Request, default_size: int = MAXIMUM_PAGE) -> Response:
    """Return one page of `items` under `member`. Raises InvalidParameterException for a bad size or token."""
    size = request.get("maxResults") or default_size
    if not 1 <= size <= MAXIMUM_PAGE:
        raise invalid_parameter(f"maxResults must be between 1 and {MAXIMUM_PAGE}.")
    try:
        found, next_token = page(items, request.get("nextToken"), size)
    except InvalidToken as error:
        raise invalid_parameter("Invalid token") from error
    return {member: found, **({"nextToken": next_token} if next_token else {})}


def missing(arn: str, reason: str = "MISSING") -> Response:
    """Return an entry of a Describe operation's `failures`."""
    return {"arn": arn, "reason": reason}
