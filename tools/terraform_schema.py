"""Write `src/tsubo/terraform/data/aws-schema.json.gz` from the real AWS provider. Run by hand for a new version of it.

Usage: python tools/terraform_schema.py [directory named registry.terraform.io]

The structure comes from `terraform providers schema -json`. What that does not tell (defaults, which change replaces a
resource, which blocks the provider fills in) is measured: the provider is started in its debug mode, needs no network
or credentials for planning, and is asked to plan small changes of one attribute at a time.
"""

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from terraform_probe import ProbedProvider, probe_type

SOURCE = "registry.terraform.io/hashicorp/aws"
VERSION = "5.100.0"
OUTPUT = Path(__file__).parent.parent / "src/tsubo/terraform/data/aws-schema.json.gz"
FLAGS = {"r": "required", "o": "optional", "c": "computed", "s": "sensitive", "w": "write_only"}
PROBED = re.compile(
    r"aws_(vpc|subnet|internet_gateway|eip|nat_gateway|route|main_route|default_|security_group|network_|lb|alb|acm|ecs"
    r"|service_discovery|iam_(role|policy)|cloudwatch_log|ecr_|secretsmanager|ssm_parameter|appautoscaling|flow_log)"
)
"""The types that are measured: those that Tsubo runs, and their families."""


def main() -> None:
    mirror = Path(sys.argv[1]) if len(sys.argv) > 1 else find_mirror()
    provider = next((mirror / "hashicorp/aws" / VERSION).glob("*/terraform-provider-aws_*"))
    schemas = read_schemas(mirror)
    with ProbedProvider(provider) as probed:
        lines = list(compact_lines(schemas, probed))
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_bytes(gzip.compress("\n".join(lines).encode(), 9, mtime=0))
    print(f"{OUTPUT}: {len(lines)} types, {OUTPUT.stat().st_size // 1024} KiB")


def find_mirror() -> Path:
    """Return the first directory named registry.terraform.io that holds the provider."""
    for root in ("/opt", "/usr/local", "/usr/share", str(Path.home())):
        for parent, directories, _files in os.walk(root):
            if (
                "registry.terraform.io" in directories
                and (Path(parent) / "registry.terraform.io/hashicorp/aws" / VERSION).is_dir()
            ):
                return Path(parent) / "registry.terraform.io"
    raise SystemExit(f"no directory named registry.terraform.io with the AWS provider {VERSION} was found")


def read_schemas(mirror: Path) -> dict[str, Any]:
    """Return the provider's part of `terraform providers schema -json`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    with tempfile.TemporaryDirectory() as directory:
        requirement = {"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": VERSION}}}}
        (Path(directory) / "main.tf.json").write_text(json.dumps(requirement))
        for arguments in (["init", f"-plugin-dir={mirror.parent}"], ["providers", "schema", "-json"]):
            result = subprocess.run(
                ["terraform", *arguments], cwd=directory, env=environment, check=True, capture_output=True
            )
    schemas: dict[str, Any] = json.loads(result.stdout)["provider_schemas"][SOURCE]
    return schemas


def compact_lines(schemas: dict[str, Any], probed: ProbedProvider) -> Iterator[str]:
    """Yield one line for the provider's own block, then for each resource type and data source."""
    yield _line("provider", "aws", schemas["provider"]["version"], compact_block(schemas["provider"]["block"]))
    for kind, key in (("resource", "resource_schemas"), ("data", "data_source_schemas")):
        for name, schema in sorted(schemas[key].items()):
            block = compact_block(schema["block"])
            if kind == "resource" and PROBED.match(name):
                probe_type(probed, name, block)
            drop_write_only(block)
            yield _line(kind, name, schema["version"], block)


def _line(kind: str, name: str, version: int, block: dict[str, Any]) -> str:
    return f"{kind} {name} {json.dumps([version, block], separators=(',', ':'))}"


def compact_block(block: dict[str, Any]) -> dict[str, Any]:
    """Return a block in the form that `tsubo.terraform.schema.parse_block` reads."""
    compact: dict[str, Any] = {}
    attributes = {name: compact_attribute(attribute) for name, attribute in block.get("attributes", {}).items()}
    if attributes:
        compact["a"] = attributes
    nested = {
        name: [b["nesting_mode"], b.get("min_items", 0), b.get("max_items", 0), "", compact_block(b["block"])]
        for name, b in block.get("block_types", {}).items()
    }
    if nested:
        compact["b"] = nested
    return compact


def compact_attribute(attribute: dict[str, Any]) -> list[Any]:
    return [attribute["type"], "".join(letter for letter, name in FLAGS.items() if attribute.get(name))]


def drop_write_only(block: dict[str, Any]) -> None:
    """Drop the attributes that Terraform never stores; the protocol's stubs at hand cannot declare them."""
    for name in [name for name, attribute in block.get("a", {}).items() if "w" in attribute[1]]:
        del block["a"][name]
    for nested in block.get("b", {}).values():
        drop_write_only(nested[4])


if __name__ == "__main__":
    main()
