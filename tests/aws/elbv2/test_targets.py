"""Targets and their health. Source: aws/alb-vpc-terraform.md sections 1.6 and 1.7."""

import dataclasses
from typing import Any

import pytest

from tests.aws.direct import NOW
from tests.aws.elbv2.conftest import LoadBalancing


def health(elb: LoadBalancing, group: str, **members: Any) -> list[Any]:
    descriptions: list[Any] = elb("DescribeTargetHealth", TargetGroupArn=group, **members)["TargetHealthDescriptions"]
    return descriptions


@pytest.fixture
def used(elb: LoadBalancing) -> str:
    """A target group that a listener forwards to."""
    group = elb.target_group()
    elb.listener(elb.load_balancer()["LoadBalancerArn"], group)
    return group


def test_a_registered_target_begins_initial(elb: LoadBalancing, used: str) -> None:
    elb("RegisterTargets", TargetGroupArn=used, Targets=[{"Id": "10.0.1.5", "Port": 8080}])
    [description] = health(elb, used)
    assert description["Target"] == {"Id": "10.0.1.5", "Port": 8080, "AvailabilityZone": "ap-northeast-1a"}
    assert description["HealthCheckPort"] == "8080"
    assert description["TargetHealth"] == {
        "State": "initial",
        "Reason": "Elb.RegistrationInProgress",
        "Description": "Target registration is in progress",
    }


def test_a_healthy_target_has_neither_reason_nor_description(elb: LoadBalancing, used: str) -> None:
    elb("RegisterTargets", TargetGroupArn=used, Targets=[{"Id": "10.0.1.5"}])
    [target] = elb.world.targets.values()
    elb.put(dataclasses.replace(target, state="healthy", reason=None, description=None))
    [description] = health(elb, used)
    assert description["TargetHealth"] == {"State": "healthy"}


def test_one_address_on_two_ports_is_two_targets(elb: LoadBalancing, used: str) -> None:
    targets = [{"Id": "10.0.1.5"}, {"Id": "10.0.1.5", "Port": 81}]
    elb("RegisterTargets", TargetGroupArn=used, Targets=targets)
    assert [each["Target"]["Port"] for each in health(elb, used)] == [80, 81]
    elb("DeregisterTargets", TargetGroupArn=used, Targets=[{"Id": "10.0.1.5", "Port": 81}])
    assert [each["TargetHealth"]["State"] for each in health(elb, used)] == ["initial", "draining"]


def test_registering_again_changes_nothing(elb: LoadBalancing, used: str) -> None:
    elb("RegisterTargets", TargetGroupArn=used, Targets=[{"Id": "10.0.1.5"}])
    [target] = elb.world.targets.values()
    elb.put(dataclasses.replace(target, state="healthy"))
    elb("RegisterTargets", TargetGroupArn=used, Targets=[{"Id": "10.0.1.5"}])
    assert [each.state for each in elb.world.targets.values()] == ["healthy"]


def test_a_deregistered_target_drains_and_cannot_come_back_before_it_is_gone(elb: LoadBalancing, used: str) -> None:
    elb("RegisterTargets", TargetGroupArn=used, Targets=[{"Id": "10.0.1.5"}])
    elb("DeregisterTargets", TargetGroupArn=used, Targets=[{"Id": "10.0.1.5"}])
    [target] = elb.world.targets.values()
    assert target.draining_since == NOW
    assert health(elb, used)[0]["TargetHealth"] == {
        "State": "draining",
        "Reason": "Target.DeregistrationInProgress",
        "Description": "Target deregistration is in progress",
    }
    error = elb.refused("RegisterTargets", TargetGroupArn=used, Targets=[{"Id": "10.0.1.5"}])
    assert error.code == "InvalidTarget"
    elb.now += 10
    elb("DeregisterTargets", TargetGroupArn=used, Targets=[{"Id": "10.0.1.5"}])
    assert [each.draining_since for each in elb.world.targets.values()] == [NOW]


def test_targets_of_a_group_that_no_listener_uses(elb: LoadBalancing) -> None:
    group = elb.target_group(HealthCheckPort="9000")
    elb("RegisterTargets", TargetGroupArn=group, Targets=[{"Id": "10.0.1.5"}])
    [description] = health(elb, group)
    assert description["HealthCheckPort"] == "9000"
    assert description["TargetHealth"] == {
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": "Target group is not configured to receive traffic from the load balancer",
    }


def test_targets_that_were_asked_for_and_are_not_there(elb: LoadBalancing, used: str) -> None:
    elb("RegisterTargets", TargetGroupArn=used, Targets=[{"Id": "10.0.1.5"}])
    known, unknown = health(elb, used, Targets=[{"Id": "10.0.1.5"}, {"Id": "10.0.1.6", "Port": 1}])
    assert known["TargetHealth"]["State"] == "initial"
    assert unknown["Target"] == {"Id": "10.0.1.6", "Port": 1}
    assert unknown["TargetHealth"]["Reason"] == "Target.NotRegistered"


def test_addresses_outside_the_vpc_need_all_zones(elb: LoadBalancing, used: str) -> None:
    refused = elb.refused("RegisterTargets", TargetGroupArn=used, Targets=[{"Id": "192.168.0.1"}])
    assert "must be 'all'" in refused.message
    elb("RegisterTargets", TargetGroupArn=used, Targets=[{"Id": "192.168.0.1", "AvailabilityZone": "all"}])
    assert health(elb, used)[0]["Target"]["AvailabilityZone"] == "all"


@pytest.mark.parametrize("address", ["8.8.8.8", "web.example", "fd00::1", "10.0.1.5/32"])
def test_addresses_that_are_refused(elb: LoadBalancing, used: str, address: str) -> None:
    targets = [{"Id": address, "AvailabilityZone": "all"}]
    error = elb.refused("RegisterTargets", TargetGroupArn=used, Targets=targets)
    assert (error.code, f"'{address}'" in error.message) == ("ValidationError", True)


def test_instances_there_are_none_of(elb: LoadBalancing) -> None:
    group = elb.target_group(TargetType="instance")
    assert elb.refused("RegisterTargets", TargetGroupArn=group, Targets=[{"Id": "i-1"}]).code == "InvalidTarget"


def test_a_group_that_is_not_there(elb: LoadBalancing) -> None:
    for operation in ("RegisterTargets", "DeregisterTargets", "DescribeTargetHealth"):
        error = elb.refused(operation, TargetGroupArn="arn:x", Targets=[{"Id": "10.0.1.5"}])
        assert error.code == "TargetGroupNotFound"
