"""The registry: a process of its own that docker pushes to and pulls from.

    python -m tsubo.engine.registry_process --home HOME

In: HOME/registry (layers), the engine's endpoint (manifests and tags), HOME/registry/tls.crt and tls.key if HTTPS is
wanted. Out: HOME/registry/address.json, which says where it listens. Without a certificate it speaks HTTP alone, which
docker permits on loopback addresses. The certificate is read again when the controller asks.
"""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable, Generator, Iterable
from functools import cache
from typing import Any

import uvicorn

from tsubo.aws.image_registry import signing_key
from tsubo.drivers.layer_store import LayerStore
from tsubo.drivers.port_holder import holder_of
from tsubo.engine.helper_process import argument_parser, run
from tsubo.engine.home import Home, open_home
from tsubo.engine.registry_address import (
    HTTPS_PORT,
    LOOPBACK_HOST,
    RegistryAddress,
    certificate_files,
    read_address,
    registry_directory,
    write_address,
)
from tsubo.engine.registry_app import RegistryApp
from tsubo.engine.registry_catalog import Catalog

log = logging.getLogger(__name__)

PORTS = (5000, 13000, 0)
SHUTDOWN_SECONDS = 2
KEEP_ALIVE_SECONDS = 60


class Server(uvicorn.Server):  # type: ignore[misc]
    """A server beside others in one process: the signals are the process's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone."""
        yield


class Registry:
    """The servers of the registry: HTTP always, HTTPS while there is a certificate."""

    def __init__(self, home: Home) -> None:
        self._home = home
        settings = home.settings
        self._app = RegistryApp(
            LayerStore(registry_directory(home.path)),
            Catalog(_ecr_client(home)),
            signing_key(settings.secret_access_key),
            home.identity,
        )
        self._address = home.identity.loopback(LOOPBACK_HOST)
        self._port = 0
        self._https: Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def reload(self) -> None:
        """Serve HTTP, and HTTPS with the certificate that is there now, if one is; say where."""
        if self._port == 0:
            self._start_http()
        if self._https is not None:
            self._https.should_exit = True
            self._https = None
        wanted = all(file.exists() for file in certificate_files(self._home.path))
        problem = self._start_https() if wanted else None
        write_address(self._home.path, RegistryAddress(self._address, self._port, self._https is not None, problem))

    def close(self) -> None:
        """End serving: the process ends, and with it its connections."""

    def _start_http(self) -> None:
        before = read_address(self._home.path)
        listening = _listen(self._address, (*((before.port,) if before else ()), *PORTS))
        self._port = listening.getsockname()[1]
        self._serve(Server(self._config()), listening)

    def _start_https(self) -> str | None:
        """Start the HTTPS server; return why it could not be."""
        try:
            listening = _listen(self._address, (HTTPS_PORT,))
        except OSError as error:
            return f"Port {HTTPS_PORT} of {self._address} is taken by {holder_of(HTTPS_PORT) or error}."
        certificate, key = certificate_files(self._home.path)
        self._https = Server(self._config(ssl_certfile=str(certificate), ssl_keyfile=str(key)))
        self._serve(self._https, listening)
        return None

    def _config(self, **choices: str) -> uvicorn.Config:
        return uvicorn.Config(
            self._app,
            lifespan="off",
            ws="none",
            log_level="warning",
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            **choices,
        )

    def _serve(self, server: Server, listening: socket.socket) -> None:
        task = asyncio.create_task(server.serve([listening]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _ecr_client(home: Home) -> Callable[[str], Any]:
    """Return what gives a client of the engine's ECR in a region."""

    @cache
    def clients() -> Any:
        # Loaded at the first request: an engine whose registry nobody uses shall not pay for it.
        from tsubo.terraform.calls import Clients  # noqa: PLC0415

        settings = home.settings
        return Clients(home.endpoint, settings.access_key_id, settings.secret_access_key)

    return lambda region: clients().get("ecr", region)


def _listen(address: str, ports: Iterable[int]) -> socket.socket:
    """Return a socket that listens on the first of the ports that is free. Raises OSError if none is."""
    taken: OSError | None = None
    for port in ports:
        try:
            return socket.create_server((address, port), backlog=512, reuse_port=port == HTTPS_PORT)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            taken = error
    raise taken or OSError("no port to try")


def main() -> None:
    """Parse the command line and serve."""
    home = open_home(argument_parser("registry", __doc__).parse_args().home)
    run("registry", home.path, lambda: Registry(home))


if __name__ == "__main__":
    main()
