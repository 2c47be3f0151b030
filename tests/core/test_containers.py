"""What the container engine is asked to run for a task."""

import dataclasses

import pytest

from tests.core.machine import Machine
from tests.core.service_world import world
from tsubo.core.containers import image_candidates, stop_layers, task_spec
from tsubo.model.containers import TaskSpec
from tsubo.model.ecs import ContainerDefinition, ContainerDependency, ContainerHealthCheck, Task, TaskDefinition
from tsubo.model.world import World

ECR = "999999999999.dkr.ecr.eu-west-1.amazonaws.com"


def running(**container: object) -> tuple[World, Task]:
    """Return a world with one running task whose container has these settings."""
    machine = Machine(world())
    machine.settle()
    (task,) = machine.world.tasks.values()
    definition = machine.world.task_definitions[task.task_definition_arn]
    changed = dataclasses.replace(definition.containers[0], **container)  # type: ignore[arg-type]
    return machine.world.with_records(dataclasses.replace(definition, containers=(changed,))), task


def spec(**container: object) -> TaskSpec:
    return task_spec(*running(**container))


@pytest.mark.parametrize(
    ("reference", "candidates", "pull"),
    [
        (f"{ECR}/team/web:7", (f"{ECR}/team/web:7", "team/web:7"), None),
        (f"{ECR}/web", (f"{ECR}/web:latest", "web:latest"), None),
        (f"{ECR}/web@sha256:ab", (f"{ECR}/web@sha256:ab", "web@sha256:ab"), None),
        ("nginx", ("nginx:latest",), "nginx:latest"),
        ("registry:5000/web", ("registry:5000/web:latest",), "registry:5000/web:latest"),
        ("quay.io/team/web:1", ("quay.io/team/web:1",), "quay.io/team/web:1"),
    ],
)
def test_an_image_is_looked_for_where_it_may_stand(
    reference: str, candidates: tuple[str, ...], pull: str | None
) -> None:
    assert image_candidates(reference) == (candidates, pull)


def test_the_host_name_follows_the_vpcs_dns_settings() -> None:
    current, task = running()
    assert task_spec(current, task).hostname == task.task_id[:12]
    vpc = dataclasses.replace(current.vpcs["vpc-1"], enable_dns_hostnames=True)
    expected = f"ip-{str(task.private_ip).replace('.', '-')}.ap-northeast-1.compute.internal"
    assert task_spec(current.with_records(vpc), task).hostname == expected


def test_the_resolver_is_the_vpcs() -> None:
    made = spec()
    assert made.nameservers == ("10.0.0.2",)
    assert made.search_domains == ("ap-northeast-1.compute.internal",)


def test_limits_come_from_the_container_or_the_task() -> None:
    assert spec().containers[0].memory_bytes == 512 * 1024 * 1024
    assert spec(memory=128).containers[0].memory_bytes == 128 * 1024 * 1024
    assert spec().containers[0].ulimits == (("nofile", 65535, 65535),)
    assert spec(ulimits=(("nofile", 1, 2),)).containers[0].ulimits == (("nofile", 1, 2),)


def test_overrides_of_run_task_win() -> None:
    current, task = running(environment=(("COLOUR", "red"), ("SIZE", "1")), command=("serve",))
    override = {"name": "web", "command": ["migrate"], "environment": [{"name": "COLOUR", "value": "blue"}]}
    task = dataclasses.replace(task, overrides={"containerOverrides": [override]})
    container = task_spec(current, task).containers[0]
    assert container.command == ("migrate",)
    assert {"COLOUR": "blue", "SIZE": "1"}.items() <= container.environment.items()


def test_output_goes_to_the_stream_that_awslogs_names() -> None:
    options = {"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "ecs", "awslogs-create-group": "true"}
    current, task = running(log_driver="awslogs", log_options=options)
    container = task_spec(current, task).containers[0]
    assert (container.log_group, container.log_stream) == ("/ecs/web", f"ecs/web/{task.task_id}")
    assert container.create_log_group


def test_only_the_task_definitions_check_counts() -> None:
    assert spec().containers[0].health is None
    check = ContainerHealthCheck(("CMD-SHELL", "true"), interval=7, retries=2)
    probe = spec(health_check=check).containers[0].health
    assert probe is not None
    assert (probe.test, probe.interval, probe.retries) == (("CMD-SHELL", "true"), 7, 2)


def test_what_depends_on_others_is_stopped_before_them() -> None:
    chain = (
        ContainerDefinition("database", "x"),
        ContainerDefinition("api", "x", depends_on=(ContainerDependency("database", "HEALTHY"),)),
        ContainerDefinition("web", "x", depends_on=(ContainerDependency("api", "START"),)),
        ContainerDefinition("log", "x"),
    )
    definition = TaskDefinition("arn", "family", 1, "ap-northeast-1", 0.0, chain, {})
    assert stop_layers(definition) == (("web", "log"), ("api",), ("database",))
