"""Forgetting everything at once: what `POST /moto-api/reset` does on a moto server, for the clients that call it.

Test suites written for a moto server begin each test so. It needs what every call needs: the engine's signature, or an
engine that asks for none (`tsubo start --auth none`). What ran is ended by the loop, as what nothing asks for any more.
"""

from tsubo.aws.message import HttpRequest
from tsubo.aws.store import Store
from tsubo.model.world import KIND_NAMES

RESET_PATH = "/moto-api/reset"


def is_reset(request: HttpRequest) -> bool:
    """Say whether a request asks to forget everything; a task cannot."""
    return request.method == "POST" and request.path == RESET_PATH and not request.from_task


def forget_all(store: Store) -> None:
    """Delete every record."""
    with store.transaction() as transaction:
        for name in KIND_NAMES.values():
            transaction.delete(*getattr(transaction.world, name).values())
