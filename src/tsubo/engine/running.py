"""Whether an engine runs. Light: every command of the command line begins here."""

import json
from pathlib import Path
from typing import Any

from tsubo.drivers.processes import processes_of
from tsubo.engine.errors import BUSY, UserError
from tsubo.engine.home import Home, HomeError, engine_id, open_home


def supervisor_pid(home: Path) -> int | None:
    """Return the process id of the engine's supervisor, if it runs."""
    pid = _supervisor_status(home).get("pid")
    return pid if pid in processes_of(engine_id(home)) else None


def controller_starts(home: Path) -> int:
    """Return how often the present supervisor has started the controller."""
    starts: int = _supervisor_status(home).get("starts", {}).get("controller", 0)
    return starts


def _supervisor_status(home: Path) -> dict[str, Any]:
    try:
        status: dict[str, Any] = json.loads((home / "run" / "supervisor.json").read_text())
        return status
    except (OSError, ValueError):
        return {}


def running_home(path: Path) -> Home:
    """Return the state directory of an engine that runs. Raises UserError if none does."""
    try:
        home = open_home(path)
    except HomeError as error:
        raise UserError(str(error), "Start one: tsubo start", BUSY) from error
    pid = supervisor_pid(path)
    if pid is None:
        raise UserError(f"The engine in {path} does not run.", "Start it with `tsubo start`.", BUSY)
    return home
