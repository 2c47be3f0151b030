"""`tsubo flows` on the reference system: who spoke with whom, who was denied, who calls an address that is gone.

Sources: aws/alb-vpc-terraform.md section 2.10; issue 4, the stale-DNS watch.
"""

import contextlib
import json
import os
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.engine_lab import EngineLab, wait_until
from tests.lab.reference_stack import BACKEND, BACKEND_NAME, CLUSTER, PROXY, SITE, ReferenceStack, task_id

pytestmark = pytest.mark.lab

LINE = re.compile(
    r"2 123456789012 (?P<interface>eni-\w+) (?P<source>[\d.]+) (?P<destination>[\d.]+) \d+ \d+ 6 \d+ \d+ \d+ \d+ "
    r"(?P<action>ACCEPT|REJECT) OK  (?P<names>.+)"
)
LEFT_AFTER_SECONDS = 1
"""The name's TTL while a test waits for it to run out."""


def label(service: str, task: Any) -> str:
    """Return a task's name beside the lines."""
    return f"{service}/{task_id(task)[:8]}"


def named(lab: EngineLab, *options: str) -> set[tuple[str, str, str]]:
    """Return interface, action and names of each line that `tsubo flows` prints."""
    lines = [match for line in lab.tsubo("flows", *options).splitlines() if (match := LINE.fullmatch(line))]
    return {(match["interface"], match["action"], match["names"]) for match in lines}


def denied_curl(stack: ReferenceStack) -> tuple[Any, Any]:
    """Have the backend call the proxy, whose group does not admit it; return both tasks."""
    backend, proxy = stack.settled_task(BACKEND), stack.settled_task(PROXY)
    reply = stack.lab.run("curl", "--from", "backend", "-s", "-m", "0.5", f"http://{stack.address(proxy)}/")
    assert reply.returncode == 28, reply.stderr
    return backend, proxy


def test_a_request_to_the_site_is_seen_on_its_whole_way(stack: ReferenceStack) -> None:
    assert stack.lab.curl(SITE).status == 200
    backend, proxy = stack.settled_task(BACKEND), stack.settled_task(PROXY)
    balancer, front, back = "load balancer ecs-navi-lb", label(PROXY, proxy), label(BACKEND, backend)
    lines = named(stack.lab)
    seen = {names for _, action, names in lines if action == "ACCEPT"}
    assert {f"internet -> {balancer}", f"{balancer} -> {front}", f"{front} -> {back}", f"{back} -> {front}"} <= seen
    for end in (proxy, backend):
        assert (stack.network_interface(end), "ACCEPT", f"{front} -> {back}") in lines


def test_what_was_denied_is_told_with_both_names_and_the_reason(stack: ReferenceStack) -> None:
    backend, proxy = denied_curl(stack)
    way = f"{label(BACKEND, backend)} -> {label(PROXY, proxy)}"
    reason = "dropped: no ingress rule of the receiver's security groups allows it"
    assert (stack.network_interface(proxy), "REJECT", f"{way}, {reason}") in named(stack.lab, "--denied")
    assert (stack.network_interface(backend), "ACCEPT", way) in named(stack.lab)
    assert {action for _, action, _ in named(stack.lab, "--denied")} == {"REJECT"}


def test_flows_are_followed_as_they_come(stack: ReferenceStack) -> None:
    following = stack.lab.spawn("flows", "-f", "--denied", "-n", "1")
    try:
        backend, proxy = denied_curl(stack)
        assert following.stdout is not None
        way = f"{label(BACKEND, backend)} -> {label(PROXY, proxy)}"
        wait_until(lambda: way in following.stdout.readline(), what="the denied packet's line")  # type: ignore[union-attr]
    finally:
        os.killpg(following.pid, signal.SIGINT)
        following.communicate(timeout=10)
    assert following.returncode == 0


def test_as_json_a_record_has_all_its_fields(stack: ReferenceStack) -> None:
    backend, proxy = denied_curl(stack)
    *_, last = map(json.loads, stack.lab.tsubo("flows", "--denied", "--json").splitlines())
    assert (last["source"], last["destination"]) == (stack.address(backend), stack.address(proxy))
    assert (last["destinationPort"], last["protocol"], last["action"], last["status"]) == (80, 6, "REJECT", "OK")
    assert last["line"].startswith("2 123456789012 ")


@contextlib.contextmanager
def short_ttl(stack: ReferenceStack) -> Iterator[None]:
    """Have the backend's name live for a second only, in the meantime."""
    client = stack.lab.client("servicediscovery")
    [service] = [s for s in client.list_services()["Services"] if s["Name"] == BACKEND_NAME.partition(".")[0]]

    def set_ttl(seconds: int) -> None:
        change = {"DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": seconds}]}}
        client.update_service(Id=service["Id"], Service=change)

    set_ttl(LEFT_AFTER_SECONDS)
    try:
        yield
    finally:
        set_ttl(service["DnsConfig"]["DnsRecords"][0]["TTL"])


def test_a_proxy_that_resolved_once_is_told_to_call_a_task_that_is_gone(stack: ReferenceStack) -> None:
    """nginx resolves a literal name in `proxy_pass` when it starts, and never again."""
    old, proxy = stack.settled_task(BACKEND), stack.settled_task(PROXY)
    assert stack.lab.curl(SITE).status == 200
    ecs = stack.lab.client("ecs")
    with short_ttl(stack):
        ecs.update_service(cluster=CLUSTER, service=BACKEND, forceNewDeployment=True)
        wait_until(lambda: _is_stopped(stack, old), what="the old backend's end")
        new = stack.settled_task(BACKEND)
        stale = wait_until(lambda: _stale_call(stack, old), what="the stale call")
        assert (stale["client"], stale["clientAddress"]) == (label(PROXY, proxy), stack.address(proxy))
        assert (stale["name"], stale["address"], stale["port"]) == (BACKEND_NAME, stack.address(old), 80)
        assert (stale["service"], stale["now"]) == (BACKEND, [stack.address(new)])
        assert stale["overdueSeconds"] > 0
        _show_that_it_is_told(stack, stale)
    _restart_proxy(stack, proxy)
    assert not _is_a_problem(stack, stale)
    stack.settle()


def _is_stopped(stack: ReferenceStack, task: Any) -> bool:
    described = stack.lab.client("ecs").describe_tasks(cluster=CLUSTER, tasks=[task["taskArn"]])["tasks"][0]
    return bool(described["lastStatus"] == "STOPPED")


def _stale_call(stack: ReferenceStack, old: Any) -> Any:
    """Ask the site, whose proxy calls the old address; return what Tsubo knows of it."""
    assert stack.lab.curl(SITE, seconds=1).exit_code == 28
    known = stack.lab.json("flows", "--stale")
    return next((stale for stale in known if stale["task"] == task_id(old)), None)


def _show_that_it_is_told(stack: ReferenceStack, stale: Any) -> None:
    """It is told where people look: `tsubo flows --stale` with the remedy, `tsubo status`, the flow log's lines."""
    printed = stack.lab.tsubo("flows", "--stale")
    assert stale["text"] in printed
    assert f"set $upstream {BACKEND_NAME}" in printed
    assert f"update-service --force-new-deployment --cluster {CLUSTER} --service {PROXY}" in printed
    assert _is_a_problem(stack, stale)
    lost = "(stopped), lost: nobody has that address, or no route leads there"
    assert any(names.endswith(lost) and names.startswith(stale["client"]) for _, _, names in named(stack.lab))


def _is_a_problem(stack: ReferenceStack, stale: Any) -> bool:
    return any(f"still calls {stale['address']}:80" in problem for problem in stack.lab.json("status")["problems"])


def _restart_proxy(stack: ReferenceStack, before: Any) -> None:
    stack.lab.client("ecs").update_service(cluster=CLUSTER, service=PROXY, forceNewDeployment=True)
    wait_until(lambda: stack.settled_task(PROXY)["taskArn"] != before["taskArn"], what="the new proxy")
    wait_until(lambda: _is_stopped(stack, before), what="the old proxy's end")


def test_a_flow_log_goes_to_cloudwatch_logs(stack: ReferenceStack) -> None:
    ec2, logs = stack.lab.client("ec2"), stack.lab.client("logs")
    vpc = stack.load_balancer()["VpcId"]
    [identifier] = ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[vpc],
        TrafficType="REJECT",
        LogGroupName="/vpc/rejected",
        DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flows",
        MaxAggregationInterval=60,
    )["FlowLogIds"]
    try:
        backend, proxy = denied_curl(stack)
        stack.lab.tsubo("flows")
        # A flows process that is told to end writes what its intervals hold, so nobody has to wait a minute.
        pid = _flows_pid(stack.lab)
        os.kill(pid, signal.SIGTERM)
        way = f" {stack.address(backend)} {stack.address(proxy)} "
        event = wait_until(lambda: _event_with(logs, way), what="the line in CloudWatch Logs")
        assert event["message"].endswith(" REJECT OK")
        assert event["logStreamName"] == f"{stack.network_interface(proxy)}-reject"
        assert event["timestamp"] == int(event["message"].split()[10]) * 1000
        wait_until(lambda: _flows_pid(stack.lab) not in (None, pid), what="another flows process")
    finally:
        ec2.delete_flow_logs(FlowLogIds=[identifier])
        logs.delete_log_group(logGroupName="/vpc/rejected")
    denied_curl(stack)
    assert any(action == "REJECT" for _, action, _ in named(stack.lab, "--denied"))


def _flows_pid(lab: EngineLab) -> Any:
    return json.loads((lab.home / "run" / "supervisor.json").read_text())["processes"]["flows"]


def _event_with(logs: Any, text: str) -> Any:
    with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
        events = logs.filter_log_events(logGroupName="/vpc/rejected")["events"]
        return next((event for event in events if text in event["message"]), None)
    return None
