"""Calls: what is retried, for how long, and what is said when it does not pass."""

import pytest

from tests.terraform.fakes import failing, fake_aws
from tsubo.terraform import calls
from tsubo.terraform.calls import CallError
from tsubo.terraform.retries import is_gone, retry_hint

NO_BALANCER = "The target group with targetGroupArn arn:x does not have an associated load balancer."


def test_parameters_that_are_none_are_left_out() -> None:
    aws, clients = fake_aws(create_vpc={})
    aws.call("ec2", "create_vpc", CidrBlock="10.0.0.0/16", InstanceTenancy=None)
    assert clients.calls == [("create_vpc", {"CidrBlock": "10.0.0.0/16"})]


def test_what_passes_is_waited_for() -> None:
    aws, clients = fake_aws(create_service=failing("InvalidParameterException", NO_BALANCER, times=2))
    assert aws.call("ecs", "create_service") == {}
    assert len(clients.calls) == 3


def test_what_does_not_pass_fails_with_its_cause_and_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "RETRY_SECONDS", 0.05)
    aws, clients = fake_aws(create_service=failing("InvalidParameterException", NO_BALANCER))
    with pytest.raises(CallError, match="does not have an associated load balancer") as failed:
        aws.call("ecs", "create_service")
    assert "depends_on" in failed.value.hint
    assert len(clients.calls) > 1


def test_a_removal_waits_longer_for_what_still_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "RETRY_SECONDS", -1.0)
    aws, clients = fake_aws(delete_subnet=failing("DependencyViolation", times=3))
    assert aws.call("ec2", "delete_subnet") == {}
    assert len(clients.calls) == 4


def test_an_error_of_the_configuration_is_not_retried() -> None:
    aws, clients = fake_aws(create_service=failing("InvalidParameterException", "TaskDefinition not found."))
    with pytest.raises(CallError, match="ecs create_service: InvalidParameterException: TaskDefinition not found"):
        aws.call("ecs", "create_service")
    assert len(clients.calls) == 1


def test_a_stopped_run_retries_no_more() -> None:
    aws, clients = fake_aws(delete_vpc=failing("DependencyViolation"))
    aws.stopping.set()
    with pytest.raises(CallError):
        aws.call("ec2", "delete_vpc")
    assert len(clients.calls) == 1


def test_what_is_gone_is_none_and_any_other_failure_is_told() -> None:
    aws, _clients = fake_aws(describe_vpcs=failing("InvalidVpcID.NotFound"), get_role=failing("AccessDenied"))
    assert aws.find("ec2", "describe_vpcs") is None
    with pytest.raises(CallError, match="AccessDenied"):
        aws.find("iam", "get_role")


def test_waiting_ends_with_what_was_found_or_says_what_did_not_come() -> None:
    aws, _clients = fake_aws()
    answers = iter([None, None, "active"])
    assert aws.wait("a balancer", lambda: next(answers)) == "active"
    with pytest.raises(CallError, match="in vain for a balancer") as failed:
        aws.wait("a balancer", lambda: None, seconds=0.01, hint="do this")
    assert failed.value.hint == "do this"
    aws.stopping.set()
    with pytest.raises(CallError, match="interrupted"):
        aws.wait("a balancer", lambda: None)


@pytest.mark.parametrize(
    ("operation", "code", "message"),
    [
        ("create_listener", "UnsupportedCertificate", "The certificate 'arn' must have a fully-qualified domain name"),
        ("create_load_balancer", "InvalidSubnet", "VPC vpc-1 has no internet gateway"),
        ("create_nat_gateway", "Gateway.NotAttached", "Network vpc-1 has no Internet gateway attached"),
        ("delete_security_group", "DependencyViolation", "resource sg-1 has a dependent object"),
        ("delete_target_group", "ResourceInUse", "is currently in use by a listener or a rule"),
        (
            "delete_cluster",
            "ClusterContainsServicesException",
            "Services are active.",
        ),
        ("release_address", "InvalidIPAddress.InUse", "in use"),
    ],
)
def test_the_failures_that_the_real_provider_retries(operation: str, code: str, message: str) -> None:
    assert retry_hint(operation, code, message)
    assert retry_hint("describe_" + operation, code, message) is None


def test_how_services_say_that_a_thing_is_gone() -> None:
    for code in ("InvalidGroup.NotFound", "NoSuchEntity", "NoSuchHostedZone", "ResourceNotFoundException"):
        assert is_gone(code, "")
    assert is_gone("ClientException", "Unable to describe task definition.")
    assert not is_gone("ClientException", "No Fargate configuration exists for given values.")
