"""What a directory's text says of its provider."""

from pathlib import Path

import pytest

from tsubo.terraform.provider_blocks import ProviderBlock, locked_version, newest_major, provider_blocks

REQUIRED = """
terraform {{
  required_providers {{
    random = {{ version = "~> 2.0" }}
    aws = {{
      source  = "hashicorp/aws"
      version = "{}"
    }}
  }}
}}
"""


@pytest.mark.parametrize(
    ("constraint", "major"),
    [
        ("3.39.0", 3),
        ("= 4.67.0", 4),
        ("~> 3.0", 3),
        ("~> 4.16", 4),
        ("~> 4", None),
        (">= 3.0", None),
        (">= 3.0, < 5.0", 4),
        (">= 3.0, < 5.1", 5),
        (">= 2.0, <= 3.76", 3),
        ("!= 4.1.0", None),
        (">= 5.0, < 7.0", 6),
    ],
)
def test_newest_major(tmp_path: Path, constraint: str, major: int | None) -> None:
    (tmp_path / "versions.tf").write_text(REQUIRED.format(constraint))
    assert newest_major(tmp_path) == major


def test_other_places_of_the_version(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text('terraform {\n  required_providers {\n    aws = "~> 3.1"\n  }\n}\n')
    assert newest_major(tmp_path) == 3
    (tmp_path / "b.tf").write_text('provider "aws" {\n  version = "~> 2.70"\n}\n')
    assert newest_major(tmp_path) == 2


def test_version_of_another_provider_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(
        'terraform {\n  required_version = "~> 1"\n  required_providers {\n    awscc = { version = "~> 0.1" }\n  }\n}\n'
    )
    assert newest_major(tmp_path) is None


def test_locked_version(tmp_path: Path) -> None:
    assert locked_version(tmp_path) is None
    (tmp_path / ".terraform.lock.hcl").write_text(
        'provider "registry.terraform.io/hashicorp/random" {\n  version = "3.1.0"\n}\n\n'
        'provider "registry.terraform.io/hashicorp/aws" {\n  version     = "4.67.0"\n  constraints = "~> 4.0"\n}\n'
    )
    assert locked_version(tmp_path) == "4.67.0"


def test_blocks(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        """
# provider "aws" { profile = "commented" }
provider "aws" {
  region = "${var.regions["a"]}" # profile = "x"
  default_tags {
    tags = { profile = "a tag", access_key = "{" }
  }
}
provider "aws" {
  alias   = "virginia"
  profile = "prod"
  endpoints { s3 = "http://127.0.0.1:9000" }
}
resource "aws_vpc" "main" {
  token = "x"
}
"""
    )
    assert provider_blocks(tmp_path) == [
        ProviderBlock("", frozenset({"region", "default_tags"})),
        ProviderBlock("virginia", frozenset({"alias", "profile", "endpoints"})),
    ]
