"""What happens when a rule is taken away, a container or a process dies: the bad news is AWS's, and it passes.

Sources: aws/ecs-cloudmap-exec.md sections 4 and 7, aws/alb-vpc-terraform.md sections 1.6 and 1.9.
"""

import json
import os
import signal
import subprocess
from typing import Any

import pytest

from tests.lab.engine_lab import EngineLab, wait_until
from tests.lab.reference_stack import (
    BACKEND,
    BACKEND_GROUP,
    BACKEND_NAME,
    CLUSTER,
    PROXY,
    PROXY_GROUP,
    SITE,
    ReferenceStack,
    task_id,
)
from tests.lab.traffic import traffic
from tsubo.drivers.processes import processes_of
from tsubo.engine.supervisor import MODULES

pytestmark = pytest.mark.lab

PROXY_TIMEOUT_SECONDS = 60
"""nginx's proxy_connect_timeout, and the load balancer's idle timeout: which of the two says 504 first is a race."""


def test_without_the_proxys_group_in_the_backends_ingress_the_proxy_ends_in_504_and_api_goes_on(
    stack: ReferenceStack,
) -> None:
    ec2 = stack.lab.client("ec2")
    rule = {
        "GroupId": stack.group_id(BACKEND_GROUP),
        "IpPermissions": stack.allow(BACKEND_GROUP, 80, PROXY_GROUP),
    }
    ec2.revoke_security_group_ingress(**rule)
    try:
        with traffic(stack) as asking:
            reply = stack.lab.curl(SITE, seconds=PROXY_TIMEOUT_SECONDS + 20)
        assert reply.status == 504
        assert PROXY_TIMEOUT_SECONDS - 1 < reply.seconds < PROXY_TIMEOUT_SECONDS + 5
        assert "504 Gateway Time-out" in reply.body
        assert asking.answered > 0
        assert asking.failures == []
    finally:
        ec2.authorize_security_group_ingress(**rule)
    wait_until(lambda: stack.status_of("ecs-navi.site") == 200)
    assert stack.status_of("api.ecs-navi.site") == 200


def test_a_container_killed_behind_the_engines_back_stops_its_task_and_another_takes_its_place(
    stack: ReferenceStack,
) -> None:
    killed = stack.settled_task(BACKEND)
    _kill_container(stack, killed, "nginx")
    stopped = wait_until(lambda: _if_stopped(stack, killed), what="the task's end")
    assert stopped["stopCode"] == "EssentialContainerExited"
    assert stopped["stoppedReason"] == "Essential container in task exited"
    assert {c["name"]: c["exitCode"] for c in stopped["containers"]} == {"nginx": 137, "api": 0}
    replacement = stack.settled_task(BACKEND)
    assert replacement["taskArn"] != killed["taskArn"]
    wait_until(lambda: stack.status_of("api.ecs-navi.site") == 200, what="api. answers again")
    assert list(stack.records().values()) == [stack.address(replacement)]
    _show_that_the_proxy_calls_the_dead_address(stack, stack.address(killed), stack.address(replacement))


def _show_that_the_proxy_calls_the_dead_address(stack: ReferenceStack, dead: str, alive: str) -> None:
    """nginx resolves a literal `proxy_pass` name once. As on AWS it calls the old address, which nobody has, until it
    is started anew; the load balancer gives up at its idle timeout, shortened here by its own attribute."""
    assert alive != dead
    proxy = stack.settled_task(PROXY)
    wait_until(lambda: stack.resolve(proxy) == {alive}, what="the new address inside the proxy")
    _set_idle_timeout(stack, 2)
    try:
        reply = wait_until(lambda: (r := stack.lab.curl(SITE)).status == 504 and r)
        assert (reply.status, reply.headers["server"]) == (504, "awselb/2.0")
    finally:
        _set_idle_timeout(stack, 60)
    stack.lab.client("ecs").update_service(cluster=CLUSTER, service=PROXY, forceNewDeployment=True)
    wait_until(lambda: stack.settled_task(PROXY)["taskArn"] != proxy["taskArn"])
    wait_until(lambda: stack.status_of("ecs-navi.site") == 200, what="the new proxy's answer")


def _set_idle_timeout(stack: ReferenceStack, seconds: int) -> None:
    stack.lab.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=stack.load_balancer()["LoadBalancerArn"],
        Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": str(seconds)}],
    )


def test_a_task_whose_namespace_holder_dies_is_replaced(stack: ReferenceStack) -> None:
    killed = stack.settled_task(BACKEND)
    _kill_container(stack, killed, "pause.")
    stopped = wait_until(lambda: _if_stopped(stack, killed), what="the task's end")
    assert stopped["desiredStatus"] == "STOPPED"
    assert stack.settled_task(BACKEND)["taskArn"] != killed["taskArn"]
    _restart_proxy(stack)


def test_a_task_stopped_in_order_leaves_names_and_load_balancer_before_its_containers_end(
    stack: ReferenceStack,
) -> None:
    task = stack.settled_task(BACKEND)
    proxy = stack.settled_task(PROXY)
    stack.lab.client("ecs").stop_task(cluster=CLUSTER, task=task["taskArn"], reason="by hand")
    seen: list[tuple[bool, bool, bool]] = []

    def stopped() -> bool:
        # The container is looked at first: what is seen of names and targets after it is younger.
        runs = _runs(stack.container(task, "nginx"))
        in_names = stack.address(task) in stack.resolve(proxy)
        in_targets = stack.target_states("ecs-navi-backend-tg").get(stack.address(task)) == "healthy"
        seen.append((runs, in_names, in_targets))
        return not runs

    wait_until(stopped, what="the container's end")
    assert not any(not runs and (in_names or in_targets) for runs, in_names, in_targets in seen)
    last = wait_until(lambda: _if_stopped(stack, task))
    assert (last["stopCode"], last["stoppedReason"]) == ("UserInitiated", "by hand")
    # It was asked to end and did: the exit codes are the programs' own.
    assert {c["name"]: c["exitCode"] for c in last["containers"]} == {"nginx": 0, "api": 0}
    assert stack.settled_task(BACKEND)["taskArn"] != task["taskArn"]
    _restart_proxy(stack)


def test_no_request_fails_while_a_service_grows_and_shrinks(stack: ReferenceStack) -> None:
    with traffic(stack) as asking:
        stack.lab.tsubo("scale", "backend", "3")
        wait_until(lambda: len(stack.resolve(stack.settled_task(PROXY))) == 3)
        stack.lab.tsubo("scale", "backend", "1")
        remaining = stack.settled_task(BACKEND)
        wait_until(lambda: len(stack.tasks(BACKEND, "STOPPED")) >= 2)
    assert asking.failures == []
    assert asking.answered > 20
    assert list(stack.records()) == [task_id(remaining)]
    _restart_proxy(stack)


def test_no_request_and_no_name_fails_while_the_controller_is_killed_and_comes_back(stack: ReferenceStack) -> None:
    before = stack.lab.json("ps")
    proxy = stack.settled_task(PROXY)
    pid = stack.lab.json("status")["controller"]["pid"]
    with traffic(stack) as asking:
        os.kill(pid, signal.SIGKILL)
        assert len(stack.resolve(proxy)) == 1
        status = wait_until(lambda: _status_with_another_controller(stack.lab, pid), what="another controller")
        assert stack.lab.json("ps") == before
    assert asking.failures == []
    assert status["problems"] == []
    # It takes over: what dies now is seen and replaced.
    _replace_backend(stack)
    _restart_proxy(stack)


def test_what_was_answered_is_there_after_the_death_of_every_process(stack: ReferenceStack) -> None:
    ec2, logs = stack.lab.client("ec2"), stack.lab.client("logs")
    vpc = stack.load_balancer()["VpcId"]
    names = {f"answered-{number}" for number in range(10)}
    try:
        for name in sorted(names):
            # One service is Tsubo's own, the other moto's.
            ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
            logs.create_log_group(logGroupName=name)
        for pid in processes_of(stack.lab.id):
            os.kill(pid, signal.SIGKILL)
        stack.lab.start()
        groups = ec2.describe_security_groups()["SecurityGroups"]
        assert {group["GroupName"] for group in groups} >= names
        found = logs.describe_log_groups(logGroupNamePrefix="answered-")["logGroups"]
        assert {group["logGroupName"] for group in found} == names
    finally:
        for name in names:
            ec2.delete_security_group(GroupId=stack.group_id(name))
            logs.delete_log_group(logGroupName=name)
    stack.settle()


@pytest.mark.parametrize("process", ["resolver", "relay", "health", "load balancer"])
def test_a_killed_process_of_the_data_plane_is_started_again_and_serves(stack: ReferenceStack, process: str) -> None:
    pids = _processes(stack.lab)
    (name,) = (pids.keys() - MODULES.keys()) if process == "load balancer" else {process}
    os.kill(pids[name], signal.SIGKILL)
    wait_until(lambda: _processes(stack.lab).get(name) not in (None, pids[name]), what=f"another {process}")
    wait_until(lambda: stack.status_of("api.ecs-navi.site") == 200, what="an answer")
    wait_until(lambda: _resolves(stack), what="a name's answer")
    assert set(stack.target_states("ecs-navi-backend-tg").values()) == {"healthy"}


def test_after_the_death_of_supervisor_and_controller_start_takes_the_tasks_over(stack: ReferenceStack) -> None:
    before = stack.lab.json("ps")
    status = stack.lab.json("status")
    for pid in (status["supervisor"]["pid"], status["controller"]["pid"]):
        os.kill(pid, signal.SIGKILL)
    refused = stack.lab.run("ps")
    assert refused.returncode == 6
    assert "tsubo start" in refused.stderr
    stack.lab.start()
    assert stack.lab.json("ps") == before
    wait_until(lambda: stack.status_of("api.ecs-navi.site") == 200)
    _replace_backend(stack)
    _restart_proxy(stack)


# What the tests do


def _kill_container(stack: ReferenceStack, task: Any, name: str) -> None:
    subprocess.run(["docker", "kill", stack.container(task, name)], check=True, capture_output=True)


def _if_stopped(stack: ReferenceStack, task: Any) -> Any:
    described = stack.lab.client("ecs").describe_tasks(cluster=CLUSTER, tasks=[task["taskArn"]])["tasks"][0]
    return described if described["lastStatus"] == "STOPPED" else None


def _runs(container: str) -> bool:
    command = ["docker", "inspect", "-f", "{{.State.Running}}", container]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() == "true"


def _replace_backend(stack: ReferenceStack) -> None:
    """Kill the backend's container, and wait for the task that takes its place."""
    killed = stack.settled_task(BACKEND)
    _kill_container(stack, killed, "nginx")
    wait_until(lambda: _if_stopped(stack, killed), what="the killed task's end")
    assert stack.settled_task(BACKEND)["taskArn"] != killed["taskArn"]


def _restart_proxy(stack: ReferenceStack) -> None:
    """Start the proxy anew, so that it resolves the backend's name again."""
    before = stack.settled_task(PROXY)["taskArn"]
    stack.lab.client("ecs").update_service(cluster=CLUSTER, service=PROXY, forceNewDeployment=True)
    wait_until(lambda: stack.settled_task(PROXY)["taskArn"] != before, what="another proxy")


def _status_with_another_controller(lab: EngineLab, pid: int) -> Any:
    done = lab.run("status", "--json")
    status = json.loads(done.stdout)
    return status if done.returncode == 0 and status["controller"]["pid"] != pid else None


def _processes(lab: EngineLab) -> dict[str, int]:
    """Return the supervisor's children: process id by name."""
    found: dict[str, int] = json.loads((lab.home / "run" / "supervisor.json").read_text())["processes"]
    return found


def _resolves(stack: ReferenceStack) -> bool:
    try:
        return len(stack.resolve(stack.settled_task(PROXY), BACKEND_NAME)) == 1
    except OSError:
        return False
