"""Terraform's values on the wire, as plain Python: msgpack in, msgpack out, unknown values included.

A value of a block is a dict with every attribute and block of its schema; a set is a list. `UNKNOWN` stands for what
is known only after apply. Encoding: terraform.md, "Mechanism" (unknown is msgpack's extension type 0; type 12 is
unknown with a refinement, which is of no use here).
"""

import json
from typing import Any, Final

import msgpack

from tsubo.terraform.schema import AttributeType, Block, NestedBlock


class Unknown:
    """The one value that is not known before apply."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __deepcopy__(self, memo: dict[int, Any]) -> "Unknown":
        return self


UNKNOWN: Final = Unknown()
Values = dict[str, Any]

_UNKNOWN_EXTENSION = msgpack.ExtType(0, b"\x00")


def decode(content: bytes) -> Any:
    """Return the value that Terraform sent; None for null."""
    return msgpack.unpackb(content, ext_hook=lambda _code, _data: UNKNOWN, strict_map_key=False)


def encode(value: Any) -> bytes:
    """Return a value for Terraform. It must already have its schema's shape (see `conform`)."""
    packed: bytes = msgpack.packb(value, default=_encode_unknown)
    return packed


def _encode_unknown(value: Any) -> msgpack.ExtType:
    if value is UNKNOWN:
        return _UNKNOWN_EXTENSION
    raise TypeError(f"not a Terraform value: {value!r}")


def conform(block: Block, values: Values) -> Values:
    """Return values in the shape of a block: absent ones null or empty, numbers and texts of the right kind.

    What the schema does not have is dropped, so that a state of another provider version can be read.
    """
    attributes: Values = {name: conform_type(a.type, values.get(name)) for name, a in block.attributes.items()}
    nested: Values = {name: conform_nested(b, values.get(name)) for name, b in block.blocks.items()}
    return attributes | nested


def conform_nested(nested: NestedBlock, value: Any) -> Any:
    """Return the value of a nested block in its schema's shape."""
    if value is UNKNOWN:
        return UNKNOWN
    if nested.nesting == "single":
        return None if value is None else conform(nested.block, value)
    return [element if element is UNKNOWN else conform(nested.block, element) for element in value or ()]


def conform_type(attribute_type: AttributeType, value: Any) -> Any:
    """Return a value in the shape of an attribute's type."""
    if value is None or value is UNKNOWN:
        return value
    if isinstance(attribute_type, str):
        return _conform_primitive(attribute_type, value)
    kind, inner = attribute_type
    if kind in ("list", "set"):
        return [conform_type(inner, element) for element in value]
    if kind == "map":
        return {str(key): conform_type(inner, element) for key, element in value.items()}
    return {name: conform_type(element, value.get(name)) for name, element in inner.items()}


def _conform_primitive(kind: str, value: Any) -> Any:
    if kind == "number":
        return _number(value)
    if kind == "bool":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value)


def _number(value: Any) -> int | float:
    """Terraform sends numbers that do not fit a float as text."""
    number = float(value) if isinstance(value, str) else value
    return int(number) if number == int(number) else float(number)


def is_known(value: Any) -> bool:
    """Say whether a value holds nothing unknown."""
    if isinstance(value, dict):
        return all(is_known(element) for element in value.values())
    if isinstance(value, list):
        return all(is_known(element) for element in value)
    return value is not UNKNOWN


def is_empty(value: Any) -> bool:
    """Say whether a value is what Terraform's older providers treat like null: "", 0, false, an empty collection."""
    return value is not UNKNOWN and not value


def same(one: Any, other: Any) -> bool:
    """Say whether two values mean the same to AWS: null and empty are alike, a set has no order, JSON no layout."""
    if one is UNKNOWN or other is UNKNOWN:
        return one is other
    if is_empty(one) and is_empty(other):
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same(one.get(key), other.get(key)) for key in one.keys() | other.keys())
    if isinstance(one, str) and isinstance(other, str) and one != other:
        return _same_json(one, other)
    return bool(one == other)


def _same_json(one: str, other: str) -> bool:
    if one[:1] not in ("{", "[") or other[:1] not in ("{", "["):
        return False
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False
