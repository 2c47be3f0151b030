"""AWS calls for the resources: warm clients, retries as the real provider retries, waiting for states.

In goes the endpoint and the engine's key; out come botocore's answers, or `CallError` with the cause in AWS's words
and what to change in the configuration. One `Clients` lives as long as the engine, since making a botocore client
costs about 50 ms; one `Aws` is what a resource sees: a region and the provider block's default tags.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tsubo.terraform.retries import is_gone, retry_hint

T = TypeVar("T")
Answer = Any
"""botocore's answer: a dict of the operation's output, untyped because the service models are."""

RETRY_SECONDS = 30.0
REMOVAL_RETRY_SECONDS = 180.0
"""What is removed may still be used by tasks that stop, which takes up to their `stopTimeout`: 120 s at most."""
REMOVALS = ("delete_", "detach_", "disassociate_", "release_")
WAIT_SECONDS = 300.0
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.25
MAXIMUM_CONNECTIONS = 64


class CallError(Exception):
    """A call that failed for good. `code` is AWS's; `hint` says what to change, where that is known."""

    def __init__(self, message: str, code: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint

    @property
    def gone(self) -> bool:
        """Whether AWS says that the thing does not exist."""
        return is_gone(self.code, self.message)


class Clients:
    """botocore clients of one engine by service and region, made once. Safe to use from many threads."""

    def __init__(self, endpoint_url: str, access_key_id: str, secret_access_key: str) -> None:
        self._endpoint_url = endpoint_url
        self._keys = (access_key_id, secret_access_key)
        self._session = botocore.session.Session()
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._account_id: str | None = None

    def get(self, service: str, region: str) -> Any:
        """Return the client of a service in a region."""
        client = self._clients.get((service, region))
        if client is None:
            with self._lock:
                client = self._clients.get((service, region)) or self._create(service, region)
                self._clients[service, region] = client
        return client

    def _create(self, service: str, region: str) -> Any:
        return self._session.create_client(
            service,
            region_name=region,
            endpoint_url=self._endpoint_url,
            aws_access_key_id=self._keys[0],
            aws_secret_access_key=self._keys[1],
            config=Config(
                inject_host_prefix=False,
                parameter_validation=False,
                max_pool_connections=MAXIMUM_CONNECTIONS,
                retries={"total_max_attempts": 1},
                connect_timeout=5,
                read_timeout=60,
            ),
        )

    def account_id(self, region: str) -> str:
        """Return the account of the engine's key."""
        if self._account_id is None:
            self._account_id = str(self.get("sts", region).get_caller_identity()["Account"])
        return self._account_id


@dataclass(frozen=True)
class Aws:
    """What a resource calls AWS with. `stopping` is set when Terraform was told to stop."""

    clients: Clients
    region: str
    default_tags: Mapping[str, str] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def account_id(self) -> str:
        return self.clients.account_id(self.region)

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"

    def call(self, service: str, operation: str, /, **parameters: Any) -> Answer:
        """Make a call; parameters that are None are left out.

        What the real provider retries is retried here, for at most 30 s, removals for 180 s. Raises CallError.
        """
        method = getattr(self.clients.get(service, self.region), operation)
        given = {name: value for name, value in parameters.items() if value is not None}
        patience = REMOVAL_RETRY_SECONDS if operation.startswith(REMOVALS) else RETRY_SECONDS
        deadline = time.monotonic() + patience
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return method(**given)
            except ClientError as error:
                code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
                hint = retry_hint(operation, code, message)
                if hint is None or self.stopping.is_set() or time.monotonic() > deadline:
                    raise CallError(f"{service} {operation}: {code}: {message}", code, hint or "") from error
            except BotoCoreError as error:
                raise CallError(f"{service} {operation}: {error}") from error
            self.stopping.wait(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)

    def find(self, service: str, operation: str, /, **parameters: Any) -> Answer | None:
        """Make a call that asks for one thing; return None where AWS says that it does not exist."""
        try:
            return self.call(service, operation, **parameters)
        except CallError as error:
            if error.gone:
                return None
            raise

    def wait(self, what: str, probe: Callable[[], T | None], seconds: float = WAIT_SECONDS, hint: str = "") -> T:
        """Ask until `probe` returns something, and return that. Raises CallError when it takes too long."""
        deadline = time.monotonic() + seconds
        pause = FIRST_PAUSE_SECONDS
        while (found := probe()) is None:
            if self.stopping.is_set():
                raise CallError(f"interrupted while waiting for {what}")
            if time.monotonic() > deadline:
                raise CallError(f"waited {seconds:.0f} s in vain for {what}", hint=hint)
            self.stopping.wait(pause)
            pause = min(pause * 1.2, FIRST_PAUSE_SECONDS * 3)
        return found
