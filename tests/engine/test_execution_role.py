"""What the execution role must permit, in AWS's order. The words on a real task are in tests/lab/test_roles.py."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from tests.core.machine import Machine
from tests.core.service_world import task_definition, world
from tsubo.aws.access.roles import Role
from tsubo.engine.execution_role import ExecutionRole
from tsubo.engine.task_resources import StartError
from tsubo.model.containers import ContainerSpec, TaskSpec

ROLE = "arn:aws:iam::123456789012:role/execution"
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
SECRET = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:db-AbCdEf"


class FakeDecisions:
    """Permits what it was told to."""

    def __init__(self, *permitted: str) -> None:
        self.permitted = permitted
        self.asked: list[tuple[str, str]] = []

    def role_for_tasks(self, role_arn: str, task_arn: str) -> Role | None:
        return Role(role_arn, "AROA1", {}, ()) if role_arn == ROLE else None

    def refusal(self, caller: Any, action: str, resource: str, region: str) -> str | None:
        self.asked.append((action, resource))
        return None if action in self.permitted else f"NO {action}"


def container(**fields: Any) -> ContainerSpec:
    return ContainerSpec("app", **{"images": ("app:latest",), "pull": None, **fields})


def spec(*containers: ContainerSpec) -> TaskSpec:
    return TaskSpec("t", "eni", "10.0.0.1", "host", (), (), containers, ())


def role(decisions: FakeDecisions, **definition_fields: Any) -> ExecutionRole:
    machine = Machine(world(load_balanced=False))
    machine.settle()
    (task,) = machine.world.tasks.values()
    definition = dataclasses.replace(task_definition(), execution_role_arn=ROLE, **definition_fields)
    made: Any = decisions
    execution = ExecutionRole(made, task, definition)
    execution.require_assumable_roles()
    return execution


def reason(call: Callable[[TaskSpec], None], *containers: ContainerSpec) -> str:
    with pytest.raises(StartError) as caught:
        call(spec(*containers))
    return caught.value.failure.reason


def test_a_task_that_needs_nothing_asks_for_nothing() -> None:
    decisions = FakeDecisions("ecr:GetAuthorizationToken")
    execution = role(decisions)
    plain = spec(container())
    for require in (execution.require_secrets, execution.require_log_streams, execution.require_images):
        require(plain)
    assert decisions.asked == []


def test_without_a_role_in_the_definition_nothing_is_asked() -> None:
    machine = Machine(world(load_balanced=False))
    machine.settle()
    (task,) = machine.world.tasks.values()
    decisions: Any = FakeDecisions()
    execution = ExecutionRole(decisions, task, task_definition())
    execution.require_assumable_roles()
    execution.require_registry_access(spec(container(images=(f"{ECR}/app:1",))))
    assert decisions.asked == []


def test_a_role_that_cannot_be_assumed() -> None:
    with pytest.raises(StartError, match="ECS was unable to assume the role 'arn:aws:iam::1:role/gone'"):
        role(FakeDecisions(), task_role_arn="arn:aws:iam::1:role/gone")


def test_secrets() -> None:
    decisions = FakeDecisions("ssm:GetParameters")
    execution = role(decisions)
    secrets = container(secrets=(("A", "/app/a"), ("B", f"{SECRET}:password::")))
    words = reason(execution.require_secrets, secrets)
    assert f"failed to fetch secret {SECRET} from secrets manager" in words
    assert decisions.asked == [
        ("ssm:GetParameters", "arn:aws:ssm:ap-northeast-1:123456789012:parameter/app/a"),
        ("secretsmanager:GetSecretValue", SECRET),
    ]


def test_only_ecr_needs_a_password() -> None:
    execution = role(FakeDecisions())
    execution.require_registry_access(spec(container(images=("docker.io/library/nginx:1",))))
    assert "GetAuthorizationToken" in reason(execution.require_registry_access, container(images=(f"{ECR}/app:1",)))


def test_images_are_asked_for_in_their_own_registry() -> None:
    decisions = FakeDecisions("ecr:BatchGetImage")
    execution = role(decisions)
    digest = "sha256:" + "0" * 64
    words = reason(execution.require_images, container(images=(f"{ECR}/team/app@{digest}",)))
    assert words.endswith(f"status code [manifests {digest}]: 403 Forbidden")
    repository = "arn:aws:ecr:eu-west-1:123456789012:repository/team/app"
    assert decisions.asked == [("ecr:BatchGetImage", repository), ("ecr:GetDownloadUrlForLayer", repository)]


def test_a_group_is_asked_for_before_its_stream() -> None:
    decisions = FakeDecisions("logs:CreateLogGroup")
    logs = container(log_group="/g", log_stream="s", create_log_group=True)
    assert "failed to create Cloudwatch log stream" in reason(role(decisions).require_log_streams, logs)
    prefix = "arn:aws:logs:ap-northeast-1:123456789012:log-group:/g:log-stream:"
    assert decisions.asked == [("logs:CreateLogGroup", prefix), ("logs:CreateLogStream", f"{prefix}s")]
