"""Runs the state machine of one end of a data channel: one event at a time, its timer, its commands in order.

Whoever has an event submits it and goes on once it was dealt with; so nobody is faster than the channel. All of it
happens in one event loop.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

Command = TypeVar("Command")
Event = Callable[[float], Iterable[Command]]


def steady_clock() -> Callable[[], float]:
    """Return a clock that gives seconds since the epoch and does not jump when the machine's clock is set."""
    offset = time.time() - time.monotonic()
    return lambda: time.monotonic() + offset


class ChannelDriver(Generic[Command]):
    """The one place where a channel's events are handled."""

    def __init__(
        self,
        tick: Callable[[float], Iterable[Command]],
        wake_at: Callable[[], float | None],
        perform: Callable[[Command], Awaitable[None]],
    ) -> None:
        """`tick` and `wake_at` are the channel's own; `perform` carries a command out."""
        self._tick = tick
        self._wake_at = wake_at
        self._perform = perform
        self._events: asyncio.Queue[tuple[Event[Command], asyncio.Future[None]]] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._is_finished = False
        self.now = steady_clock()

    async def submit(self, event: Event[Command]) -> None:
        """Have an event handled, and return after that. After the end nothing happens."""
        if self.is_finished:
            return
        handled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._events.put_nowait((event, handled))
        await handled

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return once a condition of the channel holds, or after the end."""
        if condition() or self.is_finished:
            return
        holds: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((condition, holds))
        await holds

    @property
    def is_finished(self) -> bool:
        """Whether the end has come."""
        return self._is_finished

    def finish(self) -> None:
        """End: called while a command is carried out, it makes that one the last."""
        self._is_finished = True

    async def run(self) -> None:
        """Handle events until `finish`. An error of an event or a command is raised, here and in nobody's `submit`."""
        try:
            while not self.is_finished:
                self._arm_timer()
                event, handled = await self._events.get()
                try:
                    for command in event(self.now()):
                        await self._perform(command)
                finally:
                    _resolve(handled)
                self._tell_waiting()
        finally:
            self._is_finished = True
            self._release()

    def _tell_waiting(self) -> None:
        for condition, holds in self._waiting:
            if condition() or self.is_finished:
                _resolve(holds)
        self._waiting = [(condition, holds) for condition, holds in self._waiting if not holds.done()]

    def _arm_timer(self) -> None:
        """See to it that `tick` is called in time. A timer that is too early is left: it finds nothing to do."""
        wake_at = self._wake_at()
        if wake_at is None:
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + max(0.0, wake_at - self.now())
        if self._timer is not None and self._timer.when() <= due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(due, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self._events.put_nowait((self._tick, asyncio.get_running_loop().create_future()))

    def _release(self) -> None:
        """Let go on whoever still waits."""
        if self._timer is not None:
            self._timer.cancel()
        while not self._events.empty():
            _resolve(self._events.get_nowait()[1])
        self._tell_waiting()


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
