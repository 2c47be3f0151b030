"""Starting, stopping and removing an engine, from outside: what needs no running controller.

`start` and `stop` leave the stack as it is; `remove` takes away everything that carries the engine's id, however the
engine ended, and may be called again.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tsubo.drivers import netns
from tsubo.drivers.docker import ContainerEngine
from tsubo.drivers.docker_images import ImageTransfer
from tsubo.drivers.mounts import unmount_below
from tsubo.drivers.network import NetworkDriver
from tsubo.drivers.port_holder import holder_of
from tsubo.drivers.processes import end, environment, processes_of
from tsubo.engine.client import request
from tsubo.engine.errors import BUSY, MACHINE, UserError
from tsubo.engine.home import Home, HomeError, engine_id, make_home, open_home
from tsubo.engine.registry_address import LOOPBACK_HOST
from tsubo.engine.registry_trust import withdraw
from tsubo.engine.running import controller_starts, supervisor_pid
from tsubo.model.identity import EngineIdentity

START_TIMEOUT_SECONDS = 30.0
HOPELESS_STARTS = 4
"""A controller that was started so often has ended each time."""
POLL_SECONDS = 0.02


def start(path: Path, **choices: object) -> Home:
    """Start the engine of a state directory unless it runs; return once its endpoint answers.

    `choices` are settings (`Settings`) to take over. Raises UserError.
    """
    if os.geteuid() != 0:
        raise UserError("Tsubo makes network namespaces and needs root.", "Run it with sudo.", MACHINE)
    _refuse_to_change_while_running(path, choices)
    try:
        home = make_home(path, **choices)
    except HomeError as error:
        raise UserError(str(error), "Choose another --home.", MACHINE) from error
    with _exclusive(path):
        if supervisor_pid(path) is None:
            _require_container_engine()
            holder = holder_of(home.settings.port)
            if holder is not None and not _is_ours(home, holder):
                raise UserError(
                    f"Port {home.settings.port} on 127.0.0.1 is taken by {holder}.",
                    "End that program, or choose another port: tsubo start --port N.",
                    MACHINE,
                )
            _spawn_supervisor(home)
        _await_endpoint(home)
    return home


def _refuse_to_change_while_running(path: Path, choices: Mapping[str, object]) -> None:
    """Raise UserError where a choice differs from what the running engine was started with."""
    if supervisor_pid(path) is None:
        return
    settings = open_home(path).settings
    for name, value in choices.items():
        current = getattr(settings, name)
        if value is not None and value != current:
            raise UserError(
                f"The engine in {path} runs already, and its {name.replace('_', ' ')} is {current}.",
                "Stop it first, the tasks go on running: tsubo stop",
                BUSY,
            )


def stop(path: Path) -> bool:
    """End the engine's processes; tasks, namespaces and state stay. Return whether any ran."""
    pid = supervisor_pid(path)
    if pid is not None:
        # The supervisor ends its children in order.
        end([pid], patience_seconds=15.0)
    left = processes_of(engine_id(path))
    end(left)
    return pid is not None or bool(left)


def remove(path: Path) -> dict[str, int]:
    """Remove everything of this engine: processes, containers, namespaces, state. Return how many of each."""
    if os.geteuid() != 0:
        raise UserError("Removing namespaces and containers needs root.", "Run it with sudo.", MACHINE)
    identity = EngineIdentity(engine_id(path))
    processes = len(processes_of(identity.engine_id))
    stop(path)
    withdraw(identity.engine_id)
    containers = _remove_containers(identity)
    namespaces = len(netns.names(identity.namespace("")))
    NetworkDriver.destroy(identity)
    unmount_below(path)
    if (path / "engine.json").exists() or (path / "run").exists():
        _remove_state(path)
    return {"processes": processes, "containers": containers, "namespaces": namespaces}


def _remove_state(path: Path) -> None:
    """Remove the state directory; engine.json goes last, so that an interrupted removal can be taken up again."""
    for entry in path.iterdir():
        if entry.name == "engine.json":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    (path / "engine.json").unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        path.rmdir()


def _remove_containers(identity: EngineIdentity) -> int:
    try:
        engine = ContainerEngine(identity.engine_id)
        containers = engine.remove_all()
        # What tasks fetched from the engine's registry is known by its address; local images have other names.
        ImageTransfer(engine.client).forget(f"{identity.loopback(LOOPBACK_HOST)}:")
        return containers
    except Exception as error:
        raise UserError(
            f"The container engine does not answer, so this engine's containers may be left: {error}",
            "Start Docker and run `tsubo down` again.",
            MACHINE,
        ) from error


def _require_container_engine() -> None:
    try:
        ContainerEngine("probe").client.ping()
    except Exception as error:
        raise UserError(
            f"No container engine answers ({type(error).__name__}).",
            "Start Docker, or run `make setup`. `tsubo doctor` says what is missing.",
            MACHINE,
        ) from error


def _is_ours(home: Home, holder: str) -> bool:
    """Return whether a port's holder (`name (process N)`) is a process of this engine that is about to be replaced."""
    return any(f"(process {pid})" in holder for pid in processes_of(home.settings.engine_id))


def _spawn_supervisor(home: Home) -> None:
    with (home.path / "log" / "supervisor.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "tsubo.engine.supervisor", "--home", str(home.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment(home.settings.engine_id),
            cwd="/",
        )


def _await_endpoint(home: Home) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and controller_starts(home.path) < HOPELESS_STARTS:
        with contextlib.suppress(UserError):
            request(home, "status")
            return
        time.sleep(POLL_SECONDS)
    log = home.path / "log" / "controller.log"
    last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
    raise UserError(
        f"The engine does not come up. {' '.join(last)}",
        f"See {log}; `tsubo doctor` says what is missing.",
        MACHINE,
    )


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold the state directory's start lock: of two starts at once the second waits, then finds the first's engine."""
    with (path / "run" / "start.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
