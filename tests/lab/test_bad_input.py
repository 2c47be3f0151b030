"""Bad input: a clear error, nothing lost, nothing half made."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.lab.engine_lab import EXAMPLE, PROGRAMS, EngineLab, engine_lab, wait_until
from tests.lab.reference_stack import API
from tsubo.model.identity import EngineIdentity

pytestmark = pytest.mark.lab

USAGE, FAILED, MACHINE, BUSY = 2, 4, 5, 6
AT_ONCE_SECONDS = 10.0

SMALL = """
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }

resource "aws_subnet" "private" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.10.0/24"
}

resource "aws_ecs_cluster" "main" { name = "small" }

resource "aws_iam_role" "task" {
  name               = "small"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" }
  }] })
}

resource "aws_iam_role_policy_attachment" "task" {
  role       = aws_iam_role.task.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_ecs_task_definition" "main" {
  family                   = "small"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.task.arn
  container_definitions    = jsonencode([{ name = "main", image = "IMAGE", command = COMMAND }])
}

resource "aws_ecs_service" "main" {
  name            = "small"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.main.arn
  launch_type     = "FARGATE"
  desired_count   = 1
  network_configuration { subnets = [aws_subnet.private.id] }
  depends_on = [aws_iam_role_policy_attachment.task]
}
"""
REGISTRY = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"

CERTIFICATE = """
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }

resource "aws_acm_certificate" "main" {
  domain_name       = "never.example"
  validation_method = "DNS"
}

# Nobody makes the validation's record.
resource "aws_acm_certificate_validation" "main" { certificate_arn = aws_acm_certificate.main.arn }
"""


PENDING_CERTIFICATE = """
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }

resource "aws_internet_gateway" "main" { vpc_id = aws_vpc.main.id }

resource "aws_subnet" "public" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.0.${count.index}.0/24"
  availability_zone = ["ap-northeast-1a", "ap-northeast-1c"][count.index]
}

resource "aws_lb" "main" {
  name       = "pending"
  subnets    = aws_subnet.public[*].id
  depends_on = [aws_internet_gateway.main]
}

resource "aws_acm_certificate" "main" {
  domain_name       = "never.example"
  validation_method = "DNS"
}

resource "aws_lb_listener" "main" {
  load_balancer_arn = aws_lb.main.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.main.arn
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[EngineLab]:
    """An engine that these tests share; each leaves it with nothing running."""
    with engine_lab() as engine:
        yield engine


@pytest.fixture(scope="module", autouse=True)
def up_with_a_pending_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """An `up` on an engine of its own, begun before all tests: what may still pass is retried for half a minute."""
    directory = write(tmp_path_factory.mktemp("pending"), PENDING_CERTIFICATE)
    with engine_lab() as engine:
        running = engine.spawn("up", str(directory))
        yield running
        running.kill()
        running.communicate()


def write(directory: Path, text: str) -> Path:
    """Write a configuration of one file and return its directory."""
    (directory / "main.tf").write_text(text)
    return directory


def small(image: str) -> str:
    """Return a configuration of one service that runs an image."""
    command = ["sh", "-c", "trap exit TERM; while :; do sleep 0.1; done"]
    return SMALL.replace("IMAGE", image).replace("COMMAND", json.dumps(command))


def vpcs(lab: EngineLab) -> list[str]:
    """Return the ranges of the VPCs that somebody made."""
    return [vpc["CidrBlock"] for vpc in lab.client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]


# Directories


def test_a_directory_that_is_not_there_is_named(lab: EngineLab, tmp_path: Path) -> None:
    for directory, why in ((tmp_path / "nowhere", "nowhere"), (tmp_path, "no ")):
        done = lab.run("up", str(directory))
        assert done.returncode == USAGE
        assert str(directory) in done.stderr
        assert why in done.stderr
        assert "Traceback" not in done.stderr


def test_a_syntax_error_is_told_with_file_and_line_and_nothing_is_made(lab: EngineLab, tmp_path: Path) -> None:
    directory = write(tmp_path, f'{small("tsubo-test")}\nresource "aws_vpc" "broken" {{\n  cidr_block = \n}}\n')
    line = next(
        i for i, text in enumerate((directory / "main.tf").read_text().splitlines(), 1) if text == "  cidr_block = "
    )
    done = lab.run("up", str(directory))
    assert done.returncode == FAILED
    assert re.search(rf"main\.tf(:| line )({line}|{line + 1})\b", done.stderr), done.stderr
    assert (vpcs(lab), lab.json("ps")) == ([], [])
    assert [path.name for path in directory.iterdir()] == ["main.tf"]


def test_two_resources_with_one_address_are_told(lab: EngineLab, tmp_path: Path) -> None:
    twice = 'resource "aws_vpc" "main" { cidr_block = "10.1.0.0/16" }\n'
    done = lab.run("up", str(write(tmp_path, twice + twice)))
    assert done.returncode == FAILED
    assert "Duplicate resource" in done.stderr
    assert "aws_vpc" in done.stderr
    assert vpcs(lab) == []


def test_what_aws_refuses_is_told_with_the_address_of_the_resource(lab: EngineLab, tmp_path: Path) -> None:
    network, _, _ = SMALL.partition('resource "aws_ecs_cluster"')
    outside = network.replace("10.0.10.0/24", "192.168.0.0/24")
    directory = write(tmp_path, outside)
    done = lab.run("up", str(directory))
    assert done.returncode == FAILED
    assert "InvalidSubnet.Range" in done.stderr
    assert "aws_subnet.private" in done.stderr
    # What was made stays, and the corrected files go on from there.
    assert vpcs(lab) == ["10.0.0.0/16"]
    write(tmp_path, outside.replace("192.168.0.0/24", "10.0.10.0/24"))
    assert lab.json("up", str(directory))["changes"]["added"] == 1
    assert lab.json("down", str(directory))["destroyed"] == 2


# Images


def test_an_image_that_is_not_there_ends_up_with_ecs_own_words_at_once(lab: EngineLab, tmp_path: Path) -> None:
    directory = write(tmp_path, small(f"{REGISTRY}/no-such-image:1"))
    began = time.monotonic()
    done = lab.run("up", str(directory))
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert done.returncode == FAILED
    assert "CannotPullContainerError" in done.stderr
    assert f"{REGISTRY}/no-such-image:1" in done.stderr
    assert "aws_ecs_service.main" in done.stderr
    # Once the image is there, the same files come up.
    subprocess.run(["docker", "tag", "tsubo-test", "no-such-image:1"], check=True)
    try:
        up = lab.json("up", str(directory))
    finally:
        subprocess.run(["docker", "rmi", "--no-prune", "no-such-image:1"], check=True, capture_output=True)
    assert up["changes"] == {"added": 0, "changed": 0, "destroyed": 0}
    assert [task["lastStatus"] for task in up["tasks"]] == ["RUNNING"]
    # And with another image, only the task definition and the service change.
    write(tmp_path, small(f"{REGISTRY}/tsubo-test:latest"))
    assert lab.json("up", str(directory))["changes"] == {"added": 1, "changed": 1, "destroyed": 1}
    lab.tsubo("down", str(directory))
    assert (vpcs(lab), lab.json("ps")) == ([], [])


def test_a_role_that_ecs_may_not_assume_ends_up_with_ecs_own_words_at_once(lab: EngineLab, tmp_path: Path) -> None:
    directory = write(tmp_path, small("tsubo-test").replace("ecs-tasks.amazonaws.com", "ec2.amazonaws.com"))
    began = time.monotonic()
    done = lab.run("up", str(directory))
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert done.returncode == FAILED
    assert "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/small'" in done.stderr
    lab.tsubo("down", str(directory))


def test_a_task_whose_image_is_not_there_stops_at_once_with_cannot_pull_container_error(
    lab: EngineLab, tmp_path: Path
) -> None:
    directory = write(tmp_path, small(f"{REGISTRY}/tsubo-test:latest"))
    lab.tsubo("up", str(directory))
    ecs = lab.client("ecs")
    role = lab.client("iam").get_role(RoleName="small")["Role"]["Arn"]
    ecs.register_task_definition(
        family="absent", networkMode="awsvpc", cpu="256", memory="512", requiresCompatibilities=["FARGATE"],
        executionRoleArn=role, containerDefinitions=[{"name": "main", "image": f"{REGISTRY}/absent:2"}],
    )  # fmt: skip
    network = ecs.describe_services(cluster="small", services=["small"])["services"][0]["networkConfiguration"]
    began = time.monotonic()
    task = ecs.run_task(
        cluster="small", taskDefinition="absent", launchType="FARGATE", networkConfiguration=network
    )["tasks"][0]["taskArn"]  # fmt: skip

    def stopped() -> dict[str, str] | None:
        found = ecs.describe_tasks(cluster="small", tasks=[task])["tasks"][0]
        return found if found["lastStatus"] == "STOPPED" else None

    found = wait_until(stopped, what="the task's end")
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert found["stopCode"] == "TaskFailedToStart"
    assert found["stoppedReason"].startswith("CannotPullContainerError: ")
    assert f"{REGISTRY}/absent:2" in found["stoppedReason"]
    lab.tsubo("down", str(directory))


# Certificates, interruptions, two at once


def test_a_certificate_that_is_not_issued_is_awaited_and_up_can_be_interrupted_and_run_again(
    lab: EngineLab, tmp_path: Path
) -> None:
    directory = write(tmp_path, CERTIFICATE)
    first = lab.spawn("up", str(directory))
    wait_until(lambda: vpcs(lab) == ["10.0.0.0/16"], what="the first resources")
    second = lab.run("up", str(directory))
    assert second.returncode == BUSY
    assert str(directory) in second.stderr
    first.send_signal(signal.SIGINT)
    _, errors = first.communicate(timeout=60)
    assert first.returncode == FAILED
    assert "Interrupted" in errors
    assert "tsubo down" in errors
    assert "Traceback" not in errors
    # Run again without what can never come it is done; nothing is made twice.
    write(tmp_path, CERTIFICATE.partition("# Nobody")[0])
    wait_until(lambda: lab.run("up", str(directory)).returncode == 0, what="the directory is free again")
    assert vpcs(lab) == ["10.0.0.0/16"]
    assert len(lab.client("acm").list_certificates()["CertificateSummaryList"]) == 1
    lab.tsubo("down", str(directory))
    assert vpcs(lab) == []


def test_an_interrupted_up_can_be_taken_down(lab: EngineLab, tmp_path: Path) -> None:
    directory = write(tmp_path, CERTIFICATE)
    first = lab.spawn("up", str(directory))
    wait_until(lambda: vpcs(lab) == ["10.0.0.0/16"], what="the first resources")
    os.killpg(first.pid, signal.SIGINT)
    first.communicate(timeout=60)
    wait_until(lambda: lab.run("down", str(directory)).returncode == 0, what="the directory is free again")
    assert vpcs(lab) == []


def test_a_listener_with_a_certificate_that_is_not_issued_ends_up_with_aws_words_and_what_to_do(
    up_with_a_pending_certificate: subprocess.Popen[str],
) -> None:
    _, errors = up_with_a_pending_certificate.communicate(timeout=90)
    assert up_with_a_pending_certificate.returncode == FAILED
    assert "UnsupportedCertificate: The certificate 'arn:aws:acm:" in errors
    assert "aws_lb_listener.main" in errors
    assert "aws_acm_certificate_validation" in errors


# The machine


def test_without_a_container_engine_start_says_so() -> None:
    with engine_lab(start=False) as engine:
        hidden = 'mount --bind /dev/null "$(realpath /var/run/docker.sock)" && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", hidden, "sh", *engine.command, "start", "--port", str(engine.port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=engine.environment())
        assert done.returncode == MACHINE
        assert "No container engine answers" in done.stderr
        assert "tsubo doctor" in done.stderr
        assert "processes" not in engine.left_over()


def test_who_is_not_root_is_told_so() -> None:
    command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", str(PROGRAMS / "tsubo")]
    for arguments in (["start"], ["up", str(EXAMPLE)], ["down"]):
        done = subprocess.run(
            [*command, "--home", "/tmp/tsubo-of-nobody", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == MACHINE, done.stderr
        assert "root" in done.stderr
    assert not Path("/tmp/tsubo-of-nobody").exists()


def test_a_port_that_is_taken_is_told_with_its_holder() -> None:
    with engine_lab(start=False) as engine, socket.create_server(("127.0.0.1", engine.port)):
        done = engine.run("start", "--port", str(engine.port))
        assert done.returncode == MACHINE
        assert f"Port {engine.port} on 127.0.0.1 is taken by " in done.stderr
        assert f"(process {os.getpid()})" in done.stderr
        assert "--port" in done.stderr
        assert "processes" not in engine.left_over()


def test_where_port_443_is_taken_the_load_balancer_answers_on_another_and_up_says_which() -> None:
    with engine_lab() as engine:
        identity = EngineIdentity(engine.id)
        servers = [socket.create_server((identity.loopback(host), 443)) for host in range(1, 255)]
        try:
            up = engine.json("up", str(EXAMPLE))
            assert len(up["published"]) == 2
            for line in up["published"]:
                assert re.search(r":443 is at 127\.\d+\.\d+\.\d+:8443 \(Port 443 is taken by ", line)
            assert engine.curl(API).status == 200
        finally:
            for server in servers:
                server.close()


def test_a_state_directory_with_too_long_a_path_is_refused(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 90)
    done = subprocess.run(
        [str(PROGRAMS / "tsubo"), "--home", str(home), "start"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, home.exists()) == (MACHINE, False)
    assert "longer than" in done.stderr


# AWS calls


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NO_NUMBER = b"Action=CreateTargetGroup&Version=2015-12-01&Name=x&Port=many"


def ecs(operation: str) -> dict[str, str]:
    """Return the headers of an ECS call."""
    target = f"AmazonEC2ContainerServiceV20141113.{operation}"
    return {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}


@pytest.mark.parametrize(
    ("service", "headers", "path", "body", "code"),
    [
        ("ecs", ecs("ListTasks"), "/", b'{"cluster": ', "SerializationException"),
        ("ecs", ecs("ListTasks"), "/", b'{"maxResults": "many"}', "SerializationException"),
        ("ecs", ecs("NoSuchThing"), "/", b"{}", "UnknownOperationException"),
        ("ec2", FORM, "/", b"Action=NoSuchThing&Version=2016-11-15", "InvalidAction"),
        ("ec2", FORM, "/", b"Action=CreateVpc&Version=2016-11-15", "MissingParameter"),
        ("ec2", FORM, "/", b"\xff\xfe", "MalformedQueryString"),
        ("elasticloadbalancing", FORM, "/", NO_NUMBER, "MalformedInput"),
        ("iam", FORM, "/", b"Action=NoSuchThing&Version=2010-05-08", "InvalidAction"),
        (
            "route53",
            {"Content-Type": "text/xml"},
            "/2013-04-01/hostedzone",
            b"<CreateHostedZoneRequest",
            "MalformedInput",
        ),
    ],
)
def test_a_malformed_call_gets_a_typed_error(
    lab: EngineLab, service: str, headers: dict[str, str], path: str, body: bytes, code: str
) -> None:
    variables = lab.aws_environment()
    request = AWSRequest("POST", f"{variables['AWS_ENDPOINT_URL']}{path}", headers=headers, data=body)
    credentials = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(credentials, service, "ap-northeast-1").add_auth(request)
    prepared = request.prepare()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(prepared.url, body, dict(prepared.headers.items())), timeout=10)
    answer = caught.value.read().decode()
    found = json.loads(answer)["__type"] if "json" in caught.value.headers["Content-Type"] else answer
    assert 400 <= caught.value.code < 500, answer
    assert code in found, answer
