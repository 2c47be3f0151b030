"""Terraform itself over real configurations, with our provider and the real endpoint; a stand-in plays the engine.

Needs root (a private mount namespace), terraform or tofu on PATH, and no container engine.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.control_plane import REGION, ControlPlane, control_plane
from tsubo.terraform import calls, runner
from tsubo.terraform.resources import acm
from tsubo.terraform.runs import Action, ProgressEvent, RunError, RunRequest, RunResult
from tsubo.terraform.state_file import addresses, read_state
from tsubo.terraform.workspace import Workspace

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not any(map(shutil.which, runner.PROGRAMS)), reason="needs terraform or tofu on PATH"),
]

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "ecs-navi"
BLOG = ROOT / "tests" / "stacks" / "blog-habits"
NOBODY = 65534


class Stack:
    """A directory of Terraform files and the runs over it."""

    def __init__(self, directory: Path, home: Path, plane: ControlPlane) -> None:
        self.directory = directory
        self.home = home
        self.plane = plane
        self.events: list[ProgressEvent] = []

    def write(self, text: str, name: str = "main.tf") -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, action: Action = "apply", **request: Any) -> RunResult:
        self.events = []
        return runner.run(self.request(action, **request), self.events.append)

    def request(self, action: Action = "apply", **request: Any) -> RunRequest:
        return RunRequest(self.directory, self.home, self.plane.provider, action, **request)

    def applied(self, **request: Any) -> tuple[int, int, int]:
        """Apply and return how many resources were added, changed and destroyed."""
        result = self.run(**request)
        assert result.ok, [str(error) for error in result.errors]
        return result.added, result.changed, result.destroyed

    @property
    def state(self) -> dict[str, Any]:
        return read_state(Workspace.of(self.directory, self.home, {}).state)

    def identifier(self, address: str) -> str:
        """Return the id of the resource at an address."""
        return next(name for name, known in addresses(self.state).items() if known == address and ":" not in name)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("control-plane")) as plane:
        yield plane


@pytest.fixture
def stack(tmp_path: Path, plane: ControlPlane) -> Iterator[Stack]:
    (tmp_path / "stack").mkdir()
    stack = Stack(tmp_path / "stack", tmp_path / "home", plane)
    yield stack
    if any(stack.home.glob("terraform/*/upper/.tsubo/terraform.tfstate")):
        stack.run("destroy")


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("directory", "count"), [(EXAMPLE, 46), (BLOG, 42)], ids=["example", "blog-habits"])
def test_a_stack_comes_up_stays_as_it_is_and_goes(
    directory: Path, count: int, tmp_path: Path, plane: ControlPlane
) -> None:
    before = contents(directory)
    stack = Stack(directory, tmp_path / "home", plane)
    assert stack.applied() == (count, 0, 0)
    assert stack.applied() == (0, 0, 0)
    assert stack.run("destroy").destroyed == count
    world = plane.store.world
    assert not world.vpcs
    assert not world.hosted_zones
    assert not [service for service in world.services.values() if service.status != "INACTIVE"]
    assert contents(directory) == before


VPC = 'resource "aws_vpc" "main" {\n  cidr_block = "10.0.0.0/16"\n}\n'
GROUP = (
    VPC
    + """
resource "aws_security_group" "web" {
  name   = "web"
  vpc_id = aws_vpc.main.id

  ingress {
    from_port   = 80
    to_port     = 80
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8", "192.168.0.0/16"]
  }
}

resource "aws_cloudwatch_log_group" "web" {
  name = "/drift"
}
"""
)


def test_what_was_changed_outside_is_put_right(stack: Stack) -> None:
    stack.write(GROUP)
    assert stack.applied() == (3, 0, 0)
    ec2, logs = stack.plane.client("ec2"), stack.plane.client("logs")
    group_id = stack.identifier("aws_security_group.web")
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=[permission])
    logs.delete_log_group(logGroupName="/drift")
    assert stack.applied() == (1, 1, 0)
    (group,) = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    assert {entry["CidrIp"] for entry in group["IpPermissions"][0]["IpRanges"]} == {"10.0.0.0/8", "192.168.0.0/16"}
    assert group["IpPermissionsEgress"] == []


def test_an_edit_changes_what_it_must_and_replaces_what_it_must(stack: Stack) -> None:
    group = 'resource "aws_lb_target_group" "web" {\n  port = %d\n  protocol = "HTTP"\n  target_type = "ip"\n'
    group += "  vpc_id = aws_vpc.main.id\n  deregistration_delay = %d\n}\n"
    stack.write(VPC + group % (80, 300))
    assert stack.applied() == (2, 0, 0)
    stack.write(VPC + group % (80, 5))
    assert stack.applied() == (0, 1, 0)
    stack.write(VPC + group % (81, 5))
    assert stack.applied() == (1, 0, 1)
    stack.write(VPC)
    assert stack.applied() == (0, 0, 1)


def test_bad_directories_and_files_are_named(stack: Stack) -> None:
    with pytest.raises(RunError, match="no Terraform configuration") as refused:
        stack.run()
    assert refused.value.kind == "no-configuration"
    with pytest.raises(RunError, match="no such directory"):
        runner.run(RunRequest(stack.directory / "none", stack.home, stack.plane.provider), stack.events.append)
    stack.write(VPC + 'resource "aws_subnet" "broken" {\n')
    result = stack.run()
    assert not result.ok
    assert re.search(r"main.tf line [45]", str(result.errors[0]))
    stack.write(VPC + 'resource "aws_subnet" "a" {\n  vpc_id = aws_vpc.man.id\n}\n')
    (error,) = stack.run().errors
    assert (error.file, error.line) == ("main.tf", 5)
    stack.write('data "external" "x" {\n  program = ["sh"]\n}\n')
    with pytest.raises(RunError, match="external"):
        stack.run()


def test_one_run_at_a_time_for_a_directory(stack: Stack) -> None:
    stack.write(VPC)
    workspace = Workspace.of(stack.directory, stack.home, {})
    with workspace.locked(), pytest.raises(RunError, match="a run is on already") as refused:
        stack.run()
    assert refused.value.kind == "busy"
    assert stack.applied() == (1, 0, 0)


def test_provisioners_do_not_run(stack: Stack, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    provisioner = f'  provisioner "local-exec" {{\n    command = "touch {marker}"\n  }}\n'
    stack.write(VPC.replace("}", provisioner + "}"))
    assert stack.applied() == (1, 0, 0)
    assert not marker.exists()


def test_modules_beside_the_directory_are_found(stack: Stack) -> None:
    stack.write(
        'variable "cidr" {}\nresource "aws_vpc" "this" {\n  cidr_block = var.cidr\n}\n', "../modules/net/main.tf"
    )
    stack.write('module "net" {\n  source = "../modules/net"\n  cidr   = "10.9.0.0/16"\n}\n')
    assert stack.applied() == (1, 0, 0)
    assert "module.net.aws_vpc.this" in addresses(stack.state).values()


def test_each_provider_configuration_has_its_region_and_tags(stack: Stack) -> None:
    stack.write(
        """
provider "aws" {
  default_tags {
    tags = { Team = "garden" }
  }
}
provider "aws" {
  alias  = "virginia"
  region = "us-east-1"
}
resource "aws_vpc" "here" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = "here" }
}
resource "aws_vpc" "there" {
  provider   = aws.virginia
  cidr_block = "10.0.0.0/16"
}
resource "aws_vpc" "by_argument" {
  region     = "eu-west-1"
  cidr_block = "10.0.0.0/16"
}
data "aws_region" "there" {
  provider = aws.virginia
}
output "there" {
  value = data.aws_region.there.name
}
output "tags" {
  value = aws_vpc.here.tags_all
}
"""
    )
    result = stack.run()
    assert result.ok, result.errors
    assert result.outputs == {"there": "us-east-1", "tags": {"Name": "here", "Team": "garden"}}
    assert sorted(vpc.region for vpc in stack.plane.store.world.vpcs.values()) == [REGION, "eu-west-1", "us-east-1"]
    assert stack.applied() == (0, 0, 0)


def test_other_types_are_kept_and_listed(stack: Stack) -> None:
    database = """
resource "aws_db_instance" "main" {
  identifier     = "orders"
  engine         = "postgres"
  instance_class = "db.t3.micro"
}
output "address" {
  value = [aws_db_instance.main.address, aws_db_instance.main.port]
}
"""
    stack.write(VPC + database)
    result = stack.run()
    assert result.ok, result.errors
    assert [resource.address for resource in result.accepted] == ["aws_db_instance.main"]
    assert result.outputs["address"] == [f"orders.db.{REGION}.accepted-not-run.invalid", 5432]
    assert stack.applied() == (0, 0, 0)
    stack.write(VPC + database.replace("db.t3.micro", "db.t3.small"))
    assert stack.applied() == (0, 1, 0)


def test_variables_are_remembered_for_the_destroy(stack: Stack, tmp_path: Path) -> None:
    stack.write('variable "cidr" {}\nvariable "name" {}\n' + VPC.replace('"10.0.0.0/16"', "var.cidr"))
    missing = stack.run(variables=("name=x",))
    assert not missing.ok
    assert "cidr" in missing.errors[0].detail
    values = tmp_path / "values.tfvars"
    values.write_text('cidr = "10.7.0.0/16"\n')
    assert stack.applied(variables=("name=x",), variable_files=(str(values),)) == (1, 0, 0)
    assert [vpc.cidr for vpc in stack.plane.store.world.vpcs.values()] == ["10.7.0.0/16"]
    assert stack.run("destroy").destroyed == 1


def test_the_users_own_state_and_backend_are_left_alone(stack: Stack) -> None:
    backend = 'terraform {\n  backend "s3" {\n    bucket = "b"\n    key = "k"\n    region = "us-east-1"\n  }\n}\n'
    stack.write(backend + VPC)
    stack.write("not a state", "terraform.tfstate")
    stack.write("not a folder", ".terraform")
    before = contents(stack.directory)
    assert stack.applied() == (1, 0, 0)
    assert contents(stack.directory) == before


def test_an_interrupted_run_ends_soon_and_can_be_run_again(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acm, "ISSUE_SECONDS", 60.0)
    certificate = 'resource "aws_acm_certificate" "c" {\n  domain_name = "c.example"\n  validation_method = "DNS"\n}\n'
    validation = 'resource "aws_acm_certificate_validation" "c" {\n  certificate_arn = aws_acm_certificate.c.arn\n}\n'
    stack.write(certificate + validation)
    request = stack.request()
    events: list[ProgressEvent] = []
    results: list[RunResult] = []
    thread = threading.Thread(target=lambda: results.append(runner.run(request, events.append)))
    thread.start()
    until(lambda: any(e.kind == "start" and e.address == "aws_acm_certificate_validation.c" for e in events))
    request.cancel.set()
    thread.join(10)
    assert results
    assert results[0].interrupted
    assert not results[0].ok
    stack.write(certificate)
    assert stack.applied() == (0, 0, 0)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_does_not_pass_is_explained(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acm, "ISSUE_SECONDS", 0.5)
    monkeypatch.setattr(calls, "RETRY_SECONDS", 0.5)
    stack.write(
        VPC
        + """
resource "aws_subnet" "a" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
}
resource "aws_acm_certificate" "c" {
  domain_name       = "c.example"
  validation_method = "DNS"
}
resource "aws_acm_certificate_validation" "c" {
  certificate_arn = aws_acm_certificate.c.arn
}
resource "aws_lb_target_group" "web" {
  port        = 80
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = aws_vpc.main.id
}
resource "aws_iam_role" "task" {
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}
resource "aws_ecs_cluster" "main" {
  name = "explained"
}
resource "aws_ecs_task_definition" "web" {
  family                   = "web"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.task.arn
  container_definitions    = jsonencode([{ name = "web", image = "web", portMappings = [{ containerPort = 80 }] }])
}
resource "aws_ecs_service" "web" {
  name            = "web"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.web.arn
  launch_type     = "FARGATE"
  network_configuration {
    subnets = [aws_subnet.a.id]
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.web.arn
    container_name   = "web"
    container_port   = 80
  }
}
"""
    )
    errors = {error.address: error for error in stack.run().errors}
    assert set(errors) == {"aws_ecs_service.web", "aws_acm_certificate_validation.c"}
    service = errors["aws_ecs_service.web"]
    assert "does not have an associated load balancer" in service.summary
    assert "depends_on = [aws_lb_listener.NAME]" in service.detail
    assert "CNAME" in errors["aws_acm_certificate_validation.c"].detail


def test_terraform_runs_as_the_user_who_asked(plane: ControlPlane) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        top.chmod(0o755)
        (top / "home").mkdir(mode=0o700)
        stack = Stack(top / "stack", top / "home", plane)
        stack.write(VPC)
        assert stack.applied(user_id=NOBODY, group_id=NOBODY) == (1, 0, 0)
        assert Workspace.of(stack.directory, stack.home, {}).state.stat().st_uid == NOBODY
        assert stack.run("destroy", user_id=NOBODY, group_id=NOBODY).destroyed == 1


def test_a_resource_is_imported(stack: Stack) -> None:
    version = subprocess.run([runner.find_program(os.environ), "version"], capture_output=True, text=True, check=True)
    if re.search(r"v1\.[0-4]\.", version.stdout):
        pytest.skip("import blocks came with Terraform 1.5")
    vpc_id = stack.plane.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    stack.write(f'import {{\n  to = aws_vpc.main\n  id = "{vpc_id}"\n}}\n' + VPC)
    assert stack.applied() == (0, 0, 0)
    assert stack.identifier("aws_vpc.main") == vpc_id


def test_workspaces_have_states_of_their_own(stack: Stack) -> None:
    stack.write(VPC.replace('"10.0.0.0/16"', 'terraform.workspace == "two" ? "10.2.0.0/16" : "10.1.0.0/16"'))
    second = dict(os.environ) | {"TF_WORKSPACE": "two"}
    assert stack.applied() == (1, 0, 0)
    assert stack.applied(environment=second) == (1, 0, 0)
    assert sorted(vpc.cidr for vpc in stack.plane.store.world.vpcs.values()) == ["10.1.0.0/16", "10.2.0.0/16"]
    assert stack.run("destroy", environment=second).destroyed == 1


def test_policy_documents_are_as_the_real_provider_wrote_them(tmp_path: Path, plane: ControlPlane) -> None:
    documents = ROOT / "tests" / "stacks" / "policy-documents"
    result = Stack(documents, tmp_path / "home", plane).run()
    assert result.outputs["documents"] == json.loads((documents / "expected.json").read_text())


def test_every_type_is_made_changed_and_unmade(tmp_path: Path, plane: ControlPlane) -> None:
    stack = Stack(ROOT / "tests" / "stacks" / "every-type", tmp_path / "home", plane)
    first, second = {"variables": ("revision=1",)}, {"variables": ("revision=2",)}
    assert stack.applied(**first) == (46, 0, 0)
    assert stack.applied(**first) == (0, 0, 0)
    added, changed, destroyed = stack.applied(**second)
    assert (added, destroyed) == (4, 4)
    assert changed > 30
    ec2, elbv2 = plane.client("ec2"), plane.client("elbv2")
    group_id = stack.identifier("aws_security_group.by_attribute")
    (group,) = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    assert {permission["FromPort"] for permission in group["IpPermissions"]} == {80, 81, 82}
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "120"} in attributes
    assert plane.client("ssm").get_parameter(Name="/app/plain")["Parameter"]["Value"] == "v2"
    assert stack.applied(**second) == (0, 0, 0)
    assert stack.run("destroy").destroyed == 46
    assert not plane.store.world.vpcs
    assert not plane.client("iam").list_roles()["Roles"]
    assert not plane.client("secretsmanager").list_secrets()["SecretList"]
    assert not plane.client("ecr").describe_repositories()["repositories"]
