"""Which service and operation a request means, in all the ways that clients say it."""

import pytest

from tsubo.aws.dispatch import identify, is_read
from tsubo.aws.message import HttpRequest


def signed(service: str, **headers: str) -> dict[str, str]:
    scope = f"AKIA/20260101/eu-west-1/{service}/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"
    return {"authorization": authorization, **{name.replace("_", "-"): value for name, value in headers.items()}}


FORM = "application/x-www-form-urlencoded; charset=utf-8"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            HttpRequest("POST", "/", headers={"x-amz-target": "AmazonEC2ContainerServiceV20141113.RunTask"}),
            ("ecs", "RunTask", "json", None),
        ),
        (
            HttpRequest("POST", "/", headers=signed("ecs", x_amz_target="AmazonSSM.TerminateSession")),
            ("ssm", "TerminateSession", "json", "eu-west-1"),
        ),
        (
            HttpRequest("POST", "/", headers=signed("logs", x_amz_target="Logs_20140328.PutLogEvents")),
            ("logs", "PutLogEvents", "json", "eu-west-1"),
        ),
        (
            HttpRequest("POST", "/", "", signed("ec2", content_type=FORM), b"Action=CreateVpc&Version=2016-11-15"),
            ("ec2", "CreateVpc", "ec2", "eu-west-1"),
        ),
        (
            HttpRequest("GET", "/", "Action=DescribeVpcs&Version=2016-11-15", signed("ec2")),
            ("ec2", "DescribeVpcs", "ec2", "eu-west-1"),
        ),
        (
            HttpRequest("GET", "/", "Action=DescribeRules&Version=2015-12-01", signed("elasticloadbalancing")),
            ("elbv2", "DescribeRules", "query", "eu-west-1"),
        ),
        (
            HttpRequest("GET", "/", "Action=DescribeTags&Version=2012-06-01", signed("elasticloadbalancing")),
            ("elb", "DescribeTags", "query", "eu-west-1"),
        ),
        (
            HttpRequest("GET", "/", "Action=GetCallerIdentity&Version=2011-06-15"),
            ("sts", "GetCallerIdentity", "query", None),
        ),
        (HttpRequest("GET", "/", "Action=ListRoles", signed("iam")), ("iam", "ListRoles", "query", "eu-west-1")),
        (
            HttpRequest("GET", "/2013-04-01/hostedzone", headers=signed("route53")),
            ("route53", "ListHostedZones", "rest-xml", "eu-west-1"),
        ),
        (HttpRequest("POST", "/2013-04-01/hostedzone/"), ("route53", "CreateHostedZone", "rest-xml", None)),
        (
            HttpRequest("GET", "/2013-04-01/hostedzonecount"),
            ("route53", "GetHostedZoneCount", "rest-xml", None),
        ),
        (HttpRequest("PATCH", "/2013-04-01/hostedzone"), ("route53", None, "rest-xml", None)),
        (HttpRequest("PUT", "/bucket/key", headers=signed("s3")), ("s3", None, "rest-xml", "eu-west-1")),
        (HttpRequest("GET", "/functions", headers=signed("lambda")), ("lambda", None, "rest-json", "eu-west-1")),
        (
            HttpRequest("GET", "/bucket", "X-Amz-Credential=AKIA%2F20260101%2Feu-west-1%2Fs3%2Faws4_request"),
            ("s3", None, "rest-xml", "eu-west-1"),
        ),
    ],
)
def test_service_operation_protocol_and_region(request_: HttpRequest, expected: tuple[str, str, str, str]) -> None:
    target = identify(request_)
    assert (target.service, target.operation, target.protocol, target.region) == expected


def test_path_parameters_are_decoded_after_the_path_is_split() -> None:
    target = identify(HttpRequest("GET", "/2013-04-01/change/%2Fchange%2FC1"))
    assert (target.operation, target.uri_parameters) == ("GetChange", {"Id": "/change/C1"})


def test_a_form_that_is_not_text_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        identify(HttpRequest("POST", "/", headers={"content-type": FORM}, body=b"Action=\xff"))


@pytest.mark.parametrize("operation", ["DescribeVpcs", "ListTasks", "GetChange", "DiscoverInstances", "BatchGetImage"])
def test_reading_operations(operation: str) -> None:
    assert is_read(operation)


@pytest.mark.parametrize("operation", ["CreateVpc", "UpdateService", "PutLogEvents", "RunTask", "AssociateRouteTable"])
def test_writing_operations(operation: str) -> None:
    assert not is_read(operation)
