"""Single tasks on an engine of a test's own: a VPC, a cluster, roles, and what one sees from inside a task."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.engine_lab import EngineLab, wait_until

REGION = "ap-northeast-1"
TEST_IMAGE = "tsubo-test:latest"
CLUSTER = "garden"
TASKS_TRUST = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass(frozen=True)
class RunningTask:
    """A task that runs."""

    lab: EngineLab
    arn: str
    network_interface_id: str
    address: str

    @property
    def task_id(self) -> str:
        """The id at the end of the ARN."""
        return self.arn.rsplit("/", 1)[-1]

    def shell(self, script: str, container: str = "app") -> subprocess.CompletedProcess[str]:
        """Run a script by the container's own shell, to its end."""
        name = f"tsubo-{self.lab.id}-{self.task_id}-{container}"
        command = ["docker", "exec", name, "sh", "-c", script]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def environment(self, container: str = "app") -> dict[str, str]:
        """Return the environment of a container."""
        lines = self.shell("env", container).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def python(self, script: str, **environment: str) -> str:
        """Run a script by this machine's Python, boto3 included, in the task's network with its AWS environment."""
        with self._started(script, environment) as process:
            out, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        return out.strip()

    @contextlib.contextmanager
    def holding(self, script: str) -> Iterator[None]:
        """Run a script like `python`, from the first line that it prints on and until the block ends."""
        with self._started(script, {}) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            try:
                yield
            finally:
                _, errors = process.communicate(timeout=60)
            assert line, errors

    def _started(self, script: str, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
        own = {name: value for name, value in self.environment().items() if name.startswith(("AWS_", "ECS_"))}
        namespace = f"/run/netns/{self.lab.namespace(self.network_interface_id)}"
        return subprocess.Popen(
            ["nsenter", f"--net={namespace}", sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **own, **environment},
        )


class FargateLab:
    """An engine with a VPC of one subnet and a cluster."""

    def __init__(self, lab: EngineLab) -> None:
        self.lab = lab
        ec2 = lab.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        zone = f"{REGION}a"
        subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=zone)["Subnet"]
        self.network = {"awsvpcConfiguration": {"subnets": [subnet["SubnetId"]]}}
        lab.client("ecs").create_cluster(clusterName=CLUSTER)

    def role(self, name: str, *statements: Mapping[str, Any], trust: Mapping[str, Any] = TASKS_TRUST) -> str:
        """Make a role with an inline policy of these statements; return its ARN."""
        iam = self.lab.client("iam")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
        return str(made["Arn"])

    def definition(self, family: str, container: Mapping[str, Any] | None = None, **members: Any) -> str:
        """Register a definition of one container `app`, which sleeps unless told otherwise; return its ARN."""
        app = {"name": "app", "image": TEST_IMAGE, "entryPoint": ["sleep", "1000"], "stopTimeout": 2}
        app |= container or {}
        made = self.lab.client("ecs").register_task_definition(
            family=family,
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            requiresCompatibilities=["FARGATE"],
            containerDefinitions=[app],
            **members,
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def launch(self, definition: str, **members: Any) -> str:
        """Run a task of a definition; return its ARN at once."""
        ecs = self.lab.client("ecs")
        made = ecs.run_task(
            cluster=CLUSTER,
            taskDefinition=definition,
            launchType="FARGATE",
            networkConfiguration=self.network,
            **members,
        )
        return str(made["tasks"][0]["taskArn"])

    def describe(self, arn: str) -> Any:
        """Return what DescribeTasks says of a task."""
        return self.lab.client("ecs").describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]

    def run(self, definition: str, **members: Any) -> RunningTask:
        """Run a task of a definition until it is RUNNING."""
        arn = self.launch(definition, **members)

        def running() -> Any:
            task = self.describe(arn)
            assert task["lastStatus"] != "STOPPED", task
            return task if task["lastStatus"] == "RUNNING" else None

        task = wait_until(running, what="a running task")
        details = {detail["name"]: detail["value"] for detail in task["attachments"][0]["details"]}
        return RunningTask(self.lab, arn, details["networkInterfaceId"], details["privateIPv4Address"])

    def stopped(self, arn: str) -> Any:
        """Wait until a task has stopped; return what DescribeTasks says of it then."""
        return wait_until(
            lambda: task if (task := self.describe(arn))["lastStatus"] == "STOPPED" else None, what="a stopped task"
        )
