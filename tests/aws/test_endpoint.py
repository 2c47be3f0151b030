"""boto3 against a real server: our operations, moto's, refusals and errors."""

import asyncio
import http.client
import json
import socket
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from tests.aws.conftest import ENGINE_KEY, FAKE_OPERATIONS, TASK_KEY, TASK_TOKEN, CountingSupply, Served
from tsubo.aws.asgi import application
from tsubo.aws.caller import Caller
from tsubo.aws.dispatch import Target
from tsubo.aws.endpoint import Endpoint
from tsubo.aws.message import HttpRequest, HttpResponse
from tsubo.aws.operations import AwsError
from tsubo.aws.signature import AccessKey, Verifier


def code_and_status(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response: Any = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def plain(served: Served, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """Send a request as no SDK would, and return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response.status, response.read()


def test_an_operation_that_writes_is_seen_by_one_that_reads(served: Served) -> None:
    ec2 = served.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]
    assert vpc["VpcId"] in [found["VpcId"] for found in ec2.describe_vpcs()["Vpcs"]]
    assert served.store.world.vpcs[vpc["VpcId"]].region == "ap-northeast-1"


def test_an_operation_that_raises_leaves_nothing_behind(served: Served) -> None:
    before = served.store.world.vpcs
    with pytest.raises(ClientError, match=r"'10\.9\.0\.0/16' is invalid") as error:
        served.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")
    assert code_and_status(error) == ("InvalidVpc.Range", 400)
    assert served.store.world.vpcs == before


def test_a_bug_is_an_internal_error_and_leaves_nothing_behind(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    before = served.store.world.vpcs
    with pytest.raises(ClientError) as error:
        served.client("ec2").create_vpc(CidrBlock="10.8.0.0/16")
    assert code_and_status(error) == ("InternalError", 500)
    assert "a bug" in caplog.text
    assert served.store.world.vpcs == before


def test_a_read_that_writes_is_a_bug(served: Served) -> None:
    with pytest.raises(ClientError) as error:
        served.client("ecs").describe_clusters()
    assert code_and_status(error) == ("ServerException", 500)
    assert not served.store.world.namespaces


def test_an_errors_status_is_the_models(served: Served) -> None:
    """aws/ecs-cloudmap-exec.md section 1: JSON errors; Cloud Map's statuses stand in its model."""
    with pytest.raises(ClientError, match="Namespace ns-1 not found") as error:
        served.client("servicediscovery").get_namespace(Id="ns-1")
    assert code_and_status(error) == ("NamespaceNotFound", 404)


def test_path_parameters_of_route_53(served: Served) -> None:
    zone = served.client("route53").get_hosted_zone(Id="Z0123")["HostedZone"]
    assert zone["Id"] == "/hostedzone/Z0123"


def test_operations_we_lack_are_typed_errors(served: Served) -> None:
    with pytest.raises(ClientError, match="Tsubo does not implement ecs:RunTask") as json_error:
        served.client("ecs").run_task(taskDefinition="a")
    assert code_and_status(json_error) == ("UnknownOperationException", 400)
    with pytest.raises(ClientError) as query_error:
        served.client("elbv2").describe_rules()
    assert code_and_status(query_error) == ("InvalidAction", 400)
    with pytest.raises(ClientError) as rest_error:
        served.client("route53").list_hosted_zones()
    assert code_and_status(rest_error) == ("UnknownOperationException", 404)


def test_moto_answers_other_services_and_what_ec2_has_beyond_ours(served: Served) -> None:
    iam = served.client("iam")
    iam.create_role(RoleName="task", AssumeRolePolicyDocument="{}")
    policy = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    iam.attach_role_policy(RoleName="task", PolicyArn=policy)
    attached = iam.list_attached_role_policies(RoleName="task")["AttachedPolicies"]
    assert [found["PolicyArn"] for found in attached] == [policy]
    ecr = served.client("ecr")
    repository = ecr.create_repository(repositoryName="ecs-navi/nginx")["repository"]
    assert repository["repositoryUri"] == "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/ecs-navi/nginx"
    logs = served.client("logs")
    logs.create_log_group(logGroupName="/ecs/nginx")
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["/ecs/nginx"]
    assert served.client("ec2").describe_instances()["Reservations"] == []


def test_s3_keys_with_odd_characters_survive_signature_and_moto(served: Served) -> None:
    s3 = served.client("s3")
    s3.create_bucket(Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
    s3.put_object(Bucket="pictures", Key="a b/ü+c%2F.txt", Body=b"hello")
    assert s3.get_object(Bucket="pictures", Key="a b/ü+c%2F.txt")["Body"].read() == b"hello"


def test_what_moto_lacks_is_a_typed_error(served: Served) -> None:
    with pytest.raises(ClientError, match="does not implement iam:GetServiceLastAccessedDetails") as error:
        served.client("iam").get_service_last_accessed_details(JobId="0" * 36)
    assert code_and_status(error) == ("InvalidAction", 400)


def test_a_tasks_credentials_are_good_and_without_their_token_they_are_not(served: Served) -> None:
    served.client("ec2", TASK_KEY, TASK_TOKEN).describe_vpcs()
    with pytest.raises(ClientError) as error:
        served.client("servicediscovery", TASK_KEY, "another token").get_namespace(Id="ns-1")
    assert code_and_status(error) == ("UnrecognizedClientException", 403)


@pytest.mark.parametrize(
    ("service", "operation", "key", "expected"),
    [
        ("ecs", "describe_clusters", AccessKey("AKIAOTHER", "x"), ("UnrecognizedClientException", 403)),
        ("ecs", "describe_clusters", AccessKey(ENGINE_KEY.access_key_id, "x"), ("InvalidSignatureException", 403)),
        ("elbv2", "describe_rules", AccessKey("AKIAOTHER", "x"), ("InvalidClientTokenId", 403)),
        ("elbv2", "describe_rules", AccessKey(ENGINE_KEY.access_key_id, "x"), ("SignatureDoesNotMatch", 403)),
        ("route53", "list_hosted_zones", AccessKey("AKIAOTHER", "x"), ("InvalidClientTokenId", 403)),
        ("iam", "list_roles", AccessKey("AKIAOTHER", "x"), ("InvalidClientTokenId", 403)),
        ("ec2", "describe_vpcs", AccessKey("AKIAOTHER", "x"), ("AuthFailure", 401)),
        ("s3", "list_buckets", AccessKey("AKIAOTHER", "x"), ("InvalidAccessKeyId", 403)),
    ],
)
def test_wrong_keys_are_refused_in_each_services_words(
    served: Served, service: str, operation: str, key: AccessKey, expected: tuple[str, int]
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(served.client(service, key), operation)()
    assert code_and_status(error) == expected


def test_a_call_without_a_signature_is_refused(served: Served) -> None:
    status, body = plain(served, "POST", "/", b"{}", X_Amz_Target="AmazonEC2ContainerServiceV20141113.ListClusters")
    assert status == 403
    assert json.loads(body)["__type"] == "MissingAuthenticationTokenException"
    status, body = plain(served, "GET", "/2013-04-01/hostedzone/Z1")
    assert status == 403
    assert b"<Code>MissingAuthenticationToken</Code>" in body


def test_a_call_from_a_task_is_a_tasks() -> None:
    """Whatever comes by a unix socket is a task's: the engine's own key is none there, nor are its own paths."""
    endpoint = _Recording()

    async def no_engine_routes(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("a task reached the engine's own paths")

    serve_call = application(endpoint, no_engine_routes)  # type: ignore[arg-type]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: Any) -> None:
        assert event.get("status", 200) == 200

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/_tsubo/x",
        "query_string": b"",
        "headers": [],
    }
    for server in (("/run/task-calls.sock", None), None):
        asyncio.run(serve_call({**scope, "server": server}, receive, send))
    assert [request.from_task for request in endpoint.requests] == [True, True]
    scope |= {"path": "/", "server": ("127.0.0.1", 4566)}
    asyncio.run(serve_call(scope, receive, send))
    assert not endpoint.requests[-1].from_task


class _Recording:
    """An endpoint that keeps what it is asked."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []

    def handle(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        return HttpResponse(200)


def test_what_is_not_permitted_is_refused_before_it_is_done(served: Served) -> None:
    def refuse(caller: Caller, request: HttpRequest, target: Target) -> None:
        raise AwsError("AccessDenied", f"{caller.arn} may not call {target.service}:{target.operation}", 403)

    guarded = Endpoint(
        store=served.store,
        supply=CountingSupply(),
        verifier=Verifier(ENGINE_KEY, auth="none"),
        breadth=served.breadth,
        authorize=refuse,
        operations=FAKE_OPERATIONS,
    )
    before = served.store.world
    headers = {"host": "localhost", "content-type": "application/x-www-form-urlencoded"}
    body = b"Action=CreateVpc&Version=2016-11-15&CidrBlock=10.3.0.0/16"
    answer = guarded.handle(HttpRequest("POST", "/", headers=headers, body=body))
    assert answer.status == 403
    assert b"user/tsubo may not call ec2:CreateVpc" in answer.body
    assert served.store.world is before


def add_header(name: str, value: str) -> Any:
    def add(request: AWSRequest, **_: Any) -> None:
        request.headers[name] = value

    return add


@pytest.mark.parametrize(
    ("name", "value"),
    [("Origin", "http://example.com"), ("Origin", "null"), ("Host", "rebound.example.com:4566"), ("Host", "10.0.0.1")],
)
def test_browsers_and_rebound_names_are_refused_although_signed(served: Served, name: str, value: str) -> None:
    client = served.client("ec2")
    client.meta.events.register("before-sign.*.*", add_header(name, value))
    with pytest.raises(ClientError) as error:
        client.describe_vpcs()
    assert code_and_status(error) == ("AccessDenied", 403)


@pytest.mark.parametrize("host", ["data-127.0.0.1:4566", "servicediscovery.eu-west-1.amazonaws.com", "[::1]:4566"])
def test_hosts_that_mean_this_endpoint_are_served(served: Served, host: str) -> None:
    client = served.client("servicediscovery", inject_host_prefix=False)
    client.meta.events.register("before-sign.*.*", add_header("Host", host))
    assert client.discover_instances(NamespaceName="a", ServiceName="b")["Instances"] == []


def test_a_body_beyond_the_limit_is_refused_before_it_is_sent(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 80000000\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_the_engines_own_paths_are_not_aws_calls(served: Served) -> None:
    assert plain(served, "GET", "/_tsubo/status") == (299, b"/_tsubo/status")
