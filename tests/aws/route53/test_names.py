"""Names and their order. Source: aws/ecs-cloudmap-exec.md section 11."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsubo.aws.route53.names import BadName, lies_in, normalized, sort_key

LABELS = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters=".\\"), min_size=1, max_size=20)
NAMES = st.lists(LABELS, min_size=1, max_size=5).map(".".join)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("A.Example", "a.example."),
        ("a.example.", "a.example."),
        ("*.a.example", "\\052.a.example."),
        ("\\052.a.example", "\\052.a.example."),
        ("\\101.example", "a.example."),
        ("_acme-challenge.a.example", "_acme-challenge.a.example."),
        ("a b.example", "a\\040b.example."),
        ("a\\056b.example", "a\\056b.example."),
    ],
)
def test_one_name_in_many_spellings_is_kept_in_one(name: str, kept: str) -> None:
    assert normalized(name) == kept


@pytest.mark.parametrize("name", ["", ".", "a..b", ".a", "a" * 64, ".".join(["a" * 50] * 6), "日本.example"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(BadName, match="FATAL problem"):
        normalized(name)


@given(NAMES)
def test_a_kept_name_stays_as_it_is(name: str) -> None:
    kept = normalized(name)
    assert normalized(kept) == kept
    assert normalized(name.upper() if name.isascii() else name) == kept


def test_a_name_lies_in_its_zone_by_labels_not_by_letters() -> None:
    assert lies_in("a.example.", "a.example.")
    assert lies_in("w.a.example.", "a.example.")
    assert not lies_in("wa.example.", "a.example.")


def test_a_zones_names_follow_its_own() -> None:
    names = ["b.example.", "z.a.example.", "a.example.", "a.z.a.example."]
    assert sorted(names, key=sort_key) == ["a.example.", "z.a.example.", "a.z.a.example.", "b.example."]
