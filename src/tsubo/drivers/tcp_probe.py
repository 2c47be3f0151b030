"""One attempt to connect from inside a network namespace: what a client there would see."""

import errno
import socket
from typing import Literal

from tsubo.drivers.netns import socket_in

TIMEOUT_SECONDS = 2.0
"""How long silence is taken for an answer on its way; here one takes milliseconds."""
_SILENCE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT)

Attempt = Literal["connected", "refused", "timeout"]


def attempt(
    namespace: str, address: str, port: int, source: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS
) -> Attempt:
    """Connect to an address and close again; `source` is the address to come from, where the namespace has several.

    Raises NamespaceError where there is no such namespace, and OSError for what no client would see.
    """
    with socket_in(namespace, socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(timeout_seconds)
        if source is not None:
            client.bind((source, 0))
        try:
            client.connect((address, port))
        except TimeoutError:
            return "timeout"
        except ConnectionRefusedError:
            return "refused"
        except OSError as error:
            if error.errno in _SILENCE:
                return "timeout"
            raise
    return "connected"
