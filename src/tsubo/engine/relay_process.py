"""The relay: a process of its own that publishes load balancers on this machine's loopback addresses.

    python -m tsubo.engine.relay_process --home HOME

In: HOME/relay/table.json. Out: HOME/relay/state.json, which says on which ports they are published in fact. It needs
no controller, and reads its table again when the controller asks.
"""

import argparse
import asyncio
import logging
import signal
from pathlib import Path

import msgspec

from tsubo.drivers.relay import Relay
from tsubo.drivers.reload import replace_file, serve_reload
from tsubo.model.proxy import RelayTable

log = logging.getLogger(__name__)


def publish(relay: Relay, home: Path) -> None:
    """Read the table, publish what it says, write where. A missing or damaged table changes nothing."""
    path = home / "relay" / "table.json"
    try:
        table = msgspec.json.decode(path.read_bytes(), type=RelayTable)
    except FileNotFoundError:
        return
    except msgspec.DecodeError:
        log.exception("%s is damaged; the table before it stays in force", path)
        return
    published = relay.serve(table)
    for port in published:
        if port.reason:
            log.warning("%s:%s: %s", port.entry.listen_address, port.entry.port, port.reason)
    replace_file(home / "relay" / "state.json", msgspec.json.encode(published))


async def run(home: Path) -> None:
    """Relay until the process is told to end."""
    relay = Relay()
    publish(relay, home)
    (home / "run").mkdir(mode=0o700, parents=True, exist_ok=True)
    server = await serve_reload(home / "run" / "relay.sock", lambda: publish(relay, home))
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    server.close()
    relay.close()


def main() -> None:
    """Parse the command line and relay."""
    parser = argparse.ArgumentParser(prog="relay", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the engine's state directory")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="relay: %(message)s")
    asyncio.run(run(arguments.home))


if __name__ == "__main__":
    main()
