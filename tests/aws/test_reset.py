"""Forgetting everything, as suites written for a moto server ask for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.aws.conftest import ENGINE, ENGINE_KEY, CountingSupply
from tsubo.aws.dispatch import Target
from tsubo.aws.endpoint import Endpoint
from tsubo.aws.message import HttpRequest, HttpResponse
from tsubo.aws.signature import Verifier
from tsubo.aws.store import Store
from tsubo.model.ecs import Cluster
from tsubo.model.vpc import Vpc

RESET = HttpRequest("POST", "/moto-api/reset", headers={"host": "127.0.0.1"})


class Moto:
    """Answers every call, and remembers its path."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def forward(self, request: HttpRequest, target: Target) -> HttpResponse:
        self.paths.append(request.path)
        return HttpResponse(200, {}, b'{"status": "ok"}')


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with something of two services."""
    store = Store(tmp_path / "store.sqlite", ENGINE)
    store.commit([Vpc("vpc-1", "ap-northeast-1", "10.0.0.0/16"), Cluster("arn", "main", "ap-northeast-1")])
    yield store
    store.close()


def endpoint(store: Store, moto: Moto, auth: Literal["signature", "none"]) -> Endpoint:
    return Endpoint(
        store=store, supply=CountingSupply(), verifier=Verifier(ENGINE_KEY, auth=auth), breadth=moto, operations={}
    )


def test_everything_is_forgotten_motos_own_too(store: Store, tmp_path: Path) -> None:
    moto = Moto()
    assert endpoint(store, moto, "none").handle(RESET).status == 200
    assert not store.world.vpcs
    assert not store.world.clusters
    assert moto.paths == ["/moto-api/reset"]


@pytest.mark.parametrize(
    ("auth", "request_"),
    [
        ("signature", RESET),
        ("none", HttpRequest("POST", RESET.path, headers=RESET.headers, from_task=True)),
        ("none", HttpRequest("GET", RESET.path, headers=RESET.headers)),
        ("none", HttpRequest("POST", RESET.path, headers={"host": "127.0.0.1", "origin": "https://example.com"})),
    ],
    ids=["unsigned", "from a task", "not POST", "from a browser"],
)
def test_not_so_by_others(store: Store, auth: Literal["signature", "none"], request_: HttpRequest) -> None:
    endpoint(store, Moto(), auth).handle(request_)
    assert store.world.vpcs
