"""What every Describe operation does after it has made its views: choose by identifier, filter, cut into pages."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from tsubo.aws import paging
from tsubo.aws.ec2.errors import invalid_value
from tsubo.aws.ec2.filters import View, select
from tsubo.aws.operations import AwsError, Request, Response

LEAST_RESULTS = 5
MOST_RESULTS = 1000


def chosen(
    views: Iterable[View], member: str, wanted: Sequence[str] | None, missing: Callable[[Sequence[str]], AwsError]
) -> list[View]:
    """Return the views whose `member` is one of `wanted` (all if none are named); raise if one names nothing."""
    views = list(views)
    if not wanted:
        return views
    absent = sorted(set(wanted) - {view.get(member, "") for view in views})
    if absent:
        raise missing(absent)
    return [view for view in views if view[member] in wanted]


def listed(
    result: str,
    views: Iterable[View],
    request: Request,
    filters: Mapping[str, str],
    *,
    by: str | tuple[str, ...],
    tag_member: str = "Tags",
    filter_member: str = "Filters",
) -> Response:
    """Return the answer of a Describe operation: the page of `views` that passes the request's filters.

    `by` names the members that identify and order a view.
    """
    members = (by,) if isinstance(by, str) else by
    kept = select(views, request.get(filter_member) or [], filters, tag_member)
    return page(result, kept, request, lambda view: "/".join(str(view[member]) for member in members))


def page(result: str, items: Sequence[View], request: Request, order: Callable[[View], str]) -> Response:
    """Return one page of items under the member `result`, with NextToken if others follow."""
    try:
        shown, token = paging.page(sorted(items, key=order), request.get("NextToken"), _page_size(request))
    except paging.InvalidToken:
        raise AwsError("InvalidNextToken", f"The token '{request['NextToken']}' is invalid") from None
    return {result: shown, "NextToken": token} if token else {result: shown}


def _page_size(request: Request) -> int:
    size = request.get("MaxResults")
    if size is None:
        return MOST_RESULTS
    if int(size) < LEAST_RESULTS:
        raise invalid_value(
            f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value greater than {LEAST_RESULTS}."
        )
    return min(int(size), MOST_RESULTS)
