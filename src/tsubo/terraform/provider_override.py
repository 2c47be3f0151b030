"""Override files that lead the real AWS provider to our endpoint where its environment alone does not.

Versions 5 and later obey AWS_ENDPOINT_URL and the keys in the environment, unless the configuration itself names keys,
a profile or endpoints. Older versions know only an `endpoints` block, which must name each service; which services a
version knows, its own schema says. Source: aws/alb-vpc-terraform.md section 6.8; terraform.md.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tsubo.terraform.provider_blocks import ProviderBlock

OBEYS_ENVIRONMENT = 5
"""The first major version that reads AWS_ENDPOINT_URL."""

STRONGER_THAN_ENVIRONMENT = frozenset(
    {
        "access_key",
        "secret_key",
        "token",
        "profile",
        "shared_config_files",
        "shared_credentials_file",
        "shared_credentials_files",
        "allowed_account_ids",
        "forbidden_account_ids",
    }
)
"""Arguments that choose another account; the override unsets them."""

SWITCHES = ("skip_credentials_validation", "skip_metadata_api_check", "s3_force_path_style", "s3_use_path_style")


@dataclass(frozen=True)
class OldProvider:
    """What the schema of a provider before version 5 says: its arguments, and the services that `endpoints` knows."""

    arguments: frozenset[str]
    services: tuple[str, ...]


def old_provider(schema: Mapping[str, Any]) -> OldProvider:
    """Return what the answer of `terraform providers schema -json` says of the AWS provider."""
    for address, provider in schema["provider_schemas"].items():
        if address.endswith("/hashicorp/aws"):
            block = provider["provider"]["block"]
            endpoints = block["block_types"]["endpoints"]["block"]
            known = {name: value for name, value in endpoints["attributes"].items() if not value.get("deprecated")}
            return OldProvider(frozenset(block["attributes"]), tuple(sorted(known)))
    raise KeyError("hashicorp/aws")


def is_needed(version: int | None, blocks: Iterable[ProviderBlock]) -> bool:
    """Say whether a provider of this major version (None: the newest) needs an override."""
    return (version is not None and version < OBEYS_ENVIRONMENT) or any(
        block.names & (STRONGER_THAN_ENVIRONMENT | {"endpoints"}) for block in blocks
    )


def override(endpoint: str, blocks: Iterable[ProviderBlock], old: OldProvider | None) -> str:
    """Return the text of the override file; `old` for a version before 5."""
    by_alias = {"": ProviderBlock("", frozenset())} | {block.alias: block for block in blocks}
    texts = [_provider(block, endpoint, old) for block in by_alias.values()]
    return "# Written by Tsubo for the length of a run, in a layer over your directory.\n" + "".join(texts)


def _provider(block: ProviderBlock, endpoint: str, old: OldProvider | None) -> str:
    lines = [f"alias = {json.dumps(block.alias)}"] if block.alias else []
    lines += [f"{name} = null" for name in sorted(block.names & STRONGER_THAN_ENVIRONMENT)]
    services: tuple[str, ...] = ()
    if old is not None:
        lines += [f"{name} = true" for name in SWITCHES if name in old.arguments]
        services = old.services
    elif "endpoints" in block.names:
        # One is enough to take the place of the configuration's block; the environment leads all others to us.
        services = ("sts",)
    if services:
        named = "".join(f"    {service} = {json.dumps(endpoint)}\n" for service in services)
        lines.append(f"endpoints {{\n{named}  }}")
    return 'provider "aws" {\n' + "".join(f"  {line}\n" for line in lines) + "}\n"
