"""The forms of actions, there and back. Source: aws/alb-vpc-terraform.md section 1.5."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsubo.aws.elbv2.actions import action_shape, parse_actions
from tsubo.aws.operations import AwsError
from tsubo.model.elbv2 import Action, FixedResponse, Redirect, WeightedTargetGroup

FORWARD = {"Type": "forward", "TargetGroupArn": "arn:a"}
OIDC = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://id.example",
        "ClientId": "me",
        "ClientSecret": "secret",
        "SessionTimeout": 60,
        "AuthenticationRequestExtraParams": {"prompt": "login"},
    },
}


def refusal(*actions: dict[str, Any]) -> str:
    with pytest.raises(AwsError) as caught:
        parse_actions(actions)
    return caught.value.code


@pytest.mark.parametrize(
    "given_as",
    [
        FORWARD,
        {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:a"}]}},
        {**FORWARD, "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:a", "Weight": 1}]}},
    ],
)
def test_both_ways_to_name_one_target_group_are_one(given_as: dict[str, Any]) -> None:
    [action] = parse_actions([given_as])
    assert action == Action("forward", target_groups=(WeightedTargetGroup("arn:a"),))
    assert action_shape(action) == {
        "Type": "forward",
        "TargetGroupArn": "arn:a",
        "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": "arn:a", "Weight": 1}],
            "TargetGroupStickinessConfig": {"Enabled": False},
        },
    }


def test_a_weighted_forward_names_no_single_target_group() -> None:
    config = {
        "TargetGroups": [{"TargetGroupArn": "arn:a", "Weight": 9}, {"TargetGroupArn": "arn:b", "Weight": 0}],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
    }
    [action] = parse_actions([{"Type": "forward", "Order": 1, "ForwardConfig": config}])
    assert action_shape(action) == {"Type": "forward", "Order": 1, "ForwardConfig": config}


def test_a_redirect_is_answered_with_every_part() -> None:
    config = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    [action] = parse_actions([{"Type": "redirect", "RedirectConfig": config}])
    assert action.redirect == Redirect("HTTP_301", protocol="HTTPS", port="443")
    assert action_shape(action)["RedirectConfig"] == {
        **config,
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
    }


def test_a_fixed_response() -> None:
    [action] = parse_actions([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "204"}}])
    assert action.fixed_response == FixedResponse("204")
    assert action_shape(action)["FixedResponseConfig"] == {"StatusCode": "204", "ContentType": "text/plain"}


def test_authentication_is_kept_and_its_secret_not_answered() -> None:
    first, last = parse_actions([{**FORWARD, "Order": 2}, OIDC])
    assert (first.type, last.type) == ("authenticate-oidc", "forward")
    answered = dict(OIDC["AuthenticateOidcConfig"])  # type: ignore[call-overload]
    del answered["ClientSecret"]
    assert action_shape(first) == {**OIDC, "AuthenticateOidcConfig": answered}


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        ([], "InvalidLoadBalancerAction"),
        ([OIDC], "InvalidLoadBalancerAction"),
        ([{**FORWARD, "Order": 1}, {**OIDC, "Order": 2}], "InvalidLoadBalancerAction"),
        ([FORWARD, FORWARD], "InvalidLoadBalancerAction"),
        ([{"Type": "forward"}], "InvalidLoadBalancerAction"),
        ([{"Type": "redirect"}], "InvalidLoadBalancerAction"),
        ([{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}], "InvalidLoadBalancerAction"),
        (
            [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302", "Query": "a=b"}}],
            "InvalidLoadBalancerAction",
        ),
        ([{"Type": "redirect", "RedirectConfig": {"StatusCode": "301", "Port": "443"}}], "ValidationError"),
        ([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "301"}}], "ValidationError"),
        (
            [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "image/png"}}],
            "InvalidLoadBalancerAction",
        ),
        (
            [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "a" * 1025}}],
            "ValidationError",
        ),
        ([{"Type": "proxy"}], "ValidationError"),
        (
            [{**FORWARD, "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:b"}]}}],
            "ValidationError",
        ),
        (
            [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:a"}] * 2}}],
            "ValidationError",
        ),
        (
            [
                {
                    "Type": "forward",
                    "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": f"arn:{number}"} for number in range(6)]},
                }
            ],
            "TooManyTargetGroups",
        ),
        (
            [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:a", "Weight": 1000}]}}],
            "ValidationError",
        ),
    ],
)
def test_what_is_refused(actions: list[dict[str, Any]], code: str) -> None:
    assert refusal(*actions) == code


ACTIONS = st.one_of(
    st.lists(
        st.builds(WeightedTargetGroup, st.text(min_size=1), st.integers(0, 999)),
        min_size=1,
        max_size=5,
        unique_by=lambda group: group.target_group_arn,
    ).flatmap(
        lambda groups: st.builds(
            Action,
            st.just("forward"),
            st.none() | st.integers(1, 50_000),
            st.just(tuple(groups)),
            st.booleans(),
            st.none() | st.integers(1, 604_800),
        )
    ),
    st.builds(
        lambda response: Action("fixed-response", fixed_response=response),
        st.builds(FixedResponse, st.from_regex(r"\A[245][0-9]{2}\Z"), st.just("text/html"), st.text(max_size=1024)),
    ),
    st.builds(
        lambda redirect: Action("redirect", redirect=redirect),
        st.builds(Redirect, st.sampled_from(["HTTP_301", "HTTP_302"]), host=st.text(min_size=1).map("x{}".format)),
    ),
)


@given(ACTIONS)
def test_what_is_answered_can_be_sent_again(action: Action) -> None:
    assert parse_actions([action_shape(action)]) == (action,)
