"""Where the configuration says something: addresses from states, files and lines from a scan."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tsubo.engine.why_sources import Configuration, sources
from tsubo.model.explanation import Source
from tsubo.terraform.workspace import Workspace

MAIN = """\
module "network" {
  source = "./modules/network"
}

resource "aws_security_group" "web" {
}

  resource "aws_lb" "indented" {}
# resource "aws_lb" "commented" {}
"""


def resource(kind: str, name: str, module: str | None = None, **attributes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"mode": "managed", "type": kind, "name": name, "instances": [{"attributes": attributes}]}
    return found | ({"module": module} if module else {})


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A directory with a module, and the state that an engine in `home` keeps of it."""
    directory = tmp_path / "work" / "examples" / "shop"
    module = directory / "modules" / "network"
    module.mkdir(parents=True)
    (directory / "main.tf").write_text(MAIN)
    (module / "vpc.tf").write_text('\nresource "aws_vpc" "main" {}\n')
    workspace = Workspace.of(directory, tmp_path / "home", {})
    workspace.root.mkdir(parents=True)
    workspace.prepare(None, None)
    state = workspace.state
    resources = [
        resource("aws_security_group", "web", id="sg-1", arn="arn:sg-1"),
        resource("aws_vpc", "main", "module.network", id="vpc-1"),
        resource("aws_security_group_rule", "http", id="sgrule-1", security_group_rule_id="sgr-1"),
    ]
    state.write_text(json.dumps({"resources": resources}))
    return directory


@pytest.mark.parametrize(
    ("address", "file", "line"),
    [
        ("aws_security_group.web", "main.tf", 5),
        ("aws_security_group.web[0]", "main.tf", 5),
        ('aws_security_group.web["a.b"]', "main.tf", 5),
        ("aws_lb.indented", "main.tf", 8),
        ("aws_lb.commented", None, None),
        ("module.network.aws_vpc.main", "modules/network/vpc.tf", 2),
        ('module.network["x"].aws_vpc.main[1]', "modules/network/vpc.tf", 2),
        ("module.elsewhere.aws_vpc.main", None, None),
    ],
)
def test_blocks(stack: Path, address: str, file: str | None, line: int | None) -> None:
    assert Configuration(stack).source(address) == Source(address, file, line)


def test_the_resources_of_a_state_are_found_where_its_directory_says_them(stack: Path, tmp_path: Path) -> None:
    found = sources(tmp_path / "home")
    assert found["sg-1"] == found["arn:sg-1"] == Source("aws_security_group.web", "main.tf", 5)
    assert found["sgr-1"] == Source("aws_security_group_rule.http")
    assert found["vpc-1"].file == "modules/network/vpc.tf"


def test_where_the_directory_is_gone_the_addresses_alone_are_known(stack: Path, tmp_path: Path) -> None:
    shutil.rmtree(stack)
    assert sources(tmp_path / "home")["sg-1"] == Source("aws_security_group.web")
