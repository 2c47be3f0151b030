"""Every command of the command line against the running example: what it prints, its JSON, its exit codes."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.engine_lab import EXAMPLE, PROGRAMS, EngineLab, engine_lab, free_port, wait_until
from tests.lab.packets import attempt
from tests.lab.reference_stack import API, BACKEND, BACKEND_NAME, PROXY, SITE, ReferenceStack, task_id
from tests.lab.traffic import traffic

pytestmark = pytest.mark.lab

USAGE, NOT_FOUND, FAILED, BUSY = 2, 3, 4, 6


# Looking


def test_status_says_who_runs_where(stack: ReferenceStack) -> None:
    status = stack.lab.json("status")
    assert status["endpoint"] == f"http://127.0.0.1:{stack.lab.port}"
    assert (status["services"], status["tasks"], status["problems"]) == (2, 2, [])
    for process in ("controller", "supervisor"):
        command = Path(f"/proc/{status[process]['pid']}/cmdline").read_bytes()
        assert f"tsubo.engine.{process}".encode() in command
    assert status["endpoint"] in stack.lab.tsubo("status")


def test_ps_lists_the_tasks_sorted_and_says_nothing_that_ages(stack: ReferenceStack) -> None:
    rows = stack.lab.json("ps")
    tasks = {service: stack.settled_task(service) for service in (BACKEND, PROXY)}
    expected = [
        {
            "taskArn": task["taskArn"],
            "service": service,
            "address": stack.address(task),
            "startedAt": pytest.approx(task["startedAt"].timestamp(), abs=0.001),
            "lastStatus": "RUNNING",
        }
        for service, task in tasks.items()
    ]
    assert rows == sorted(expected, key=lambda row: str(row["taskArn"]))
    time.sleep(1.1)  # a row with an age in seconds would differ by now
    assert stack.lab.json("ps") == rows
    shown = stack.lab.tsubo("ps").splitlines()
    assert shown[0].split() == ["TASK", "SERVICE", "ADDRESS", "LASTSTATUS", "STARTEDAT"]
    assert len(shown) == 3


def test_logs_shows_what_the_containers_wrote_and_follows(stack: ReferenceStack) -> None:
    first, second = f"first-{time.time_ns()}", f"second-{time.time_ns()}"
    stack.lab.curl(f"{API}?{first}")
    wait_until(lambda: first in stack.lab.tsubo("logs", "backend"), what="a line in the log")
    lines = [json.loads(line) for line in _documents(stack.lab.tsubo("logs", "backend", "--json"))]
    assert {"time", "stream", "message"} == set(lines[0])
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    task = stack.settled_task(BACKEND)
    assert {f"ecs/nginx/{task_id(task)}", f"ecs/api/{task_id(task)}"} <= {line["stream"] for line in lines}
    following = stack.lab.spawn("logs", "backend", "-f")
    assert following.stdout is not None
    for line in following.stdout:
        if first in line:
            stack.lab.curl(f"{API}?{second}")
        if second in line:
            break
    following.send_signal(signal.SIGINT)
    assert following.wait(10) == 0


def _documents(text: str) -> list[str]:
    """Return the JSON documents that follow each other in a text."""
    return re.findall(r"^\{.*?^\}", text, re.DOTALL | re.MULTILINE)


def test_verify_proves_the_stack_and_fails_with_what_is_broken(stack: ReferenceStack) -> None:
    done = stack.lab.json("verify")
    assert done["ok"]
    names = {check["name"] for check in done["checks"]}
    assert {
        f"service {BACKEND}",
        f"name {BACKEND_NAME}",
        "ecs-navi-lb:443 rule 100",
        "ecs-navi-lb:443 rule 200",
    } <= names
    assert {"ecs-navi-lb:443 default", "log group /ecs/nginx", "log group /ecs/api"} <= names
    assert all(line.startswith("ok ") for line in stack.lab.tsubo("verify").splitlines())
    elb = stack.lab.client("elbv2")
    made = elb.create_target_group(
        Name="lab-empty", Protocol="HTTP", Port=80, VpcId=stack.load_balancer()["VpcId"], TargetType="ip"
    )
    group = made["TargetGroups"][0]["TargetGroupArn"]
    conditions = [{"Field": "host-header", "Values": ["empty.ecs-navi.site"]}]
    actions = [{"Type": "forward", "TargetGroupArn": group}]
    listener = stack.listener_arn()
    rule = elb.create_rule(ListenerArn=listener, Priority=400, Conditions=conditions, Actions=actions)
    try:
        broken = stack.lab.run("verify")
        assert broken.returncode == FAILED
        assert [line for line in broken.stdout.splitlines() if line.startswith("FAILED")]
        assert "rule 400" in broken.stderr
        as_json = stack.lab.run("verify", "--json")
        assert (as_json.returncode, json.loads(as_json.stdout)["ok"]) == (FAILED, False)
    finally:
        elb.delete_rule(RuleArn=rule["Rules"][0]["RuleArn"])
        elb.delete_target_group(TargetGroupArn=group)


# Services by their names


@pytest.mark.parametrize("name", [BACKEND, "backend", BACKEND_NAME, "aws_ecs_service.backend"])
def test_a_service_goes_by_its_ecs_name_its_cloud_map_name_and_its_terraform_address(
    stack: ReferenceStack, name: str
) -> None:
    result = stack.lab.json("scale", name, "1")
    assert (result["service"], result["desired_count"], len(result["tasks"])) == (BACKEND, 1, 1)


def test_an_unknown_service_is_an_error_that_lists_those_there_are(stack: ReferenceStack) -> None:
    for arguments in (("scale", "frontend", "1"), ("logs", "frontend"), ("exec", "frontend", "--", "true")):
        done = stack.lab.run(*arguments)
        assert done.returncode == NOT_FOUND
        assert "There is no service frontend" in done.stderr
        assert BACKEND in done.stderr
        assert PROXY in done.stderr


@pytest.fixture
def namesake(stack: ReferenceStack) -> Iterator[str]:
    """A service in another cluster with the backend's name; its ARN."""
    ecs = stack.lab.client("ecs")
    backend = stack.service(BACKEND)
    ecs.create_cluster(clusterName="lab-other")
    made = ecs.create_service(
        cluster="lab-other",
        serviceName=BACKEND,
        taskDefinition=backend["taskDefinition"],
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration=backend["networkConfiguration"],
    )
    yield made["service"]["serviceArn"]
    ecs.delete_service(cluster="lab-other", service=BACKEND, force=True)
    wait_until(
        lambda: ecs.describe_services(cluster="lab-other", services=[BACKEND])["services"][0]["status"] == "INACTIVE"
    )
    ecs.delete_cluster(cluster="lab-other")


def test_an_ambiguous_service_is_an_error_that_lists_the_choices(stack: ReferenceStack, namesake: str) -> None:
    done = stack.lab.run("scale", BACKEND, "1")
    assert done.returncode == NOT_FOUND
    assert f"{BACKEND} means more than one service" in done.stderr
    assert namesake in done.stderr
    assert stack.service(BACKEND)["serviceArn"] in done.stderr
    assert stack.lab.json("scale", namesake, "0")["tasks"] == []
    assert stack.lab.json("scale", "backend", "1")["service"] == BACKEND


def test_scale_without_waiting_returns_before_the_task_runs(stack: ReferenceStack) -> None:
    result = stack.lab.json("scale", "proxy-nginx", "2", "--no-wait")
    assert stack.service(PROXY)["desiredCount"] == 2
    assert [task["lastStatus"] for task in result["tasks"]].count("RUNNING") <= 1
    wait_until(lambda: len(stack.running_tasks(PROXY)) == 2)
    shown = stack.lab.tsubo("scale", "proxy-nginx", "1")
    assert "has stopped 1 running tasks" in shown
    assert stack.service(PROXY)["runningCount"] == 1


@pytest.mark.parametrize("count", ["-1", "many"])
def test_a_count_that_is_none_is_wrong_use(stack: ReferenceStack, count: str) -> None:
    assert stack.lab.run("scale", "backend", "--", count).returncode == USAGE
    assert stack.service(BACKEND)["desiredCount"] == 1


# dig and curl


def test_dig_answers_as_a_task_or_the_internet_sees_a_name(stack: ReferenceStack) -> None:
    address = stack.address(stack.settled_task(BACKEND))
    for source in ("proxy-nginx", task_id(stack.settled_task(PROXY)), stack.settled_task(PROXY)["taskArn"]):
        assert stack.lab.tsubo("dig", BACKEND_NAME, "--from", source, "--short") == f"{address}\n"
    found = stack.lab.json("dig", BACKEND_NAME, "--from", "proxy-nginx")
    assert found["status"] == "NOERROR"
    assert [(r["type"], r["ttl"], r["value"]) for r in found["records"]] == [("A", 60, address)]
    # A private name is not there for the internet.
    assert stack.lab.json("dig", BACKEND_NAME) == {"status": "NXDOMAIN", "records": []}
    soa = stack.lab.tsubo("dig", "ecs-navi.site", "SOA")
    assert "SOA\tns-" in soa
    assert "authority: ecs-navi.site" in stack.lab.tsubo("dig", "nobody.ecs-navi.site")


def test_curl_passes_its_options_and_its_exit_code_on(stack: ReferenceStack) -> None:
    assert stack.lab.tsubo("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", API) == "200"
    unknown = stack.lab.run("curl", "-sf", "-H", "Host: unknown.example", API)
    assert unknown.returncode == 22
    inside = stack.lab.run("curl", "-s", f"http://{BACKEND_NAME}/", "--from", "proxy-nginx")
    assert (inside.returncode, "phpinfo()" in inside.stdout) == (0, True)


def test_curl_says_what_is_wrong_with_a_url(stack: ReferenceStack) -> None:
    assert stack.lab.run("curl", "-s").returncode == USAGE
    unknown = stack.lab.run("curl", "https://nobody.ecs-navi.site/")
    assert (unknown.returncode, "nobody.ecs-navi.site does not resolve" in unknown.stderr) == (FAILED, True)
    closed = stack.lab.run("curl", "http://api.ecs-navi.site/")
    assert (closed.returncode, "nothing listens on port 80" in closed.stderr) == (FAILED, True)


# exec


def test_exec_runs_in_the_container_and_passes_the_exit_code_on(stack: ReferenceStack) -> None:
    assert stack.lab.run("exec", "backend", "--", "sh", "-c", "exit 7").returncode == 7
    assert stack.lab.tsubo("exec", "backend", "-c", "api", "--", "php", "-r", "echo 6*7;") == "42"
    task = stack.settled_task(PROXY)
    assert stack.lab.tsubo("exec", task_id(task), "--", "hostname").startswith("ip-10-0-1")
    wrong = stack.lab.run("exec", "backend", "-c", "sidecar", "--", "true")
    assert (wrong.returncode, "it has nginx, api" in wrong.stderr) == (USAGE, True)
    assert stack.lab.run("exec", "backend").returncode == USAGE


# The engine


def test_env_makes_aws_clients_talk_to_the_engine(stack: ReferenceStack) -> None:
    script = f'eval "$({" ".join(stack.lab.command)} env)" && aws sts get-caller-identity --query Account --output text'
    environment = stack.lab.environment() | {"AWS_PROFILE": "of-the-user", "AWS_SESSION_TOKEN": "of-the-user"}
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert (done.stdout, done.returncode) == ("123456789012\n", 0), done.stderr
    found = stack.lab.aws(
        "servicediscovery", "discover-instances", "--namespace-name", "ecs-navi.local", "--service-name", "backend"
    )
    assert len(found["Instances"]) == 1


def test_ca_prints_where_the_certificate_is(stack: ReferenceStack) -> None:
    path = stack.lab.tsubo("ca").strip()
    assert stack.lab.json("ca") == {"certificate": path}
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-subject", "-in", path], capture_output=True, text=True, check=True
    )
    assert stack.lab.id in shown.stdout


def test_doctor_says_what_it_looked_at(stack: ReferenceStack) -> None:
    done = stack.lab.run("doctor", "--json")
    findings = json.loads(done.stdout)
    assert {"root", "nft", "container engine", "envoy", "terraform", "port 4566"} <= {f["name"] for f in findings}
    assert (done.returncode == 0) == all(finding["ok"] for finding in findings)


def test_up_again_after_no_edit_does_nothing(stack: ReferenceStack) -> None:
    tasks = stack.lab.json("ps")
    result = stack.lab.json("up", str(EXAMPLE))
    assert result["changes"] == {"added": 0, "changed": 0, "destroyed": 0}
    assert stack.lab.json("ps") == tasks
    assert result["urls"] == sorted([API, SITE])
    assert {row["name"]: row["answers"] for row in result["names"]}[BACKEND_NAME] == [
        stack.address(stack.settled_task(BACKEND))
    ]
    shown = stack.lab.tsubo("up", str(EXAMPLE))
    assert API in shown
    assert BACKEND_NAME in shown


def test_up_with_a_variable_changes_only_what_it_changes(stack: ReferenceStack, tmp_path: Path) -> None:
    proxy = stack.settled_task(PROXY)["taskArn"]
    grown = stack.lab.json("up", str(EXAMPLE), "--var", "backend_desired_count=2")
    assert grown["changes"] == {"added": 0, "changed": 1, "destroyed": 0}
    assert len(stack.running_tasks(BACKEND)) == 2
    variables = tmp_path / "one.tfvars"
    variables.write_text("backend_desired_count = 1\n")
    shrunk = stack.lab.json("up", str(EXAMPLE), "--var-file", str(variables), "--no-wait")
    assert shrunk["changes"] == {"added": 0, "changed": 1, "destroyed": 0}
    stack.settled_task(BACKEND)
    assert stack.settled_task(PROXY)["taskArn"] == proxy


def test_start_again_changes_nothing_and_another_port_is_refused_while_it_runs(stack: ReferenceStack) -> None:
    before = stack.lab.json("status")
    stack.lab.tsubo("start")
    refused = stack.lab.run("start", "--port", str(free_port()))
    assert refused.returncode == BUSY
    assert "tsubo stop" in refused.stderr
    after = stack.lab.json("status")
    assert (after["controller"]["pid"], after["endpoint"]) == (before["controller"]["pid"], before["endpoint"])


def test_stop_leaves_the_tasks_and_start_takes_them_over(stack: ReferenceStack) -> None:
    before = stack.lab.json("ps")
    proxy, backend = stack.settled_task(PROXY), stack.settled_task(BACKEND)
    assert stack.lab.json("stop") == {"stopped": True}
    assert stack.lab.json("stop") == {"stopped": False}
    # Tasks and network go on without any process of the engine.
    assert attempt(stack.namespace(proxy), stack.address(backend), 9000) == "timeout"
    assert attempt(stack.namespace(backend), "127.0.0.1", 9001) == "refused"
    stopped = stack.lab.run("status", "--json")
    assert (stopped.returncode, json.loads(stopped.stdout)["controller"]) == (BUSY, None)
    stack.lab.start()
    with traffic(stack) as asking:
        assert stack.lab.json("ps") == before
        wait_until(lambda: asking.answered > 10, what="requests after the start")
    assert asking.failures == []
    assert {stack.settled_task(service)["taskArn"] for service in (BACKEND, PROXY)} == {
        row["taskArn"] for row in before
    }


@pytest.fixture(scope="module")
def no_engine() -> Iterator[EngineLab]:
    """A state directory in which no engine was ever started."""
    with engine_lab(start=False) as lab:
        yield lab


@pytest.mark.parametrize(
    "arguments",
    [
        "ps", "scale backend 1", "logs backend", "exec backend -- true", "dig example.com --from backend",
        "dig example.com", "curl https://example.com/", "env", "ca", "verify", "down .",
    ],
)  # fmt: skip
def test_without_an_engine_a_command_says_so_and_what_to_do(no_engine: EngineLab, arguments: str) -> None:
    done = no_engine.run(*arguments.split())
    assert (done.returncode, done.stdout) == (BUSY, "")
    assert "tsubo start" in done.stderr


def test_without_an_engine_there_is_nothing_to_stop_or_to_remove(no_engine: EngineLab) -> None:
    assert no_engine.json("stop") == {"stopped": False}
    assert set(no_engine.json("down").values()) == {0}
    assert not no_engine.home.exists()
    assert no_engine.run("status").returncode == BUSY


def test_the_command_line_is_the_one_of_this_environment() -> None:
    shown = subprocess.run([str(PROGRAMS / "tsubo"), "--help"], capture_output=True, text=True, check=True).stdout
    for command in (
        "up",
        "down",
        "start",
        "stop",
        "status",
        "ps",
        "scale",
        "dig",
        "curl",
        "exec",
        "logs",
        "env",
        "verify",
    ):
        assert re.search(rf"^  {command} ", shown, re.MULTILINE), command
        helped = subprocess.run(
            [str(PROGRAMS / "tsubo"), command, "--help"], capture_output=True, text=True, check=True
        )
        assert command == "exec" or "--json" in helped.stdout or command == "curl"
