"""The driver of a channel's state machine."""

import asyncio
from collections.abc import Callable

import pytest

from tsubo.engine.channel_driver import ChannelDriver


class Machine:
    """A state machine whose commands are words, and which wakes at a time that a test sets."""

    def __init__(self) -> None:
        self.wake: float | None = None
        self.done: list[str] = []
        self.ticks = 0
        self.driver: ChannelDriver[str] = ChannelDriver(self.tick, lambda: self.wake, self.perform)

    def tick(self, now: float) -> list[str]:
        self.ticks += 1
        self.wake = None
        return ["tick"]

    async def perform(self, command: str) -> None:
        await asyncio.sleep(0)
        self.done.append(command)
        if command == "end":
            self.driver.finish()
        if command == "fail":
            raise ValueError("no")


def saying(*words: str) -> Callable[[float], list[str]]:
    return lambda now: list(words)


def test_events_are_handled_one_by_one() -> None:
    async def scenario() -> list[str]:
        machine = Machine()
        running = asyncio.create_task(machine.driver.run())
        await asyncio.gather(machine.driver.submit(saying("a", "b")), machine.driver.submit(saying("c", "d")))
        assert machine.done == ["a", "b", "c", "d"]
        await machine.driver.submit(saying("end"))
        await running
        await machine.driver.submit(saying("late"))
        return machine.done

    assert asyncio.run(scenario()) == ["a", "b", "c", "d", "end"]


def test_ticks_come_when_they_are_due() -> None:
    async def scenario() -> tuple[int, float]:
        machine = Machine()
        began = machine.driver.now()
        machine.wake = began + 0.05
        running = asyncio.create_task(machine.driver.run())
        await machine.driver.wait_until(lambda: machine.ticks == 1)
        waited = machine.driver.now() - began
        await machine.driver.submit(saying("end"))
        await running
        return machine.ticks, waited

    ticks, waited = asyncio.run(scenario())
    assert ticks == 1
    assert waited >= 0.05


def test_nobody_waits_for_what_has_ended() -> None:
    async def scenario() -> None:
        machine = Machine()
        running = asyncio.create_task(machine.driver.run())
        waiting = asyncio.create_task(machine.driver.wait_until(lambda: False))
        submitted = [asyncio.create_task(machine.driver.submit(saying(word))) for word in ("end", "late")]
        await asyncio.wait_for(asyncio.gather(running, waiting, *submitted), 5)
        assert machine.driver.is_finished
        assert machine.done == ["end"]

    asyncio.run(scenario())


def test_an_error_ends_it_and_is_raised_by_run() -> None:
    async def scenario() -> None:
        machine = Machine()
        running = asyncio.create_task(machine.driver.run())
        waiting = asyncio.create_task(machine.driver.wait_until(lambda: False))
        await machine.driver.submit(saying("fail"))
        await waiting
        with pytest.raises(ValueError, match="no"):
            await running

    asyncio.run(scenario())
