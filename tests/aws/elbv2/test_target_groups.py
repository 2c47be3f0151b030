"""Target groups and health checks. Source: aws/alb-vpc-terraform.md sections 1.6, 1.7 and 6.6."""

from typing import Any

import pytest

from tests.aws.elbv2.conftest import LoadBalancing


def test_a_new_target_group_is_as_aws_answers_it(elb: LoadBalancing) -> None:
    arn = elb.target_group()
    [group] = elb("DescribeTargetGroups", TargetGroupArns=[arn])["TargetGroups"]
    assert group == {
        "TargetGroupArn": arn,
        "TargetGroupName": "web",
        "Protocol": "HTTP",
        "ProtocolVersion": "HTTP1",
        "Port": 80,
        "VpcId": "vpc-1",
        "TargetType": "ip",
        "IpAddressType": "ipv4",
        "LoadBalancerArns": [],
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "HealthCheckPath": "/",
        "Matcher": {"HttpCode": "200"},
    }


def test_a_grpc_group_is_checked_with_grpc_codes(elb: LoadBalancing) -> None:
    arn = elb.target_group(ProtocolVersion="GRPC")
    [group] = elb("DescribeTargetGroups", Names=["web"])["TargetGroups"]
    assert (group["Matcher"], group["HealthCheckPath"]) == ({"GrpcCode": "12"}, "/AWS.ALB/healthcheck")
    elb("ModifyTargetGroup", TargetGroupArn=arn, Matcher={"GrpcCode": "0-99"})
    assert elb.world.target_groups[arn].health_check.matcher == "0-99"


def test_the_reference_stacks_check_is_taken(elb: LoadBalancing) -> None:
    arn = elb.target_group(
        HealthCheckIntervalSeconds=300,
        HealthCheckTimeoutSeconds=120,
        HealthyThresholdCount=5,
        UnhealthyThresholdCount=10,
        Matcher={"HttpCode": "200-299,301"},
        HealthCheckEnabled=True,
    )
    check = elb.world.target_groups[arn].health_check
    assert (check.interval_seconds, check.timeout_seconds, check.matcher) == (300, 120, "200-299,301")


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (
            {"HealthCheckTimeoutSeconds": 20, "HealthCheckIntervalSeconds": 10},
            "Health check timeout '20' must be smaller than the interval '10'",
        ),
        ({"HealthCheckIntervalSeconds": 4}, "Health check interval '4' must be between '5' and '300'"),
        ({"HealthyThresholdCount": 11}, "Healthy threshold count '11'"),
        ({"Matcher": {"HttpCode": "500"}}, "must be within '200-499' inclusive"),
        ({"Matcher": {"HttpCode": "ok"}}, "Health check matcher 'ok'"),
        ({"HealthCheckPort": "http"}, "Health check port 'http'"),
        ({"HealthCheckPath": "health"}, "Health check path 'health' must begin with '/'"),
        ({"HealthCheckProtocol": "TCP"}, "Health check protocol 'TCP'"),
        ({"HealthCheckEnabled": False}, "Health check enabled must be true"),
        ({"VpcId": "vpc-x"}, "The VPC ID 'vpc-x' is not found"),
        ({"Port": 65536}, "Port '65536'"),
        ({"Name": "a b"}, "alphanumeric"),
        ({"ProtocolVersion": "HTTP3"}, "Protocol version 'HTTP3'"),
    ],
)
def test_what_is_refused(elb: LoadBalancing, members: dict[str, Any], text: str) -> None:
    request = {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip", **members}
    error = elb.refused("CreateTargetGroup", request)
    assert (error.code, text in error.message) == ("ValidationError", True), error.message


@pytest.mark.parametrize("members", [{"Protocol": "TCP"}, {"TargetType": "lambda"}, {"TargetType": "alb"}])
def test_what_tsubo_does_not_run_says_so(elb: LoadBalancing, members: dict[str, Any]) -> None:
    request = {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip", **members}
    error = elb.refused("CreateTargetGroup", request)
    assert (error.code, "not supported by Tsubo" in error.message) == ("InvalidConfigurationRequest", True)


@pytest.mark.parametrize("missing", ["Protocol", "Port", "VpcId"])
def test_what_must_be_specified(elb: LoadBalancing, missing: str) -> None:
    request = {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"}
    del request[missing]
    assert elb.refused("CreateTargetGroup", request).code == "ValidationError"


def test_the_same_name(elb: LoadBalancing) -> None:
    arn = elb.target_group()
    assert elb.target_group() == arn
    request = {"Name": "web", "Protocol": "HTTP", "Port": 81, "VpcId": "vpc-1", "TargetType": "ip"}
    error = elb.refused("CreateTargetGroup", request)
    assert error.code == "DuplicateTargetGroupName"
    assert error.message == "A target group with the same name 'web' exists, but with different settings"


def test_modifying_changes_only_what_is_named(elb: LoadBalancing) -> None:
    arn = elb.target_group(HealthCheckPath="/old", HealthCheckIntervalSeconds=60)
    [group] = elb("ModifyTargetGroup", TargetGroupArn=arn, HealthCheckPath="/new")["TargetGroups"]
    assert (group["HealthCheckPath"], group["HealthCheckIntervalSeconds"]) == ("/new", 60)


def test_a_group_in_use_names_its_load_balancer_and_cannot_be_deleted(elb: LoadBalancing) -> None:
    load_balancer, group, other = elb.load_balancer()["LoadBalancerArn"], elb.target_group(), elb.target_group("other")
    listener = elb.listener(load_balancer, group)
    conditions = [{"Field": "host-header", "Values": ["a.example"]}]
    actions = [{"Type": "forward", "TargetGroupArn": other}]
    [rule] = elb("CreateRule", ListenerArn=listener, Priority=1, Conditions=conditions, Actions=actions)["Rules"]
    of_load_balancer = elb("DescribeTargetGroups", LoadBalancerArn=load_balancer)["TargetGroups"]
    assert [each["TargetGroupArn"] for each in of_load_balancer] == [other, group]
    assert all(each["LoadBalancerArns"] == [load_balancer] for each in of_load_balancer)
    for arn in (group, other):
        error = elb.refused("DeleteTargetGroup", TargetGroupArn=arn)
        assert error.code == "ResourceInUse"
        assert error.message == f"Target group '{arn}' is currently in use by a listener or a rule"
    elb("DeleteRule", RuleArn=rule["RuleArn"])
    elb("DeleteListener", ListenerArn=listener)
    elb("DeleteTargetGroup", TargetGroupArn=other)
    assert list(elb.world.target_groups) == [group]


def test_deleting_takes_targets_along_and_can_be_repeated(elb: LoadBalancing) -> None:
    arn = elb.target_group()
    elb("RegisterTargets", TargetGroupArn=arn, Targets=[{"Id": "10.0.1.5"}])
    elb("DeleteTargetGroup", TargetGroupArn=arn)
    elb("DeleteTargetGroup", TargetGroupArn=arn)
    assert (elb.world.target_groups, elb.world.targets) == ({}, {})


def test_asking_for_groups_that_are_not_there(elb: LoadBalancing) -> None:
    elb.target_group()
    assert elb.refused("DescribeTargetGroups", Names=["web", "x"]).code == "TargetGroupNotFound"
    assert elb.refused("DescribeTargetGroups", TargetGroupArns=["arn:x"]).code == "TargetGroupNotFound"
    both = elb.refused("DescribeTargetGroups", Names=["web"], LoadBalancerArn="arn:x")
    assert "cannot be specified at the same time" in both.message
