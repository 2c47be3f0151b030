"""The metadata process: what every task finds at 169.254.170.2, and its way to the AWS endpoint.

    python -m tsubo.engine.metadata_process --home HOME

In: HOME/metadata/table.json. It needs no controller: it tells tasks about themselves and gives them credentials as
soon as it starts, and reads its table again when the controller asks. Only the endpoint behind it is the controller's.
"""

import argparse
import asyncio
import logging
import resource
import signal
import socket
from pathlib import Path

import msgspec

from tsubo.drivers.container_stats import ContainerStats
from tsubo.drivers.endpoint_relay import relay
from tsubo.drivers.http_exchange import Answer, exchange
from tsubo.drivers.namespace_listeners import Handle, Listeners, Place
from tsubo.drivers.reload import serve_reload
from tsubo.engine.home import open_home
from tsubo.engine.metadata_service import MetadataService
from tsubo.model.metadata import ENDPOINT_PORT, LINK_LOCAL_ADDRESS, METADATA_PORT, MetadataTable, MetadataView

log = logging.getLogger(__name__)


def table_path(home: Path) -> Path:
    """Return where an engine's metadata table stands."""
    return home / "metadata" / "table.json"


def endpoint_socket(home: Path) -> Path:
    """Return the unix socket on which the controller answers the AWS calls of tasks."""
    return home / "run" / "task-calls.sock"


def places(table: MetadataTable, service: MetadataService, home: Path) -> dict[Place, Handle]:
    """Return where to listen for a table, and what to do with a connection there."""

    async def pass_on(connection: socket.socket, peer: str) -> None:
        await relay(connection, endpoint_socket(home))

    found: dict[Place, Handle] = {}
    for view in table.views:
        found[Place(view.namespace, LINK_LOCAL_ADDRESS, METADATA_PORT)] = _answering(view, service)
        found[Place(view.namespace, LINK_LOCAL_ADDRESS, ENDPOINT_PORT)] = pass_on
    return found


def _answering(view: MetadataView, service: MetadataService) -> Handle:
    async def answer(connection: socket.socket, peer: str) -> None:
        async def respond(method: str, path: str) -> Answer:
            return await service.respond(view, peer, method, path)

        await exchange(connection, respond)

    return answer


async def run(home: Path) -> None:
    """Serve until the process is told to end."""
    service = MetadataService(open_home(home).settings.secret_access_key, ContainerStats())
    listeners = Listeners()

    def reload() -> None:
        try:
            table = msgspec.json.decode(table_path(home).read_bytes(), type=MetadataTable)
        except FileNotFoundError:
            # A new engine: there is no task yet.
            return
        except (OSError, msgspec.DecodeError) as error:
            log.warning("%s: %s; what was served before stays", table_path(home), error)
            return
        listeners.serve(places(table, service, home))

    # Listening comes first: whoever writes a table after it was read here finds someone to tell.
    server = await serve_reload(home / "run" / "metadata.sock", reload)
    reload()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    server.close()
    listeners.close()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="metadata", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the engine's state directory")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="metadata: %(message)s")
    # Two descriptors a call of a task: what bounds them is the number of connections, not this.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(run(arguments.home))


if __name__ == "__main__":
    main()
