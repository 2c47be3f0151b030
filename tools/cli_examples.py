"""Run the commands of the AWS CLI's own examples against an engine, and say how each was answered.

Usage: eval "$(tsubo env)"; python tools/cli_examples.py [--verbose] [SERVICE...]

The examples name things that are not there, so most answers are errors; what matters is that each is one of AWS's: a
typed 4xx, never a 5xx or something that the CLI cannot read. Exit status 1 if any is not. `--verbose` shows all.
"""

import argparse
import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import awscli
from awscli.clidriver import create_clidriver

SERVICES = ("ecs", "servicediscovery", "elbv2", "route53", "logs", "ecr", "acm", "application-autoscaling")
PLACE = Path(awscli.__file__).parent / "examples"
FIRST, LAST = ("create", "register", "put", "add", "import", "request"), ("deregister", "delete", "remove")
COMMAND = re.compile(r"^[ \t]+(aws (?:[^\n\\]|\\(?!\n))*(?:\\[ \t]*\n[^\n\\]*(?:\\(?!\n)[^\n\\]*)*)*)", re.MULTILINE)
CONTENTS = re.compile(r"^[^\n]*?([\w.-]+\.json)``[^\n]*:\s*\n\n((?:[ \t]+[^\n]*\n|\n)+)", re.MULTILINE)
TYPED = re.compile(r"An error occurred \(([\w.]+)\) when calling the (\w+) operation(?: \([^)]*\))?: (.*)", re.DOTALL)
INTERNAL = (
    "InternalFailure",
    "InternalError",
    "ServerException",
    "InternalServiceException",
    "500",
    "502",
    "503",
    "504",
)
WAITING = ("wait", "execute-command", "get-login", "start-live-tail", "tail")
"""Commands that wait for something, or need a terminal."""


@dataclass(frozen=True)
class Answer:
    """How one command was answered: `ok`, a typed error's code, `client` (the CLI refused it), or `WRONG`."""

    command: str
    kind: str
    text: str


def commands(service: str, folder: Path) -> Iterator[list[str]]:
    """Yield the commands of a service's examples, what makes things first; the files they name are laid in a folder."""
    for path in sorted((PLACE / service).glob("*.rst"), key=_order):
        text = path.read_text()
        for name, content in CONTENTS.findall(text):
            (folder / name).write_text(content)
        for match in COMMAND.findall(text):
            with contextlib.suppress(ValueError):
                words = shlex.split(re.sub(r"\\[ \t]*\n", " ", match))
                if words[1] == service and len(words) > 2 and words[2] not in WAITING:
                    yield [_in_folder(word, folder) for word in words[1:]]


def _order(path: Path) -> tuple[int, str]:
    verb = path.stem.partition("-")[0]
    return (0 if verb in FIRST else 2 if verb in LAST else 1), path.stem


def _in_folder(word: str, folder: Path) -> str:
    return re.sub(r"(file(?:b)?://)(?:[^\s/\\]*[/\\])*([\w.-]+)", rf"\1{folder}/\2", word)


def answer(words: list[str]) -> Answer:
    """Run one command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = create_clidriver().main(words)
        except SystemExit as end:
            status = end.code
    text = err.getvalue().strip()
    typed = TYPED.search(text)
    if status == 0:
        return Answer(" ".join(words), "ok", out.getvalue()[:200])
    if typed is None:
        client = "usage:" in text or "Parameter validation failed" in text or "Error parsing" in text
        unreadable = any(words in text for words in ("Unable to parse response", "Could not connect", "Read timeout"))
        return Answer(" ".join(words), "client" if client or not unreadable else "WRONG", text)
    code = typed[1]
    wrong = code in INTERNAL or code.isdigit() or code.startswith("Internal")
    return Answer(" ".join(words), "WRONG" if wrong else code, text)


def main() -> int:
    """Run all examples, print what is wrong and the counts."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("services", nargs="*", default=SERVICES)
    options.add_argument("--verbose", action="store_true")
    given = options.parse_args()
    if "AWS_ENDPOINT_URL" not in os.environ:
        options.error('there is no AWS_ENDPOINT_URL: eval "$(tsubo env)"')
    os.environ["AWS_PAGER"] = ""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for service in given.services:
            for words in commands(service, Path(folder)):
                done = answer(words)
                counts[done.kind] += 1
                if given.verbose or done.kind == "WRONG":
                    print(f"{done.kind}: aws {done.command}\n    {done.text}")
    print(", ".join(f"{count} {kind}" for kind, count in counts.most_common()))
    return 1 if counts["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
