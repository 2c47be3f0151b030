"""What ECR's operations know of the registry process: its layers, where it listens, and the passwords it takes.

A password is what GetAuthorizationToken gives out: its own expiry, and a signature over that by a key that follows
from the engine's. So the registry verifies one without asking anybody, and each engine takes only its own.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, Protocol

USER_NAME = "AWS"
PASSWORD_SECONDS = 12 * 3600
"""How long a password is good (aws/ecs-cloudmap-exec.md section 16)."""


class Layers(Protocol):
    """The files of the registry by digest (`drivers.layer_store.LayerStore`)."""

    def size(self, digest: str) -> int | None:
        """Return how many bytes a layer has; None if it is not there."""
        ...

    def begin(self) -> str:
        """Begin an upload and return its id."""
        ...

    def received(self, upload_id: str) -> int | None:
        """Return how many bytes of an upload are here; None if there is no such upload."""
        ...

    def append(self, upload_id: str, data: bytes) -> int:
        """Add bytes to an upload and return how many there are now."""
        ...

    def finish(self, upload_id: str, digest: str) -> int:
        """Make an upload the layer of this digest; return its size. Raises ValueError if its content is another."""
        ...


@dataclass(frozen=True)
class ImageRegistry:
    """The registry of an engine. `address` returns `ADDRESS:PORT` once the process listens."""

    layers: Layers
    key: bytes = field(repr=False)
    address: Callable[[], str | None]


def signing_key(secret: str) -> bytes:
    """Return the key of the registry's passwords, from the engine's secret."""
    return hmac.digest(secret.encode(), b"tsubo registry password", sha256)


def make_password(key: bytes, expires_at: float) -> str:
    """Return a password that is good until `expires_at` (seconds since the epoch). Its form is AWS's."""
    expiration = int(expires_at)
    content = {"payload": _signature(key, expiration), "version": "2", "type": "DATA_KEY", "expiration": expiration}
    return base64.b64encode(json.dumps(content).encode()).decode()


def check_password(key: bytes, password: str, now: float) -> Literal["good", "expired", "bad"]:
    """Return whether this engine gave out a password, and whether it is still good."""
    try:
        content = json.loads(base64.b64decode(password, validate=True))
        payload, expiration = str(content["payload"]), int(content["expiration"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        return "bad"
    if not hmac.compare_digest(payload.encode(), _signature(key, expiration).encode()):
        return "bad"
    return "good" if now < expiration else "expired"


def _signature(key: bytes, expiration: int) -> str:
    return base64.b64encode(hmac.digest(key, str(expiration).encode(), sha256)).decode()
