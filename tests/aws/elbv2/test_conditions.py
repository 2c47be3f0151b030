"""The forms of conditions, there and back. Source: aws/alb-vpc-terraform.md section 1.4."""

from typing import Any

import pytest

from tsubo.aws.elbv2.conditions import condition_shape, parse_conditions
from tsubo.aws.operations import AwsError
from tsubo.model.elbv2 import Condition

HOST = Condition("host-header", ("a.example", "*.b.example"))


@pytest.mark.parametrize(
    "given_as",
    [
        {"Field": "host-header", "Values": ["a.example", "*.b.example"]},
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example", "*.b.example"]}},
    ],
)
def test_both_ways_to_name_hosts_are_one_and_both_are_answered(given_as: dict[str, Any]) -> None:
    assert parse_conditions([given_as]) == (HOST,)
    assert condition_shape(HOST) == {
        "Field": "host-header",
        "Values": ["a.example", "*.b.example"],
        "HostHeaderConfig": {"Values": ["a.example", "*.b.example"]},
    }


@pytest.mark.parametrize(
    ("shape", "condition"),
    [
        (
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["1"]}},
            Condition("http-header", ("1",), header_name="X-A"),
        ),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
            Condition("http-request-method", ("GET",)),
        ),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "1"}, {"Value": "2"}]}},
            Condition("query-string", query=(("a", "1"), (None, "2"))),
        ),
        (
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
            Condition("source-ip", ("10.0.0.0/8",)),
        ),
    ],
)
def test_the_other_fields(shape: dict[str, Any], condition: Condition) -> None:
    assert parse_conditions([shape]) == (condition,)
    assert condition_shape(condition) == shape


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ([], "at least one condition"),
        ([{"Field": "cookie", "Values": ["a"]}], "Condition field 'cookie' must be one of"),
        ([{"Field": "host-header"}], "A condition value must be specified"),
        ([{"Field": "source-ip", "Values": ["10.0.0.0/8"]}], "'Values' field is not compatible with 'source-ip'"),
        ([{"Field": "http-header"}], "A 'HttpHeaderConfig' must be specified with 'http-header'"),
        (
            [{"Field": "path-pattern", "Values": ["/a"], "PathPatternConfig": {"Values": ["/a"]}}],
            "cannot provide both Values and 'PathPatternConfig'",
        ),
        ([{"Field": "path-pattern", "Values": ["/" * 129]}], "the limit is '128'"),
        ([{"Field": "path-pattern", "Values": list("abcdef")}], "'5' condition values"),
        (
            [{"Field": "path-pattern", "Values": ["/a"]}, {"Field": "path-pattern", "Values": ["/b"]}],
            "only have one condition of field 'path-pattern'",
        ),
        ([{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1/99"]}}], "must be in CIDR format"),
        (
            [{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "Host", "Values": ["a"]}}],
            "cannot be 'host'",
        ),
        (
            [{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "h" * 41, "Values": ["a"]}}],
            "the limit is '40'",
        ),
        ([{"Field": "http-header", "HttpHeaderConfig": {"Values": ["a"]}}], "An 'HttpHeaderName' must be specified"),
        ([{"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a"}]}}], "A 'Value' must be specified"),
    ],
)
def test_what_is_refused(conditions: list[dict[str, Any]], text: str) -> None:
    with pytest.raises(AwsError) as caught:
        parse_conditions(conditions)
    assert (caught.value.code, text in caught.value.message) == ("ValidationError", True), caught.value.message


def test_regular_expressions_say_that_they_are_not_run() -> None:
    with pytest.raises(AwsError, match="not supported by Tsubo"):
        parse_conditions([{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a"]}}])
