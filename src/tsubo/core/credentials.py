"""A task's credentials: derived from the engine's secret and the task's id, so that nobody has to keep them.

The session token says whose they are and until when; key id and secret key are HMACs of the token. Whoever knows the
engine's secret (the controller, the metadata process) gives out and verifies the same ones, before and after any
restart, without a word between them. A token that somebody makes up has a secret key that he cannot compute.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

LIFETIME_SECONDS = 6 * 3600
"""How long credentials are valid (aws/ecs-cloudmap-exec.md section 17)."""
RENEWAL_SECONDS = 5 * 3600
"""How often new ones take their place: an hour before the old ones expire."""

_TOKEN_VERSION = "tsubo1"


@dataclass(frozen=True)
class TaskCredentials:
    """What a task signs its calls with; `expires_at` is in seconds since the epoch."""

    task_id: str
    expires_at: int
    access_key_id: str
    secret_access_key: str
    session_token: str


def current(engine_secret: str, task_id: str, since: float, now: float) -> TaskCredentials:
    """Return the credentials that a task is given now: the same for as long as they need not be renewed.

    `since` is when the task was made; both times are in seconds since the epoch.
    """
    renewals = max(0, int(now - since) // RENEWAL_SECONDS)
    return _derived(engine_secret, task_id, int(since) + renewals * RENEWAL_SECONDS + LIFETIME_SECONDS)


def given_out(engine_secret: str, access_key_id: str, session_token: str) -> TaskCredentials | None:
    """Return the credentials that a key id and a token belong to, expired or not; None if there are none such."""
    try:
        content = base64.b64decode(session_token, validate=True).decode("ascii")
        _, task_id, expires_at = content.split("/")
        credentials = _derived(engine_secret, task_id, int(expires_at))
    except (binascii.Error, ValueError):
        return None
    same = (credentials.access_key_id, credentials.session_token) == (access_key_id, session_token)
    return credentials if same else None


def _derived(engine_secret: str, task_id: str, expires_at: int) -> TaskCredentials:
    token = base64.b64encode(f"{_TOKEN_VERSION}/{task_id}/{expires_at}".encode()).decode()
    return TaskCredentials(
        task_id,
        expires_at,
        access_key_id="ASIA" + base64.b32encode(_digest(engine_secret, "key id", token)).decode()[:16],
        secret_access_key=base64.b64encode(_digest(engine_secret, "secret key", token)).decode()[:40],
        session_token=token,
    )


def _digest(engine_secret: str, purpose: str, token: str) -> bytes:
    return hmac.new(engine_secret.encode(), f"task credentials: {purpose}: {token}".encode(), hashlib.sha256).digest()
