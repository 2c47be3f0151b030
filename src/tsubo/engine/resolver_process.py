"""The resolver: a process of its own that serves every VPC's DNS from the table on disk.

It needs no controller: it serves what the table says as soon as it starts, and reads the table again when the
controller asks (`drivers/reload.py`). A table that is missing or damaged changes nothing of what is served.
Run as `python -m tsubo.engine.resolver_process --home HOME`; it ends on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import logging
import signal
from pathlib import Path
from random import Random

from tsubo.drivers.reload import serve_reload
from tsubo.drivers.resolver import Endpoint, Resolver, Respond
from tsubo.engine.lookup import TableError, read_table
from tsubo.engine.resolver_wire import WireView
from tsubo.model.nameserver import DnsTable

log = logging.getLogger(__name__)


def reload_socket(home: Path) -> Path:
    """Return the socket on which the resolver is asked to read its table again."""
    return home / "run" / "resolver.sock"


def responders(table: DnsTable) -> dict[Endpoint, Respond]:
    """Return what each endpoint of a table answers with."""
    found: dict[Endpoint, Respond] = {}
    for view in table.views:
        respond = WireView(view, Random()).respond
        found |= {Endpoint(view.namespace, address): respond for address in view.addresses}
    return found


async def run(home: Path) -> None:
    """Serve until the process is told to end."""
    resolver = Resolver()

    def reload() -> None:
        resolver.serve(responders(read_table(home)))

    reload_socket(home).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Listening comes first: whoever writes a table after it was read here finds someone to tell.
    server = await serve_reload(reload_socket(home), reload)
    try:
        reload()
    except TableError as error:
        log.warning("nothing to serve yet: %s", error)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    server.close()
    resolver.close()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="resolver", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the engine's state directory")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="resolver: %(message)s")
    asyncio.run(run(arguments.home))


if __name__ == "__main__":
    main()
