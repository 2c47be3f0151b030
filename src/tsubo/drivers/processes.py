"""Processes of an engine: found by the engine's id in their environment, ended by process id.

Every process that an engine starts carries TSUBO_ENGINE_ID. Nothing is ever found or ended by a name.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

ENGINE_VARIABLE = "TSUBO_ENGINE_ID"
POLL_SECONDS = 0.02


def environment(engine_id: str) -> dict[str, str]:
    """Return the environment for a process of this engine."""
    return {**os.environ, ENGINE_VARIABLE: engine_id}


def processes_of(engine_id: str) -> list[int]:
    """Return the ids of the processes that carry this engine's id, without the calling one."""
    marker = f"{ENGINE_VARIABLE}={engine_id}".encode()
    found = []
    for directory in Path("/proc").iterdir():
        if not directory.name.isdigit() or int(directory.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if marker in (directory / "environ").read_bytes().split(b"\0"):
                found.append(int(directory.name))
    return found


def is_running(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def end(pids: Iterable[int], patience_seconds: float = 5.0) -> None:
    """End processes: SIGTERM, then SIGKILL for those that are still there after a while. Returns when none runs."""
    pids = list(pids)
    _signal(pids, signal.SIGTERM)
    if not _wait_for_end(pids, patience_seconds):
        _signal(pids, signal.SIGKILL)
        _wait_for_end(pids, patience_seconds)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait_for_end(pids: list[int], patience_seconds: float) -> bool:
    deadline = time.monotonic() + patience_seconds
    while any(map(is_running, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
