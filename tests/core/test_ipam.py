"""Addresses: aws/alb-vpc-terraform.md section 2.8."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from tests.core.vpc_world import empty_world, interface, subnet
from tsubo.core import ipam
from tsubo.model.vpc import Address

WORLD = empty_world().with_records(subnet("a", "private", "10.0.10.0/24"), subnet("a", "tiny", "10.0.20.0/28"))


def test_the_first_address_comes_after_the_four_that_aws_keeps() -> None:
    assert ipam.free_address(WORLD, "subnet-private-a") == "10.0.10.4"


def test_an_address_in_use_or_promised_is_skipped() -> None:
    world = WORLD.with_records(interface("one", "a", "private", "10.0.10.4", ()))
    assert ipam.free_address(world, "subnet-private-a") == "10.0.10.5"
    assert ipam.free_address(world, "subnet-private-a", frozenset({"10.0.10.5"})) == "10.0.10.6"


def test_equal_addresses_of_another_vpc_do_not_count() -> None:
    world = WORLD.with_records(interface("one", "b", "private", "10.0.10.4", ()))
    assert ipam.free_address(world, "subnet-private-a") == "10.0.10.4"


def test_a_28_has_eleven_addresses_and_is_full_then() -> None:
    taken: frozenset[str] = frozenset()
    while (address := ipam.free_address(WORLD, "subnet-tiny-a", taken)) is not None:
        taken |= {address}
    assert taken == {f"10.0.20.{host}" for host in range(4, 15)}


def test_public_addresses_are_free_of_elastic_ones_and_of_those_on_interfaces() -> None:
    world = WORLD.with_records(
        Address("eipalloc-1", "203.0.113.2", "ap-northeast-1"),
        interface("node", "a", "private", "10.0.10.4", (), public_ip="203.0.113.3"),
    )
    assert ipam.free_public_address(world) == "203.0.113.4"
    assert ipam.free_public_address(world, frozenset({"203.0.113.4"})) == "203.0.113.5"


def test_public_addresses_can_run_out() -> None:
    taken = frozenset(f"203.0.113.{host}" for host in range(2, 255))
    assert ipam.free_public_address(WORLD, taken - {"203.0.113.254"}) == "203.0.113.254"
    assert ipam.free_public_address(WORLD, taken) is None


def test_what_follows_from_a_block() -> None:
    assert ipam.subnet_gateway("10.0.11.0/24") == "10.0.11.1"
    assert ipam.resolver_address("10.0.0.0/16") == "10.0.0.2"
    assert ipam.prefix_length("10.0.11.0/24") == 24
    assert ipam.mac_address("10.0.11.10") == "02:00:0a:00:0b:0a"


@given(st.sets(st.integers(4, 14)))
def test_a_free_address_is_never_one_in_use_and_always_in_the_subnet(hosts: set[int]) -> None:
    world = WORLD.with_records(*(interface(f"i{h}", "a", "tiny", f"10.0.20.{h}", ()) for h in hosts))
    address = ipam.free_address(world, "subnet-tiny-a")
    if len(hosts) == 11:
        assert address is None
    else:
        assert address is not None
        assert ipaddress.ip_address(address) in ipaddress.ip_network("10.0.20.0/28")
        assert int(address.rsplit(".", 1)[1]) not in hosts
