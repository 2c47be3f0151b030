"""Which action a request is, and of which resources: from requests as botocore's own clients make them."""

from typing import Any

import pytest

from tsubo.aws.access.actions import action_of
from tsubo.aws.access.resources import Place, resources_of
from tsubo.aws.dispatch import identify
from tsubo.aws.inner_client import make_client
from tsubo.aws.message import HttpRequest, HttpResponse

REGION = "eu-west-1"
PLACE = Place(REGION, "123456789012")
SECRET = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:db-AbCdEf"


class Sent(Exception):
    """What a client sent."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request


def sent(service: str, operation: str, members: Any) -> HttpRequest:
    def keep(request: HttpRequest) -> HttpResponse:
        raise Sent(request)

    with pytest.raises(Sent) as caught:
        getattr(make_client(service, REGION, keep), operation)(**members)
    return caught.value.request


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:123456789012:{resource}"


QUEUE_URL = "http://169.254.170.2:4566/123456789012/orders"
KEY = {"id": {"S": "1"}}
NAMES = {"Names": ["a"]}
EVENT = {"timestamp": 0, "message": "x"}
ROLE = "arn:aws:iam::123456789012:role/other"


@pytest.mark.parametrize(
    ("service", "operation", "members", "action", "resources"),
    [
        ("sqs", "send_message", {"QueueUrl": QUEUE_URL, "MessageBody": "x"}, "sqs:SendMessage", [arn("sqs", "orders")]),
        ("sqs", "get_queue_url", {"QueueName": "orders"}, "sqs:GetQueueUrl", [arn("sqs", "orders")]),
        ("sqs", "list_queues", {}, "sqs:ListQueues", ["*"]),
        ("sns", "publish", {"TopicArn": arn("sns", "news"), "Message": "x"}, "sns:Publish", [arn("sns", "news")]),
        ("dynamodb", "get_item", {"TableName": "t", "Key": KEY}, "dynamodb:GetItem", [arn("dynamodb", "table/t")]),
        (
            "dynamodb",
            "query",
            {"TableName": "t", "IndexName": "byName", "KeyConditionExpression": "a=b"},
            "dynamodb:Query",
            [arn("dynamodb", "table/t/index/byName")],
        ),
        (
            "dynamodb",
            "batch_get_item",
            {"RequestItems": {"t": {"Keys": [KEY]}, "u": {"Keys": [KEY]}}},
            "dynamodb:BatchGetItem",
            [arn("dynamodb", "table/t"), arn("dynamodb", "table/u")],
        ),
        (
            "dynamodb",
            "transact_get_items",
            {"TransactItems": [{"Get": {"TableName": "t", "Key": KEY}}]},
            "dynamodb:GetItem",
            [arn("dynamodb", "table/t")],
        ),
        ("secretsmanager", "get_secret_value", {"SecretId": "db"}, "secretsmanager:GetSecretValue", [SECRET]),
        (
            "secretsmanager",
            "create_secret",
            {"Name": "new"},
            "secretsmanager:CreateSecret",
            [arn("secretsmanager", "secret:new")],
        ),
        ("ssm", "get_parameter", {"Name": "/app/key"}, "ssm:GetParameter", [arn("ssm", "parameter/app/key")]),
        (
            "ssm",
            "get_parameters",
            {"Names": ["a", "/b"]},
            "ssm:GetParameters",
            [arn("ssm", "parameter/a"), arn("ssm", "parameter/b")],
        ),
        ("ssm", "get_parameters_by_path", {"Path": "/app"}, "ssm:GetParametersByPath", [arn("ssm", "parameter/app")]),
        (
            "logs",
            "put_log_events",
            {"logGroupName": "/g", "logStreamName": "s", "logEvents": [EVENT]},
            "logs:PutLogEvents",
            [arn("logs", "log-group:/g:log-stream:s")],
        ),
        (
            "logs",
            "create_log_group",
            {"logGroupName": "/g"},
            "logs:CreateLogGroup",
            [arn("logs", "log-group:/g:log-stream:")],
        ),
        ("ecs", "list_clusters", {}, "ecs:ListClusters", ["*"]),
        ("ecs", "describe_tasks", {"cluster": "c", "tasks": ["1"]}, "ecs:DescribeTasks", [arn("ecs", "task/c/1")]),
        ("ecs", "update_service", {"service": "web"}, "ecs:UpdateService", [arn("ecs", "service/default/web")]),
        ("ecs", "run_task", {"taskDefinition": "f:1"}, "ecs:RunTask", [arn("ecs", "task-definition/f:1")]),
        ("ecr", "get_authorization_token", {}, "ecr:GetAuthorizationToken", ["*"]),
        ("ecr", "describe_images", {"repositoryName": "a/b"}, "ecr:DescribeImages", [arn("ecr", "repository/a/b")]),
        ("lambda", "invoke", {"FunctionName": "f"}, "lambda:InvokeFunction", [arn("lambda", "function:f")]),
        ("cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": []}, "cloudwatch:PutMetricData", ["*"]),
        ("elbv2", "describe_load_balancers", {}, "elasticloadbalancing:DescribeLoadBalancers", ["*"]),
        ("ec2", "describe_vpcs", {}, "ec2:DescribeVpcs", ["*"]),
        ("route53", "list_hosted_zones", {}, "route53:ListHostedZones", ["*"]),
        ("route53", "get_hosted_zone", {"Id": "Z1"}, "route53:GetHostedZone", [None]),
        (
            "servicediscovery",
            "discover_instances",
            {"NamespaceName": "n", "ServiceName": "s"},
            "servicediscovery:DiscoverInstances",
            ["*"],
        ),
        ("sts", "assume_role", {"RoleArn": ROLE, "RoleSessionName": "me"}, "sts:AssumeRole", [ROLE]),
        ("xray", "put_trace_segments", {"TraceSegmentDocuments": ["{}"]}, "xray:PutTraceSegments", ["*"]),
        (
            "kinesis",
            "put_record",
            {"StreamName": "s", "Data": b"", "PartitionKey": "p"},
            "kinesis:PutRecord",
            [arn("kinesis", "stream/s")],
        ),
        ("s3", "list_buckets", {}, "s3:ListAllMyBuckets", ["*"]),
        ("s3", "create_bucket", {"Bucket": "bucket"}, "s3:CreateBucket", ["arn:aws:s3:::bucket"]),
        ("s3", "list_objects_v2", {"Bucket": "bucket"}, "s3:ListBucket", ["arn:aws:s3:::bucket"]),
        ("s3", "head_bucket", {"Bucket": "bucket"}, "s3:ListBucket", ["arn:aws:s3:::bucket"]),
        ("s3", "get_bucket_location", {"Bucket": "bucket"}, "s3:GetBucketLocation", ["arn:aws:s3:::bucket"]),
        ("s3", "get_object", {"Bucket": "bucket", "Key": "a/b c"}, "s3:GetObject", ["arn:aws:s3:::bucket/a/b c"]),
        ("s3", "head_object", {"Bucket": "bucket", "Key": "k"}, "s3:GetObject", ["arn:aws:s3:::bucket/k"]),
        ("s3", "put_object", {"Bucket": "bucket", "Key": "k"}, "s3:PutObject", ["arn:aws:s3:::bucket/k"]),
        ("s3", "delete_object", {"Bucket": "bucket", "Key": "k"}, "s3:DeleteObject", ["arn:aws:s3:::bucket/k"]),
        (
            "s3",
            "delete_objects",
            {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "k"}]}},
            "s3:DeleteObject",
            ["arn:aws:s3:::bucket/*"],
        ),
        (
            "s3",
            "get_object",
            {"Bucket": "bucket", "Key": "k", "VersionId": "1"},
            "s3:GetObjectVersion",
            ["arn:aws:s3:::bucket/k"],
        ),
        (
            "s3",
            "get_object_tagging",
            {"Bucket": "bucket", "Key": "k"},
            "s3:GetObjectTagging",
            ["arn:aws:s3:::bucket/k"],
        ),
        ("s3", "create_multipart_upload", {"Bucket": "bucket", "Key": "k"}, "s3:PutObject", ["arn:aws:s3:::bucket/k"]),
        (
            "s3",
            "abort_multipart_upload",
            {"Bucket": "bucket", "Key": "k", "UploadId": "u"},
            "s3:AbortMultipartUpload",
            ["arn:aws:s3:::bucket/k"],
        ),
    ],
)
def test_a_clients_request(
    service: str, operation: str, members: Any, action: str, resources: list[str | None]
) -> None:
    request = sent(service, operation, members)
    target = identify(request)
    assert action_of(request, target) == action
    assert list(resources_of(request, target, action, PLACE, lambda name, region: SECRET)) == resources


def test_a_secret_that_is_not_there_is_named_as_asked() -> None:
    request = sent("secretsmanager", "get_secret_value", {"SecretId": "gone"})
    found = resources_of(request, identify(request), "secretsmanager:GetSecretValue", PLACE, lambda name, region: None)
    assert found == (arn("secretsmanager", "secret:gone"),)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"TransactItems": [1]}', b'{"RequestItems": 5}', b'{"Names": 7}'])
def test_a_body_of_another_form_names_nothing(body: bytes) -> None:
    for made in (sent("dynamodb", "get_item", {"TableName": "t", "Key": KEY}), sent("ssm", "get_parameters", NAMES)):
        broken = HttpRequest(made.method, made.path, made.query, made.headers, body)
        assert resources_of(broken, identify(broken), "x:GetItem", PLACE, lambda n, r: None) == (None,)
