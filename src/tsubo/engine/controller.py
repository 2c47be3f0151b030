"""The controller: the AWS endpoint and the loop, in one process.

    python -m tsubo.engine.controller --home HOME

It may be killed at any moment: what it answered is on disk, what runs goes on running, and the next one takes over.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import uvicorn

from tsubo.aws.access.decisions import Decisions
from tsubo.aws.access.resources import Place
from tsubo.aws.access.roles import Roles
from tsubo.aws.asgi import application
from tsubo.aws.breadth import Breadth
from tsubo.aws.caller import Caller
from tsubo.aws.dispatch import Target
from tsubo.aws.endpoint import Endpoint
from tsubo.aws.message import HttpRequest
from tsubo.aws.signature import AccessKey, Verifier
from tsubo.aws.store import Store
from tsubo.drivers.certificate_authority import CertificateAuthority
from tsubo.drivers.container_logs import LogLine, LogShipper
from tsubo.drivers.docker import ContainerEngine
from tsubo.drivers.layer_store import LayerStore
from tsubo.engine.api import Api
from tsubo.engine.context import EngineContext
from tsubo.engine.data_plane import DataPlane
from tsubo.engine.exec_sessions import ExecSessions
from tsubo.engine.flow_deliveries import FlowLogDelivery
from tsubo.engine.home import Home, open_home
from tsubo.engine.layer_sweep import start_sweeping
from tsubo.engine.loop import Loop, Machine, SystemSupply
from tsubo.engine.metadata_process import endpoint_socket
from tsubo.engine.registry_address import image_registry, registry_directory
from tsubo.engine.steps import StepRunner
from tsubo.engine.task_images import TaskImages
from tsubo.engine.task_keys import TaskKeys
from tsubo.model.pace import Pace, real_pace
from tsubo.terraform.calls import Clients
from tsubo.terraform.provider import Provider

log = logging.getLogger("tsubo.controller")

WATCH_AGAIN_SECONDS = 0.5
SHUTDOWN_SECONDS = 2
WEBSOCKET_MESSAGE_BYTES = 1 << 20


class Controller:
    """Everything in the controller's process, wired together."""

    def __init__(self, home: Home) -> None:
        self.home = home
        settings = home.settings
        self.store = Store(home.store, home.identity)
        self.containers = ContainerEngine(settings.engine_id, settings.region)
        self.breadth = Breadth(home.path / "moto")
        self.roles = Roles(self.breadth)
        self.decisions = Decisions(self.breadth, self.roles)
        self.registry = image_registry(home)
        self.images = TaskImages(self.store, self.containers, self.registry)
        self.data_plane = DataPlane(home)
        authority = CertificateAuthority(home.path / "ca")
        authority.ensure(f"Tsubo local CA {settings.engine_id}")
        shipper = LogShipper(self.containers, home.path / "logs" / "positions.json", self._deliver_logs)
        self.shipper = shipper
        self.steps = StepRunner(
            self.store,
            self.containers,
            self.data_plane.network,
            self.breadth,
            self.decisions,
            self.images,
            authority,
            shipper,
            finished=self.wake,
        )
        machine = Machine(self.containers, self.data_plane, self.steps, home.path / "health" / "state.json")
        self.loop = Loop(self.store, machine, real_pace() if settings.real_time else Pace())
        self.store.subscribe(self.loop.wake)

    def wake(self) -> None:
        """Ask the loop for a pass."""
        self.loop.wake()

    def run(self) -> None:
        """Serve until SIGTERM."""
        threading.Thread(target=self._receive_wake_ups, name="wake-ups", daemon=True).start()
        _run_forever("container-events", lambda: self.containers.watch(self.wake))
        self.loop.start()
        # moto is needed by every stack (roles, log groups); it starts while Terraform still reads.
        threading.Thread(target=self.breadth.ensure_started, daemon=True).start()
        self.shipper.start()
        FlowLogDelivery(self.home, self.store, self.breadth).start()
        start_sweeping(self.store, LayerStore(registry_directory(self.home.path)))
        try:
            asyncio.run(self._serve())
        finally:
            self.loop.stop()
            self.store.close()

    async def _serve(self) -> None:
        settings = self.home.settings
        key = AccessKey(settings.access_key_id, settings.secret_access_key)
        task_keys = TaskKeys(self.store, settings.secret_access_key, self.roles)
        verifier = Verifier(key, task_keys, auth="none" if settings.auth == "none" else "signature")
        endpoint = Endpoint(
            store=self.store,
            supply=SystemSupply(),
            verifier=verifier,
            breadth=self.breadth,
            authorize=self._authorize,
            image_registry=self.registry,
        )
        clients = Clients(self.home.endpoint, settings.access_key_id, settings.secret_access_key)
        provider = Provider(self.home.endpoint, settings.access_key_id, settings.secret_access_key, settings.region)
        sessions = ExecSessions(self.store, self.containers.container_name)
        context = EngineContext(
            self.home,
            self.store,
            self.loop,
            self.containers,
            self.data_plane,
            clients,
            provider,
            sessions,
            self.images,
            time.time(),
        )
        server = uvicorn.Server(
            uvicorn.Config(
                application(endpoint, Api(context), sessions),
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
                ws_max_size=WEBSOCKET_MESSAGE_BYTES,
                ws_per_message_deflate=False,
                # A client that is stopped for long, as by Ctrl-S, must not lose its session.
                ws_ping_interval=None,
            )
        )
        with socket.create_server(("127.0.0.1", settings.port)) as clients_socket, self._task_socket() as task_socket:
            await sessions.start()
            try:
                await server.serve([clients_socket, task_socket])
            finally:
                await sessions.close()

    def _task_socket(self) -> socket.socket:
        """Return the socket to which the metadata process brings the calls of tasks."""
        path = endpoint_socket(self.home.path)
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(path))
        path.chmod(0o600)
        return listening

    def _authorize(self, caller: Caller, request: HttpRequest, target: Target) -> None:
        identity = self.home.identity
        place = Place(target.region or identity.default_region, identity.account_id)
        self.decisions.check(caller, request, target, place)

    def _receive_wake_ups(self) -> None:
        """Receive the health checker's datagrams: its state file has changed."""
        path = self.home.socket("controller")
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(str(path))
            os.chmod(path, 0o600)
            while True:
                receiver.recv(64)
                self.wake()

    def _deliver_logs(self, region: str, group: str, stream: str, lines: list[LogLine]) -> None:
        events = [{"timestamp": line.time_ms, "message": line.message or " "} for line in lines]
        try:
            self.breadth.call(
                "logs", "put_log_events", {"logGroupName": group, "logStreamName": stream, "logEvents": events}, region
            )
        except Exception as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            if code == "ResourceNotFoundException":
                raise LookupError(group) from error
            raise


def _run_forever(name: str, work: Callable[[], None]) -> None:
    """Run work in a thread, again and again: when its stream ends or fails, it is opened anew."""

    def run() -> None:
        while True:
            with contextlib.suppress(Exception):
                work()
            time.sleep(WATCH_AGAIN_SECONDS)

    threading.Thread(target=run, name=name, daemon=True).start()


def main() -> None:
    """Run the controller of a state directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    # Children that are reaped by whoever started them; a closed terminal is nothing to us.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    Controller(open_home(arguments.home)).run()


if __name__ == "__main__":
    main()
