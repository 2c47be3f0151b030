"""A target's health: what a check's outcome means, when to check again, and who gets traffic.

Each node of a load balancer checks each target by itself and routes by what it found. Waiting for good news is
compressed, bad news is not (design rule 9): a target that is not healthy is tried again soon, but its failures count
only at the spacing of the target group's interval. Source: aws/alb-vpc-terraform.md section 1.7.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tsubo.model.elbv2 import HealthCheck
from tsubo.model.observed import TargetReport
from tsubo.model.proxy import CheckOutcome

TargetHealthState = Literal["initial", "healthy", "unhealthy"]
SHORTEST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 0.5
RETRY_SHARE = 0.05
"""A target that is waited for is tried again after a twentieth of the time it has been waited for already."""
COMPRESSED_RECOVERY_SECONDS = 0.25
"""The spacing of the checks by which an unhealthy target that answers again becomes healthy."""
COMPRESSED_CONNECT_SECONDS = 1.0
"""How long to wait for a connection to a target that is waited for: a later attempt may find it listening."""


@dataclass(frozen=True)
class TargetHealth:
    """What one node knows of one target. Times are seconds since the epoch.

    `count` is how many checks in a row spoke against `state`: failures of a target that is not unhealthy, successes of
    one that is. `failure_due_at` is when AWS would begin its next check of a target that waits for its first success.
    """

    registered_at: float
    since: float
    next_check_at: float
    state: TargetHealthState = "initial"
    count: int = 0
    failure_due_at: float = 0.0
    reason: str | None = "Elb.RegistrationInProgress"
    description: str | None = "Target registration is in progress"


@dataclass(frozen=True)
class Spacing:
    """How long things take. Without a time scale good news is compressed and bad news takes AWS's time; with one,
    everything takes AWS's time multiplied by it (1 is AWS's own throughout)."""

    time_scale: float | None = None

    @property
    def compressed(self) -> bool:
        return self.time_scale is None

    def seconds(self, aws_seconds: float) -> float:
        """Return how long something takes here that takes `aws_seconds` on AWS."""
        return aws_seconds * (1.0 if self.time_scale is None else self.time_scale)

    def timeouts(self, health: TargetHealth, check: HealthCheck) -> tuple[float, float]:
        """Return the time limits of the next check: to connect, and in all."""
        total = self.seconds(check.timeout_seconds)
        waited_for = self.compressed and health.state != "healthy"
        return (min(total, COMPRESSED_CONNECT_SECONDS) if waited_for else total), total


def registered(registered_at: float, now: float) -> TargetHealth:
    """Return the health of a target that no check has seen; its first check is due now."""
    return TargetHealth(registered_at=registered_at, since=now, next_check_at=now, failure_due_at=now)


def advance(health: TargetHealth, check: HealthCheck, outcome: CheckOutcome, spacing: Spacing) -> TargetHealth:
    """Return a target's health after a check.

    A new target is healthy after one passed check; one that was unhealthy needs `healthy_threshold` in a row. It takes
    `unhealthy_threshold` counted failures in a row to become unhealthy, for a new target too.
    """
    if outcome.status_code is not None and matches(check.matcher, outcome.status_code):
        return _passed(health, check, outcome, spacing)
    return _failed(health, check, outcome, spacing)


def _passed(health: TargetHealth, check: HealthCheck, outcome: CheckOutcome, spacing: Spacing) -> TargetHealth:
    interval = spacing.seconds(check.interval_seconds)
    needed = check.healthy_threshold if health.state == "unhealthy" else 1
    if health.state == "unhealthy" and health.count + 1 < needed:
        wait = min(interval, COMPRESSED_RECOVERY_SECONDS) if spacing.compressed else interval
        return replace(health, count=health.count + 1, next_check_at=_next(outcome, wait))
    return replace(
        health,
        state="healthy",
        since=health.since if health.state == "healthy" else outcome.ended_at,
        count=0,
        reason=None,
        description=None,
        next_check_at=_next(outcome, interval),
    )


def _failed(health: TargetHealth, check: HealthCheck, outcome: CheckOutcome, spacing: Spacing) -> TargetHealth:
    if health.state != "unhealthy":
        health = _count_failure(health, check, outcome, spacing)
    if health.state != "unhealthy" and health.count >= check.unhealthy_threshold:
        health = replace(health, state="unhealthy", since=outcome.ended_at)
    if health.state == "unhealthy":
        reason, description = _why(outcome)
        health = replace(health, count=0, reason=reason, description=description)
    elif health.state == "initial":
        reason, description = "Elb.InitialHealthChecking", "Initial health checks in progress"
        health = replace(health, reason=reason, description=description)
    return replace(health, next_check_at=_next(outcome, _wait(health, check, outcome, spacing)))


def _wait(health: TargetHealth, check: HealthCheck, outcome: CheckOutcome, spacing: Spacing) -> float:
    """Return the spacing after a failure: short for a target that is waited for, longer the longer it takes."""
    interval = spacing.seconds(check.interval_seconds)
    if health.state == "healthy" or not spacing.compressed:
        return interval
    share = (outcome.ended_at - health.since) * RETRY_SHARE
    return min(interval, max(SHORTEST_RETRY_SECONDS, min(LONGEST_RETRY_SECONDS, share)))


def _count_failure(health: TargetHealth, check: HealthCheck, outcome: CheckOutcome, spacing: Spacing) -> TargetHealth:
    """Count a failure, unless it came before a check at AWS's spacing would have failed.

    Of a check that was cut short that is when a whole one, begun when it was due, would have timed out.
    """
    if health.state == "healthy" or not spacing.compressed:
        return replace(health, count=health.count + 1)
    interval = spacing.seconds(check.interval_seconds)
    whole = spacing.seconds(check.timeout_seconds) if outcome.failure == "Target.Timeout" else 0.0
    if outcome.ended_at < health.failure_due_at + whole:
        return health
    lagged = outcome.began_at - health.failure_due_at > interval
    due_at = (outcome.began_at if lagged else health.failure_due_at) + interval
    return replace(health, count=health.count + 1, failure_due_at=due_at)


def _next(outcome: CheckOutcome, wait: float) -> float:
    """Return when the next check begins: spacing is between beginnings, and no two checks of a target overlap."""
    return max(outcome.began_at + wait, outcome.ended_at)


def _why(outcome: CheckOutcome) -> tuple[str, str]:
    """Return the reason and the description that the API gives for a check that did not pass."""
    if outcome.status_code is not None:
        return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{outcome.status_code}]"
    if outcome.failure == "Target.Timeout":
        return "Target.Timeout", "Request timed out"
    return "Target.FailedHealthChecks", "Health checks failed"


def matches(matcher: str, status_code: int) -> bool:
    """Return whether a status fits a matcher such as `200`, `200,301` or `200-299`."""
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= status_code <= int(high or low):
            return True
    return False


def routable(states: Mapping[str, TargetHealthState]) -> frozenset[str]:
    """Return which of a target group's targets (none of them draining) get new requests from a node.

    The healthy ones. Where none is healthy the load balancer fails open: all that are unhealthy. A target that waits
    for its first checks gets nothing.
    """
    healthy = frozenset(key for key, state in states.items() if state == "healthy")
    return healthy or frozenset(key for key, state in states.items() if state == "unhealthy")


def report(healths: Iterable[TargetHealth]) -> TargetReport:
    """Return what the API says of a target that several nodes check.

    It is `initial` until every node has decided, so that a target reported healthy gets requests from all of them.
    Where the nodes disagree after that, it is healthy: some node routes to it. (AWS does not document this.)
    """
    by_state = {health.state: health for health in healths}
    for state in ("initial", "healthy", "unhealthy"):
        if state in by_state:
            return TargetReport(state, by_state[state].reason, by_state[state].description)
    raise ValueError("a target that no node checks has no health")
