"""An engine among others: side by side, closed to strangers, and gone without a trace (design rules 7, 8 and 10)."""

import os
import shutil
import signal
import stat
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.lab.engine_lab import EXAMPLE, EngineLab, engine_lab, machine_state, wait_until
from tests.lab.reference_stack import API, BACKEND, BACKEND_NAME, PROXY, ReferenceStack, build
from tests.lab.traffic import traffic
from tsubo.drivers.processes import processes_of
from tsubo.drivers.relay import client_address

pytestmark = pytest.mark.lab

DOWN_SECONDS = 10.0
"""`tsubo down` without a directory is to take no longer."""


# Side by side


def test_two_engines_run_the_same_example_and_one_goes_down_while_the_other_serves(stack: ReferenceStack) -> None:
    machine_before = machine_state()
    with engine_lab() as second:
        second.tsubo("up", str(EXAMPLE))
        other = ReferenceStack(second)
        other.settle()
        assert other.lab.curl(API).status == 200
        # The same addresses, and nothing in common: each has its own DNS, its own loopback addresses, its own tasks.
        assert not set(stack.published().values()) & set(other.published().values())
        assert not {row["taskArn"] for row in stack.lab.json("ps")} & {row["taskArn"] for row in second.json("ps")}
        second.tsubo("scale", "backend", "2")
        assert len(stack.records()) == 1
        with traffic(stack) as asking:
            removed = second.json("down")
            wait_until(lambda: asking.answered > 10)
        assert removed["containers"] == 2 * 3 + 2
        assert asking.failures == []
        assert second.left_over() == {}
    assert machine_state() == machine_before
    stack.settle()
    assert len(stack.resolve(stack.settled_task(PROXY), BACKEND_NAME)) == 1


# Gone without a trace


@pytest.fixture
def small_lab() -> Iterator[EngineLab]:
    """An engine of the test's own."""
    with engine_lab() as lab:
        yield lab


def test_down_removes_everything_within_ten_seconds_and_may_be_repeated(small_lab: EngineLab) -> None:
    machine_before = machine_state()
    stack = build(small_lab)
    assert _named_after(small_lab.id)
    assert set(small_lab.left_over()) >= {"processes", "containers", "namespaces", "mounts", "files"}
    began = time.monotonic()
    removed = small_lab.json("down")
    assert time.monotonic() - began < DOWN_SECONDS
    assert removed["containers"] == 5
    assert removed["namespaces"] >= len(stack.published()) + 2
    assert small_lab.left_over() == {}
    assert not small_lab.home.exists()
    assert {count for count in small_lab.json("down").values()} == {0}
    assert machine_state() == machine_before
    assert _named_after(small_lab.id) == set()


def test_after_the_death_of_every_process_down_cleans_up(small_lab: EngineLab) -> None:
    build(small_lab)
    pids = processes_of(small_lab.id)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: processes_of(small_lab.id) == [], what="the processes' end")
    assert set(small_lab.left_over()) >= {"containers", "namespaces"}
    assert small_lab.json("down")["containers"] == 5
    assert small_lab.left_over() == {}


def test_after_the_death_of_every_process_start_serves_the_same_tasks_again(small_lab: EngineLab) -> None:
    stack = build(small_lab)
    before = small_lab.json("ps")
    for pid in processes_of(small_lab.id):
        os.kill(pid, signal.SIGKILL)
    small_lab.start()
    assert small_lab.json("ps") == before
    stack.settle()
    assert stack.settled_task(BACKEND)["taskArn"] in {row["taskArn"] for row in before}


def test_down_cleans_up_what_has_lost_its_state_directory(small_lab: EngineLab) -> None:
    build(small_lab)
    shutil.rmtree(small_lab.home)
    assert small_lab.json("down")["containers"] == 5
    assert small_lab.left_over() == {}


def _named_after(engine_id: str) -> set[str]:
    """Return the files on this machine's disk that carry the engine's id in their names."""
    command = ["find", "/", "/run", "-xdev", "-name", f"*{engine_id}*", "-not", "-path", "/proc/*"]
    return set(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split())


# Closed to strangers


def _client(lab: EngineLab, access_key: str, secret: str) -> boto3.client:
    return boto3.client(
        "sts", endpoint_url=f"http://127.0.0.1:{lab.port}", region_name="ap-northeast-1",
        aws_access_key_id=access_key, aws_secret_access_key=secret,
    )  # fmt: skip


@pytest.mark.parametrize("wrong", ["secret", "key", "both"])
def test_a_call_with_a_wrong_key_is_refused(stack: ReferenceStack, wrong: str) -> None:
    variables = stack.lab.aws_environment()
    key = "AKIAIOSFODNN7EXAMPLE" if wrong in ("key", "both") else variables["AWS_ACCESS_KEY_ID"]
    secret = "not-the-secret" if wrong in ("secret", "both") else variables["AWS_SECRET_ACCESS_KEY"]
    with pytest.raises(ClientError) as caught:
        _client(stack.lab, key, secret).get_caller_identity()
    expected = "SignatureDoesNotMatch" if wrong == "secret" else "InvalidClientTokenId"
    assert caught.value.response["Error"]["Code"] == expected
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "unsigned"),
        ({"Origin": "https://evil.example"}, "a browser"),
        ({"Host": "evil.example"}, "another name that leads here"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/_tsubo/scale", "/_tsubo/status"])
def test_a_call_that_is_unsigned_or_a_browsers_is_refused(
    stack: ReferenceStack, headers: dict[str, str], why: str, path: str
) -> None:
    body = b"Action=DescribeInstances&Version=2016-11-15" if path == "/" else b'{"service": "backend", "count": 0}'
    content_type = "application/x-www-form-urlencoded" if path == "/" else "application/json"
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.lab.port}{path}", body, {"Content-Type": content_type, **headers}
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == 403, why
    assert stack.service(BACKEND)["desiredCount"] == 1


def test_one_engines_key_is_nothing_to_another(stack: ReferenceStack, small_lab: EngineLab) -> None:
    variables = small_lab.aws_environment()
    stranger = _client(stack.lab, variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        stranger.get_caller_identity()


def test_the_endpoint_listens_on_loopback_only(stack: ReferenceStack) -> None:
    listening = set()
    for pid in processes_of(stack.lab.id):
        listening |= _listening_addresses(pid)
    assert "127.0.0.1" in listening
    assert all(address.startswith("127.") for address in listening)


def _listening_addresses(pid: int) -> set[str]:
    """Return the IPv4 addresses of the root namespace on which a process listens; `::` for any IPv6 one."""
    inodes = set()
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[len("socket:[") : -1])
    found = set()
    for family in ("tcp", "tcp6"):
        with open(f"/proc/net/{family}", encoding="ascii") as table:
            for line in table.readlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    number = fields[1].split(":")[0]
                    dotted = ".".join(str(int(number[i : i + 2], 16)) for i in (6, 4, 2, 0))
                    found.add(dotted if family == "tcp" else "::")
    return found


def test_what_is_secret_is_readable_by_root_alone(stack: ReferenceStack) -> None:
    home = stack.lab.home
    secrets = [home / "engine.json", home / "store.sqlite", *(home / "ca").glob("*key*"), *home.glob("store.sqlite-*")]
    assert len(secrets) >= 3
    assert {str(path): oct(stat.S_IMODE(path.stat().st_mode)) for path in secrets} == dict.fromkeys(
        map(str, secrets), "0o600"
    )
    private_keys = [path for path in home.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert private_keys
    assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in private_keys} == {"0o600"}
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_client_on_this_machine_has_an_address_of_its_own_on_the_internet(stack: ReferenceStack) -> None:
    assert client_address("127.0.0.1") in stack.lab.curl(API).body
