"""An engine's block in the hosts file."""

from pathlib import Path

import pytest

from tsubo.drivers.hosts_file import HostsFile

NAMES = ["a.dkr.ecr.eu-west-1.amazonaws.com", "a.dkr.ecr.us-east-1.amazonaws.com"]


@pytest.mark.parametrize(
    "before", ["", "127.0.0.1 localhost\n# a comment\n\n", "127.0.0.1 localhost\n::1 ip6-localhost\n"]
)
def test_what_was_put_in_is_taken_out_whole(tmp_path: Path, before: str) -> None:
    path = tmp_path / "hosts"
    path.write_text(before)
    hosts = HostsFile(path)
    hosts.put("0011aabb", "127.16.17.1", NAMES, "taken out by a test")
    assert [line for line in path.read_text().splitlines() if line.startswith("127.16")] == [
        f"127.16.17.1 {name}" for name in NAMES
    ]
    assert path.read_text().startswith(before)
    assert hosts.names("0011aabb") == NAMES
    assert hosts.remove("0011aabb")
    assert path.read_text() == before
    assert not hosts.remove("0011aabb")


def test_a_block_is_replaced_and_another_engines_stays(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("127.0.0.1 localhost\n")
    hosts = HostsFile(path)
    hosts.put("0011aabb", "127.16.17.1", NAMES, "")
    hosts.put("ffffffff", "127.70.255.1", ["b.dkr.ecr.eu-west-1.amazonaws.com"], "")
    hosts.put("0011aabb", "127.16.17.1", NAMES[:1], "")
    assert hosts.names("0011aabb") == NAMES[:1]
    assert hosts.owners([NAMES[0], "b.dkr.ecr.eu-west-1.amazonaws.com", "c"]) == {
        NAMES[0]: "0011aabb",
        "b.dkr.ecr.eu-west-1.amazonaws.com": "ffffffff",
    }
    hosts.remove("0011aabb")
    assert hosts.names("ffffffff") == ["b.dkr.ecr.eu-west-1.amazonaws.com"]


def test_without_a_hosts_file_there_are_no_names(tmp_path: Path) -> None:
    hosts = HostsFile(tmp_path / "hosts")
    assert (hosts.names("0011aabb"), hosts.remove("0011aabb")) == ([], False)
