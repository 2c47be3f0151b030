"""What a task is told about itself: aws/ecs-cloudmap-exec.md section 17."""

import dataclasses
from typing import Any

from tests.core.machine import Machine
from tests.core.service_world import CLUSTER, REGION, SERVICE, task_definition, world
from tsubo.core.containers import task_spec
from tsubo.core.metadata import metadata_table
from tsubo.model.ecs import ContainerHealthCheck, Task, TaskDefinition
from tsubo.model.metadata import TaskMetadata
from tsubo.model.vpc import Vpc

ROLE = "arn:aws:iam::123456789012:role/app"
LOGS = {
    "awslogs-group": "/ecs/web",
    "awslogs-region": REGION,
    "awslogs-stream-prefix": "ecs",
    "awslogs-create-group": "true",
}


def machine(**definition_fields: Any) -> Machine:
    """Return a machine on which the service's one task has settled."""
    started = Machine(world(load_balanced=False))
    old = task_definition()
    container = dataclasses.replace(
        old.containers[0],
        cpu=128,
        memory=256,
        log_driver="awslogs",
        log_options=LOGS,
        docker_labels={"team": "garden"},
        health_check=ContainerHealthCheck(("CMD", "true")),
    )
    definition = dataclasses.replace(old, containers=(container,), **definition_fields)
    started.world = started.world.with_records(
        definition, Vpc("vpc-1", REGION, "10.0.0.0/16", enable_dns_hostnames=True)
    )
    started.settle()
    return started


def task_of(started: Machine) -> Task:
    (task,) = started.world.tasks.values()
    return task


def told(started: Machine) -> TaskMetadata:
    (view,) = metadata_table(started.world, started.observe().tasks).views
    (task,) = view.tasks
    assert view.namespace == "tsubo-0123abcd-vpc-1"
    assert view.tasks_by_address == {task.address: task}
    return task


def test_the_task_document() -> None:
    started = machine()
    task = task_of(started)
    document = dict(told(started).document)
    assert document.pop("PullStartedAt") == "1970-01-01T00:16:40.100000000Z"
    assert "PullStoppedAt" in document
    del document["PullStoppedAt"]
    assert document == {
        "Cluster": CLUSTER,
        "ServiceName": "web",
        "TaskARN": task.arn,
        "Family": "web",
        "Revision": "1",
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Limits": {"CPU": 0.25, "Memory": 512},
        "AvailabilityZone": task.availability_zone,
        "LaunchType": "FARGATE",
        "EphemeralStorageMetrics": {"Reserved": 20496},
        "FaultInjectionEnabled": False,
    }


def test_the_container_document() -> None:
    started = machine()
    task = task_of(started)
    (state,) = task.containers
    (container,) = told(started).containers
    document = dict(container.document)
    (network,) = document.pop("Networks")
    address = task.private_ip or ""
    subnet = "10.0.10" if address.startswith("10.0.10.") else "10.0.11"
    assert network == {
        "NetworkMode": "awsvpc",
        "IPv4Addresses": [address],
        "AttachmentIndex": 0,
        "MACAddress": task.mac,
        "IPv4SubnetCIDRBlock": f"{subnet}.0/24",
        "DomainNameServers": ["10.0.0.2"],
        "DomainNameSearchList": ["ap-northeast-1.compute.internal"],
        "PrivateDNSName": f"ip-{address.replace('.', '-')}.ap-northeast-1.compute.internal",
        "SubnetGatewayIpv4Address": f"{subnet}.1/24",
    }
    assert document.pop("StartedAt").endswith("00000Z")
    assert document == {
        "DockerId": state.runtime_id,
        "Name": "web",
        "DockerName": "web",
        "Image": "web",
        "Labels": {
            "team": "garden",
            "com.amazonaws.ecs.cluster": CLUSTER,
            "com.amazonaws.ecs.container-name": "web",
            "com.amazonaws.ecs.task-arn": task.arn,
            "com.amazonaws.ecs.task-definition-family": "web",
            "com.amazonaws.ecs.task-definition-version": "1",
        },
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Limits": {"CPU": 128, "Memory": 256},
        "Type": "NORMAL",
        "Health": {"status": "UNKNOWN"},
        "LogDriver": "awslogs",
        "LogOptions": {
            "awslogs-group": "/ecs/web",
            "awslogs-region": REGION,
            "awslogs-stream": f"ecs/web/{task.task_id}",
        },
        "ContainerARN": state.arn,
        "Snapshotter": "overlayfs",
    }


def test_a_task_of_no_service_has_no_service_name_and_a_vpc_without_hostnames_no_private_name() -> None:
    started = machine()
    task = dataclasses.replace(task_of(started), service_arn=None)
    started.world = started.world.with_records(task, Vpc("vpc-1", REGION, "10.0.0.0/16"))
    metadata = told(started)
    assert "ServiceName" not in metadata.document
    assert "PrivateDNSName" not in metadata.containers[0].document["Networks"][0]


def test_a_health_check_says_since_when() -> None:
    started = machine()
    own = started.tasks[task_of(started).task_id]
    own["web"] = dataclasses.replace(own["web"], health="HEALTHY", health_since=1_700_000_000.5, health_output="ok\n")
    started.run_pass()
    health = told(started).containers[0].document["Health"]
    assert health == {"status": "HEALTHY", "statusSince": "2023-11-14T22:13:20.500000000Z", "output": "ok\n"}


def test_an_exited_container_says_how() -> None:
    started = machine()
    task = task_of(started)
    own = started.tasks[task.task_id]
    own["web"] = dataclasses.replace(own["web"], status="exited", exit_code=3, finished_at=started.now)
    started.run_pass()
    (metadata,) = (m for m in metadata_table(started.world, started.observe().tasks).views[0].tasks if m.address)
    document = metadata.containers[0].document
    assert (document["KnownStatus"], document["ExitCode"]) == ("STOPPED", 3)
    assert "FinishedAt" in document


def test_a_stopped_task_is_told_nothing() -> None:
    started = machine()
    started.world = started.world.with_records(dataclasses.replace(started.world.services[SERVICE], desired_count=0))
    started.settle()
    assert task_of(started).last_status == "STOPPED"
    assert metadata_table(started.world, {}).views[0].tasks == ()


def environment(started: Machine) -> dict[str, str]:
    return dict(task_spec(started.world, task_of(started)).containers[0].environment)


def test_the_environment_leads_to_the_documents() -> None:
    started = machine(task_role_arn=ROLE)
    metadata = told(started)
    identity = metadata.containers[0].endpoint_id
    own = environment(started)
    assert own["ECS_CONTAINER_METADATA_URI_V4"] == f"http://169.254.170.2/v4/{identity}"
    assert own["ECS_CONTAINER_METADATA_URI"] == f"http://169.254.170.2/v3/{identity}"
    assert own["ECS_AGENT_URI"] == f"http://169.254.170.2/api/{identity}"
    assert own["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] == f"/v2/credentials/{metadata.credentials_id}"
    assert metadata.role_arn == ROLE
    prefix, _, digits = identity.rpartition("-")
    assert prefix == task_of(started).task_id
    assert len(digits) == 10
    assert digits.isdigit()


def test_without_a_task_role_there_are_no_credentials() -> None:
    """Section 17: the variable is absent then, so that SDKs look elsewhere and find nothing."""
    started = machine(execution_role_arn=ROLE)
    assert "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" not in environment(started)
    assert told(started).credentials_id is None
    assert told(started).role_arn is None


def test_a_role_that_run_task_gave_counts() -> None:
    started = machine()
    overridden = dataclasses.replace(task_of(started), overrides={"taskRoleArn": ROLE})
    started.world = started.world.with_records(overridden)
    assert told(started).role_arn == ROLE


def test_a_task_that_sets_its_endpoint_keeps_it() -> None:
    started = machine()
    assert environment(started)["AWS_ENDPOINT_URL"] == "http://169.254.170.2:4566"
    definition: TaskDefinition = started.world.task_definitions[task_of(started).task_definition_arn]
    container = dataclasses.replace(
        definition.containers[0],
        environment=(("AWS_ENDPOINT_URL", "http://other"), ("ECS_CONTAINER_METADATA_URI_V4", "http://forged")),
    )
    started.world = started.world.with_records(dataclasses.replace(definition, containers=(container,)))
    own = environment(started)
    assert own["AWS_ENDPOINT_URL"] == "http://other"
    assert own["ECS_CONTAINER_METADATA_URI_V4"].startswith("http://169.254.170.2/v4/")
