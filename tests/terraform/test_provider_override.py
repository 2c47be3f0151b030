"""Override files for the real provider."""

from tsubo.terraform.provider_blocks import ProviderBlock
from tsubo.terraform.provider_override import OldProvider, is_needed, old_provider, override

ENDPOINT = "http://127.0.0.1:4566"
PLAIN = ProviderBlock("", frozenset({"region"}))
SCHEMA = {
    "provider_schemas": {
        "registry.terraform.io/hashicorp/random": {"provider": {}},
        "registry.terraform.io/hashicorp/aws": {
            "provider": {
                "block": {
                    "attributes": {"region": {}, "s3_force_path_style": {}, "skip_metadata_api_check": {}},
                    "block_types": {
                        "endpoints": {"block": {"attributes": {"ecs": {}, "ec2": {}, "r53": {"deprecated": True}}}}
                    },
                }
            }
        },
    }
}


def test_old_provider_is_its_schema() -> None:
    known = old_provider(SCHEMA)
    assert known.arguments == {"region", "s3_force_path_style", "skip_metadata_api_check"}
    assert known.services == ("ec2", "ecs"), "a deprecated name would stand beside its successor"


def test_what_needs_an_override() -> None:
    assert is_needed(3, [PLAIN])
    assert is_needed(4, [])
    assert not is_needed(5, [PLAIN])
    assert not is_needed(None, [PLAIN])
    assert is_needed(5, [PLAIN, ProviderBlock("west", frozenset({"profile"}))])
    assert is_needed(None, [ProviderBlock("", frozenset({"endpoints"}))])


def test_override_of_an_old_version() -> None:
    old = OldProvider(frozenset({"s3_force_path_style"}), ("ec2", "ecs"))
    blocks = [ProviderBlock("west", frozenset({"profile", "region"}))]
    assert (
        override(ENDPOINT, blocks, old).partition("\n")[2]
        == """\
provider "aws" {
  s3_force_path_style = true
  endpoints {
    ec2 = "http://127.0.0.1:4566"
    ecs = "http://127.0.0.1:4566"
  }
}
provider "aws" {
  alias = "west"
  profile = null
  s3_force_path_style = true
  endpoints {
    ec2 = "http://127.0.0.1:4566"
    ecs = "http://127.0.0.1:4566"
  }
}
"""
    )


def test_override_of_a_new_version_unsets_what_leads_elsewhere() -> None:
    block = ProviderBlock("", frozenset({"access_key", "secret_key", "region", "endpoints"}))
    assert (
        override(ENDPOINT, [block], None).partition("\n")[2]
        == """\
provider "aws" {
  access_key = null
  secret_key = null
  endpoints {
    sts = "http://127.0.0.1:4566"
  }
}
"""
    )
