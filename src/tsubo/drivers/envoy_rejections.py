"""What Envoy refused of the files it was given, and why.

Envoy keeps the version of each file that it accepted last. A file with another version was refused, or is so new that
Envoy has not come to it; a moment of patience tells which. Its reasons stand in its log, and for listeners beside them.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsubo.drivers.envoy_admin import AdminError, get_json

PATIENCE_SECONDS = 0.5
POLL_SECONDS = 0.02
LOG_TAIL_BYTES = 64 * 1024
_COMPLAINT = "update rejected: "


@dataclass(frozen=True)
class Rejection:
    """A listener, or the file of one kind of resource, that Envoy refused, and what it said."""

    resource: str
    reason: str


def read_rejections(directory: Path, admin_path: Path) -> tuple[Rejection, ...]:
    """Return what Envoy refused of the files in `directory`; nothing if it does not run."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while refused := _not_in_force(directory, admin_path):
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        listeners = _refused_listeners(admin_path) if "lds" in refused else {}
    except AdminError:
        return ()
    if listeners:
        # Nobody asks for the routes of a listener that was refused.
        refused = [name for name in refused if name != "lds" and name.removeprefix("rds-") not in listeners]
    complaint = _last_complaint(directory / "envoy.log")
    named = [Rejection(name, reason) for name, reason in sorted(listeners.items())]
    return (*named, *(Rejection(name, complaint) for name in refused))


def _not_in_force(directory: Path, admin_path: Path) -> list[str]:
    """Return the names (without `.json`) of the files whose content Envoy has not accepted."""
    readouts = get_json(admin_path, "/stats?format=json&type=TextReadouts&filter=version_text")
    accepted = {stat["name"]: stat["value"] for stat in readouts.get("stats", ()) if "name" in stat}
    files = [directory / "cds.json", *sorted(directory.glob("rds-*.json")), directory / "lds.json"]
    return [file.stem for file in files if file.exists() and json.loads(file.read_text())["version_info"]
            not in _versions(file.stem, accepted)]  # fmt: skip


def _versions(name: str, accepted: Mapping[str, str]) -> list[str]:
    kind, _, route_configuration = name.partition("-")
    if kind == "rds":
        ending = f".rds.{route_configuration}.version_text"
        return [version for stat, version in accepted.items() if stat.endswith(ending)]
    manager = {"cds": "cluster_manager", "lds": "listener_manager"}[kind]
    return [accepted.get(f"{manager}.{kind}.version_text", "")]


def _refused_listeners(admin_path: Path) -> dict[str, str]:
    dump = get_json(admin_path, "/config_dump?resource=dynamic_listeners")
    states = [entry["error_state"] for entry in dump.get("configs", ()) if "error_state" in entry]
    return {state.get("failed_configuration", {}).get("name", ""): state.get("details", "") for state in states}


def _last_complaint(log: Path) -> str:
    try:
        tail = log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
    except FileNotFoundError:
        return ""
    lines = [line for line in tail.splitlines() if _COMPLAINT in line]
    return lines[-1].partition(_COMPLAINT)[2] if lines else ""
