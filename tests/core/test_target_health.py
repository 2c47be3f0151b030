"""The health of a target, check by check. Source: aws/alb-vpc-terraform.md section 1.7 and design rule 9."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsubo.core.target_health import Spacing, TargetHealth, advance, matches, registered, report, routable
from tsubo.model.elbv2 import HealthCheck
from tsubo.model.proxy import CheckOutcome

CHECK = HealthCheck(interval_seconds=30, timeout_seconds=5, healthy_threshold=3, unhealthy_threshold=2)
SLOW = HealthCheck(interval_seconds=300, timeout_seconds=120, healthy_threshold=5, unhealthy_threshold=10)
COMPRESSED = Spacing()
REAL = Spacing(time_scale=1.0)
START = 1000.0

Probe = Callable[[TargetHealth], CheckOutcome]


def ok(health: TargetHealth) -> CheckOutcome:
    return CheckOutcome(health.next_check_at, health.next_check_at, status_code=200)


def status_404(health: TargetHealth) -> CheckOutcome:
    return CheckOutcome(health.next_check_at, health.next_check_at, status_code=404)


def refused(health: TargetHealth) -> CheckOutcome:
    return CheckOutcome(health.next_check_at, health.next_check_at, failure="Target.FailedHealthChecks")


def silent(check: HealthCheck, spacing: Spacing) -> Probe:
    def outcome(health: TargetHealth) -> CheckOutcome:
        connect_seconds, _ = spacing.timeouts(health, check)
        return CheckOutcome(health.next_check_at, health.next_check_at + connect_seconds, failure="Target.Timeout")

    return outcome


def after(
    health: TargetHealth, probes: list[Probe], check: HealthCheck = CHECK, spacing: Spacing = COMPRESSED
) -> TargetHealth:
    """Return the health after these checks, each made when it is due."""
    for probe in probes:
        health = advance(health, check, probe(health), spacing)
    return health


def until_unhealthy(health: TargetHealth, probe: Probe, check: HealthCheck, spacing: Spacing) -> TargetHealth:
    for _ in range(100_000):
        if health.state == "unhealthy":
            return health
        health = advance(health, check, probe(health), spacing)
    raise AssertionError("never unhealthy")


NEW = registered(START, START)
HEALTHY = after(NEW, [ok])
UNHEALTHY = until_unhealthy(HEALTHY, refused, CHECK, COMPRESSED)


def test_a_new_target_is_initial_and_due_at_once() -> None:
    assert (NEW.state, NEW.reason, NEW.next_check_at) == ("initial", "Elb.RegistrationInProgress", START)


def test_a_new_target_is_healthy_after_one_passed_check() -> None:
    assert (HEALTHY.state, HEALTHY.reason, HEALTHY.description) == ("healthy", None, None)
    assert HEALTHY.next_check_at == START + 30


def test_a_new_target_that_fails_says_that_checks_are_in_progress() -> None:
    health = after(NEW, [refused])
    assert (health.state, health.reason) == ("initial", "Elb.InitialHealthChecking")
    assert health.description == "Initial health checks in progress"


@given(st.floats(0, 100))
def test_a_target_that_listens_late_is_healthy_within_half_a_second(late: float) -> None:
    health = NEW
    while health.state == "initial":
        health = advance(
            health, SLOW, ok(health) if health.next_check_at >= START + late else refused(health), COMPRESSED
        )
    assert health.state == "healthy"
    assert START + late <= health.since <= START + late + 0.5


def test_quick_failures_make_no_target_unhealthy_before_aws_would() -> None:
    """Ten refused checks at 0, 300, ... 2700 s: 45 minutes."""
    health = until_unhealthy(NEW, refused, SLOW, COMPRESSED)
    assert START + 2700 <= health.since <= START + 2701


def test_dropped_packets_make_no_target_unhealthy_before_aws_would() -> None:
    """The last of ten checks begins after 2700 s and times out after 120 s more."""
    health = until_unhealthy(NEW, silent(SLOW, COMPRESSED), SLOW, COMPRESSED)
    assert START + 2820 <= health.since <= START + 2822
    assert (health.reason, health.description) == ("Target.Timeout", "Request timed out")


@pytest.mark.parametrize("spacing", [COMPRESSED, REAL])
def test_a_healthy_target_becomes_unhealthy_at_the_spacing_of_the_interval(spacing: Spacing) -> None:
    once = after(HEALTHY, [refused], spacing=spacing)
    assert (once.state, once.next_check_at) == ("healthy", START + 60)
    twice = after(once, [refused], spacing=spacing)
    assert (twice.state, twice.since) == ("unhealthy", START + 60)


def test_a_passed_check_between_failures_begins_the_count_anew() -> None:
    assert after(HEALTHY, [refused, ok, refused, ok, refused]).state == "healthy"


def test_an_unhealthy_target_needs_its_threshold_of_passed_checks_in_a_row() -> None:
    assert after(UNHEALTHY, [ok, ok, refused, ok, ok]).state == "unhealthy"
    back = after(UNHEALTHY, [ok, ok, ok])
    assert back.state == "healthy"
    assert back.since - UNHEALTHY.since < 2, "the road back is compressed"


def test_the_road_back_takes_aws_time_at_real_spacing() -> None:
    health = replace(UNHEALTHY, next_check_at=START)
    assert after(health, [ok, ok, ok], spacing=REAL).since == START + 60


def test_a_time_scale_multiplies_everything() -> None:
    tenth = Spacing(time_scale=0.1)
    assert after(NEW, [refused], spacing=tenth).next_check_at == START + 3
    assert tenth.timeouts(NEW, CHECK) == (0.5, 0.5)
    assert until_unhealthy(HEALTHY, refused, CHECK, tenth).since == pytest.approx(START + 33)


def test_a_target_that_is_waited_for_is_given_little_time_to_connect_and_all_the_time_to_answer() -> None:
    assert COMPRESSED.timeouts(NEW, SLOW) == (1.0, 120)
    assert COMPRESSED.timeouts(HEALTHY, SLOW) == (120, 120)
    assert REAL.timeouts(NEW, SLOW) == (120, 120)


def test_the_reasons_are_those_of_the_api() -> None:
    mismatch = until_unhealthy(HEALTHY, status_404, CHECK, COMPRESSED)
    assert mismatch.reason == "Target.ResponseCodeMismatch"
    assert mismatch.description == "Health checks failed with these codes: [404]"
    assert (UNHEALTHY.reason, UNHEALTHY.description) == ("Target.FailedHealthChecks", "Health checks failed")
    assert after(UNHEALTHY, [status_404]).reason == "Target.ResponseCodeMismatch"


@given(st.lists(st.sampled_from([ok, refused, status_404, silent(CHECK, COMPRESSED)]), max_size=60))
def test_checks_never_overlap_and_never_stop(probes: list[Probe]) -> None:
    health = NEW
    for probe in probes:
        outcome = probe(health)
        health = advance(health, CHECK, outcome, COMPRESSED)
        assert outcome.ended_at <= health.next_check_at <= outcome.began_at + CHECK.interval_seconds


@pytest.mark.parametrize(
    ("matcher", "status", "expected"),
    [
        ("200", 200, True),
        ("200", 204, False),
        ("200,301", 301, True),
        ("200-299", 250, True),
        ("200-299, 404", 404, True),
        ("200-299", 300, False),
    ],
)
def test_matchers(matcher: str, status: int, expected: bool) -> None:
    assert matches(matcher, status) is expected


def test_requests_go_to_the_healthy_and_to_the_unhealthy_only_if_none_is_healthy() -> None:
    assert routable({"a": "healthy", "b": "unhealthy", "c": "initial"}) == {"a"}
    assert routable({"a": "unhealthy", "b": "unhealthy"}) == {"a", "b"}
    assert routable({"a": "unhealthy", "b": "initial"}) == {"a"}
    assert routable({"a": "initial"}) == frozenset()


def test_a_target_is_reported_healthy_once_every_node_found_it_so() -> None:
    assert report([HEALTHY, NEW]).state == "initial"
    assert report([HEALTHY, HEALTHY]).state == "healthy"
    assert report([UNHEALTHY, HEALTHY]).state == "healthy"
    unhealthy = report([UNHEALTHY, UNHEALTHY])
    assert (unhealthy.state, unhealthy.reason) == ("unhealthy", "Target.FailedHealthChecks")
