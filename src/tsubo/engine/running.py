"""Whether an engine runs. Light: every command of the command line begins here."""

import json
from pathlib import Path

from tsubo.drivers.processes import processes_of
from tsubo.engine.errors import BUSY, UserError
from tsubo.engine.home import Home, HomeError, engine_id, open_home


def supervisor_pid(home: Path) -> int | None:
    """Return the process id of the engine's supervisor, if it runs."""
    try:
        pid = int(json.loads((home / "run" / "supervisor.json").read_text())["pid"])
    except (OSError, ValueError, KeyError):
        return None
    return pid if pid in processes_of(engine_id(home)) else None


def running_home(path: Path) -> Home:
    """Return the state directory of an engine that runs. Raises UserError if none does."""
    try:
        home = open_home(path)
    except HomeError as error:
        raise UserError(str(error), "tsubo start", BUSY) from error
    pid = supervisor_pid(path)
    if pid is None:
        raise UserError(f"The engine in {path} does not run.", "Start it with `tsubo start`.", BUSY)
    return home
