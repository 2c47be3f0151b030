"""The resolver: a process of its own that serves every VPC's DNS from the table on disk.

It needs no controller: it serves what the table says as soon as it starts, and reads the table again when the
controller asks (`drivers/reload.py`). A table that is missing or damaged changes nothing of what is served.
Run as `python -m tsubo.engine.resolver_process --home HOME`; it ends on SIGTERM or SIGINT.
"""

import logging
from pathlib import Path
from random import Random

from tsubo.drivers.resolver import Endpoint, Resolver, Respond
from tsubo.engine.helper_process import argument_parser, run
from tsubo.engine.lookup import read_table
from tsubo.engine.resolver_wire import WireView
from tsubo.model.nameserver import DnsTable

log = logging.getLogger(__name__)


def responders(table: DnsTable) -> dict[Endpoint, Respond]:
    """Return what each endpoint of a table answers with."""
    found: dict[Endpoint, Respond] = {}
    for view in table.views:
        respond = WireView(view, Random()).respond
        found |= {Endpoint(view.namespace, address): respond for address in view.addresses}
    return found


class ResolverHelper:
    """The resolver, as the table on disk says."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._resolver = Resolver()

    def reload(self) -> None:
        """Serve what the table says now. Raises TableError where it cannot be read; what was served before stays."""
        self._resolver.serve(responders(read_table(self._home)))

    def close(self) -> None:
        """End serving."""
        self._resolver.close()


def main() -> None:
    """Parse the command line and serve."""
    home = argument_parser("resolver", __doc__).parse_args().home
    run("resolver", home, lambda: ResolverHelper(home))


if __name__ == "__main__":
    main()
