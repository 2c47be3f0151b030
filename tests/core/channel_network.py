"""A network between two ends of a data channel, in simulated time: it loses, doubles and delays what is sent."""

import heapq
import itertools
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from tsubo.core.client_channel import ClientChannel, Closed, Ready, ReportExit, ShowOutput
from tsubo.core.data_channel import AgentChannel, EndProcess, ResizeTerminal, SendFrame, StartProcess, WriteInput

START = 1_000.0
FAIR_AFTER = START + 400.0
"""When the network stops losing anything, so that every run ends."""


class Network:
    """An agent, a client, the way between them, and what each of the two was told to do."""

    def __init__(self, agent: AgentChannel, client: ClientChannel, random: Random, loss: float, delay: float) -> None:
        self.agent, self.client = agent, client
        self.now = START
        self.output, self.error_output, self.input = b"", b"", b""
        self.input_ended = self.is_ready = self.process_ended = False
        self.started = 0
        self.sizes: list[tuple[int, int]] = []
        self.exit_code: int | None = None
        self.closed_with: str | None = None
        self.loss = loss
        self._random, self._delay = random, delay
        self._connected = False
        self._under_way: list[tuple[float, int, Callable[[bytes], None], bytes]] = []
        self._count = itertools.count()

    def connect(self) -> None:
        """Open a connection."""
        self._connected = True
        self.agent_does(self.agent.connected(self.now))

    def disconnect(self) -> None:
        """Break the connection: what is under way is lost."""
        self._connected = False
        self._under_way.clear()
        self.agent.disconnected()

    def agent_does(self, commands: Iterable[Any]) -> None:
        """Do what the agent's end says."""
        for command in commands:
            match command:
                case SendFrame(frame):
                    self._carry(self._to_client, frame)
                case StartProcess():
                    self.started += 1
                case WriteInput(data, is_last):
                    self.input += data
                    self.input_ended |= is_last
                    self.agent.input_taken(len(data))
                case ResizeTerminal(columns, rows):
                    self.sizes.append((columns, rows))
                case EndProcess():
                    self.process_ended = True

    def client_does(self, commands: Iterable[Any]) -> None:
        """Do what the client's end says."""
        for command in commands:
            match command:
                case SendFrame(frame):
                    self._carry(self._to_agent, frame)
                case ShowOutput(data, True):
                    self.error_output += data
                case ShowOutput(data, False):
                    self.output += data
                case Ready():
                    self.is_ready = True
                case ReportExit(code):
                    self.exit_code = code
                case Closed(output):
                    self.closed_with = output

    def _to_client(self, frame: bytes) -> None:
        self.client_does(self.client.receive(frame, self.now))

    def _to_agent(self, frame: bytes) -> None:
        self.agent_does(self.agent.receive(frame, self.now))

    def _carry(self, deliver: Callable[[bytes], None], frame: bytes) -> None:
        if not self._connected:
            return
        # What closes the channel is sent once and has no acknowledgement: it relies on TCP, and so do we.
        is_certain = b"channel_closed" in frame[:36] or self.now > FAIR_AFTER
        copies = 1 if is_certain else (self._random.random() >= self.loss) + (self._random.random() < self.loss)
        for _ in range(copies):
            at = self.now + self._random.uniform(0.001, self._delay)
            heapq.heappush(self._under_way, (at, next(self._count), deliver, frame))

    def step(self) -> None:
        """Go on to what happens next."""
        client_wakes = self.client.wake_at()
        wakes = [self.agent.wake_at()] if client_wakes is None else [self.agent.wake_at(), client_wakes]
        if self._under_way and self._under_way[0][0] <= min(wakes):
            at, _, deliver, frame = heapq.heappop(self._under_way)
            self.now = max(self.now, at)
            deliver(frame)
        else:
            self.now = max(self.now, min(wakes))
            self.agent_does(self.agent.tick(self.now))
            self.client_does(self.client.tick(self.now))

    def run_until(self, condition: Callable[[], bool], steps: int = 20_000) -> None:
        """Go on until a condition holds."""
        for _ in range(steps):
            if condition():
                return
            self.step()
        raise AssertionError("it did not come to that")
