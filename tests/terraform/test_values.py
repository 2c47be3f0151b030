"""Terraform's values on the wire and in the shape of a schema."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsubo.terraform.schema import parse_block
from tsubo.terraform.values import UNKNOWN, conform, conform_type, decode, encode, is_known, same

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just(UNKNOWN),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(PLAIN)
def test_values_survive_the_wire(value: object) -> None:
    assert decode(encode(value)) == value


def test_every_form_of_unknown_is_unknown() -> None:
    refined = msgpack.packb(msgpack.ExtType(12, msgpack.packb({1: False})))
    assert decode(refined) is UNKNOWN
    assert decode(msgpack.packb(msgpack.ExtType(0, b"\x00"))) is UNKNOWN
    assert not is_known({"a": [1, {"b": UNKNOWN}]})
    assert is_known({"a": [1, {"b": None}]})


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(TypeError):
        encode({"a": object()})


@pytest.mark.parametrize(
    ("kind", "value", "shaped"),
    [
        ("number", "80", 80),
        ("number", 1.5, 1.5),
        ("number", 2.0, 2),
        ("bool", "true", True),
        ("bool", "false", False),
        ("string", 300, "300"),
        ("string", True, "true"),
        (["set", "number"], ["1"], [1]),
        (["map", "string"], {"a": 1}, {"a": "1"}),
        (["object", {"a": "number", "b": "string"}], {"a": "1", "c": 2}, {"a": 1, "b": None}),
    ],
)
def test_values_take_the_shape_of_their_type(kind: object, value: object, shaped: object) -> None:
    assert conform_type(kind, value) == shaped  # type: ignore[arg-type]


def test_a_block_has_every_attribute_and_nothing_else() -> None:
    nested = {"a": {"x": ["string", "o"]}}
    block = parse_block(
        {"a": {"id": ["string", "c"]}, "b": {"l": ["list", 0, 0, "", nested], "s": ["single", 0, 0, "", nested]}}
    )
    assert conform(block, {"gone": 1}) == {"id": None, "l": [], "s": None}
    assert conform(block, {"l": [{}], "s": {"x": 1}}) == {"id": None, "l": [{"x": None}], "s": {"x": "1"}}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (None, "", True),
        (None, [], True),
        (None, False, True),
        ({"a": None}, {}, True),
        ("", 0, True),
        ("a", "A", False),
        ('{"a": 1}', '{ "a":1 }', True),
        ('{"a": 1}', '{"a": 2}', False),
        ("{not", "{json", False),
        (UNKNOWN, None, False),
        (UNKNOWN, UNKNOWN, True),
    ],
)
def test_null_and_empty_are_the_same_and_so_is_json(one: object, other: object, expected: bool) -> None:
    assert same(one, other) is expected
