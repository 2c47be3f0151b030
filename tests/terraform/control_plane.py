"""A control plane for the provider's tests: the real endpoint, and a stand-in for the loop.

The stand-in does at once what the engine does with packets and containers: load balancers become active, NAT gateways
available, certificates issued once their validation records stand; services being deleted end.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.aws.conftest import CountingSupply, serve
from tsubo.aws.asgi import application
from tsubo.aws.breadth import Breadth
from tsubo.aws.endpoint import Endpoint
from tsubo.aws.registry import OPERATIONS
from tsubo.aws.signature import AccessKey, Verifier
from tsubo.aws.store import Store, Transaction
from tsubo.model.acm import Certificate
from tsubo.model.identity import EngineIdentity
from tsubo.terraform.calls import Clients
from tsubo.terraform.provider import Provider

KEY = AccessKey("AKIATSUBOENGINE00001", "engine secret")
REGION = "ap-northeast-1"
PAUSE_SECONDS = 0.01


@dataclass
class ControlPlane:
    """A running endpoint with its store and a provider for it."""

    store: Store
    url: str
    provider: Provider

    def client(self, service: str) -> Any:
        """Return a botocore client of the endpoint."""
        return Clients(self.url, KEY.access_key_id, KEY.secret_access_key).get(service, REGION)


@contextmanager
def control_plane(directory: Path) -> Iterator[ControlPlane]:
    """Serve an endpoint with an empty store, and run the stand-in beside it."""
    store = Store(directory / "store.sqlite", EngineIdentity("0011aabb"))
    breadth = Breadth(directory)
    endpoint = Endpoint(
        store=store, supply=CountingSupply(), verifier=Verifier(KEY), breadth=breadth, operations=OPERATIONS
    )
    port, end = serve(application(endpoint, _no_engine_routes))
    stop = threading.Event()
    stand_in = threading.Thread(target=_stand_in, args=(store, stop), daemon=True)
    stand_in.start()
    url = f"http://127.0.0.1:{port}"
    try:
        yield ControlPlane(store, url, Provider(url, KEY.access_key_id, KEY.secret_access_key, REGION))
    finally:
        stop.set()
        stand_in.join()
        end()
        breadth.close()
        store.close()


async def _no_engine_routes(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _stand_in(store: Store, stop: threading.Event) -> None:
    seen = -1
    while not stop.wait(PAUSE_SECONDS):
        if store.version != seen:
            seen = store.version
            with store.transaction() as transaction:
                advance(transaction)


def advance(transaction: Transaction) -> None:
    """Bring everything that waits for the engine to its end."""
    world = transaction.world
    for balancer in world.load_balancers.values():
        if balancer.state == "provisioning":
            transaction.put(replace(balancer, state="active"))
    for gateway in world.nat_gateways.values():
        if gateway.state == "pending":
            transaction.put(replace(gateway, state="available"))
        elif gateway.state == "deleting":
            transaction.put(replace(gateway, state="deleted", deleted_at=time.time()))
    for service in world.services.values():
        if service.status == "DRAINING":
            transaction.put(replace(service, status="INACTIVE"))
    names = {record.name.rstrip(".") for record in world.record_sets.values() if record.type == "CNAME"}
    for certificate in world.certificates.values():
        if certificate.status == "PENDING_VALIDATION" and _validated(certificate, names):
            transaction.put(replace(certificate, status="ISSUED", issued_at=time.time()))


def _validated(certificate: Certificate, names: set[str]) -> bool:
    wanted = [option.record_name.rstrip(".") for option in certificate.validation_options]
    return bool(wanted) and all(name in names for name in wanted)
