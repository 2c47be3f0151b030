"""The supervisor: starts the engine's processes and starts them again when they end. It knows nothing else.

    python -m tsubo.engine.supervisor --home HOME

It runs the controller and the data plane's helpers, and what stands in HOME/processes (the load balancers'
Envoys): one JSON file a process, `{"argv": [...]}`, whose name is the process's. On a reload it compares again.
The helpers outlive a dead controller, and each reads its last table from disk when it comes back.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tsubo.drivers.processes import end, environment, processes_of
from tsubo.drivers.reload import replace_file, serve_reload
from tsubo.engine.home import Home, open_home

MODULES = {
    "resolver": "tsubo.engine.resolver_process",
    "relay": "tsubo.engine.relay_process",
    "health": "tsubo.engine.health_process",
    "registry": "tsubo.engine.registry_process",
    "metadata": "tsubo.engine.metadata_process",
    "flows": "tsubo.engine.flows_process",
    "controller": "tsubo.engine.controller",
}
RESTART_SECONDS = (0.05, 2.0)
"""The first and the longest pause before a process that ended is started again."""
STAYED_SECONDS = 5.0
LOG_SIZE_LIMIT = 20_000_000
END_PATIENCE_SECONDS = 4.0


@dataclass
class Child:
    argv: list[str]
    task: asyncio.Task[None]
    pid: int | None = None
    starts: int = 0


class Supervisor:
    """The children by name, and the tasks that keep each running."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.children: dict[str, Child] = {}

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT."""
        # What a killed supervisor left behind is ended first: two controllers on one state directory must never be.
        await asyncio.to_thread(end, processes_of(self.home.settings.engine_id))
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        self.compare()
        server = await serve_reload(self.home.socket("supervisor"), self.compare)
        await stop.wait()
        server.close()
        await self._end_all()

    def compare(self) -> None:
        """Start what should run and does not; end what runs and should not."""
        wanted = {
            name: [sys.executable, "-m", module, "--home", str(self.home.path)] for name, module in MODULES.items()
        }
        for file in sorted((self.home.path / "processes").glob("*.json")):
            wanted[file.stem] = json.loads(file.read_text())["argv"]
        for name in [name for name, child in self.children.items() if wanted.get(name) != child.argv]:
            self.children.pop(name).task.cancel()
        for name, argv in wanted.items():
            if name not in self.children:
                child = Child(argv, asyncio.create_task(self._keep_running(name, argv)))
                self.children[name] = child
        self._write_status()

    async def _keep_running(self, name: str, argv: list[str]) -> None:
        pause = RESTART_SECONDS[0]
        while True:
            started_at = time.monotonic()
            process = await self._start(name, argv)
            try:
                await process.wait()
            except asyncio.CancelledError:
                await _end_process(process)
                raise
            if time.monotonic() - started_at > STAYED_SECONDS:
                pause = RESTART_SECONDS[0]
            print(
                f"{name} ended with {process.returncode}; starting it again in {pause} s", file=sys.stderr, flush=True
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, RESTART_SECONDS[1])

    async def _start(self, name: str, argv: list[str]) -> asyncio.subprocess.Process:
        path = self.home.path / "log" / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_SIZE_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(self.home.settings.engine_id),
                start_new_session=True,
            )
        if name in self.children:
            self.children[name].pid = process.pid
            self.children[name].starts += 1
        self._write_status()
        return process

    async def _end_all(self) -> None:
        # The controller goes first, so that nobody asks the helpers for anything while they go.
        for name in sorted(self.children, key=lambda name: name != "controller"):
            task = self.children[name].task
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(end, processes_of(self.home.settings.engine_id))
        (self.home.path / "run" / "supervisor.json").unlink(missing_ok=True)

    def _write_status(self) -> None:
        status = {
            "pid": os.getpid(),
            "processes": {name: child.pid for name, child in self.children.items()},
            "starts": {name: child.starts for name, child in self.children.items()},
        }
        replace_file(self.home.path / "run" / "supervisor.json", json.dumps(status).encode())


async def _end_process(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_PATIENCE_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def main() -> None:
    """Run the supervisor of a state directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    asyncio.run(Supervisor(open_home(parser.parse_args().home)).run())


if __name__ == "__main__":
    main()
