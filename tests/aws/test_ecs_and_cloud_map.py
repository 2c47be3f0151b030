"""ECS and Cloud Map through boto3, the endpoint and the store; only the socket is left out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.aws.conftest import ENGINE, ENGINE_KEY, CountingSupply
from tests.aws.direct import NETWORK, NOW, REGION
from tests.aws.ecs.conftest import RUN, SERVICE, WEB
from tsubo.aws import ecs, servicediscovery
from tsubo.aws.dispatch import Target
from tsubo.aws.endpoint import Endpoint
from tsubo.aws.message import HttpRequest, HttpResponse
from tsubo.aws.signature import Verifier
from tsubo.aws.store import Store


class NoBreadth:
    """Nothing of these two services is moto's."""

    def forward(self, request: HttpRequest, target: Target) -> HttpResponse:
        raise AssertionError(f"{target.service}:{target.operation} went to moto")


class RawBody:
    """A response body in the form that botocore reads from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite", ENGINE)
    store.commit(NETWORK)
    yield store
    store.close()


@pytest.fixture
def endpoint(store: Store) -> Endpoint:
    return Endpoint(
        store=store,
        supply=CountingSupply(),
        verifier=Verifier(ENGINE_KEY, lambda key, token: None),
        breadth=NoBreadth(),
        operations={"ecs": ecs.OPERATIONS, "servicediscovery": servicediscovery.OPERATIONS},
    )


def client(endpoint: Endpoint, service: str) -> Any:
    """Return a boto3 client whose requests go straight into the endpoint."""
    made = boto3.client(
        service,
        region_name=REGION,
        endpoint_url="http://127.0.0.1:4566",
        aws_access_key_id=ENGINE_KEY.access_key_id,
        aws_secret_access_key=ENGINE_KEY.secret_access_key,
        config=Config(retries={"max_attempts": 0}, inject_host_prefix=False),
    )

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        headers = {name.lower(): text(value) for name, value in request.headers.items()}
        headers.setdefault("host", url.netloc)
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        response = endpoint.handle(HttpRequest(request.method, url.path or "/", url.query, headers, body))
        return AWSResponse(request.url, response.status, dict(response.headers), RawBody(response.body))

    made.meta.events.register("before-send", answer)
    return made


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def test_a_stack_is_described_as_it_was_asked_for_and_survives_a_restart(
    endpoint: Endpoint, store: Store, tmp_path: Path
) -> None:
    cloud_map, containers = client(endpoint, "servicediscovery"), client(endpoint, "ecs")
    operation_id = cloud_map.create_private_dns_namespace(Name="navi.local", Vpc="vpc-1")["OperationId"]
    operation = cloud_map.get_operation(OperationId=operation_id)["Operation"]
    namespace_id = operation["Targets"]["NAMESPACE"]
    registry = cloud_map.create_service(
        Name="web",
        DnsConfig={"NamespaceId": namespace_id, "DnsRecords": [{"Type": "A", "TTL": 60}]},
        HealthCheckCustomConfig={"FailureThreshold": 1},
    )["Service"]
    containers.create_cluster(clusterName="navi")
    definition = containers.register_task_definition(**WEB)["taskDefinition"]
    registries = [{"registryArn": registry["Arn"]}]
    service = containers.create_service(**SERVICE, serviceRegistries=registries, clientToken="t")["service"]
    task = containers.run_task(**RUN)["tasks"][0]
    assert (service["serviceRegistries"], service["deployments"][0]["status"]) == (registries, "PRIMARY")
    assert (task["lastStatus"], task["containers"][0]["lastStatus"]) == ("PROVISIONING", "PENDING")
    assert definition["registeredAt"].timestamp() > NOW
    assert service["createdAt"].tzinfo is not None
    listed = containers.list_service_deployments(
        service="web", cluster="navi", createdAt={"before": service["createdAt"]}
    )
    assert listed["serviceDeployments"] == []

    before = store.world
    store.close()
    reopened = Store(tmp_path / "store.sqlite", ENGINE)
    assert reopened.world == before
    reopened.close()


def test_errors_have_awss_codes_and_statuses(endpoint: Endpoint) -> None:
    cases = [
        ("ecs", "list_services", {"cluster": "no"}, "ClusterNotFoundException", 400),
        ("ecs", "describe_task_definition", {"taskDefinition": "no"}, "ClientException", 400),
        ("servicediscovery", "get_namespace", {"Id": "ns-0"}, "NamespaceNotFound", 404),
        ("servicediscovery", "get_operation", {"OperationId": "x"}, "OperationNotFound", 404),
    ]
    for service, method, members, code, status in cases:
        with pytest.raises(ClientError) as caught:
            getattr(client(endpoint, service), method)(**members)
        response: Any = caught.value.response
        assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


def test_instances_are_discovered(endpoint: Endpoint) -> None:
    cloud_map = client(endpoint, "servicediscovery")
    cloud_map.create_http_namespace(Name="calls")
    namespace = cloud_map.list_namespaces(Filters=[{"Name": "TYPE", "Values": ["HTTP"]}])["Namespaces"][0]
    service = cloud_map.create_service(Name="web", NamespaceId=namespace["Id"])["Service"]
    cloud_map.register_instance(ServiceId=service["Id"], InstanceId="one", Attributes={"colour": "red"})
    found = cloud_map.discover_instances(NamespaceName="calls", ServiceName="web")["Instances"]
    assert [(i["InstanceId"], i["Attributes"]) for i in found] == [("one", {"colour": "red"})]
    with pytest.raises(ClientError) as caught:
        cloud_map.delete_service(Id=service["Id"])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
