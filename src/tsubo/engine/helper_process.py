"""What the data plane's helper processes share: serving a table from disk, reading it again when told to, ending.

A helper needs no controller. It listens on HOME/run/NAME.sock before it reads its table for the first time: whoever
writes a table after that finds someone to tell.
"""

import argparse
import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tsubo.drivers.reload import serve_reload

log = logging.getLogger(__name__)


class Helper(Protocol):
    """What a helper process does. Both are called in the event loop."""

    def reload(self) -> None:
        """Read the table and serve what it says. A damaged one leaves what was served before; raising says so."""
        ...

    def close(self) -> None:
        """End serving."""
        ...


def reload_socket(home: Path, name: str) -> Path:
    """Return the socket on which a helper is asked to read its table again."""
    return home / "run" / f"{name}.sock"


def argument_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the argument that every helper has."""
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("--home", type=Path, required=True, help="the engine's state directory")
    return parser


def run(name: str, home: Path, make: Callable[[], Helper]) -> None:
    """Make a helper inside an event loop, and serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format=f"{name}: %(message)s")
    asyncio.run(_serve(reload_socket(home, name), make))


async def _serve(socket_path: Path, make: Callable[[], Helper]) -> None:
    helper = make()
    socket_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = await serve_reload(socket_path, helper.reload)
    try:
        helper.reload()
    except Exception as error:
        log.warning("nothing to serve yet: %s", error)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    server.close()
    helper.close()
