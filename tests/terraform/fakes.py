"""An AWS that answers from a table, for tests of what calls are made."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from botocore.exceptions import ClientError

from tsubo.terraform.calls import Aws, Clients

REGION = "ap-northeast-1"
ACCOUNT = "123456789012"
Reply = Mapping[str, Any] | Callable[..., Mapping[str, Any]]


class FakeClients:
    """In place of `Clients`: each operation's reply by name, and the calls in order."""

    def __init__(self, replies: Mapping[str, Reply]) -> None:
        self.replies = dict(replies)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def get(self, _service: str, _region: str) -> Any:
        return self

    def account_id(self, _region: str) -> str:
        return ACCOUNT

    def __getattr__(self, operation: str) -> Callable[..., Mapping[str, Any]]:
        def call(**parameters: Any) -> Mapping[str, Any]:
            self.calls.append((operation, parameters))
            reply = self.replies[operation]
            return reply(**parameters) if callable(reply) else reply

        return call


def fake_aws(**replies: Reply) -> tuple[Aws, FakeClients]:
    """Return an `Aws` that answers from a table, and its record of calls."""
    clients = FakeClients(replies)
    return Aws(cast(Clients, clients), REGION), clients


def failing(code: str, message: str = "", times: int = 1_000_000) -> Callable[..., Mapping[str, Any]]:
    """Return a reply that fails so many times and then answers nothing."""
    left = [times]

    def reply(**_parameters: Any) -> Mapping[str, Any]:
        if left[0]:
            left[0] -= 1
            raise ClientError({"Error": {"Code": code, "Message": message}}, "Operation")
        return {}

    return reply
