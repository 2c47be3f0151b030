"""The patterns of rules. Cases from aws/alb-vpc-terraform.md section 1.4, tried with Python's expressions."""

import re
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsubo.core import alb_patterns


def fits(expression: str, text: str) -> bool:
    return re.fullmatch(expression, text) is not None


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        ("example.com", "example.com", True),
        ("example.com", "EXAMPLE.com:8443", True),
        ("example.com", "exampleXcom", False),
        ("example.com", "a.example.com", False),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("a?.example.com", "ab.example.com", True),
        ("a?.example.com", "a.example.com", False),
        ("example.com", "example.com:8443.evil", False),
    ],
)
def test_hosts(pattern: str, host: str, expected: bool) -> None:
    assert fits(alb_patterns.host(pattern), host) is expected


@pytest.mark.parametrize(
    ("pattern", "target", "expected"),
    [
        ("/img/*", "/img/a/b.png", True),
        ("/img/*", "/img/a?x=/y", True),
        ("/img/*", "/IMG/a", False),
        ("/img/*", "/img", False),
        ("/a", "/a?b", True),
        ("/a", "/a/", False),
        ("*b", "/a?b", False),
        ("/?.css", "/x.css", True),
        ("/?.css", "/??.css", False),
        ("/a+b", "/aab", False),
    ],
)
def test_paths(pattern: str, target: str, expected: bool) -> None:
    assert fits(alb_patterns.path(pattern), target) is expected


@pytest.mark.parametrize(
    ("pairs", "target", "expected"),
    [
        ((("v", "1"),), "/?v=1", True),
        ((("v", "1"),), "/x?a=b&V=1&c", True),
        ((("v", "1"),), "/?v=12", False),
        ((("v", "1"),), "/?xv=1", False),
        ((("v", "1"),), "/v=1", False),
        (((None, "*exa?ple*"),), "/?q=an-example", True),
        (((None, "a"),), "/?a", False),
        ((("a", "b"), ("c", "d")), "/?c=d", True),
        ((("a", r"x\*y"),), "/?a=x*y", True),
        ((("a", r"x\*y"),), "/?a=xzy", False),
        ((("a", "b*"),), "/?a=b&c=d", True),
    ],
)
def test_query_strings(pairs: tuple[tuple[str | None, str], ...], target: str, expected: bool) -> None:
    assert fits(alb_patterns.query(pairs), target) is expected


@given(st.text(max_size=20))
def test_a_pattern_without_wildcards_fits_itself_alone(text: str) -> None:
    literal = text.replace("*", "").replace("?", "")
    assert fits(alb_patterns.wildcard(literal), literal)
    assert not fits(alb_patterns.wildcard(literal), f"{literal}x")


addresses = st.integers(0, 2**32 - 1).map(IPv4Address)


@given(addresses, st.integers(0, 32), addresses, st.booleans())
def test_a_network_fits_exactly_its_addresses(base: IPv4Address, length: int, other: IPv4Address, near: bool) -> None:
    network = IPv4Network((base, length), strict=False)
    address = network.broadcast_address if near else other
    assert fits(alb_patterns.network(str(network)), str(address)) is (address in network)
