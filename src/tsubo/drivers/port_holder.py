"""Who listens on a TCP port of this machine: found in /proc, without any other tool."""

import contextlib
import os
from pathlib import Path

_LISTENING = "0A"


def holder_of(port: int) -> str | None:
    """Return the process that listens on a port, such as `nginx (process 812)`, or None if none can be found."""
    sockets = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listening_inodes(table, port)}
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit() and sockets and _holds(directory, sockets):
            return f"{_name(directory)} (process {directory.name})"
    return None


def _listening_inodes(table: str, port: int) -> list[str]:
    try:
        lines = (Path("/proc/net") / table).read_text().splitlines()[1:]
    except FileNotFoundError:
        return []
    rows = [line.split() for line in lines]
    return [row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]


def _holds(process: Path, sockets: set[str]) -> bool:
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if os.readlink(descriptor) in sockets:
                    return True
    return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "unknown"
