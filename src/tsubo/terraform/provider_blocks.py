"""What a directory's text says of the real AWS provider: its `provider "aws"` blocks, and which major version it gets.

Only the names of a block's own arguments and blocks are looked for; Terraform does the reading.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tsubo.terraform.configuration_files import configuration_files
from tsubo.terraform.workspace import LOCK_FILE

_PROVIDER = re.compile(r'^[ \t]*provider[ \t]+"?aws"?[ \t]*\{', re.MULTILINE)
_REQUIRED = re.compile(r"^[ \t]*required_providers[ \t]*\{", re.MULTILINE)
_AWS_REQUIRED = re.compile(r"(?<![\w-])aws[ \t]*=[ \t]*\{")
_AWS_REQUIRED_OLD = re.compile(r'(?<![\w-])aws[ \t]*=[ \t]*"([^"]*)"')
_VERSION = re.compile(r'(?<![\w-])version[ \t]*=[ \t]*"([^"]*)"')
_ALIAS = re.compile(r'(?<![\w-])alias[ \t]*=[ \t]*"([^"]*)"')
_NAME = re.compile(r"^[ \t]*([\w-]+)[ \t]*(?:=|\{)", re.MULTILINE)
_LOCKED = re.compile(
    r'provider "registry\.(?:terraform\.io|opentofu\.org)/hashicorp/aws" \{[^}]*?version\s*=\s*"([^"]+)"'
)
_TERM = re.compile(r"^\s*(=|!=|>=|<=|>|<|~>)?\s*v?(\d+(?:\.\d+)*)")
_PASSED_OVER = re.compile(r'"(?:\\.|[^"\\\n])*"|#[^\n]*|//[^\n]*|/\*.*?\*/', re.DOTALL)


@dataclass(frozen=True)
class ProviderBlock:
    """One `provider "aws"` block: its alias (empty for the default one), the names of its arguments and blocks."""

    alias: str
    names: frozenset[str]


def provider_blocks(directory: Path) -> list[ProviderBlock]:
    """Return the `provider "aws"` blocks of a directory's own files (modules get theirs from it)."""
    return [_block(body) for text in _texts(directory) for body in _bodies(_PROVIDER, text)]


def locked_version(directory: Path) -> str | None:
    """Return the version of the AWS provider that `init` chose, by the lock file."""
    path = directory / LOCK_FILE
    match = _LOCKED.search(path.read_text(errors="replace")) if path.is_file() else None
    return match[1] if match else None


def newest_major(directory: Path) -> int | None:
    """Return the newest major version that the configuration's own constraints admit; None where there is no limit."""
    limits = [limit for constraint in _constraints(directory) if (limit := _limit(constraint)) is not None]
    return min(limits, default=None)


def _texts(directory: Path) -> Iterator[str]:
    for path in configuration_files(directory):
        if path.suffix == ".tf":
            yield path.read_text(errors="replace")


def _bodies(opening: re.Pattern[str], text: str) -> Iterator[str]:
    """Yield the text between the braces of each block that begins like this."""
    plain = _without_comments(text)
    for match in opening.finditer(plain):
        yield plain[match.end() : _closing(plain, match.end())]


def _without_comments(text: str) -> str:
    return _PASSED_OVER.sub(lambda match: match[0] if match[0].startswith('"') else "", text)


def _closing(text: str, start: int) -> int:
    """Return the place of the brace that closes the block whose body starts here. Braces in strings come in pairs."""
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return len(text)


def _block(body: str) -> ProviderBlock:
    own = _own_text(body)
    alias = _ALIAS.search(own)
    return ProviderBlock(alias[1] if alias else "", frozenset(_NAME.findall(own)))


def _own_text(body: str) -> str:
    """Return a body without what stands in the braces inside it."""
    kept, depth = [], 0
    for character in body:
        depth -= character == "}"
        if depth == 0:
            kept.append(character)
        depth += character == "{"
    return "".join(kept)


def _constraints(directory: Path) -> Iterator[str]:
    for text in _texts(directory):
        for body in _bodies(_REQUIRED, text):
            yield from _AWS_REQUIRED_OLD.findall(body)
            for entry in _bodies(_AWS_REQUIRED, body):
                yield from _VERSION.findall(entry)
        for body in _bodies(_PROVIDER, text):
            yield from _VERSION.findall(_own_text(body))


def _limit(constraint: str) -> int | None:
    """Return the newest major version that one constraint (`>= 3.0, < 5`) admits."""
    limits = []
    for term in constraint.split(","):
        match = _TERM.match(term)
        if match is None:
            continue
        operator, numbers = match[1] or "=", [int(number) for number in match[2].split(".")]
        if operator == "<" and not any(numbers[1:]):
            limits.append(numbers[0] - 1)
        elif operator in ("=", "<", "<=") or (operator == "~>" and len(numbers) > 1):
            limits.append(numbers[0])
    return min(limits, default=None)
