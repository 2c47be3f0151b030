"""A network between two ends of a data channel, in simulated time: it loses, doubles and delays what is sent."""

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tsubo.core.client_channel import ClientChannel, Closed, Ready, ReportExit, ShowOutput
from tsubo.core.data_channel import (
    AgentChannel,
    CloseChannel,
    EndProcess,
    ResizeTerminal,
    SendFrame,
    StartProcess,
    WriteInput,
)

LONGEST_DELAY = 0.3
FAIR_AFTER = 400.0
"""Seconds after which nothing is lost any more, so that every run ends."""


@dataclass
class Network:
    """An agent and a client, what each was told to do, and the way between them."""

    agent: AgentChannel
    client: ClientChannel
    random: Random
    loss: float
    now: float = 1_000.0
    output: bytes = b""
    error_output: bytes = b""
    input: bytes = b""
    input_ended: bool = False
    sizes: list[tuple[int, int]] = field(default_factory=list)
    exit_code: int | None = None
    closed_with: str | None = None
    started: int = 0
    is_ready: bool = False
    connected: bool = False
    _events: list[Any] = field(default_factory=list)
    _count: Any = field(default_factory=itertools.count)

    def connect(self) -> None:
        """Open a connection."""
        self.connected = True
        self.perform(self.agent.connected(self.now))

    def disconnect(self) -> None:
        """Break the connection: what is on its way is lost."""
        self.connected = False
        self._events.clear()
        self.agent.disconnected()

    def perform(self, commands: Iterable[Any]) -> None:
        """Do what an end says."""
        for command in commands:
            match command:
                case StartProcess():
                    self.started += 1
                case WriteInput(data, is_last):
                    self.input += data
                    self.input_ended |= is_last
                    self.agent.input_taken(len(data))
                case ResizeTerminal(columns, rows):
                    self.sizes.append((columns, rows))
                case ShowOutput(data, is_error):
                    if is_error:
                        self.error_output += data
                    else:
                        self.output += data
                case Ready():
                    self.is_ready = True
                case ReportExit(code):
                    self.exit_code = code
                case Closed(output):
                    self.closed_with = output
                case SendFrame() | CloseChannel() | EndProcess():
                    pass
        self._send(commands)

    def _send(self, commands: Iterable[Any]) -> None:
        frames = [command.frame for command in commands if isinstance(command, SendFrame)]
        if not self.connected or not frames:
            return
        is_agents = any(isinstance(c, StartProcess | WriteInput | CloseChannel | EndProcess) for c in commands)
        for frame in frames:
            to_client = frame[4:10] in (b"output", b"channe") or (frame[4:7] == b"ack" and b"input_stream" in frame)
            assert to_client or not is_agents
            self._carry(self._to_client if to_client else self._to_agent, frame, never_lost=frame[4:10] == b"channe")

    def _carry(self, deliver: Callable[[bytes], None], frame: bytes, never_lost: bool) -> None:
        fair = never_lost or self.now > 1_000.0 + FAIR_AFTER
        copies = 1 if fair else (self.random.random() >= self.loss) + (self.random.random() < self.loss)
        for _ in range(copies):
            at = self.now + (
                LONGEST_DELAY if never_lost else self.random.uniform(0.001, LONGEST_DELAY * self.loss + 0.001)
            )
            heapq.heappush(self._events, (at, next(self._count), deliver, frame))

    def _to_client(self, frame: bytes) -> None:
        self.perform(self.client.receive(frame, self.now))

    def _to_agent(self, frame: bytes) -> None:
        self.perform(self.agent.receive(frame, self.now))

    def step(self) -> None:
        """Go on to what happens next."""
        wakes = [self.agent.wake_at(), *([at] if (at := self.client.wake_at()) is not None else [])]
        next_wake = min(wakes)
        if self._events and self._events[0][0] <= next_wake:
            at, _, deliver, frame = heapq.heappop(self._events)
            self.now = max(self.now, at)
            deliver(frame)
        else:
            self.now = max(self.now, next_wake)
            self.perform(self.agent.tick(self.now))
            self.perform(self.client.tick(self.now))

    def run_until(self, condition: Callable[[], bool], steps: int = 100_000) -> None:
        """Go on until a condition holds."""
        for _ in range(steps):
            if condition():
                return
            self.step()
        raise AssertionError("it did not come to that")
