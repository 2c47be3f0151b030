"""The resolver process in real network namespaces: two VPCs with one address, UDP and TCP, restarts, reloads."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tsubo.drivers.reload import replace_file, request_reload
from tsubo.engine.helper_process import reload_socket
from tsubo.engine.lookup import encode_table, table_path
from tsubo.model.nameserver import DnsTable, RecordGroup, RecordPool, ResourceRecord, View, Zone

pytestmark = pytest.mark.lab

ADDRESSES = ("10.0.0.2", "169.254.169.253")
SOA = ResourceRecord("navi.local.", "SOA", 900, "ns-1.example. hostmaster.example. 1 7200 900 1209600 86400")


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the state that was waited for did not come"
        time.sleep(0.02)


def run(*command: str) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=20).stdout


def make_namespace(name: str) -> None:
    for command in (
        f"netns add {name}",
        f"-n {name} link set lo up",
        *(f"-n {name} addr add {address}/32 dev lo" for address in ADDRESSES),
    ):
        subprocess.run(["ip", *command.split()], check=True)


class Lab:
    """Two namespaces, a state directory and the resolver process."""

    def __init__(self, home: Path) -> None:
        self.home = home
        engine_id = sha256(str(home).encode()).hexdigest()[:8]
        self.one, self.two = f"tsubo-{engine_id}-vpc-1", f"tsubo-{engine_id}-vpc-2"
        self.process: subprocess.Popen[bytes] | None = None
        table_path(home).parent.mkdir(parents=True)

    def write(self, **addresses: str) -> None:
        """Write a table in which the views of the namespaces `one` and `two` answer these addresses."""
        replace_file(
            table_path(self.home), encode_table(DnsTable(tuple(map(self.view, *zip(*addresses.items(), strict=True)))))
        )

    def view(self, name: str, address: str) -> View:
        long = RecordGroup("long.navi.local.", "TXT", (RecordPool(60, tuple(f'"{n:0200}"' for n in range(20))),))
        backend = RecordGroup("backend.navi.local.", "A", (RecordPool(60, (address,)),))
        return View(name, getattr(self, name), ADDRESSES, (Zone("navi.local.", (backend, long), SOA),), ())

    def start(self) -> None:
        command = [sys.executable, "-m", "tsubo.engine.resolver_process", "--home", str(self.home)]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def reload(self) -> bool:
        return request_reload(reload_socket(self.home, "resolver"))

    def dig(self, namespace: str, *arguments: str) -> str:
        return run("ip", "netns", "exec", namespace, "dig", "+time=1", "+tries=1", *arguments).strip()

    def backend(self, namespace: str, server: str = ADDRESSES[0]) -> str:
        return self.dig(namespace, f"@{server}", "backend.navi.local", "+short")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    make_namespace(made.one)
    make_namespace(made.two)
    made.write(one="10.0.10.1", two="10.1.10.1")
    made.start()
    try:
        until(lambda: made.backend(made.two) == "10.1.10.1")
        yield made
    finally:
        made.kill()
        for namespace in (made.one, made.two):
            subprocess.run(["ip", "netns", "del", namespace], check=False)


def test_one_process_serves_two_vpcs_with_the_same_addresses(lab: Lab) -> None:
    for server in ADDRESSES:
        assert lab.backend(lab.one, server) == "10.0.10.1"
        assert lab.backend(lab.two, server) == "10.1.10.1"
        assert lab.dig(lab.one, f"@{server}", "+tcp", "+short", "backend.navi.local") == "10.0.10.1"
    found = run("ip", "netns", "exec", lab.one, "nslookup", "backend.navi.local", ADDRESSES[0])
    assert "Address: 10.0.10.1" in found


def test_denials_and_flags_as_dig_sees_them(lab: Lab) -> None:
    missing = lab.dig(lab.one, f"@{ADDRESSES[0]}", "missing.navi.local")
    assert "status: NXDOMAIN" in missing
    assert "navi.local.\t\t900\tIN\tSOA" in missing
    assert "flags: qr rd ra;" in missing
    no_data = lab.dig(lab.one, f"@{ADDRESSES[0]}", "backend.navi.local", "AAAA")
    assert "status: NOERROR" in no_data
    assert "ANSWER: 0, AUTHORITY: 1" in no_data


def test_an_answer_that_does_not_fit_comes_over_tcp(lab: Lab) -> None:
    question = (f"@{ADDRESSES[0]}", "long.navi.local", "TXT", "+noedns")
    assert "flags: qr tc rd ra;" in lab.dig(lab.one, *question, "+ignore")
    assert "ANSWER: 20" in lab.dig(lab.one, *question)


def test_a_killed_resolver_serves_again_from_the_disk_alone(lab: Lab) -> None:
    lab.kill()
    assert lab.backend(lab.one) != "10.0.10.1"
    lab.start()
    until(lambda: lab.backend(lab.one) == "10.0.10.1")


def test_a_reload_returns_when_the_new_table_is_served(lab: Lab) -> None:
    for number in range(2, 12):
        lab.write(one=f"10.0.10.{number}", two="10.1.10.1")
        assert lab.reload()
        assert lab.backend(lab.one) == f"10.0.10.{number}"


def test_a_damaged_table_changes_nothing_and_is_said(lab: Lab) -> None:
    table_path(lab.home).write_bytes(b"{")
    assert not lab.reload()
    assert lab.backend(lab.one) == "10.0.10.1"
    assert "table.json" in (lab.home / "log").read_text()


def test_a_view_that_is_gone_is_no_longer_served(lab: Lab) -> None:
    lab.write(two="10.1.10.1")
    assert lab.reload()
    assert lab.backend(lab.one) != "10.0.10.1"
    assert lab.backend(lab.two) == "10.1.10.1"


def test_a_namespace_made_anew_is_served_without_being_asked_to(lab: Lab) -> None:
    subprocess.run(["ip", "netns", "del", lab.one], check=True)
    make_namespace(lab.one)
    until(lambda: lab.backend(lab.one) == "10.0.10.1")
