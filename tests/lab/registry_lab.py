"""ECR as its users meet it: images built here, docker with a configuration of the test's own, tasks that pull."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.lab.engine_lab import EngineLab, engine_lab
from tests.lab.fargate_lab import REGION, TEST_IMAGE, FargateLab

REGISTRY = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"


class RegistryLab:
    """An engine's registry."""

    def __init__(self, lab: EngineLab, directory: Path) -> None:
        self.lab = lab
        self._configuration = directory / "docker"
        self._built: set[str] = set()

    @property
    def address(self) -> str:
        """Where the registry listens."""
        address: str = self.lab.json("registry")["address"]
        return address

    def create(self, name: str, **members: object) -> str:
        """Make a repository; return its URI."""
        made = self.lab.client("ecr").create_repository(repositoryName=name, **members)["repository"]
        return str(made["repositoryUri"])

    def build(self, reference: str, garden: str) -> str:
        """Build an image whose containers have GARDEN in their environment; return the reference."""
        recipe = f"FROM {TEST_IMAGE}\nENV GARDEN={garden}\n"
        subprocess.run(
            ["docker", "build", "--quiet", "--tag", reference, "-"],
            input=recipe.encode(),
            check=True,
            capture_output=True,
        )
        self._built.add(reference)
        return reference

    def forget(self, *references: str) -> None:
        """Remove local references."""
        self.docker("rmi", *references)
        self._built -= set(references)

    def docker(self, *arguments: str, answer: str = "") -> "subprocess.CompletedProcess[str]":
        """Run docker to its end, whatever that is."""
        return subprocess.run(
            ["docker", "--config", str(self._configuration), *arguments],
            input=answer,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=self.lab.environment(),
        )

    def log_in(self, registry: str) -> None:
        """Do what AWS's documentation says: `aws ecr get-login-password | docker login`."""
        password = subprocess.run(
            ["aws", "ecr", "get-login-password"],
            capture_output=True,
            text=True,
            check=True,
            env={**self.lab.environment(), **self.lab.aws_environment()},
        ).stdout
        done = self.docker("login", "--username", "AWS", "--password-stdin", registry, answer=password)
        assert done.returncode == 0, done.stderr

    def push(self, image: str, reference: str) -> str:
        """Push a local image under a reference by docker; return its digest. The reference is gone again after that."""
        self.docker("tag", image, reference)
        done = self.docker("push", reference)
        self.docker("rmi", reference)
        assert done.returncode == 0, done.stdout + done.stderr
        return f"sha256:{done.stdout.partition('digest: sha256:')[2][:64]}"

    def close(self) -> None:
        """Remove the images that were built."""
        for reference in sorted(self._built):
            self.docker("rmi", reference)


@contextlib.contextmanager
def registry_lab(directory: Path) -> Iterator[RegistryLab]:
    """An engine of its own; the images that were built go after it, when no container has them any more."""
    with contextlib.ExitStack() as after, engine_lab() as lab:
        registry = RegistryLab(lab, directory)
        after.callback(registry.close)
        yield registry


def give_a_road(fargate: FargateLab) -> None:
    """Let the lab's tasks reach ECR: an internet gateway, and public addresses."""
    ec2 = fargate.lab.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=fargate.vpc)
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [fargate.vpc]}])["RouteTables"]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    fargate.network["awsvpcConfiguration"]["assignPublicIp"] = "ENABLED"  # type: ignore[assignment]
