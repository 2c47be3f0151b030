"""The real AWS provider as a referee, where this machine has it: a directory named registry.terraform.io."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

PLUGIN = "registry.terraform.io/hashicorp/aws/5.100.0"
PLACES = ("/opt", "/usr/local", "/usr/share", str(Path.home()))
OFFLINE = """
provider "aws" {
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = "true"
  skip_region_validation      = true
}
"""


@cache
def plugin_directory() -> Path | None:
    """Return the directory that `terraform init -plugin-dir` takes, or None."""
    for place in PLACES:
        for parent, directories, _files in os.walk(place):
            if "registry.terraform.io" in directories and (Path(parent) / PLUGIN).is_dir():
                return Path(parent)
    return None


def real_plan(source: Path, directory: Path) -> dict[str, Any]:
    """Return the plan that Terraform and the real provider make, without network or credentials."""
    for path in source.glob("*.tf"):
        (directory / path.name).write_text(path.read_text())
    (directory / "offline_override.tf").write_text(OFFLINE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
    return plan(directory, environment | {"CHECKPOINT_DISABLE": "1"}, f"-plugin-dir={plugin_directory()}")


def plan(directory: Path, environment: dict[str, str], *init_arguments: str) -> dict[str, Any]:
    """Return the plan of a directory as Terraform shows it in JSON."""
    commands = (["init", *init_arguments], ["plan", "-out=plan"], ["show", "-json", "plan"])
    for command in commands:
        result = subprocess.run(
            ["terraform", *command], cwd=directory, env=environment, capture_output=True, check=True, text=True
        )
    shown: dict[str, Any] = json.loads(result.stdout)
    return shown
