"""A container's statistics, in the container engine's own format, as often as one asks.

The engine is asked once a second and container at most, however many ask here. It compares no two samples by itself
when asked for one at once, so the sample before stands in `precpu_stats` from here. The counters of the network are
read from the container's process: the engine does not know the interface that is plugged into its tasks.
"""

import asyncio
import contextlib
import http.client
import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

ENGINE_SOCKET = "/var/run/docker.sock"
FRESH_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 0.2
"""How long after the very first sample of a container a second one is taken, so that there is one before it."""
FORGET_SECONDS = 60.0
ANSWER_SECONDS = 5.0
LARGEST_ANSWER = 1 << 20
COUNTERS = ("rx_bytes", "rx_packets", "rx_errors", "rx_dropped", "tx_bytes", "tx_packets", "tx_errors", "tx_dropped")
COUNTER_COLUMNS = (0, 1, 2, 3, 8, 9, 10, 11)

Sample = dict[str, Any]


class ContainerStats:
    """The latest samples of containers. Must be used inside one event loop."""

    def __init__(self, engine_socket: str = ENGINE_SOCKET, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine_socket = engine_socket
        self._clock = clock
        self._latest: dict[str, tuple[float, Sample]] = {}
        self._asking: dict[str, asyncio.Task[Sample | None]] = {}

    async def of(self, container_id: str) -> Sample | None:
        """Return a container's statistics, at most a second old; None if there are none (it does not run)."""
        taken_at, sample = self._latest.get(container_id, (float("-inf"), {}))
        if self._clock() - taken_at < FRESH_SECONDS:
            return sample
        asking = self._asking.get(container_id)
        if asking is None:
            asking = self._asking[container_id] = asyncio.create_task(self._take(container_id))
            asking.add_done_callback(lambda _: self._asking.pop(container_id, None))
        return await asyncio.shield(asking)

    async def _take(self, container_id: str) -> Sample | None:
        now = self._clock()
        self._latest = {key: latest for key, latest in self._latest.items() if now - latest[0] < FORGET_SECONDS}
        before = self._latest[container_id][1] if container_id in self._latest else None
        if before is None:
            before = await self._sample(container_id)
            await asyncio.sleep(FIRST_PAUSE_SECONDS)
        sample = await self._sample(container_id)
        if sample is None or before is None:
            return None
        sample |= {"preread": before["read"], "precpu_stats": before["cpu_stats"]}
        sample["network_rate_stats"] = _rates(before, sample)
        self._latest[container_id] = (self._clock(), sample)
        return sample

    async def _sample(self, container_id: str) -> Sample | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                state = await self._ask(f"/containers/{container_id}/json")
                sample = await self._ask(f"/containers/{container_id}/stats?stream=false&one-shot=true")
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError, http.client.HTTPException):
            return None
        if not state or not sample or not state["State"]["Running"]:
            return None
        sample["networks"] = _networks(state["State"]["Pid"])
        return sample

    async def _ask(self, path: str) -> dict[str, Any] | None:
        """Return the container engine's JSON answer to a GET; None if it is an error."""
        reader, writer = await asyncio.open_unix_connection(self._engine_socket)
        try:
            # Version 1.0 has no chunks: the answer ends with the connection.
            writer.write(f"GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())
            content = await reader.read(LARGEST_ANSWER)
            while part := await reader.read(LARGEST_ANSWER - len(content)):
                content += part
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        head, _, body = content.partition(b"\r\n\r\n")
        if head.split()[1:2] != [b"200"]:
            return None
        answer: dict[str, Any] = json.loads(body)
        return answer


def _networks(pid: int) -> dict[str, dict[str, int]]:
    """Return the counters of a process's network devices."""
    try:
        lines = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
    except OSError:
        return {}
    devices = (line.split(":", 1) for line in lines)
    return {
        name.strip(): {
            counter: int(numbers.split()[column]) for counter, column in zip(COUNTERS, COUNTER_COLUMNS, strict=True)
        }
        for name, numbers in devices
        if name.strip() != "lo"
    }


def _rates(before: Sample, after: Sample) -> dict[str, float]:
    """Return the bytes per second between two samples, over all devices."""
    seconds = (datetime.fromisoformat(after["read"]) - datetime.fromisoformat(before["read"])).total_seconds()

    def rate(counter: str) -> float:
        grown = sum(d[counter] for d in after["networks"].values()) - sum(
            d[counter] for d in before["networks"].values()
        )
        return grown / seconds if seconds > 0 else 0.0

    return {"rx_bytes_per_sec": rate("rx_bytes"), "tx_bytes_per_sec": rate("tx_bytes")}
