"""Wire formats, round through botocore: what a client sends is what we parse, what we serialize is what it gets."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tsubo.aws.dispatch import Target, identify
from tsubo.aws.faults import error_response
from tsubo.aws.inner_client import make_client
from tsubo.aws.message import HttpRequest, HttpResponse
from tsubo.aws.operations import AwsError
from tsubo.aws.wire import parse_request, serialize_result

REGION = "ap-northeast-1"
MOMENT = datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)


class Exchange:
    """A botocore client of one service, and between it and our answer the two wire formats."""

    def __init__(self, service: str, answer: dict[str, Any] | AwsError) -> None:
        self.target: Target | None = None
        self.parameters: dict[str, Any] = {}
        self._answer = answer
        self.client: Any = make_client(service, REGION, self._respond)

    def _respond(self, request: HttpRequest) -> HttpResponse:
        target = self.target = identify(request)
        assert target.operation is not None
        self.parameters = parse_request(target.service, target.operation, request, target.uri_parameters)
        if isinstance(self._answer, AwsError):
            return error_response(self._answer, target.service, target.protocol, "the-id")
        return serialize_result(target.service, target.operation, self._answer, "the-id")


CASES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "ec2",
        "create_security_group",
        {
            "GroupName": "web & more",
            "Description": "<ü>",
            "VpcId": "vpc-1",
            "TagSpecifications": [{"ResourceType": "security-group", "Tags": [{"Key": "Name", "Value": ""}]}],
            "DryRun": False,
        },
        {"GroupId": "sg-1", "Tags": [{"Key": "Name", "Value": "<a & b>"}], "SecurityGroupArn": "arn"},
    ),
    (
        "ec2",
        "authorize_security_group_ingress",
        {
            "GroupId": "sg-1",
            "IpPermissions": [
                {
                    "IpProtocol": "tcp",
                    "FromPort": 80,
                    "ToPort": 81,
                    "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}, {"CidrIp": "10.0.0.0/8"}],
                    "UserIdGroupPairs": [{"GroupId": "sg-2"}],
                },
                {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
            ],
        },
        {"Return": True, "SecurityGroupRules": [{"SecurityGroupRuleId": "sgr-1", "IsEgress": False, "FromPort": 0}]},
    ),
    (
        "ec2",
        "describe_nat_gateways",
        {"NatGatewayIds": ["nat-1"], "Filter": [{"Name": "state", "Values": ["available", "pending"]}]},
        {"NatGateways": [{"NatGatewayId": "nat-1", "CreateTime": MOMENT.replace(microsecond=0)}]},
    ),
    (
        "ecs",
        "register_task_definition",
        {
            "family": "web",
            "cpu": "256",
            "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [
                {
                    "name": "nginx",
                    "image": "nginx",
                    "essential": True,
                    "portMappings": [{"containerPort": 80, "protocol": "tcp"}],
                    "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/nginx"}},
                    "environment": [],
                }
            ],
        },
        {
            "taskDefinition": {
                "taskDefinitionArn": "arn",
                "registeredAt": MOMENT,
                "containerDefinitions": [{"name": "nginx", "environment": [], "dockerLabels": {"a": "b"}}],
            }
        },
    ),
    (
        "elbv2",
        "create_rule",
        {
            "ListenerArn": "arn",
            "Priority": 100,
            "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example", "b.example"]}}],
            "Actions": [
                {
                    "Type": "forward",
                    "ForwardConfig": {
                        "TargetGroups": [{"TargetGroupArn": "tg", "Weight": 1}],
                        "TargetGroupStickinessConfig": {"Enabled": False},
                    },
                }
            ],
        },
        {"Rules": [{"RuleArn": "arn", "Priority": "100", "IsDefault": False, "Conditions": [], "Actions": []}]},
    ),
    (
        "elbv2",
        "describe_load_balancers",
        {"Names": ["a"]},
        {"LoadBalancers": [{"LoadBalancerArn": "arn", "CreatedTime": MOMENT, "State": {"Code": "active"}}]},
    ),
    (
        "route53",
        "change_resource_record_sets",
        {
            "HostedZoneId": "Z1",
            "ChangeBatch": {
                "Comment": "a & b",
                "Changes": [
                    {
                        "Action": "UPSERT",
                        "ResourceRecordSet": {
                            "Name": "a.example",
                            "Type": "A",
                            "TTL": 60,
                            "MultiValueAnswer": True,
                            "SetIdentifier": "1",
                            "ResourceRecords": [{"Value": "10.0.0.1"}, {"Value": "10.0.0.2"}],
                        },
                    },
                    {
                        "Action": "DELETE",
                        "ResourceRecordSet": {
                            "Name": "b.example",
                            "Type": "A",
                            "AliasTarget": {"HostedZoneId": "Z2", "DNSName": "lb", "EvaluateTargetHealth": False},
                        },
                    },
                ],
            },
        },
        {"ChangeInfo": {"Id": "/change/C1", "Status": "INSYNC", "SubmittedAt": MOMENT}},
    ),
    (
        "route53",
        "list_resource_record_sets",
        {"HostedZoneId": "Z1", "StartRecordName": "a b.example", "StartRecordType": "A", "MaxItems": "10"},
        {
            "ResourceRecordSets": [{"Name": "a", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": '"a  b"'}]}],
            "IsTruncated": False,
            "MaxItems": "10",
        },
    ),
    (
        "servicediscovery",
        "create_service",
        {
            "Name": "backend",
            "CreatorRequestId": "1",
            "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 60}]},
            "HealthCheckCustomConfig": {"FailureThreshold": 1},
        },
        {"Service": {"Id": "srv-1", "CreateDate": MOMENT, "InstanceCount": 0}},
    ),
    (
        "acm",
        "request_certificate",
        {"DomainName": "a.example", "SubjectAlternativeNames": ["b.example"], "Tags": [{"Key": "a", "Value": "b"}]},
        {"CertificateArn": "arn"},
    ),
    (
        "acm",
        "import_certificate",
        {"Certificate": b"-----BEGIN \x00\xff", "PrivateKey": b"key"},
        {"CertificateArn": "arn"},
    ),
    ("sts", "get_caller_identity", {}, {"Account": "123456789012", "Arn": "arn", "UserId": "A"}),
]


@pytest.mark.parametrize(
    ("service", "method", "parameters", "result"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES]
)
def test_requests_and_results_go_round(
    service: str, method: str, parameters: dict[str, Any], result: dict[str, Any]
) -> None:
    exchange = Exchange(service, result)
    response = getattr(exchange.client, method)(**parameters)
    metadata = response.pop("ResponseMetadata")
    response.pop("Location", None)
    assert exchange.target is not None
    assert (exchange.target.service, exchange.target.region) == (service, REGION)
    assert exchange.client.meta.method_to_api_mapping[method] == exchange.target.operation
    assert exchange.parameters == parameters
    assert response == result
    assert metadata["HTTPHeaders"]["x-amzn-requestid"] == "the-id"


@pytest.mark.parametrize("service", ["ecs", "elbv2", "route53", "ec2"])
def test_a_number_is_a_timestamp_in_utc(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    calls: dict[str, tuple[str, dict[str, Any], Any, Any]] = {
        "ecs": (
            "describe_tasks",
            {"tasks": ["a"]},
            lambda at: {"tasks": [{"startedAt": at}]},
            ["tasks", 0, "startedAt"],
        ),
        "elbv2": (
            "describe_load_balancers",
            {},
            lambda at: {"LoadBalancers": [{"CreatedTime": at}]},
            ["LoadBalancers", 0, "CreatedTime"],
        ),
        "route53": (
            "get_change",
            {"Id": "C1"},
            lambda at: {"ChangeInfo": {"Id": "C1", "Status": "INSYNC", "SubmittedAt": at}},
            ["ChangeInfo", "SubmittedAt"],
        ),
        "ec2": (
            "describe_nat_gateways",
            {},
            lambda at: {"NatGateways": [{"CreateTime": at}]},
            ["NatGateways", 0, "CreateTime"],
        ),
    }
    method, parameters, result, path = calls[service]
    value = getattr(Exchange(service, result(MOMENT.timestamp())).client, method)(**parameters)
    for step in path:
        value = value[step]
    # EC2 writes whole seconds.
    assert value == (MOMENT.replace(microsecond=0) if service == "ec2" else MOMENT)


@pytest.mark.parametrize(
    ("service", "method", "parameters", "error", "status"),
    [
        ("ec2", "delete_vpc", {"VpcId": "vpc-1"}, AwsError("DependencyViolation", "a & <b>"), 400),
        (
            "ecs",
            "describe_services",
            {"services": ["a"]},
            AwsError("ClusterNotFoundException", "Cluster not found."),
            400,
        ),
        ("elbv2", "delete_rule", {"RuleArn": "arn"}, AwsError("RuleNotFound", "One or more rules not found"), 400),
        ("route53", "get_hosted_zone", {"Id": "Z1"}, AwsError("NoSuchHostedZone", "No hosted zone found"), 404),
        ("route53", "delete_hosted_zone", {"Id": "Z1"}, AwsError("HostedZoneNotEmpty", "The zone"), 400),
        ("servicediscovery", "delete_service", {"Id": "s"}, AwsError("ResourceInUse", "Service contains"), 409),
        ("acm", "describe_certificate", {"CertificateArn": "a" * 20}, AwsError("ResourceNotFoundException", "no"), 400),
        ("ecs", "list_clusters", {}, AwsError("ServerException", "oh", status=500), 500),
    ],
)
def test_errors_go_round(service: str, method: str, parameters: dict[str, Any], error: AwsError, status: int) -> None:
    exchange = Exchange(service, error)
    with pytest.raises(ClientError) as caught:
        getattr(exchange.client, method)(**parameters)
    response: Any = caught.value.response
    assert (response["Error"]["Code"], response["Error"]["Message"]) == (error.code, error.message)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["ResponseMetadata"]["RequestId"] == "the-id"
    modelled = getattr(exchange.client.exceptions, error.code, None)
    assert service == "ec2" or modelled is None or isinstance(caught.value, modelled)


def test_members_of_an_error_reach_the_client() -> None:
    error = AwsError("DuplicateRequest", "again", DuplicateOperationId="op-1")
    exchange = Exchange("servicediscovery", error)
    with pytest.raises(exchange.client.exceptions.DuplicateRequest) as caught:
        exchange.client.delete_namespace(Id="ns-1")
    assert caught.value.response["DuplicateOperationId"] == "op-1"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409


def json_request(body: bytes) -> HttpRequest:
    return HttpRequest("POST", "/", headers={"content-type": "application/x-amz-json-1.1"}, body=body)


def form_request(body: bytes) -> HttpRequest:
    return HttpRequest("POST", "/", headers={"content-type": "application/x-www-form-urlencoded"}, body=body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"[]", "Start of list"),
        (b'"text"', "STRING_VALUE can not be converted to a Structure"),
        (b"null", "NULL_VALUE can not be converted to a Structure"),
        (b'{"taskDefinition": 1}', "NUMBER_VALUE can not be converted to a String"),
        (b'{"taskDefinition": "a", "count": "1"}', "STRING_VALUE can not be converted to an Integer"),
        (b'{"taskDefinition": "a", "count": true}', "BOOLEAN_VALUE can not be converted to an Integer"),
        (b'{"taskDefinition": "a", "count": 1.5}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"taskDefinition": "a", "tags": {}}', "Start of structure or map"),
        (b'{"taskDefinition": "a", "tags": ["a"]}', "STRING_VALUE can not be converted to a Structure"),
        (b'{"taskDefinition": "a", "tags": [null]}', "NULL_VALUE can not be converted to a Structure"),
        (b'{"taskDefinition": "a", "enableExecuteCommand": "yes"}', "STRING_VALUE can not be converted to a Boolean"),
    ],
)
def test_malformed_json_is_a_serialization_exception(body: bytes, message: str) -> None:
    with pytest.raises(AwsError, match=message) as caught:
        parse_request("ecs", "RunTask", json_request(body))
    assert (caught.value.code, caught.value.status) == ("SerializationException", 400)


def test_null_members_are_absent() -> None:
    body = b'{"taskDefinition": "a", "cluster": null, "overrides": {"cpu": null}}'
    assert parse_request("ecs", "RunTask", json_request(body)) == {"taskDefinition": "a", "overrides": {}}


@pytest.mark.parametrize(
    ("service", "operation", "request_", "code", "message"),
    [
        ("ec2", "DescribeVpcs", form_request(b"DryRun=perhaps"), "InvalidParameterValue", "'perhaps' for DryRun"),
        ("ec2", "DescribeVpcs", form_request(b"MaxResults=ten"), "InvalidParameterValue", "'ten' for MaxResults"),
        (
            "elbv2",
            "CreateRule",
            form_request(b"ListenerArn=a&Priority=x"),
            "MalformedInput",
            "'x' for Priority",
        ),
        (
            "route53",
            "CreateHostedZone",
            HttpRequest("POST", "/2013-04-01/hostedzone", body=b"<CreateHostedZoneRequest><Name>a"),
            "MalformedInput",
            "could not be read",
        ),
        (
            "route53",
            "CreateHostedZone",
            HttpRequest("POST", "/2013-04-01/hostedzone", body=b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
            "MalformedInput",
            "document type",
        ),
    ],
)
def test_malformed_forms_and_documents_are_typed_errors(
    service: str, operation: str, request_: HttpRequest, code: str, message: str
) -> None:
    with pytest.raises(AwsError, match=message) as caught:
        parse_request(service, operation, request_)
    assert (caught.value.code, caught.value.status) == (code, 400)


@pytest.mark.parametrize(
    ("service", "operation", "request_", "code", "message"),
    [
        ("ec2", "CreateSubnet", form_request(b""), "MissingParameter", "The request must contain the parameter vpcId"),
        ("ecs", "RunTask", json_request(b"{}"), "InvalidParameterException", "taskDefinition can not be blank."),
        (
            "elbv2",
            "CreateRule",
            form_request(b"ListenerArn=a&Priority=1&Conditions.member.1.Field=path-pattern&Actions.member.1.Order=1"),
            "ValidationError",
            "1 validation error detected: Value null at 'actions.1.member.type' failed to satisfy constraint",
        ),
        (
            "servicediscovery",
            "RegisterInstance",
            json_request(b'{"ServiceId": "srv-1"}'),
            "InvalidInput",
            "2 validation errors detected: Value null at 'instanceId'",
        ),
        ("acm", "RequestCertificate", json_request(b""), "ValidationException", "Value null at 'domainName'"),
    ],
)
def test_required_members_are_required(
    service: str, operation: str, request_: HttpRequest, code: str, message: str
) -> None:
    with pytest.raises(AwsError) as caught:
        parse_request(service, operation, request_)
    assert caught.value.code == code
    assert message in caught.value.message
