"""Where the configuration says something: Terraform addresses from the states, files and lines from the directories.

A resource is found by a scan for the line that opens its block; modules are followed where their source is a directory.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tsubo.model.explanation import Source
from tsubo.terraform.configuration_files import configuration_files
from tsubo.terraform.state_file import managed_resources, read_state

IDENTIFIERS = ("arn", "id", "security_group_rule_id")
_RESOURCE = re.compile(r'^\s*resource\s+"([^"]+)"\s+"([^"]+)"')
_MODULE = re.compile(r'^module\s+"([^"]+)"\s*\{(.*?)^\}', re.MULTILINE | re.DOTALL)
_MODULE_SOURCE = re.compile(r'^\s*source\s*=\s*"(\.{1,2}/[^"]*)"', re.MULTILINE)
_INDEX = re.compile(r"\[[^\]]*\]")

Place = tuple[Path, int]


def sources(home: Path) -> dict[str, Source]:
    """Return the sources of every resource in the states of an engine, by id and by ARN."""
    found: dict[str, Source] = {}
    for root in sorted((home / "terraform").glob("*")):
        try:
            configuration = Configuration(Path((root / "directory").read_text()))
        except FileNotFoundError:
            continue
        for state in sorted(root.glob("upper/.tsubo/**/terraform.tfstate")):
            for address, _, attributes in managed_resources(read_state(state)):
                source = configuration.source(address)
                names = (attributes.get(identifier) for identifier in IDENTIFIERS)
                found |= {name: source for name in names if isinstance(name, str) and name and name not in found}
    return found


class Configuration:
    """The blocks of one root module and of the local modules it calls."""

    def __init__(self, directory: Path) -> None:
        self._root = directory.resolve()
        self._blocks: dict[Path, dict[str, Place]] = {}

    def source(self, address: str) -> Source:
        """Return where an address's block begins, if it is found."""
        *modules, block = _split(address)
        directory: Path | None = self._root
        for name in modules:
            directory = None if directory is None else _module_directory(directory, name)
        place = None if directory is None else self._blocks_of(directory).get(block)
        if place is None:
            return Source(address)
        path, line = place
        return Source(address, os.path.relpath(path, self._root), line)

    def _blocks_of(self, directory: Path) -> dict[str, Place]:
        if directory not in self._blocks:
            self._blocks[directory] = dict(_resource_blocks(directory))
        return self._blocks[directory]


def _split(address: str) -> list[str]:
    """Return the modules' names of an address, then `TYPE.NAME`."""
    *modules, kind, name = _INDEX.sub("", address).split(".")
    return [*modules[1::2], f"{kind}.{name}"]


def _resource_blocks(directory: Path) -> Iterator[tuple[str, Place]]:
    for path in configuration_files(directory):
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            if match := _RESOURCE.match(line):
                yield f"{match[1]}.{match[2]}", (path, number)


def _module_directory(directory: Path, name: str) -> Path | None:
    for path in configuration_files(directory):
        for module, body in _MODULE.findall(path.read_text(errors="replace")):
            source = _MODULE_SOURCE.search(body)
            if module == name and source is not None:
                return (directory / source[1]).resolve()
    return None
