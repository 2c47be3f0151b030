"""Services and tasks are found by the names people call them by; what is unclear is an error with the choices."""

import dataclasses

import pytest

from tests.core.machine import Machine
from tests.core.service_world import SERVICE, world
from tsubo.engine.errors import NOT_FOUND, UserError
from tsubo.engine.finding import find_service, find_task
from tsubo.model.world import World

ADDRESSES = {SERVICE: "aws_ecs_service.front"}


@pytest.fixture
def running() -> World:
    machine = Machine(world(2))
    machine.settle()
    return machine.world


@pytest.mark.parametrize("name", ["web", "web.local", "aws_ecs_service.front", SERVICE])
def test_a_service_has_several_names(running: World, name: str) -> None:
    assert find_service(running, name, ADDRESSES).arn == SERVICE


def test_an_unknown_service_is_an_error_with_those_that_are_there(running: World) -> None:
    with pytest.raises(UserError, match=r"There is no service bakend. Services here: web.") as error:
        find_service(running, "bakend", ADDRESSES)
    assert error.value.exit_code == NOT_FOUND


def test_an_ambiguous_name_is_an_error_with_the_choices(running: World) -> None:
    other = dataclasses.replace(running.services[SERVICE], arn=f"{SERVICE}-2", cluster_arn="arn:cluster/other")
    with pytest.raises(UserError, match=r"web means more than one service: web in main .*, web in other"):
        find_service(running.with_records(other), "web", ADDRESSES)


def test_a_task_is_found_by_the_beginning_of_its_id_or_by_its_service(running: World) -> None:
    oldest = min(running.tasks.values(), key=lambda task: task.created_at)
    assert find_task(running, "web", ADDRESSES) == oldest
    assert find_task(running, oldest.arn, ADDRESSES) == oldest
    assert find_task(running, oldest.task_id, ADDRESSES) == oldest


def test_a_service_without_a_task_is_said() -> None:
    with pytest.raises(UserError, match="Service web has no running task"):
        find_task(world(), "web", ADDRESSES)
