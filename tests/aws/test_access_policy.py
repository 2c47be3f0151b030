"""What policies say about an access."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsubo.aws.access.policy import Access, decide, like, trusts

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:orders"


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any = "*", resource: Any = "*", **members: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **members}


def deny(action: Any = "*", resource: Any = "*", **members: Any) -> dict[str, Any]:
    return {**allow(action, resource, **members), "Effect": "Deny"}


SEND = Access("sqs:SendMessage", QUEUE, {"aws:RequestedRegion": "eu-west-1", "aws:PrincipalAccount": "123456789012"})


def verdict(*statements: Mapping[str, Any], access: Access = SEND) -> str:
    return decide([policy(*statements)], access)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow("sqs:SendMessage", QUEUE), True),
        (allow("SQS:sendmessage", QUEUE), True),
        (allow(["s3:*", "sqs:Send*"], [QUEUE]), True),
        (allow("sqs:S??dMessage", "arn:aws:sqs:*:*:ord*"), True),
        (allow("sqs:*", QUEUE + "-dead"), False),
        (allow("sqs:ReceiveMessage", QUEUE), False),
        (allow("sqs:SendMessageBatch", QUEUE), False),
        (allow("sqs:*", QUEUE.upper()), False),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::*"}, True),
        ({"Effect": "Allow", "Action": "*", "NotResource": QUEUE}, False),
        (allow("*", "arn:aws:sqs:${aws:RequestedRegion}:${aws:PrincipalAccount}:orders"), True),
        (allow("*", "arn:aws:sqs:*:*:${aws:username}"), False),
        (allow("*", "arn:aws:sqs:*:*:${aws:username, 'orders'}"), True),
        (allow("*", "arn:aws:sqs:*:*:order${*}"), False),
    ],
)
def test_statements(statement: Mapping[str, Any], expected: bool) -> None:
    assert (verdict(statement) == "allowed") is expected


def test_without_a_statement_nothing_is_allowed() -> None:
    assert decide([], SEND) == "not allowed"
    assert decide([{}], SEND) == "not allowed"


def test_a_statement_need_not_be_in_a_list() -> None:
    assert decide([{"Statement": allow()}], SEND) == "allowed"


def test_a_denial_wins_wherever_it_stands() -> None:
    assert verdict(allow(), deny("sqs:*", QUEUE)) == "denied"
    assert decide([policy(deny("sqs:SendMessage")), policy(allow())], SEND) == "denied"
    assert verdict(allow(), deny("sqs:*", "arn:aws:sqs:*:*:other")) == "allowed"


def test_a_boundary_must_allow_as_well() -> None:
    allowing = [policy(allow())]
    assert decide(allowing, SEND, boundary=policy(allow("sqs:*"))) == "allowed"
    assert decide(allowing, SEND, boundary=policy(allow("s3:*"))) == "not allowed by the boundary"
    assert decide(allowing, SEND, boundary=policy(allow(), deny("sqs:*"))) == "denied"


def test_of_an_unknown_resource_the_action_decides() -> None:
    unknown = Access("sqs:SendMessage", None)
    assert verdict(allow("sqs:SendMessage", QUEUE), access=unknown) == "allowed"
    assert verdict(allow("sqs:*"), deny("sqs:*", QUEUE), access=unknown) == "allowed"
    assert verdict(allow("sqs:*"), deny("sqs:*"), access=unknown) == "denied"


CONTEXT = {
    "aws:PrincipalArn": "arn:aws:iam::123456789012:role/app",
    "aws:SecureTransport": "true",
    "aws:SourceIp": "10.0.1.5",
    "aws:EpochTime": "1700000000",
    "aws:CurrentTime": "2023-11-14T22:13:20+00:00",
    "aws:TagKeys": ("team", "stage"),
    "number": "5",
}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"AWS:principalarn": "arn:aws:iam::123456789012:role/app"}}, True),
        ({"StringEquals": {"aws:PrincipalArn": ["other", "arn:aws:iam::123456789012:role/app"]}}, True),
        ({"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}}, False),
        ({"StringNotEquals": {"aws:PrincipalArn": "other"}}, True),
        ({"StringNotEquals": {"aws:PrincipalArn": ["x", "arn:aws:iam::123456789012:role/app"]}}, False),
        ({"StringEqualsIgnoreCase": {"aws:SecureTransport": "TRUE"}}, True),
        ({"StringLike": {"aws:PrincipalArn": "*:role/a?p"}}, True),
        ({"StringNotLike": {"aws:PrincipalArn": "*:role/a?p"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}, True),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}, False),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/16"}}, True),
        ({"IpAddress": {"aws:SourceIp": ["10.0.1.5"]}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/16"}}, False),
        ({"IpAddress": {"aws:SourceIp": "nonsense"}}, False),
        ({"NumericLessThan": {"number": "6"}}, True),
        ({"NumericGreaterThanEquals": {"number": 5}}, True),
        ({"NumericNotEquals": {"number": 5}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2023-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:EpochTime": "2023-01-01T00:00:00Z"}}, False),
        ({"Null": {"absent": "true"}}, True),
        ({"Null": {"number": True}}, False),
        ({"StringEquals": {"absent": "x"}}, False),
        ({"StringNotEquals": {"absent": "x"}}, True),
        ({"StringEqualsIfExists": {"absent": "x"}}, True),
        ({"StringEqualsIfExists": {"number": "6"}}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage", "more"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, False),
        ({"ForAllValues:StringEquals": {"absent": ["team"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["other"]}}, False),
        ({"StringEquals": {"number": "5"}, "Bool": {"aws:SecureTransport": "false"}}, False),
        ({"NoSuchOperator": {"number": "5"}}, False),
    ],
)
def test_conditions(condition: Mapping[str, Any], expected: bool) -> None:
    access = Access("sqs:SendMessage", QUEUE, CONTEXT)
    assert (verdict(allow(Condition=condition), access=access) == "allowed") is expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Principal": {"Service": "ecs-tasks.amazonaws.com"}}, True),
        ({"Principal": {"Service": ["ecs.amazonaws.com", "ecs-tasks.amazonaws.com"]}}, True),
        ({"Principal": {"Service": "ecs.amazonaws.com"}}, False),
        ({"Principal": {"AWS": "*"}}, False),
        ({"Principal": "*"}, True),
        ({"Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:TagSession"}, False),
        (
            {
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
            },
            True,
        ),
        (
            {
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:ecs:us-east-1:*"}},
            },
            False,
        ),
    ],
)
def test_trust(statement: Mapping[str, Any], expected: bool) -> None:
    context = {"aws:SourceAccount": "123456789012", "aws:SourceArn": "arn:aws:ecs:eu-west-1:123456789012:task/c/1"}
    document = policy({"Effect": "Allow", "Action": "sts:AssumeRole", **statement})
    assert trusts(document, "ecs-tasks.amazonaws.com", context) is expected
    refusing = policy(*document["Statement"], {**document["Statement"][0], "Effect": "Deny"})
    assert trusts(refusing, "ecs-tasks.amazonaws.com", context) is False


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_star_takes_in_anything(before: str, middle: str, after: str) -> None:
    def quiet(text: str) -> str:
        return "".join(c for c in text if c not in "*?[]")

    assert like(quiet(before) + middle + quiet(after), f"{quiet(before)}*{quiet(after)}")
    assert like(quiet(before), quiet(before))
