"""The moto process: killed at any moment it comes back with what it had acknowledged, under the same identifiers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tsubo.aws.breadth import Breadth

REGION = "ap-northeast-1"
TRUST = '{"Version": "2012-10-17", "Statement": []}'


@pytest.fixture
def breadth(tmp_path: Path) -> Iterator[Breadth]:
    breadth = Breadth(tmp_path)
    yield breadth
    breadth.close()


def kill(breadth: Breadth) -> None:
    pid = breadth.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_state_and_identifiers_survive_kill_9(breadth: Breadth) -> None:
    breadth.call("iam", "list_roles", {}, REGION)
    role = breadth.call("iam", "create_role", {"RoleName": "task", "AssumeRolePolicyDocument": TRUST}, REGION)["Role"]
    breadth.call("iam", "list_roles", {}, REGION)
    secret = breadth.call("secretsmanager", "create_secret", {"Name": "a", "SecretString": "b"}, REGION)
    with pytest.raises(ClientError, match="already exists"):
        breadth.call("iam", "create_role", {"RoleName": "task", "AssumeRolePolicyDocument": TRUST}, REGION)
    repository = breadth.call("ecr", "create_repository", {"repositoryName": "nginx"}, REGION)["repository"]
    breadth.call("logs", "create_log_group", {"logGroupName": "/ecs/nginx"}, REGION)
    breadth.call("logs", "create_log_stream", {"logGroupName": "/ecs/nginx", "logStreamName": "a"}, REGION)
    events = [{"timestamp": int(time.time() * 1000), "message": "hello"}]
    breadth.call(
        "logs", "put_log_events", {"logGroupName": "/ecs/nginx", "logStreamName": "a", "logEvents": events}, REGION
    )
    kill(breadth)
    replayed = breadth.call("iam", "get_role", {"RoleName": "task"}, REGION)["Role"]
    assert (replayed["RoleId"], replayed["Arn"]) == (role["RoleId"], role["Arn"])
    assert abs((replayed["CreateDate"] - role["CreateDate"]).total_seconds()) < 5
    described = breadth.call("secretsmanager", "describe_secret", {"SecretId": "a"}, REGION)
    assert (described["ARN"], list(described["VersionIdsToStages"])) == (secret["ARN"], [secret["VersionId"]])
    repositories = breadth.call("ecr", "describe_repositories", {}, REGION)["repositories"]
    assert repositories[0]["repositoryArn"] == repository["repositoryArn"]
    log = breadth.call("logs", "get_log_events", {"logGroupName": "/ecs/nginx", "logStreamName": "a"}, REGION)
    assert [event["message"] for event in log["events"]] == ["hello"]


def test_a_call_during_which_the_process_dies_happens_once(breadth: Breadth) -> None:
    """The process is stopped, so that the call waits in its channel, and then killed: the call is asked again."""
    breadth.call("logs", "create_log_group", {"logGroupName": "first"}, REGION)
    pid = breadth.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(breadth.call, "logs", "create_log_group", {"logGroupName": "second"}, REGION)
        assert not wait([call], timeout=0.2).done
        kill(breadth)
        call.result(timeout=30)
    groups = breadth.call("logs", "describe_log_groups", {}, REGION)["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["first", "second"]
    assert breadth.pid != pid


def test_a_long_poll_waits_for_its_message_and_holds_up_nobody(breadth: Breadth, tmp_path: Path) -> None:
    url = breadth.call("sqs", "create_queue", {"QueueName": "jobs"}, REGION)["QueueUrl"]
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(breadth.call, "sqs", "receive_message", {"QueueUrl": url, "WaitTimeSeconds": 20}, REGION)
        assert not wait([poll], timeout=0.5).done
        logged = (tmp_path / "moto.redo").stat().st_size
        assert not wait([poll], timeout=0.5).done
        assert (tmp_path / "moto.redo").stat().st_size == logged
        breadth.call("sqs", "send_message", {"QueueUrl": url, "MessageBody": "work"}, REGION)
        messages = poll.result(timeout=10)["Messages"]
    kill(breadth)
    receipt = {"QueueUrl": url, "ReceiptHandle": messages[0]["ReceiptHandle"]}
    breadth.call("sqs", "delete_message", receipt, REGION)
    assert messages[0]["Body"] == "work"


def test_the_process_ends_with_its_owner(breadth: Breadth) -> None:
    breadth.ensure_started()
    pid = breadth.pid
    breadth.close()
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


OWNER = """
import sys, time
from pathlib import Path
from tsubo.aws.breadth import Breadth

breadth = Breadth(Path(sys.argv[1]))
breadth.ensure_started()
print(breadth.pid, flush=True)
time.sleep(60)
"""


def runs(pid: int) -> bool:
    """Return whether a process is there and not merely waiting to be reaped."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_the_process_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert runs(pid)
    owner.kill()
    owner.wait()
    deadline = time.monotonic() + 10
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not runs(pid)


def test_a_damaged_log_is_an_error_that_says_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "moto.redo").write_bytes(b"\x00\x00\x00\x04this is not a log of ours at all")
    breadth = Breadth(tmp_path)
    with pytest.raises(Exception, match=r"moto\.log"):
        breadth.ensure_started()
    assert "is damaged at byte 0" in (tmp_path / "moto.log").read_text()


def test_its_files_are_for_the_owner_only(breadth: Breadth, tmp_path: Path) -> None:
    breadth.ensure_started()
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
