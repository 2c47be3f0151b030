"""Which credentials are good at the endpoint."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.core.machine import Machine
from tests.core.service_world import task_definition, world
from tsubo.aws.access.roles import Role
from tsubo.aws.caller import assumed_role
from tsubo.aws.store import Store
from tsubo.core import credentials
from tsubo.engine.task_keys import TaskKeys
from tsubo.model.ecs import Task

ROLE = "arn:aws:iam::123456789012:role/app"
SECRET = "the engine's"


class FakeRoles:
    def get(self, arn: str) -> Role | None:
        return Role(ROLE, "AROA1", {}, ()) if arn == ROLE else None


class Lab:
    """A store with one running task, and the keys looked up in it."""

    def __init__(self, path: Path) -> None:
        machine = Machine(world(load_balanced=False))
        machine.world = machine.world.with_records(dataclasses.replace(task_definition(), task_role_arn=ROLE))
        machine.settle()
        self.store = Store(path / "store.sqlite", machine.world.engine)
        (self.task,) = machine.world.tasks.values()
        self.store.commit([*machine.world.task_definitions.values(), self.task])
        self.now = self.task.created_at
        roles: Any = FakeRoles()
        self.keys = TaskKeys(self.store, SECRET, roles, lambda: self.now)
        self.given = credentials.current(SECRET, self.task.task_id, self.task.created_at, self.now)

    def look(self) -> Any:
        return self.keys(self.given.access_key_id, self.given.session_token)

    def change(self, **fields: Any) -> Task:
        changed = dataclasses.replace(self.task, **fields)
        self.store.commit([changed])
        return changed


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_a_running_tasks_credentials_are_its_roles(lab: Lab) -> None:
    key = lab.look()
    assert key.secret_access_key == lab.given.secret_access_key
    assert key.caller == assumed_role(ROLE, "AROA1", lab.task.task_id)
    assert not key.expired


def test_they_expire(lab: Lab) -> None:
    lab.now = lab.given.expires_at + 1
    assert lab.look().expired


def test_they_end_with_the_task(lab: Lab) -> None:
    lab.change(last_status="STOPPED")
    assert lab.look() is None
    lab.store.commit([], [lab.task])
    assert lab.look() is None


def test_they_end_with_the_role(lab: Lab) -> None:
    lab.change(overrides={"taskRoleArn": "arn:aws:iam::123456789012:role/gone"})
    assert lab.look() is None


@pytest.mark.parametrize(("key_id", "token"), [("", None), ("ASIA", ""), ("ASIA", "dHN1Ym8x")])
def test_nothing_else_is_taken(lab: Lab, key_id: str, token: str | None) -> None:
    assert lab.keys(key_id, token) is None
    assert lab.keys(lab.given.access_key_id, None) is None
