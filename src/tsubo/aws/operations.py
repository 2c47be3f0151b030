"""What an operation of ours is: a function from a call and its parsed request to its response.

An operation reads `call.world`, changes it only by `call.put` and `call.delete`, and raises `AwsError`. The endpoint
parses and serializes, and commits what was put before it answers; an operation that raises leaves nothing behind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tsubo.aws.caller import ENGINE_USER, Caller
from tsubo.aws.image_registry import ImageRegistry
from tsubo.model.supply import Supply
from tsubo.model.world import Record, World


class AwsError(Exception):
    """An error as AWS answers it: a code of the service's model, a message, an HTTP status, its other members."""

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


@dataclass
class Call:
    """One API call: who asks what, when, of which world. `now` is seconds since the epoch.

    `registry` is where ECR's layers are; None in an endpoint without one.
    """

    world: World
    now: float
    supply: Supply
    region: str
    request_id: str = "00000000-0000-0000-0000-000000000000"
    caller: Caller = ENGINE_USER
    registry: ImageRegistry | None = None
    written: list[Record] = field(default_factory=list)
    deleted: list[Record] = field(default_factory=list)

    @property
    def account_id(self) -> str:
        return self.world.engine.account_id

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a regional resource of this account."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"

    def put(self, *records: Record) -> None:
        """Write records, new or in place of those with their keys."""
        self.world = self.world.with_records(*records)
        self.written += records

    def delete(self, *records: Record) -> None:
        """Delete records."""
        self.world = self.world.without(*records)
        self.deleted += records


Request = dict[str, Any]
Response = dict[str, Any]
Operation = Callable[[Call, Request], Response | None]
Operations = Mapping[str, Operation]
"""A service's operations by the name its botocore model gives them; each service package exports one as OPERATIONS."""
