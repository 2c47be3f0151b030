"""Actions and conditions of listeners, from blocks to ELB's members and back."""

from typing import Any

import pytest

from tsubo.terraform.resources.listener_actions import action_blocks, actions_of
from tsubo.terraform.resources.rule_conditions import condition_blocks, conditions_of
from tsubo.terraform.schema import load
from tsubo.terraform.values import Values, conform

RULE = load("resource", "aws_lb_listener_rule").block


def action(**given: Any) -> Values:
    return conform(RULE.blocks["action"].block, given)


def condition(**given: Any) -> Values:
    return conform(RULE.blocks["condition"].block, given)


def shaped(values: Values, like: Values) -> Values:
    """Return what was read with the values that reading leaves out."""
    return like | conform(RULE.blocks["action"].block, values)


WEIGHTED = {"target_group": [{"arn": "a", "weight": 3}, {"arn": "b", "weight": 1}]}
STICKY = {"target_group": [{"arn": "a", "weight": 1}], "stickiness": [{"enabled": True, "duration": 60}]}
TO_HTTPS = {
    "host": "#{host}",
    "path": "/#{path}",
    "port": "443",
    "protocol": "HTTPS",
    "query": "#{query}",
    "status_code": "HTTP_301",
}
NOT_FOUND = {"content_type": "text/plain", "message_body": "404 Not Found", "status_code": "404"}
POOL = {"user_pool_arn": "a", "user_pool_client_id": "b", "user_pool_domain": "c", "scope": "openid"}


@pytest.mark.parametrize(
    "known",
    [
        action(type="forward", order=1, target_group_arn="tg"),
        action(type="forward", order=1, forward=[WEIGHTED]),
        action(type="forward", order=1, forward=[STICKY]),
        action(type="redirect", order=1, redirect=[TO_HTTPS]),
        action(type="fixed-response", order=1, fixed_response=[NOT_FOUND]),
        action(type="authenticate-cognito", order=1, authenticate_cognito=[POOL]),
    ],
    ids=lambda known: str(known["type"]),
)
def test_an_action_reads_back_as_it_was_written(known: Values) -> None:
    (told,) = action_blocks(actions_of([known]), [known])
    assert shaped(told, known) == known


def test_a_forward_that_elb_answers_in_both_forms_reads_as_configured() -> None:
    groups = {"TargetGroups": [{"TargetGroupArn": "tg", "Weight": 1}]}
    answer = [{"Type": "forward", "TargetGroupArn": "tg", "ForwardConfig": groups}]
    (by_arn,) = action_blocks(answer, [action(type="forward", target_group_arn="tg")])
    assert (by_arn["target_group_arn"], by_arn["forward"]) == ("tg", [])
    (by_block,) = action_blocks(answer, [action(type="forward", forward=[{"target_group": [{"arn": "tg"}]}])])
    assert by_block["target_group_arn"] is None
    assert by_block["forward"][0]["target_group"] == [{"arn": "tg", "weight": 1}]


def test_actions_are_numbered_by_their_place() -> None:
    actions = actions_of([action(type="authenticate-oidc", authenticate_oidc=[{}]), action(type="forward")])
    assert [a["Order"] for a in actions] == [1, 2]
    assert actions_of([action(type="forward")])[0]["Order"] == 1, "so does the real provider"


def test_conditions_read_back_as_they_were_written() -> None:
    blocks = [
        condition(host_header=[{"values": ["a.example"]}]),
        condition(path_pattern=[{"values": ["/a/*", "/b"]}]),
        condition(http_header=[{"http_header_name": "X-A", "values": ["1"]}]),
        condition(http_request_method=[{"values": ["GET"]}]),
        condition(source_ip=[{"values": ["10.0.0.0/8"]}]),
        condition(query_string=[{"key": "a", "value": "1"}, {"value": "2"}]),
    ]
    told = [conform(RULE.blocks["condition"].block, block) for block in condition_blocks(conditions_of(blocks))]
    for block in told:
        for part in ("host_header", "path_pattern", "http_header"):
            for entry in block[part]:
                entry["regex_values"] = entry["regex_values"] or None
    assert told == blocks
