"""Finding the records a request names, with ELBv2's errors for those that do not exist; and ELBv2's pages and times."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from tsubo.aws.operations import AwsError, Call, Request
from tsubo.aws.paging import InvalidToken, page
from tsubo.model.elbv2 import Listener, LoadBalancer, Rule, TargetGroup

T = TypeVar("T")
R = TypeVar("R", LoadBalancer, TargetGroup, Listener, Rule)

PAGE_SIZE = 400


def invalid(message: str) -> AwsError:
    """Return ELBv2's error for a parameter that makes no sense."""
    return AwsError("ValidationError", message)


def required(request: Request, member: str, what: str) -> str:
    """Return a member of the request that must be there; `what` names it in the error."""
    value = request.get(member)
    if value is None:
        raise invalid(f"{what} must be specified")
    return str(value)


def find_load_balancer(call: Call, arn: str) -> LoadBalancer:
    """Return a load balancer of the call's region."""
    return _find(call, LoadBalancer, arn, "LoadBalancerNotFound", f"Load balancer '{arn}' not found")


def find_target_group(call: Call, arn: str) -> TargetGroup:
    """Return a target group of the call's region."""
    return _find(call, TargetGroup, arn, "TargetGroupNotFound", f"Target groups '[{arn}]' not found")


def find_listener(call: Call, arn: str) -> Listener:
    """Return a listener of the call's region."""
    return _find(call, Listener, arn, "ListenerNotFound", "One or more listeners not found")


def find_rule(call: Call, arn: str) -> Rule:
    """Return a rule of the call's region; a listener's default is not one."""
    return _find(call, Rule, arn, "RuleNotFound", "One or more rules not found")


def of_region(call: Call, kind: type[R]) -> list[R]:
    """Return the records of one kind in the call's region."""
    return [record for record in call.world.of(kind).values() if record.region == call.region]


def paged(request: Request, items: Sequence[T]) -> tuple[list[T], dict[str, str]]:
    """Return the page a request asks for by Marker and PageSize, and the members that lead to the next."""
    size = int(request.get("PageSize") or PAGE_SIZE)
    if not 1 <= size <= PAGE_SIZE:
        raise invalid(f"Page size '{size}' must be between '1' and '{PAGE_SIZE}'")
    try:
        items, following = page(items, request.get("Marker"), size)
    except InvalidToken as error:
        raise invalid(f"'{error}' is not a valid marker") from error
    return items, {"NextMarker": following} if following else {}


def moment(seconds: float) -> datetime:
    """Return a time of our records in the form botocore's shapes have."""
    return datetime.fromtimestamp(seconds, UTC)


def _find(call: Call, kind: type[R], arn: str, code: str, message: str) -> R:
    record = call.world.of(kind).get(arn)
    if record is None or record.region != call.region:
        raise AwsError(code, message)
    return record
