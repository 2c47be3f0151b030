"""Long polling of SQS without holding up everybody else.

moto waits inside ReceiveMessage, and one lock is around each of its calls. So the endpoint does the waiting: it asks
moto not to wait, and asks again until there are messages or the time that the client gave is over.
"""

import dataclasses
import json

from tsubo.aws.dispatch import Target
from tsubo.aws.message import HttpRequest

NOTHING_RECEIVED = b"{}"
"""moto's answer to a ReceiveMessage that found no message; such a call changed nothing."""
INTERVAL_SECONDS = 0.2
MAXIMUM_WAIT_SECONDS = 20


def is_receive(target: Target) -> bool:
    """Return whether a call is SQS's ReceiveMessage, in the protocol that today's clients speak."""
    return (target.service, target.operation, target.protocol) == ("sqs", "ReceiveMessage", "json")


def without_wait(request: HttpRequest, target: Target) -> tuple[HttpRequest, float]:
    """Return a call that does not wait, and for how many seconds its client would have waited.

    Everything but a well-formed long poll is returned as it is, with 0.
    """
    if not is_receive(target):
        return request, 0
    try:
        parameters = json.loads(request.body)
        wait = parameters.get("WaitTimeSeconds")
    except (ValueError, AttributeError):
        return request, 0
    if not isinstance(wait, int) or not 0 < wait <= MAXIMUM_WAIT_SECONDS:
        return request, 0
    body = json.dumps({**parameters, "WaitTimeSeconds": 0}).encode()
    return dataclasses.replace(request, body=body), float(wait)
