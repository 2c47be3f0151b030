"""An endpoint behind a real uvicorn, its parts, and boto3 clients that call it."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import uvicorn
from botocore.config import Config

from tsubo.aws.asgi import application
from tsubo.aws.breadth import Breadth
from tsubo.aws.caller import TaskKey, assumed_role
from tsubo.aws.endpoint import Endpoint
from tsubo.aws.operations import AwsError, Call, Operations, Request, Response
from tsubo.aws.signature import AccessKey, Verifier
from tsubo.aws.store import Store
from tsubo.model.cloudmap import Namespace
from tsubo.model.identity import EngineIdentity
from tsubo.model.vpc import Vpc

ENGINE = EngineIdentity("0011aabb")
ENGINE_KEY = AccessKey("AKIATSUBOENGINE00001", "engine secret")
TASK_KEY = AccessKey("ASIATSUBOTASK0000001", "task secret")
TASK_TOKEN = "task token"
REGION = "ap-northeast-1"


class CountingSupply:
    """A supply whose texts are counted."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def text(self, length: int, alphabet: str = "0123456789abcdef") -> str:
        """Return the next number as text."""
        return str(next(self._count)).rjust(length, "0")[-length:]


def create_vpc(call: Call, request: Request) -> Response:
    vpc = Vpc(f"vpc-{call.supply.text(17)}", call.region, request["CidrBlock"])
    call.put(vpc)
    if vpc.cidr == "10.9.0.0/16":
        raise AwsError("InvalidVpc.Range", "The CIDR '10.9.0.0/16' is invalid.")
    if vpc.cidr == "10.8.0.0/16":
        raise RuntimeError("a bug")
    return {"Vpc": {"VpcId": vpc.vpc_id, "CidrBlock": vpc.cidr, "IsDefault": False}}


def describe_vpcs(call: Call, request: Request) -> Response:
    return {"Vpcs": [{"VpcId": vpc.vpc_id, "CidrBlock": vpc.cidr} for vpc in call.world.vpcs.values()]}


def get_namespace(call: Call, request: Request) -> Response:
    raise AwsError("NamespaceNotFound", f"Namespace {request['Id']} not found.")


def discover_instances(call: Call, request: Request) -> Response:
    return {"Instances": [], "InstancesRevision": 1}


def describe_clusters(call: Call, request: Request) -> Response:
    call.put(Namespace("ns-1", "arn", "a read must not write", "HTTP", call.region, 0.0, "x"))
    return {}


def get_hosted_zone(call: Call, request: Request) -> Response:
    return {"HostedZone": {"Id": f"/hostedzone/{request['Id']}", "Name": "a.b.", "CallerReference": "1"}}


FAKE_OPERATIONS: Mapping[str, Operations] = {
    "ec2": {"CreateVpc": create_vpc, "DescribeVpcs": describe_vpcs},
    "ecs": {"DescribeClusters": describe_clusters},
    "elbv2": {},
    "servicediscovery": {"GetNamespace": get_namespace, "DiscoverInstances": discover_instances},
    "route53": {"GetHostedZone": get_hosted_zone},
}


@dataclass
class Served:
    """A running endpoint."""

    port: int
    store: Store
    breadth: Breadth
    directory: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, key: AccessKey = ENGINE_KEY, token: str | None = None, **config: Any) -> Any:
        """Return a boto3 client of the endpoint."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            aws_session_token=token,
            config=Config(retries={"max_attempts": 0}, **config),
        )


async def engine_routes(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def serve(app: Any) -> tuple[int, Callable[[], None]]:
    """Serve an ASGI application on a free port; return the port and what ends it."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    listening = threading.Event()
    startup = server.startup

    async def announced(sockets: Any = None) -> None:
        await startup(sockets)
        listening.set()

    server.startup = announced  # type: ignore[method-assign]
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    assert listening.wait(10)
    port = server.servers[0].sockets[0].getsockname()[1]

    def end() -> None:
        server.should_exit = True
        thread.join(10)

    return port, end


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("endpoint")
    store = Store(directory / "store.sqlite", ENGINE)
    breadth = Breadth(directory)
    endpoint = Endpoint(
        store=store,
        supply=CountingSupply(),
        verifier=Verifier(ENGINE_KEY, task_keys),
        breadth=breadth,
        operations=FAKE_OPERATIONS,
    )
    port, end = serve(application(endpoint, engine_routes))
    yield Served(port, store, breadth, directory)
    end()
    breadth.close()
    store.close()


def task_keys(access_key_id: str, session_token: str | None) -> TaskKey | None:
    if (access_key_id, session_token) == (TASK_KEY.access_key_id, TASK_TOKEN):
        return TaskKey(TASK_KEY.secret_access_key, assumed_role("arn:aws:iam::123456789012:role/app", "AROA1", "task1"))
    return None
