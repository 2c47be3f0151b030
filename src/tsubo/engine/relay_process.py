"""The relay: a process of its own that publishes load balancers on this machine's loopback addresses.

    python -m tsubo.engine.relay_process --home HOME

In: HOME/relay/table.json. Out: HOME/relay/state.json, which says on which ports they are published in fact. It needs
no controller, and reads its table again when the controller asks.
"""

import logging
from pathlib import Path

import msgspec

from tsubo.drivers.relay import Relay
from tsubo.drivers.reload import replace_file
from tsubo.engine.helper_process import argument_parser, run
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


class RelayHelper:
    """The relay, as the table on disk says."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._relay = Relay()

    def reload(self) -> None:
        """Publish what the table says now."""
        publish(self._relay, self._home)

    def close(self) -> None:
        """End relaying."""
        self._relay.close()


def main() -> None:
    """Parse the command line and relay."""
    home = argument_parser("relay", __doc__).parse_args().home
    run("relay", home, lambda: RelayHelper(home))


if __name__ == "__main__":
    main()
