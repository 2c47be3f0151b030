"""`tsubo why` on the running reference system: what it names is what decides, and packets prove each verdict."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.engine_lab import PROJECT, wait_until
from tests.lab.reference_stack import (
    API,
    BACKEND,
    BACKEND_GROUP,
    BACKEND_NAME,
    BALANCER_GROUP,
    PROXY,
    PROXY_GROUP,
    ReferenceStack,
)

pytestmark = pytest.mark.lab


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and lines are found from the user's directory."""
    monkeypatch.chdir(PROJECT)


def why(stack: ReferenceStack, start: str, to: str) -> Any:
    """Return what `tsubo why FROM TO --probe --json` prints; its exit code must be the verdict's."""
    done = stack.lab.run("why", start, to, "--probe", "--json")
    assert done.returncode in (0, 1), f"{done.stdout}\n{done.stderr}"
    found = json.loads(done.stdout)
    assert found["allowed"] == (done.returncode == 0)
    assert found["probe"]["agrees"], found["probe"]
    return found


def steps(found: Any) -> list[str]:
    return [hop["step"] for hop in found["hops"] if hop["verdict"] != "note"]


def test_the_proxy_reaches_the_backend_and_each_hop_says_why(stack: ReferenceStack) -> None:
    found = why(stack, "proxy-nginx", "backend")
    (task,) = stack.tasks(BACKEND)
    assert (found["allowed"], found["address"]) == (True, stack.address(task))
    sources = {hop["step"]: hop["source"] for hop in found["hops"] if hop["source"]}
    assert sources["dns"]["address"] == "aws_service_discovery_service.backend"
    ingress = sources["security group ingress"]
    assert (ingress["address"], ingress["file"]) == ("aws_security_group.backend", "security_groups.tf")
    line = (PROJECT / "examples" / "ecs-navi" / ingress["file"]).read_text().splitlines()[ingress["line"] - 1]
    assert line == 'resource "aws_security_group" "backend" {'


def test_a_revoked_rule_is_named_and_what_is_proposed_allows_it_again(stack: ReferenceStack) -> None:
    ec2, group = stack.lab.client("ec2"), stack.group_id(BACKEND_GROUP)
    permissions = stack.allow(BACKEND_GROUP, 80, PROXY_GROUP)
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=permissions)
    try:
        found = wait_until(lambda: (f := why_denied(stack)) and f, what="the denial")
        denied = found["hops"][-1]
        assert (denied["step"], denied["ids"]) == ("security group ingress", [group])
        assert found["probe"]["seen"] == "timeout"
        assert "security_groups = [aws_security_group.proxy.id]" in found["remedy"]["terraform"]
        assert "aws_security_group.backend (security_groups.tf:" in found["remedy"]["text"]
    finally:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    wait_until(lambda: stack.lab.run("why", "proxy-nginx", "backend").returncode == 0, what="the way back")


def why_denied(stack: ReferenceStack) -> Any:
    """Ask once the change has reached the network too: the store knows it a moment earlier."""
    found = json.loads(stack.lab.run("why", "proxy-nginx", "backend", "--probe", "--json").stdout)
    return found if not found["allowed"] and found["probe"]["agrees"] else None


def test_the_site_from_the_internet_goes_on_to_the_container(stack: ReferenceStack) -> None:
    found = why(stack, "internet", API)
    assert found["probe"]["seen"] == "answered with status 200"
    walked = steps(found)
    order = ["dns", "internet gateway", "listener", "rule", "target group", "target", "route", "container port"]
    positions = [walked.index(step) for step in order]
    assert positions == sorted(positions)
    rule = next(hop for hop in found["hops"] if hop["step"] == "rule")
    assert rule["source"]["address"] == "aws_lb_listener_rule.backend"


def test_a_task_reaches_the_site_by_nat_and_internet_gateway(stack: ReferenceStack) -> None:
    found = why(stack, "backend", "https://ecs-navi.site/")
    assert found["allowed"]
    assert [s for s in steps(found) if s in ("nat gateway", "route")][1:3] == ["nat gateway", "route"]


def test_a_host_without_a_rule_gets_the_default_answer(stack: ReferenceStack) -> None:
    name = stack.load_balancer()["DNSName"]
    found = why(stack, "internet", f"https://{name}/")
    assert (found["ending"]["status"], found["probe"]["seen"]) == (404, "status 404")
    assert any(hop["step"] == "certificate" for hop in found["hops"])


@pytest.mark.parametrize(
    ("start", "to", "step", "symptom"),
    [
        ("internet", "http://api.ecs-navi.site/", "security group ingress", "timeout"),
        ("internet", "backend", "dns", "unresolved"),
        ("proxy-nginx", "nobody.ecs-navi.local", "dns", "unresolved"),
        ("proxy-nginx", f"{BACKEND_NAME}:81", "security group ingress", "timeout"),
        ("backend", "proxy-nginx", "security group ingress", "timeout"),
        ("backend", "198.51.100.9:80", "internet", "refused"),
        ("backend", "8.8.8.8:53", "internet", "timeout"),
        ("proxy-nginx", "10.0.10.250", "address", "timeout"),
    ],
)
def test_denials(stack: ReferenceStack, start: str, to: str, step: str, symptom: str) -> None:
    to = f"{to}:80" if to == "10.0.10.250" else to
    found = why(stack, start, to)
    assert (found["hops"][-1]["step"], found["ending"]["symptom"]) == (step, symptom)


def test_a_port_on_which_nothing_listens_is_refused(stack: ReferenceStack) -> None:
    ec2, group = stack.lab.client("ec2"), stack.group_id(BACKEND_GROUP)
    permissions = stack.allow(BACKEND_GROUP, 81, PROXY_GROUP)
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    try:
        found = wait_until(
            lambda: (
                (f := json.loads(stack.lab.run("why", PROXY, f"{BACKEND_NAME}:81", "--probe", "--json").stdout))
                and f["probe"]["agrees"]
                and f
            )
        )
        assert (found["hops"][-1]["step"], found["probe"]["seen"]) == ("container port", "refused")
        assert "listening are 80" in found["hops"][-1]["text"]
    finally:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=permissions)


@contextlib.contextmanager
def own_rule(stack: ReferenceStack, path: str) -> Iterator[str]:
    """A rule for a path, and a target group with the backend in it, to which no connection is open; its ARN."""
    elb = stack.lab.client("elbv2")
    (task,) = stack.tasks(BACKEND)
    vpc = stack.load_balancer()["VpcId"]
    made = elb.create_target_group(Name="why-tg", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    group = made["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    conditions = [{"Field": "path-pattern", "Values": [path]}]
    rule = elb.create_rule(ListenerArn=stack.listener_arn(), Priority=50, Conditions=conditions, Actions=forward)
    try:
        elb.register_targets(TargetGroupArn=group, Targets=[{"Id": stack.address(task), "Port": 80}])
        wait_until(lambda: set(stack.target_states("why-tg").values()) == {"healthy"}, what="a healthy target")
        yield group
    finally:
        elb.delete_rule(RuleArn=rule["Rules"][0]["RuleArn"])
        elb.delete_target_group(TargetGroupArn=group)


def test_behind_the_load_balancer_a_revoked_rule_is_504(stack: ReferenceStack) -> None:
    """A load balancer's open connections would live on (aws/alb-vpc-terraform.md section 2.2)."""
    ec2, group = stack.lab.client("ec2"), stack.group_id(BACKEND_GROUP)
    permissions = stack.allow(BACKEND_GROUP, 80, BALANCER_GROUP)
    with own_rule(stack, "/why/*") as target_group:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=permissions)
        try:
            found = why(stack, "internet", f"{API}why/x")
        finally:
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    assert (found["ending"]["status"], found["probe"]["seen"]) == (504, "status 504")
    assert found["hops"][-1]["ids"] == [group]
    assert any(target_group in hop["ids"] for hop in found["hops"])


def test_the_address_of_a_stopped_task_is_told_from_one_that_nobody_had(stack: ReferenceStack) -> None:
    ecs = stack.lab.client("ecs")
    (old,) = stack.tasks(BACKEND)
    ecs.stop_task(cluster=old["clusterArn"], task=old["taskArn"])
    new = wait_until(
        lambda: [t for t in stack.running_tasks(BACKEND) if t["taskArn"] != old["taskArn"]], what="another task"
    )
    assert stack.address(new[0]) != stack.address(old)
    wait_until(lambda: old["taskArn"] in [t["taskArn"] for t in stack.tasks(BACKEND, "STOPPED")], what="the stop")
    found = wait_until(lambda: (f := why(stack, "proxy-nginx", f"{stack.address(old)}:80")) and f)
    assert found["hops"][-1]["step"] == "address"
    assert any(BACKEND in detail and "has stopped" in detail for detail in found["hops"][-1]["details"])
    # This nginx resolved the backend's name when it started, and would go on calling the address that is gone.
    (proxy,) = stack.tasks(PROXY)
    ecs.stop_task(cluster=proxy["clusterArn"], task=proxy["taskArn"])
    stack.settle()


def test_what_is_not_there_is_an_error_with_choices(stack: ReferenceStack) -> None:
    done = stack.lab.run("why", "nobody", "backend")
    assert done.returncode == 3
    assert BACKEND in done.stderr
    assert stack.lab.run("why", "backend", "ftp://x/").returncode == 2
    assert stack.lab.run("why", "backend", f"{BACKEND_NAME}:0").returncode == 2
