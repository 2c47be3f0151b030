"""Security group rules between Terraform's blocks, single rules and EC2's permissions."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tsubo.terraform.resources.permissions import (
    Rule,
    blocks_of,
    permission_of,
    permissions_of,
    rules_of_block,
    rules_of_blocks,
    rules_of_permissions,
)

GROUP = "sg-own"
ACCOUNT = "123456789012"


def block(**given_values: Any) -> dict[str, Any]:
    return {"protocol": "tcp", "from_port": 80, "to_port": 80, "description": ""} | given_values


def test_a_block_is_one_rule_for_each_peer() -> None:
    rules = set(rules_of_block(block(cidr_blocks=["10.0.0.0/8"], security_groups=["sg-a"], self=True), GROUP))
    assert {(rule.peer_kind, rule.peer) for rule in rules} == {
        ("cidr_blocks", "10.0.0.0/8"),
        ("security_groups", "sg-a"),
        ("security_groups", GROUP),
    }


def test_all_protocols_have_no_ports_and_numbers_have_names() -> None:
    (rule,) = rules_of_block(block(protocol="all", from_port=0, to_port=65535, cidr_blocks=["0.0.0.0/0"]), GROUP)
    assert (rule.protocol, rule.from_port, rule.to_port) == ("-1", 0, 0)
    assert "FromPort" not in permission_of(rule)
    (numbered,) = rules_of_block(block(protocol="17", cidr_blocks=["0.0.0.0/0"]), GROUP)
    assert numbered.protocol == "udp"


def test_a_group_of_another_account_keeps_its_owner() -> None:
    (rule,) = rules_of_block(block(security_groups=["999999999999/sg-b"]), GROUP)
    permission = permission_of(rule)
    assert permission["UserIdGroupPairs"] == [{"GroupId": "sg-b", "UserId": "999999999999"}]
    assert rules_of_permissions([permission], ACCOUNT) == {rule}


def test_what_stands_is_told_in_the_blocks_that_the_configuration_has() -> None:
    blocks = [
        block(cidr_blocks=["10.0.0.0/8"]),
        block(cidr_blocks=["192.168.0.0/16"], description="office"),
        block(from_port=443, to_port=443, self=True),
    ]
    rules = rules_of_blocks(blocks, GROUP)
    assert blocks_of(rules, blocks, GROUP) == blocks


def test_a_rule_made_outside_is_a_block_of_its_own_and_a_lost_one_breaks_its_block() -> None:
    known = block(cidr_blocks=["10.0.0.0/8", "192.168.0.0/16"])
    extra = Rule("tcp", 22, 22, "cidr_blocks", "0.0.0.0/0", "")
    told = blocks_of(rules_of_blocks([known], GROUP) | {extra}, [known], GROUP)
    assert told[0] == known
    assert (told[1]["from_port"], told[1]["cidr_blocks"]) == (22, ["0.0.0.0/0"])
    lost = {rule for rule in rules_of_blocks([known], GROUP) if rule.peer == "10.0.0.0/8"}
    assert [entry["cidr_blocks"] for entry in blocks_of(lost, [known], GROUP)] == [["10.0.0.0/8"]]


RULES = st.sets(
    st.builds(
        Rule,
        st.sampled_from(["tcp", "udp"]),
        st.sampled_from([22, 80]),
        st.just(80),
        st.sampled_from(["cidr_blocks", "security_groups"]),
        st.sampled_from(["peer-a", "peer-b", GROUP]),
        st.sampled_from(["", "office"]),
    ).filter(lambda rule: rule.peer != GROUP or rule.peer_kind == "security_groups"),
    max_size=8,
)


@given(RULES)
def test_rules_survive_both_forms(rules: set[Rule]) -> None:
    assert rules_of_permissions(permissions_of(rules), ACCOUNT) == rules
    assert rules_of_blocks(blocks_of(rules, [], GROUP), GROUP) == rules
