"""Tasks of which there is no record."""

import dataclasses

from tests.core.machine import Machine
from tests.core.service_world import world
from tsubo.core.decide import decide
from tsubo.model.plan import RemoveTask
from tsubo.model.world import World


def test_containers_without_a_task_are_removed() -> None:
    machine = Machine(world(2))
    machine.settle()
    running = set(machine.observe().tasks)
    assert len(running) == 2
    machine.world = World(machine.world.engine)
    plan = machine.decide()
    assert {step.task_id for step in plan.steps if isinstance(step, RemoveTask)} == running
    machine.settle()
    assert not machine.observe().tasks


def test_not_while_they_are_being_started_or_removed_already() -> None:
    machine = Machine(world())
    machine.settle()
    (task_id,) = machine.observe().tasks
    machine.world = World(machine.world.engine)
    for key in (f"start-task/{task_id}", f"remove-task/{task_id}"):
        observed = dataclasses.replace(machine.observe(), in_flight=frozenset({key}))
        assert not decide(machine.world, observed, machine.now, machine.supply, machine.pace).steps
