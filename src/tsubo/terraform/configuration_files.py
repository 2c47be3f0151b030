"""The text of a configuration: which AWS types it uses, what it must not use, whether it changed since `init`.

Only names are looked for; Terraform does the reading. A type that is mentioned but not used costs nothing.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tsubo.terraform.runs import RunError

_TYPE = re.compile(r"\baws_[a-z0-9_]+")
_LOCAL_MODULE = re.compile(r"""\bsource"?\s*[=:]\s*"(\.{1,2}/[^"]*)\"""")
_REFUSED = re.compile(r"""^\s*data\s+"(external|http)"\s""", re.MULTILINE)


def configuration_files(directory: Path) -> list[Path]:
    """Return the configuration files of one directory, in order."""
    return sorted(path for pattern in ("*.tf", "*.tf.json") for path in directory.glob(pattern) if path.is_file())


def all_texts(directory: Path, fetched_modules: Path) -> Iterator[str]:
    """Yield the text of a directory's files, those of the local modules it reaches, and of the modules fetched."""
    pending, seen = [directory.resolve()], set[Path]()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        for path in configuration_files(current):
            text = path.read_text(errors="replace")
            yield text
            pending += [(current / source).resolve() for source in _LOCAL_MODULE.findall(text)]
    for path in sorted(fetched_modules.rglob("*.tf")):
        yield path.read_text(errors="replace")


def check(directory: Path) -> None:
    """Raise RunError where a directory is none, has no configuration, or uses what is refused."""
    if not directory.is_dir():
        raise RunError("no-directory", f"{directory}: no such directory")
    files = configuration_files(directory)
    if not files:
        raise RunError("no-configuration", f"{directory}: no Terraform configuration (*.tf) here")
    for path in files:
        match = _REFUSED.search(path.read_text(errors="replace"))
        if match:
            raise RunError(
                "refused",
                f'{path}: data "{match[1]}" runs programs or calls the internet at plan time, which Tsubo does not do; '
                "put its result in a variable",
            )


def used_types(texts: Iterable[str]) -> set[str]:
    """Return every word that may be an AWS type."""
    return {name for text in texts for name in _TYPE.findall(text)}


def fingerprint(texts: Iterable[str], *more: str) -> str:
    """Return a digest of a configuration, by which to tell whether `init` is still good."""
    digest = hashlib.sha256()
    for text in (*texts, *more):
        digest.update(text.encode())
        digest.update(b"\0")
    return digest.hexdigest()
