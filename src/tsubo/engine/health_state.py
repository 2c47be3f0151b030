"""What the health checker found, as a file: written by it alone, read by the controller and by its own next process.

HOME/health/state.json maps `Target.key` to the report that the API gives, with what each node knows beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tsubo.core.target_health import TargetHealth
from tsubo.drivers.reload import replace_file
from tsubo.model.observed import TargetReport


@dataclass(frozen=True)
class SavedTarget(TargetReport):
    """A target's report, and its health by the pool (one for each node) that checks it."""

    pools: Mapping[str, TargetHealth] = field(default_factory=dict)


def state_path(home: Path) -> Path:
    """Return the file of the health checker's findings."""
    return home / "health" / "state.json"


def encode_state(targets: Mapping[str, SavedTarget]) -> bytes:
    """Return the file's content."""
    return msgspec.json.encode(targets)


def write_state(home: Path, content: bytes) -> None:
    """Write the file so that a reader sees all of it or the one before."""
    state_path(home).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_file(state_path(home), content)


def read_state(home: Path) -> Mapping[str, SavedTarget]:
    """Return the findings; none if there is no file or it is damaged, as checking anew repairs that."""
    try:
        return msgspec.json.decode(state_path(home).read_bytes(), type=dict[str, SavedTarget])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}
