"""The store: what was committed is there, after a kill too; what cannot be read is refused and left alone."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tsubo.aws.store import Store, StoreError
from tsubo.model.ecs import AwsvpcConfiguration, ContainerDefinition, Task, TaskContainer, TaskDefinition
from tsubo.model.elbv2 import HealthCheck, TargetGroup
from tsubo.model.identity import EngineIdentity
from tsubo.model.vpc import Route, RouteTable, RouteTableAssociation, Subnet, Vpc

ENGINE = EngineIdentity("0011aabb")
VPC = Vpc("vpc-1", "eu-west-1", "10.0.0.0/16", tags={"Name": "a"})
SUBNET = Subnet("subnet-1", "vpc-1", "eu-west-1", "eu-west-1a", "10.0.1.0/24")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


def reopened(store: Store, path: Path) -> Store:
    store.close()
    return Store(path, ENGINE)


def test_records_of_every_shape_come_back_equal(path: Path) -> None:
    records = [
        VPC,
        SUBNET,
        RouteTable(
            "rtb-1",
            "vpc-1",
            "eu-west-1",
            routes=(Route("0.0.0.0/0", gateway_id="igw-1"),),
            associations=(RouteTableAssociation("rtbassoc-1", main=True),),
        ),
        TaskDefinition(
            "arn:td",
            "family",
            1,
            "eu-west-1",
            1700000000.125,
            containers=(ContainerDefinition("nginx", "nginx", command=("a",), ulimits=(("nofile", 1, 2),)),),
            definition={"containerDefinitions": [{"name": "nginx", "cpu": 0, "logConfiguration": None}]},
        ),
        Task(
            "arn:t",
            "t",
            "c",
            "eu-west-1",
            "arn:td",
            "g",
            1.5,
            AwsvpcConfiguration(("s",)),
            (TaskContainer("n", "a", "i"),),
        ),
        TargetGroup("arn:tg", "tg", "eu-west-1", "HTTP", 80, "vpc-1", "ip", HealthCheck(matcher="200-299")),
    ]
    store = Store(path, ENGINE)
    before = store.commit(records)
    after = reopened(store, path).world
    assert after == before
    assert after.task_definitions["arn:td"].containers[0].ulimits == (("nofile", 1, 2),)


def test_deleted_records_stay_deleted(path: Path) -> None:
    store = Store(path, ENGINE)
    store.commit([VPC, SUBNET], [])
    store.commit([], [SUBNET])
    world = reopened(store, path).world
    assert (set(world.vpcs), set(world.subnets)) == ({"vpc-1"}, set())


def change_and_raise(store: Store) -> None:
    with store.transaction() as transaction:
        transaction.put(SUBNET)
        transaction.delete(VPC)
        raise ZeroDivisionError


def test_a_transaction_that_raises_changes_nothing(path: Path) -> None:
    store = Store(path, ENGINE)
    store.commit([VPC])
    with pytest.raises(ZeroDivisionError):
        change_and_raise(store)
    assert set(store.world.vpcs) == {"vpc-1"}
    world = reopened(store, path).world
    assert (set(world.vpcs), set(world.subnets)) == ({"vpc-1"}, set())


def test_a_transaction_sees_its_own_changes_and_readers_do_not(path: Path) -> None:
    store = Store(path, ENGINE)
    with store.transaction() as transaction:
        transaction.put(VPC)
        assert "vpc-1" in transaction.world.vpcs
        assert "vpc-1" not in store.world.vpcs
    assert "vpc-1" in store.world.vpcs


def test_the_last_word_on_a_record_counts(path: Path) -> None:
    store = Store(path, ENGINE)
    with store.transaction() as transaction:
        transaction.put(VPC, SUBNET)
        transaction.delete(VPC, SUBNET)
        transaction.put(SUBNET)
    world = reopened(store, path).world
    assert (set(world.vpcs), set(world.subnets)) == (set(), {"subnet-1"})


def test_subscribers_and_version_follow_commits_that_changed_something(path: Path) -> None:
    store = Store(path, ENGINE)
    seen: list[int] = []
    store.subscribe(lambda: seen.append(store.version))
    store.commit([VPC])
    store.commit([VPC])
    store.commit([], [SUBNET])
    store.commit([SUBNET])
    assert seen == [1, 2]


def test_writers_take_turns(path: Path) -> None:
    store = Store(path, ENGINE)
    store.commit([Vpc("vpc-1", "eu-west-1", "0")])

    def count() -> None:
        for _ in range(50):
            with store.transaction() as transaction:
                transaction.put(Vpc("vpc-1", "eu-west-1", str(int(transaction.world.vpcs["vpc-1"].cidr) + 1)))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.world.vpcs["vpc-1"].cidr == "200"
    assert store.version == 201


def test_records_of_other_kinds_are_not_copied(path: Path) -> None:
    store = Store(path, ENGINE)
    store.commit([VPC])
    vpcs = store.world.vpcs
    store.commit([SUBNET])
    assert store.world.vpcs is vpcs


WRITER = """
import sys
from pathlib import Path
from tsubo.aws.store import Store
from tsubo.model.identity import EngineIdentity
from tsubo.model.vpc import Vpc

store = Store(Path(sys.argv[1]), EngineIdentity("0011aabb"))
for number in range(100_000):
    store.commit([Vpc(f"vpc-{number}", "eu-west-1", "10.0.0.0/16")])
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = -1
    while acknowledged < 50:
        acknowledged = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    acknowledged = int([str(acknowledged), *writer.stdout.read().split()][-1])
    writer.wait()
    vpcs = Store(path, ENGINE).world.vpcs
    assert [f"vpc-{number}" in vpcs for number in range(acknowledged + 1)] == [True] * (acknowledged + 1)
    assert len(vpcs) <= acknowledged + 2


def test_files_are_for_the_owner_only(path: Path) -> None:
    store = Store(path, ENGINE)
    store.commit([VPC])
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_a_store_is_open_once(path: Path) -> None:
    store = Store(path, ENGINE)
    with pytest.raises(StoreError, match="locked"):
        Store(path, ENGINE)
    assert store.commit([VPC]).vpcs


@pytest.mark.parametrize("damage", ["newer", "foreign", "text"])
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(path: Path, damage: str) -> None:
    if damage == "text":
        path.write_text("not a database, but longer than the header of one would be" * 3)
    else:
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE records (kind, key, record)")
        if damage == "newer":
            Store(path.with_name("other"), ENGINE).close()
            database.close()
            os.replace(path.with_name("other"), path)
            database = sqlite3.connect(path)
            database.execute("PRAGMA journal_mode = DELETE")
            database.execute("PRAGMA user_version = 99")
        database.commit()
        database.close()
    content = path.read_bytes()
    with pytest.raises(StoreError, match="store format 99" if damage == "newer" else "is not a Tsubo store"):
        Store(path, ENGINE)
    assert path.read_bytes() == content


def test_a_record_that_does_not_decode_is_named(path: Path) -> None:
    store = Store(path, ENGINE)
    store.commit([VPC])
    store.close()
    database = sqlite3.connect(path)
    database.execute("UPDATE records SET record = '{\"vpc_id\": 1}'")
    database.commit()
    database.close()
    with pytest.raises(StoreError, match=r"vpc-1 of vpcs cannot be read"):
        Store(path, ENGINE)
