"""What a client needs to open the data channel of an ECS Exec session: where it is, and a token that opens it once.

Source: aws/ecs-cloudmap-exec.md section 13.
"""

import hashlib

from tsubo.aws.operations import Call
from tsubo.model.supply import ALPHANUMERIC

TOKEN_LENGTH = 64


def stream_url(call: Call, session_id: str) -> str:
    """Return the address of a session's data channel."""
    return f"ws://127.0.0.1:{call.world.engine.endpoint_port}/v1/data-channel/{session_id}?role=publish_subscribe"


def new_token(call: Call) -> tuple[str, str]:
    """Return a new token, and the digest of it that may be stored."""
    token = call.supply.text(TOKEN_LENGTH, ALPHANUMERIC)
    return token, hashlib.sha256(token.encode()).hexdigest()
