"""`tsubo terraform`: the user's own Terraform in the user's own directory, led to the engine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.engine_lab import EngineLab, engine_lab
from tests.terraform.real_provider import plugin_directory

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not shutil.which("terraform"), reason="needs terraform on PATH"),
]
needs_provider = pytest.mark.skipif(
    plugin_directory() is None, reason="no directory named registry.terraform.io with 5.100.0"
)

TELLS_ITS_ENVIRONMENT = """
resource "terraform_data" "environment" {
  provisioner "local-exec" {
    command = "env > seen"
  }
}
"""
LEADS_ELSEWHERE = """
provider "aws" {
  region  = "eu-west-1"
  profile = "production"

  endpoints {
    ec2 = "http://127.0.0.1:1"
  }
}

data "aws_availability_zones" "all" {}

output "zones" {
  value = data.aws_availability_zones.all.names
}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[EngineLab]:
    with engine_lab() as lab:
        yield lab


def terraform(
    lab: EngineLab, directory: Path, *arguments: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    return lab.run("terraform", *arguments, current=directory, **environment)


def test_the_exit_code_and_the_words_are_terraforms(lab: EngineLab, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('output "x" {\n  value = "y"\n}\n')
    assert "Usage: terraform" in terraform(lab, tmp_path, "-help").stdout
    assert terraform(lab, tmp_path, "init").returncode == 0
    assert terraform(lab, tmp_path, "plan", "-detailed-exitcode").returncode == 2
    assert terraform(lab, tmp_path, "apply", "-auto-approve").returncode == 0
    assert terraform(lab, tmp_path, "plan", "-detailed-exitcode").returncode == 0
    assert terraform(lab, tmp_path, "output", "-raw", "x").stdout == "y"
    above = terraform(lab, tmp_path.parent, f"-chdir={tmp_path.name}", "output", "-raw", "x")
    assert (above.returncode, above.stdout) == (0, "y")
    (tmp_path / "main.tf").write_text("output {")
    assert terraform(lab, tmp_path, "validate").returncode == 1


def test_the_environment_leads_to_the_engine_and_nowhere_else(lab: EngineLab, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(TELLS_ITS_ENVIRONMENT)
    assert terraform(lab, tmp_path, "init").returncode == 0
    mine = {"AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "mine", "AWS_REGION": "eu-west-1", "TF_VAR_mine": "kept"}
    done = terraform(lab, tmp_path, "apply", "-auto-approve", **mine)
    assert done.returncode == 0, done.stderr
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines() if "=" in line)
    assert seen["AWS_ENDPOINT_URL"] == lab.aws_environment()["AWS_ENDPOINT_URL"]
    assert seen["AWS_ACCESS_KEY_ID"] == lab.aws_environment()["AWS_ACCESS_KEY_ID"]
    assert (seen["AWS_REGION"], seen["TF_VAR_mine"]) == ("eu-west-1", "kept")
    assert (seen["AWS_EC2_METADATA_DISABLED"], seen["CHECKPOINT_DISABLE"]) == ("true", "1")
    assert (seen["AWS_CONFIG_FILE"], seen["AWS_SHARED_CREDENTIALS_FILE"]) == (os.devnull, os.devnull)
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "TF_REATTACH_PROVIDERS"} & seen.keys()


@needs_provider
def test_a_configuration_that_leads_elsewhere_is_overridden_and_stays_as_it_is(lab: EngineLab, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(LEADS_ELSEWHERE)
    assert terraform(lab, tmp_path, "init", f"-plugin-dir={plugin_directory()}").returncode == 0
    done = terraform(lab, tmp_path, "apply", "-auto-approve")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "eu-west-1a" in terraform(lab, tmp_path, "output").stdout
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [".terraform", ".terraform.lock.hcl", "main.tf", "terraform.tfstate"]
    assert (tmp_path / "main.tf").read_text() == LEADS_ELSEWHERE
    assert not list((lab.home / "terraform").glob("real-*/upper/*"))
