"""Attributes: complete defaults, checked values. Source: aws/alb-vpc-terraform.md sections 1.2, 1.6, 1.9 and 6.8."""

import re

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aws.elbv2.conftest import CERTIFICATE, LoadBalancing
from tsubo.aws.elbv2.attributes import (
    HTTPS_LISTENER_ATTRIBUTES,
    LOAD_BALANCER_ATTRIBUTES,
    TARGET_GROUP_ATTRIBUTES,
    AttributeTable,
    changed,
    defaults,
    listed,
)
from tsubo.aws.operations import AwsError

MODEL = botocore.session.get_session().get_service_model("elbv2")
TABLES = [LOAD_BALANCER_ATTRIBUTES, TARGET_GROUP_ATTRIBUTES, HTTPS_LISTENER_ATTRIBUTES]


@pytest.mark.parametrize(
    ("shape", "table", "of_other_types"),
    [
        ("LoadBalancerAttribute", LOAD_BALANCER_ATTRIBUTES, r"dns_record|secondary_ips"),
        (
            "TargetGroupAttribute",
            TARGET_GROUP_ATTRIBUTES,
            r"lambda|connection_termination|preserve_client_ip|proxy_protocol|draining_interval|target_failover"
            r"|send_tcp_reset",
        ),
        ("ListenerAttribute", HTTPS_LISTENER_ATTRIBUTES, r"tcp\.|send_tcp_reset"),
    ],
)
def test_the_tables_hold_what_botocores_text_names_for_application_load_balancers(
    shape: str, table: AttributeTable, of_other_types: str
) -> None:
    text = MODEL.shape_for(shape).members["Key"].documentation
    named = {name for name in re.findall(r"<li> <p> <code>([a-z0-9_.]+)</code>", text) if "." in name}
    assert {name for name in named if not re.search(of_other_types, name)} == set(table)


def test_every_attribute_of_a_new_load_balancer_is_answered(elb: LoadBalancing) -> None:
    arn = elb.load_balancer()["LoadBalancerArn"]
    answered = elb("DescribeLoadBalancerAttributes", LoadBalancerArn=arn)["Attributes"]
    values = {pair["Key"]: pair["Value"] for pair in answered}
    assert values["idle_timeout.timeout_seconds"] == "60"
    assert values["load_balancing.cross_zone.enabled"] == "true"
    assert values["access_logs.s3.bucket"] == ""
    assert set(values) == set(LOAD_BALANCER_ATTRIBUTES)


def test_changing_one_leaves_the_others(elb: LoadBalancing) -> None:
    group = elb.target_group()
    pair = {"Key": "deregistration_delay.timeout_seconds", "Value": "30"}
    answered = elb("ModifyTargetGroupAttributes", TargetGroupArn=group, Attributes=[pair])["Attributes"]
    assert pair in answered
    assert {"Key": "stickiness.type", "Value": "lb_cookie"} in answered
    assert elb.world.target_groups[group].deregistration_delay_seconds == 30.0
    assert elb("DescribeTargetGroupAttributes", TargetGroupArn=group)["Attributes"] == answered


def test_the_provider_recognizes_the_error_for_an_unknown_key(elb: LoadBalancing) -> None:
    arn = elb.load_balancer()["LoadBalancerArn"]
    error = elb.refused("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=[{"Key": "x", "Value": "y"}])
    assert error.code == "ValidationError"
    assert re.search(r"attribute key ('|\")?x('|\")? is not (recognized|supported)", error.message)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deregistration_delay.timeout_seconds", "3601"),
        ("slow_start.duration_seconds", "29"),
        ("stickiness.enabled", "yes"),
        ("load_balancing.algorithm.type", "random"),
        ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "off"),
    ],
)
def test_values_out_of_range_are_refused(elb: LoadBalancing, key: str, value: str) -> None:
    group = elb.target_group()
    attributes = [{"Key": key, "Value": value}]
    error = elb.refused("ModifyTargetGroupAttributes", TargetGroupArn=group, Attributes=attributes)
    assert (error.code, f"'{key}' value '{value}'" in error.message) == ("ValidationError", True)


@pytest.mark.parametrize(
    "pairs",
    [
        {"stickiness.enabled": "true", "stickiness.type": "app_cookie"},
        {"slow_start.duration_seconds": "30", "load_balancing.algorithm.type": "least_outstanding_requests"},
        {"load_balancing.algorithm.anomaly_mitigation": "on"},
    ],
)
def test_attributes_that_exclude_each_other(elb: LoadBalancing, pairs: dict[str, str]) -> None:
    attributes = [{"Key": key, "Value": value} for key, value in pairs.items()]
    error = elb.refused("ModifyTargetGroupAttributes", TargetGroupArn=elb.target_group(), Attributes=attributes)
    assert error.code == "InvalidConfigurationRequest"


def test_a_listener_has_the_attributes_of_its_protocol(elb: LoadBalancing) -> None:
    load_balancer, group = elb.load_balancer()["LoadBalancerArn"], elb.target_group()
    plain = elb.listener(load_balancer, group)
    secure = elb.listener(load_balancer, group, 443, Protocol="HTTPS", Certificates=[{"CertificateArn": CERTIFICATE}])
    keys = {
        arn: {pair["Key"] for pair in elb("DescribeListenerAttributes", ListenerArn=arn)["Attributes"]}
        for arn in (plain, secure)
    }
    assert "routing.http.response.server.enabled" in keys[plain]
    assert keys[secure] - keys[plain] == {key for key in HTTPS_LISTENER_ATTRIBUTES if ".request." in key}
    server = {"Key": "routing.http.response.server.enabled", "Value": "false"}
    assert server in elb("ModifyListenerAttributes", ListenerArn=plain, Attributes=[server])["Attributes"]
    elb("ModifyListener", ListenerArn=secure, Protocol="HTTP")
    assert elb("DescribeListenerAttributes", ListenerArn=secure)["Attributes"]


@given(table=st.sampled_from(TABLES), value=st.text(max_size=8), data=st.data())
def test_a_value_is_kept_as_it_is_or_refused(table: AttributeTable, value: str, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(table)))
    pair = {"Key": key, "Value": value}
    if table[key].problem(value):
        with pytest.raises(AwsError, match="ValidationError"):
            changed("Thing", table, {}, [pair])
    else:
        attributes = changed("Thing", table, {}, [pair])
        assert attributes == {**defaults(table), key: value}
        assert pair in listed(table, attributes)
