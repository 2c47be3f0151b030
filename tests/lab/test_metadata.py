"""What a container sees of itself and of AWS: aws/ecs-cloudmap-exec.md section 17, aws/alb-vpc-terraform.md 5.2."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.engine_lab import engine_lab, wait_until
from tests.lab.fargate_lab import EVERYTHING, FargateLab, RunningTask

pytestmark = pytest.mark.lab

HEALTH_CHECK = {"command": ["CMD-SHELL", "echo thriving"], "interval": 5}
WHO_AM_I = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
FETCH = """
import os, urllib.error, urllib.request
try:
    with urllib.request.urlopen(os.environ["URL"], timeout=3) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""


@pytest.fixture(scope="module")
def fargate() -> Iterator[FargateLab]:
    with engine_lab() as lab:
        yield FargateLab(lab)


@pytest.fixture(scope="module")
def task(fargate: FargateLab) -> RunningTask:
    """A task with a task role that may do everything."""
    role = fargate.role("app", EVERYTHING)
    definition = fargate.definition("app", {"healthCheck": HEALTH_CHECK}, taskRoleArn=role)
    return fargate.run(definition, tags=[{"key": "team", "value": "garden"}])


@pytest.fixture(scope="module")
def roleless(fargate: FargateLab) -> RunningTask:
    """A task without a task role."""
    return fargate.run(fargate.definition("roleless"))


def fetched(task: RunningTask, url: str) -> tuple[int, Any]:
    """Return status and JSON of a URL as the task gets it."""
    status, _, body = task.python(FETCH, URL=url).partition(" ")
    return int(status), json.loads(body)


def asked(task: RunningTask, path: str = "") -> Any:
    """Return a document that the container itself gets from its metadata URI, by its own wget."""
    done = task.shell(f"wget -q -O - $ECS_CONTAINER_METADATA_URI_V4{path}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_environment_of_every_fargate_container(task: RunningTask, roleless: RunningTask) -> None:
    own = task.environment()
    host = f"ip-{task.address.replace('.', '-')}.ap-northeast-1.compute.internal"
    assert own["HOSTNAME"] == host
    assert own["AWS_EXECUTION_ENV"] == "AWS_ECS_FARGATE"
    assert (own["AWS_REGION"], own["AWS_DEFAULT_REGION"]) == ("ap-northeast-1", "ap-northeast-1")
    assert own["ECS_CONTAINER_METADATA_URI_V4"].startswith(f"http://169.254.170.2/v4/{task.task_id}-")
    assert own["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"].startswith("/v2/credentials/")
    assert "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" not in roleless.environment()


def test_hostname_hosts_and_resolver(task: RunningTask) -> None:
    """aws/ecs-cloudmap-exec.md section 5: the files inside an awsvpc container."""
    host = f"ip-{task.address.replace('.', '-')}.ap-northeast-1.compute.internal"
    assert task.shell("hostname").stdout == f"{host}\n"
    assert task.shell("cat /etc/hosts").stdout == f"127.0.0.1 localhost\n{task.address} {host}\n"
    resolver = task.shell("grep -v '^#' /etc/resolv.conf | grep .").stdout.splitlines()
    assert sorted(resolver) == ["nameserver 10.0.0.2", "search ap-northeast-1.compute.internal"]


def test_the_container_document(fargate: FargateLab, task: RunningTask) -> None:
    document = wait_until(lambda: d if (d := asked(task)).get("Health", {}).get("status") == "HEALTHY" else None)
    (container,) = fargate.describe(task.arn)["containers"]
    assert document["DockerId"] == container["runtimeId"] == task.environment()["ECS_CONTAINER_METADATA_URI"][-43:]
    assert document["ContainerARN"] == container["containerArn"]
    assert document["ImageID"] == container["imageDigest"]
    assert document["Health"]["output"] == "thriving\n"
    assert document["KnownStatus"] == "RUNNING"
    assert document["Networks"][0]["IPv4Addresses"] == [task.address]


def test_the_task_document_and_its_tags(task: RunningTask) -> None:
    document = asked(task, "/taskWithTags")
    assert document["TaskARN"] == task.arn
    assert document["Cluster"].endswith(":cluster/garden")
    assert (document["Family"], document["Revision"]) == ("app", "1")
    assert document["Limits"] == {"CPU": 0.25, "Memory": 512}
    assert [container["Name"] for container in document["Containers"]] == ["app"]
    assert document["TaskTags"] == {"team": "garden"}
    assert "TaskTags" not in asked(task, "/task")


def test_statistics_are_the_container_engines(task: RunningTask) -> None:
    first = asked(task, "/stats")
    assert first["memory_stats"]["limit"] == 512 * 1024 * 1024
    assert first["cpu_stats"]["system_cpu_usage"] > first["precpu_stats"]["system_cpu_usage"]
    assert first["networks"]["eth0"]["tx_bytes"] > 0
    assert list(asked(task, "/task/stats")) == [asked(task)["DockerId"]]
    later = wait_until(lambda: s if (s := asked(task, "/stats"))["read"] > first["read"] else None)
    assert later["networks"]["eth0"]["tx_bytes"] > first["networks"]["eth0"]["tx_bytes"]


def test_a_tasks_own_things_are_refused_to_another_task(task: RunningTask, roleless: RunningTask) -> None:
    own = task.environment()
    assert fetched(task, own["ECS_CONTAINER_METADATA_URI_V4"])[0] == 200
    assert fetched(roleless, own["ECS_CONTAINER_METADATA_URI_V4"])[0] == 404
    credentials = "http://169.254.170.2" + own["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
    assert fetched(task, credentials)[0] == 200
    status, refusal = fetched(roleless, credentials)
    assert (status, refusal["code"]) == (400, "InvalidIdInRequest")


def test_instance_metadata_is_not_there(task: RunningTask) -> None:
    """Fargate offers none: SDKs without credentials find nothing."""
    script = """
import socket
try:
    socket.create_connection(("169.254.169.254", 80), timeout=2)
    print("there")
except OSError:
    print("not there")
"""
    assert task.python(script) == "not there"


def test_an_sdk_calls_the_endpoint_as_the_task_role(task: RunningTask) -> None:
    arn = f"arn:aws:sts::123456789012:assumed-role/app/{task.task_id}"
    assert task.python(WHO_AM_I) == arn
    script = """
import boto3
s3 = boto3.client("s3")
s3.create_bucket(Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
s3.put_object(Bucket="pictures", Key="a b/large", Body=b"x" * 3_000_000)
print(len(s3.get_object(Bucket="pictures", Key="a b/large")["Body"].read()))
print([arn.rsplit("/")[-1] for arn in boto3.client("ecs").list_clusters()["clusterArns"]])
try:
    boto3.client("servicediscovery").discover_instances(NamespaceName="n", ServiceName="s")
except Exception as error:
    print(error.response["Error"]["Code"])
"""
    assert task.python(script).splitlines() == ["3000000", "['garden']", "NamespaceNotFound"]


def test_without_a_role_an_sdk_finds_no_credentials(roleless: RunningTask) -> None:
    script = """
import boto3, botocore.exceptions
try:
    boto3.client("sts").get_caller_identity()
except botocore.exceptions.NoCredentialsError as error:
    print(error)
"""
    assert roleless.python(script) == "Unable to locate credentials"


def test_from_a_task_the_engines_own_key_is_refused(fargate: FargateLab, task: RunningTask) -> None:
    key = fargate.lab.aws_environment()
    script = """
import boto3, botocore.exceptions
try:
    boto3.client("sts").get_caller_identity()
except botocore.exceptions.ClientError as error:
    print(error.response["Error"]["Code"])
"""
    secrets = {name: key[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    assert task.python(script, **secrets) == "InvalidClientTokenId"


def test_credentials_end_with_their_task(fargate: FargateLab, task: RunningTask) -> None:
    ending = fargate.run("app")
    uri = "http://169.254.170.2" + ending.environment()["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
    given = fetched(ending, uri)[1]
    secrets = {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["Token"],
    }
    # As on AWS, credentials work wherever they are taken to.
    assert task.python(WHO_AM_I, **secrets).endswith(ending.task_id)
    fargate.lab.client("ecs").stop_task(cluster="garden", task=ending.arn)
    fargate.stopped(ending.arn)
    script = WHO_AM_I.replace("import boto3;", "import boto3\ntry:") + "\nexcept Exception as error:\n    print(error)"
    assert "InvalidClientTokenId" in task.python(script, **secrets)


def test_metadata_and_credentials_need_no_controller(fargate: FargateLab, task: RunningTask) -> None:
    own = task.environment()
    credentials = "http://169.254.170.2" + own["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
    before = fetched(task, credentials)
    supervisor = fargate.lab.json("status")["supervisor"]["pid"]
    os.kill(supervisor, signal.SIGSTOP)  # so that nobody starts the controller again
    try:
        os.kill(fargate.lab.json("status")["controller"]["pid"], signal.SIGKILL)
        assert fetched(task, own["ECS_CONTAINER_METADATA_URI_V4"] + "/task")[1]["TaskARN"] == task.arn
        assert fetched(task, credentials) == before
    finally:
        os.kill(supervisor, signal.SIGCONT)
    # What was given out before is good at the next controller.
    arn = wait_until(lambda: _or_none(lambda: task.python(WHO_AM_I)), what="the endpoint's answer")
    assert arn.endswith(task.task_id)


def test_a_killed_metadata_process_comes_back_with_what_it_knew(fargate: FargateLab, task: RunningTask) -> None:
    own = task.environment()
    before = fetched(task, own["ECS_CONTAINER_METADATA_URI_V4"])
    state = json.loads((fargate.lab.home / "run" / "supervisor.json").read_text())
    os.kill(state["processes"]["metadata"], signal.SIGKILL)
    url = own["ECS_CONTAINER_METADATA_URI_V4"]
    assert wait_until(lambda: _or_none(lambda: fetched(task, url)), what="an answer") == before


def test_a_task_that_floods_is_put_off_and_another_is_not(task: RunningTask, roleless: RunningTask) -> None:
    """40 requests a second and 60 at once, for each task."""
    script = """
import os, urllib.error, urllib.request
statuses = []
for _ in range(150):
    try:
        statuses.append(urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"], timeout=5).status)
    except urllib.error.HTTPError as error:
        statuses.append(error.code)
print(statuses.count(200), statuses.count(429))
"""
    served, refused = map(int, task.python(script).split())
    assert served >= 60
    assert refused > 0
    assert served + refused == 150
    assert fetched(roleless, roleless.environment()["ECS_CONTAINER_METADATA_URI_V4"])[0] == 200


def test_a_task_that_holds_connections_holds_nobody_else_up(task: RunningTask, roleless: RunningTask) -> None:
    script = """
import os, socket, sys
held = []
for number in range(400):
    try:
        connection = socket.create_connection(("169.254.170.2", (80, 4566)[number % 2]))
        held.append(connection)
        connection.sendall(b"GET /v4/x HTTP/1.1\\r\\nX: ")
    except OSError:
        pass  # one of those that were too many
print("held", flush=True)
sys.stdin.read()
"""
    own = roleless.environment()["ECS_CONTAINER_METADATA_URI_V4"]
    with task.holding(script):
        assert fetched(roleless, own)[0] == 200
        assert roleless.python(FETCH, URL=roleless.environment()["AWS_ENDPOINT_URL"]).startswith("403 ")


def _or_none(call: Any) -> Any:
    try:
        return call()
    except (AssertionError, ValueError):
        return None
