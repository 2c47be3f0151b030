"""Our provider against the real one, 5.100.0: what it plans must be what ours plans."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.control_plane import control_plane
from tests.terraform.real_provider import plan, plugin_directory, real_plan
from tsubo.terraform.configuration_files import all_texts, used_types

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "ecs-navi"
DOCUMENTS = ROOT / "tests" / "stacks" / "policy-documents"

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not shutil.which("terraform"), reason="needs terraform on PATH"),
    pytest.mark.skipif(plugin_directory() is None, reason="no directory named registry.terraform.io with 5.100.0"),
]

OURS_ALONE = {"region", "deletion_protection_enabled", "availability_mode", "vpc_id", "regex_values"}
"""What version 6 added, which 5.100.0 does not have."""


def our_plan(source: Path, directory: Path) -> dict[str, Any]:
    stack = directory / "ours"
    shutil.copytree(source, stack, ignore=lambda _folder, names: [n for n in names if not n.endswith(".tf")])
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
    used = used_types(list(all_texts(stack, stack / "none")))
    with control_plane(directory) as plane, plane.provider.serve(lambda: used) as reattach:
        return plan(stack, environment | {"TF_REATTACH_PROVIDERS": reattach, "CHECKPOINT_DISABLE": "1"})


def known(value: Any) -> Any:
    """Return a planned value without what is null, empty or unknown, and JSON texts as what they say."""
    if isinstance(value, dict):
        return {
            name: kept for name, kept in ((n, known(v)) for n, v in value.items()) if kept not in (None, [], {}, "")
        }
    if isinstance(value, list):
        return [kept for kept in map(known, value) if kept not in (None, {})]
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return None if value is False else value


def planned(shown: dict[str, Any]) -> dict[str, Any]:
    changes = {change["address"]: change["change"]["after"] for change in shown["resource_changes"]}
    return {
        address: known({name: value for name, value in after.items() if name not in OURS_ALONE})
        for address, after in changes.items()
    }


def test_the_example_is_planned_as_the_real_provider_plans_it(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    assert planned(our_plan(EXAMPLE, tmp_path)) == planned(real_plan(EXAMPLE, real))


def test_policy_documents_are_the_real_providers_to_the_byte(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    theirs = real_plan(DOCUMENTS, real)["planned_values"]["outputs"]["documents"]["value"]
    ours = our_plan(DOCUMENTS, tmp_path)["planned_values"]["outputs"]["documents"]["value"]
    assert ours == theirs
    assert theirs == json.loads((DOCUMENTS / "expected.json").read_text())
