"""The firewall's text: aws/alb-vpc-terraform.md section 2. What packets make of it is shown in tests/lab."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.vpc_world import (
    REGION,
    associated,
    egress,
    empty_world,
    group,
    ingress,
    interface,
    table,
    vpc_records,
)
from tsubo.core.firewall import ruleset
from tsubo.model.vpc import NetworkAcl, NetworkAclAssociation, NetworkAclEntry, SecurityGroupRule
from tsubo.model.world import Record, World

GOLDEN = Path(__file__).parent / "golden"

WORLD = empty_world().with_records(
    *vpc_records("a", "203.0.113.5"),
    *group("sg-balancer", "a", egress("sg-balancer"), ingress("sg-balancer", ports=(443, 443), cidr="0.0.0.0/0")),
    *group("sg-proxy", "a", egress("sg-proxy"), ingress("sg-proxy", source="sg-balancer")),
    *group("sg-backend", "a", egress("sg-backend", "tcp", (443, 443))),
    *(ingress("sg-backend", source=source) for source in ("sg-balancer", "sg-proxy", "sg-backend")),
    interface("node", "a", "public", "10.0.1.20", ("sg-balancer",), owner="load_balancer", public_ip="203.0.113.20"),
    interface("proxy", "a", "private", "10.0.10.10", ("sg-proxy",)),
    interface("backend", "a", "private", "10.0.10.11", ("sg-backend",)),
    interface("both", "a", "private", "10.0.10.12", ("sg-proxy", "sg-backend")),
)


def block(text: str, name: str) -> list[str]:
    """Return the lines of a chain, set or map, without indentation."""
    found = re.search(rf"(?:chain|set|map) {re.escape(name)} \{{\n(.*?)\n    \}}", text, re.DOTALL)
    assert found, f"no {name} in\n{text}"
    return [line.strip() for line in found[1].splitlines()]


def ingress_of(rule: SecurityGroupRule) -> list[str]:
    """Return the statements of a group with one more rule."""
    return block(ruleset(WORLD.with_records(rule), "vpc-a"), "i_sg-proxy")


def test_the_ruleset_of_a_stack_is_the_golden_one() -> None:
    assert ruleset(WORLD, "vpc-a") == (GOLDEN / "ruleset.nft").read_text()


def test_the_ruleset_with_a_network_acl_is_the_golden_one() -> None:
    assert ruleset(WORLD.with_records(acl(*ACL_ENTRIES)), "vpc-a") == (GOLDEN / "ruleset-network-acl.nft").read_text()


@pytest.mark.parametrize(
    ("protocol", "ports", "statement"),
    [
        ("tcp", (22, 22), "ip saddr 10.9.0.0/16 tcp dport 22 accept"),
        ("udp", (1000, 2000), "ip saddr 10.9.0.0/16 udp dport 1000-2000 accept"),
        ("tcp", (0, 65535), "ip saddr 10.9.0.0/16 meta l4proto tcp accept"),
        ("6", (22, 22), "ip saddr 10.9.0.0/16 tcp dport 22 accept"),
        ("-1", (0, 0), "ip saddr 10.9.0.0/16 accept"),
        ("icmp", (-1, -1), "ip saddr 10.9.0.0/16 meta l4proto icmp accept"),
        ("icmp", (8, -1), "ip saddr 10.9.0.0/16 icmp type 8 accept"),
        ("icmp", (3, 4), "ip saddr 10.9.0.0/16 icmp type 3 icmp code 4 accept"),
        ("50", (-1, -1), "ip saddr 10.9.0.0/16 meta l4proto 50 accept"),
    ],
)
def test_protocols_and_ports(protocol: str, ports: tuple[int, int], statement: str) -> None:
    assert statement in ingress_of(ingress("sg-proxy", protocol, ports, cidr="10.9.0.0/16"))


def test_everybody_needs_no_address_match() -> None:
    assert "tcp dport 22 accept" in ingress_of(ingress("sg-proxy", ports=(22, 22), cidr="0.0.0.0/0"))


def test_a_host_address_with_a_prefix_means_its_network() -> None:
    assert "ip saddr 10.9.0.0/16 tcp dport 22 accept" in ingress_of(
        ingress("sg-proxy", ports=(22, 22), cidr="10.9.8.7/16")
    )


def test_rules_that_no_packet_here_meets_are_left_out() -> None:
    before = block(ruleset(WORLD, "vpc-a"), "i_sg-proxy")
    assert ingress_of(ingress("sg-proxy", "-1", cidr_ipv6="::/0")) == before
    assert ingress_of(ingress("sg-proxy", "58", cidr="0.0.0.0/0")) == before
    assert ingress_of(SecurityGroupRule("sgr-1", "sg-proxy", REGION, False, "-1", prefix_list_id="pl-1")) == before


def test_a_reference_means_the_private_addresses_of_those_that_carry_the_group() -> None:
    assert elements(WORLD, "s_sg-backend") == {"10.0.10.11", "10.0.10.12"}
    assert elements(WORLD, "s_sg-balancer") == {"10.0.1.20"}


def test_a_reference_to_a_group_that_nobody_carries_admits_nobody() -> None:
    world = WORLD.with_records(ingress("sg-proxy", source="sg-gone"))
    assert elements(world, "s_sg-gone") == set()


def elements(world: World, name: str) -> set[str]:
    return {line.rstrip(",") for line in block(ruleset(world, "vpc-a"), name)[2:-1]}


def test_a_public_address_counts_only_with_a_route_to_the_internet_gateway() -> None:
    assert elements(WORLD, "s_public") == {"10.0.1.5", "10.0.1.20"}
    assert elements(WORLD.with_records(table("a", "public", (), associated("a", "public"))), "s_public") == set()
    assert elements(WORLD.without(WORLD.internet_gateways["igw-a"]), "s_public") == set()


def test_a_nat_gateway_has_no_groups_and_may_send_for_others() -> None:
    text = ruleset(WORLD, "vpc-a")
    assert '"enat-a" : goto c_to,' in block(text, "m_from")
    assert '"enat-a" : goto c_to_nat,' in block(text, "m_to")
    assert '"enat-a",' in block(text, "s_gateways")
    assert not any("enat-a" in line for line in block(text, "s_sources"))


def test_another_vpc_is_not_in_it() -> None:
    records: list[Record] = [
        *vpc_records("b", "203.0.113.6"),
        interface("other", "b", "private", "10.0.10.77", ("sg-b",)),
    ]
    assert ruleset(WORLD.with_records(*records, *group("sg-b", "b")), "vpc-a") == ruleset(WORLD, "vpc-a")


ACL_ENTRIES = (
    NetworkAclEntry(200, False, "-1", True, "0.0.0.0/0"),
    NetworkAclEntry(100, False, "tcp", False, "10.0.1.0/24", 22, 22),
    NetworkAclEntry(110, False, "1", True, "0.0.0.0/0", icmp_type=8, icmp_code=0),
    NetworkAclEntry(100, True, "-1", True, "0.0.0.0/0"),
)


def acl(*entries: NetworkAclEntry, is_default: bool = False) -> NetworkAcl:
    associations = () if is_default else (NetworkAclAssociation("aclassoc-1", "subnet-private-a"),)
    return NetworkAcl("acl-1", "vpc-a", REGION, is_default, entries, associations)


def test_an_acl_that_lets_everything_through_costs_nothing() -> None:
    allow_all = (NetworkAclEntry(100, d, "-1", True, "0.0.0.0/0") for d in (True, False))
    assert ruleset(WORLD.with_records(acl(*allow_all, is_default=True)), "vpc-a") == ruleset(WORLD, "vpc-a")


def test_an_acl_without_entries_denies_all() -> None:
    text = ruleset(WORLD.with_records(acl()), "vpc-a")
    assert block(text, "a_in_subnet-private-a") == ["iifname @s_subnet-private-a return", "goto c_acl_deny_in"]
    assert block(text, "a_out_subnet-private-a") == ["oifname @s_subnet-private-a return", "goto c_acl_deny_out"]


def test_an_acl_tells_a_packet_of_a_tracked_connection_from_a_new_one() -> None:
    text = ruleset(WORLD.with_records(acl()), "vpc-a")
    tracked, *new = block(text, "c_acl_deny_in")
    assert tracked == 'ct state established,related log prefix "deny-acl-in tracked" group 5 drop'
    assert new == ['log prefix "deny-acl-in" group 5', "drop"]


def test_what_has_no_route_still_passes_its_senders_groups_and_is_logged() -> None:
    text = ruleset(WORLD, "vpc-a")
    assert block(text, "c_lost")[-1].endswith("fib daddr oif missing iifname vmap @m_from")
    assert block(text, "c_to") == ["oifname vmap @m_to", 'log prefix "no-route" group 5', "drop"]


@given(st.permutations(sorted(WORLD.security_group_rules)), st.permutations(sorted(WORLD.network_interfaces)))
def test_the_order_of_records_does_not_matter(rules: list[str], interfaces: list[str]) -> None:
    world = World(
        WORLD.engine,
        vpcs=WORLD.vpcs,
        subnets=WORLD.subnets,
        internet_gateways=WORLD.internet_gateways,
        route_tables=WORLD.route_tables,
        nat_gateways=WORLD.nat_gateways,
        security_groups=WORLD.security_groups,
        security_group_rules={key: WORLD.security_group_rules[key] for key in rules},
        network_interfaces={key: WORLD.network_interfaces[key] for key in interfaces},
    )
    assert ruleset(world, "vpc-a") == ruleset(WORLD, "vpc-a")
