"""The schema of the AWS provider: what attributes a resource type has, their defaults, and what replaces a resource.

In goes `data/aws-schema.json.gz`, written by `tools/terraform_schema.py` from the real provider 5.100.0: one line a
type, so that a run parses only the types its configuration uses. Structure comes from the provider's own schema;
defaults, forced replacement and computed blocks, which Terraform's schema does not tell, were measured by asking the
real provider to plan. What version 6 added is laid over it (`version_six`). Out come `Schema` values.
"""

import gzip
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tsubo.terraform import version_six

DATA_FILE = Path(__file__).with_name("data") / "aws-schema.json.gz"

AttributeType = str | list[Any]
"""A type as Terraform writes it in JSON: `"string"`, `["list", "string"]`, `["object", {...}]`."""
Kind = Literal["resource", "data", "provider"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `default` is what the real provider plans where the configuration is silent; `replaces` says
    that a change of it replaces the resource."""

    type: AttributeType
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False
    replaces: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True)
class NestedBlock:
    """A block inside a block. Where the configuration has none, the provider fills a `computed` one in, and leaves a
    `kept` one as it is."""

    nesting: Literal["single", "list", "set"]
    min_items: int
    max_items: int
    computed: bool
    kept: bool
    replaces: bool
    block: "Block"


@dataclass(frozen=True, slots=True)
class Block:
    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: dict[str, NestedBlock] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schema:
    version: int
    block: Block


class UnknownTypeError(LookupError):
    """The provider has no such type."""


@cache
def _lines() -> dict[tuple[Kind, str], str]:
    lines: dict[tuple[Kind, str], str] = {}
    for line in gzip.decompress(DATA_FILE.read_bytes()).decode().splitlines():
        kind, name, content = line.split(" ", 2)
        lines[kind, name] = content  # type: ignore[index]
    return lines


def type_names(kind: Kind) -> set[str]:
    """Return the names of all resource types or data sources."""
    return {name for line_kind, name in _lines() if line_kind == kind}


@cache
def load(kind: Kind, name: str) -> Schema:
    """Return the schema of a resource type, a data source, or of the provider's own block (`provider`, `aws`).

    Raises UnknownTypeError.
    """
    content = _lines().get((kind, name))
    if content is None:
        raise UnknownTypeError(f"the AWS provider has no {kind} {name}")
    version, block = json.loads(content)
    if kind != "provider":
        version_six.add_to(kind, name, block)
    return Schema(version, parse_block(block))


def parse_block(block: dict[str, Any]) -> Block:
    """Return a block from its compact form: `{"a": {name: [type, flags, default?]}, "b": {name: [...]}}`.

    Flags are letters: r(equired), o(ptional), c(omputed), s(ensitive), f(orces replacement), k(ept).
    """
    return Block(
        attributes={name: _parse_attribute(*fields) for name, fields in block.get("a", {}).items()},
        blocks={name: _parse_nested(*fields) for name, fields in block.get("b", {}).items()},
    )


def _parse_attribute(attribute_type: AttributeType, flags: str, default: Any = None) -> Attribute:
    return Attribute(
        type=attribute_type,
        required="r" in flags,
        optional="o" in flags,
        computed="c" in flags,
        sensitive="s" in flags,
        replaces="f" in flags,
        default=default,
    )


def _parse_nested(
    nesting: Literal["single", "list", "set"], min_items: int, max_items: int, flags: str, block: dict[str, Any]
) -> NestedBlock:
    return NestedBlock(nesting, min_items, max_items, "c" in flags, "k" in flags, "f" in flags, parse_block(block))
