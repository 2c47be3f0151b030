"""Names of an engine's own in the machine's hosts file: one marked block an engine, put there and taken out whole.

Everything outside the block stays as it is, but for a last newline where there was none. The file is written in place:
in a container it is a mount, and cannot be replaced.
"""

import re
from collections.abc import Iterable
from pathlib import Path

HOSTS_FILE = Path("/etc/hosts")
BLOCK = re.compile(r"# tsubo (?P<engine>[0-9a-f]{8}) begins\b.*\n(?P<lines>(?:.*\n)*?)# tsubo (?P=engine) ends\n")


class HostsFile:
    """A hosts file with the blocks of any number of engines."""

    def __init__(self, path: Path = HOSTS_FILE) -> None:
        self._path = path

    def put(self, engine_id: str, address: str, names: Iterable[str], remedy: str) -> None:
        """Give an address these names, in place of what the engine's block said. `remedy` says how to take them out."""
        lines = "".join(f"{address} {name}\n" for name in names)
        text = self._without(engine_id)
        if text and not text.endswith("\n"):
            text += "\n"
        self._path.write_text(f"{text}# tsubo {engine_id} begins; {remedy}\n{lines}# tsubo {engine_id} ends\n")

    def remove(self, engine_id: str) -> bool:
        """Take an engine's block out. Return whether there was one."""
        before, after = self._read(), self._without(engine_id)
        if before != after:
            self._path.write_text(after)
        return before != after

    def names(self, engine_id: str) -> list[str]:
        """Return the names in an engine's block."""
        return [name for owner, name in self._owned() if owner == engine_id]

    def owners(self, names: Iterable[str]) -> dict[str, str]:
        """Return which of these names stand in an engine's block, each with the engine's id."""
        wanted = set(names)
        return {name: owner for owner, name in self._owned() if name in wanted}

    def _owned(self) -> list[tuple[str, str]]:
        blocks = ((found["engine"], found["lines"]) for found in BLOCK.finditer(self._read()))
        return [(engine, name) for engine, lines in blocks for line in lines.splitlines() for name in line.split()[1:]]

    def _without(self, engine_id: str) -> str:
        return BLOCK.sub(lambda found: "" if found["engine"] == engine_id else found[0], self._read())

    def _read(self) -> str:
        try:
            return self._path.read_text()
        except FileNotFoundError:
            return ""
