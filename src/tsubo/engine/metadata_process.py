"""The metadata process: what every task finds at 169.254.170.2, and its way to the AWS endpoint.

    python -m tsubo.engine.metadata_process --home HOME

In: HOME/metadata/table.json. It needs no controller: it tells tasks about themselves and gives them credentials as
soon as it starts, and reads its table again when the controller asks. Only the endpoint behind it is the controller's.
"""

import logging
import resource
import socket
from pathlib import Path

import msgspec

from tsubo.drivers.container_stats import ContainerStats
from tsubo.drivers.endpoint_relay import relay
from tsubo.drivers.http_exchange import Answer, exchange
from tsubo.drivers.namespace_listeners import Handle, Listeners, Place
from tsubo.engine.helper_process import argument_parser, run
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


class MetadataHelper:
    """The tasks' endpoints, as the table on disk says."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._service = MetadataService(open_home(home).settings.secret_access_key, ContainerStats())
        self._listeners = Listeners()

    def reload(self) -> None:
        """Serve what the table says now."""
        path = table_path(self._home)
        try:
            table = msgspec.json.decode(path.read_bytes(), type=MetadataTable)
        except FileNotFoundError:
            # A new engine: there is no task yet.
            return
        except (OSError, msgspec.DecodeError) as error:
            log.warning("%s: %s; what was served before stays", path, error)
            return
        self._listeners.serve(places(table, self._service, self._home))

    def close(self) -> None:
        """End serving."""
        self._listeners.close()


def main() -> None:
    """Parse the command line and serve."""
    home = argument_parser("metadata", __doc__).parse_args().home
    # Two descriptors a call of a task: what bounds them is the number of connections, not this.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    run("metadata", home, lambda: MetadataHelper(home))


if __name__ == "__main__":
    main()
