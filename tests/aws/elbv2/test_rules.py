"""Rules, their order, and the default one. Source: aws/alb-vpc-terraform.md sections 1.4, 1.5 and 6.7."""

from typing import Any

import pytest

from tests.aws.elbv2.conftest import LoadBalancing


@pytest.fixture
def group(elb: LoadBalancing) -> str:
    return elb.target_group()


@pytest.fixture
def listener(elb: LoadBalancing, group: str) -> str:
    return elb.listener(elb.load_balancer()["LoadBalancerArn"], group)


def make(elb: LoadBalancing, listener: str, group: str, priority: int, host: str = "a.example") -> str:
    request = {
        "ListenerArn": listener,
        "Priority": priority,
        "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": [host]}}],
        "Actions": [{"Type": "forward", "TargetGroupArn": group, "Order": 1}],
    }
    return str(elb("CreateRule", request)["Rules"][0]["RuleArn"])


def rules(elb: LoadBalancing, listener: str) -> list[Any]:
    described: list[Any] = elb("DescribeRules", ListenerArn=listener)["Rules"]
    return described


def test_rules_are_answered_in_order_and_the_default_one_last(elb: LoadBalancing, listener: str, group: str) -> None:
    late, early = make(elb, listener, group, 200), make(elb, listener, group, 100)
    first, second, default = rules(elb, listener)
    assert [first["RuleArn"], second["RuleArn"]] == [early, late]
    prefix = listener.replace(":listener/", ":listener-rule/") + "/"
    assert all(each["RuleArn"].startswith(prefix) for each in (first, second, default))
    assert (first["Priority"], first["IsDefault"]) == ("100", False)
    assert first["Conditions"] == [
        {"Field": "host-header", "Values": ["a.example"], "HostHeaderConfig": {"Values": ["a.example"]}}
    ]
    assert first["Actions"][0]["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": group, "Weight": 1}]
    assert (default["Priority"], default["IsDefault"], default["Conditions"]) == ("default", True, [])
    assert default["Actions"][0]["TargetGroupArn"] == group


def test_a_priority_is_taken_once_a_listener(elb: LoadBalancing, listener: str, group: str) -> None:
    make(elb, listener, group, 1)
    request = {
        "ListenerArn": listener,
        "Priority": 1,
        "Conditions": [{"Field": "path-pattern", "Values": ["/"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": group}],
    }
    error = elb.refused("CreateRule", request)
    assert (error.code, error.message) == ("PriorityInUse", "Priority '1' is currently in use")
    assert elb.refused("CreateRule", {**request, "Priority": 50_001}).code == "ValidationError"
    load_balancer = elb.world.listeners[listener].load_balancer_arn
    make(elb, elb.listener(load_balancer, group, 81), group, 1)


def test_modifying_a_rule(elb: LoadBalancing, listener: str, group: str) -> None:
    arn = make(elb, listener, group, 1)
    conditions = [{"Field": "path-pattern", "Values": ["/b"]}]
    [rule] = elb("ModifyRule", RuleArn=arn, Conditions=conditions)["Rules"]
    assert rule["Conditions"][0]["Values"] == ["/b"]
    assert rule["Actions"][0]["TargetGroupArn"] == group
    redirect = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302", "Host": "b.example"}}
    [rule] = elb("ModifyRule", RuleArn=arn, Actions=[redirect])["Rules"]
    assert rule["Conditions"][0]["Values"] == ["/b"]
    assert rule["Actions"][0]["RedirectConfig"]["Host"] == "b.example"
    assert elb.refused("ModifyRule", RuleArn=arn).message == "Either conditions or actions must be specified"


def test_priorities_can_change_places(elb: LoadBalancing, listener: str, group: str) -> None:
    one, two, three = (make(elb, listener, group, priority) for priority in (1, 2, 3))
    swapped = [{"RuleArn": one, "Priority": 2}, {"RuleArn": two, "Priority": 1}]
    elb("SetRulePriorities", RulePriorities=swapped)
    assert [each["RuleArn"] for each in rules(elb, listener)[:3]] == [two, one, three]
    clash = elb.refused("SetRulePriorities", RulePriorities=[{"RuleArn": one, "Priority": 3}])
    assert clash.code == "PriorityInUse"
    same = [{"RuleArn": one, "Priority": 9}, {"RuleArn": two, "Priority": 9}]
    assert elb.refused("SetRulePriorities", RulePriorities=same).code == "PriorityInUse"


def test_the_default_rule_follows_its_listener(elb: LoadBalancing, listener: str) -> None:
    default = rules(elb, listener)[-1]["RuleArn"]
    assert elb("DescribeRules", RuleArns=[default])["Rules"][0]["IsDefault"]
    assert elb.refused("DeleteRule", RuleArn=default).code == "OperationNotPermitted"
    conditions = [{"Field": "path-pattern", "Values": ["/b"]}]
    assert elb.refused("ModifyRule", RuleArn=default, Conditions=conditions).code == "OperationNotPermitted"
    priorities = [{"RuleArn": default, "Priority": 1}]
    assert elb.refused("SetRulePriorities", RulePriorities=priorities).code == "OperationNotPermitted"


def test_a_rule_with_https_to_http_or_with_login_on_http_is_refused(
    elb: LoadBalancing, listener: str, group: str
) -> None:
    login = {
        "Type": "authenticate-cognito",
        "Order": 1,
        "AuthenticateCognitoConfig": {"UserPoolArn": "arn:p", "UserPoolClientId": "c", "UserPoolDomain": "d"},
    }
    forward = {"Type": "forward", "TargetGroupArn": group, "Order": 2}
    conditions = [{"Field": "path-pattern", "Values": ["/b"]}]
    request = {"ListenerArn": listener, "Priority": 1, "Conditions": conditions, "Actions": [login, forward]}
    assert elb.refused("CreateRule", request).code == "InvalidLoadBalancerAction"


def test_transforms_say_that_they_are_not_run(elb: LoadBalancing, listener: str, group: str) -> None:
    request = {
        "ListenerArn": listener,
        "Priority": 1,
        "Conditions": [{"Field": "path-pattern", "Values": ["/b"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": group}],
        "Transforms": [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "a", "Replace": "b"}]}}],
    }
    assert "not supported by Tsubo" in elb.refused("CreateRule", request).message


def test_rules_page_by_page_and_those_that_are_not_there(elb: LoadBalancing, listener: str, group: str) -> None:
    for priority in range(1, 4):
        make(elb, listener, group, priority)
    first = elb("DescribeRules", ListenerArn=listener, PageSize=3)
    second = elb("DescribeRules", ListenerArn=listener, PageSize=3, Marker=first["NextMarker"])
    assert [each["Priority"] for each in first["Rules"] + second["Rules"]] == ["1", "2", "3", "default"]
    assert elb.refused("DescribeRules", RuleArns=["arn:x"]).code == "RuleNotFound"
    assert elb.refused("DeleteRule", RuleArn="arn:x").code == "RuleNotFound"
    assert elb.refused("DescribeRules", ListenerArn="arn:x").code == "ListenerNotFound"
    assert elb.refused("DescribeRules").code == "ValidationError"


def test_a_listener_has_at_most_a_hundred_rules(elb: LoadBalancing, listener: str, group: str) -> None:
    for priority in range(1, 101):
        make(elb, listener, group, priority)
    request = {
        "ListenerArn": listener,
        "Priority": 101,
        "Conditions": [{"Field": "path-pattern", "Values": ["/"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": group}],
    }
    assert elb.refused("CreateRule", request).code == "TooManyRules"
