"""What tasks ask at 169.254.170.2 and what they are told: metadata, statistics, credentials.

    /v4/<container> /task /taskWithTags /stats /task/stats    documents of core/metadata.py, statistics as they are now
    /v3/<container> ...                                       the same
    /v2/credentials/<id>                                      the task role's credentials

Who asks is known by the source address, which the VPC's router lets nobody forge; each task is told about itself only.
The words of errors are the agent's. Source: aws/ecs-cloudmap-exec.md section 17.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from tsubo.core import credentials
from tsubo.drivers.http_exchange import Answer
from tsubo.engine.throttle import Throttle
from tsubo.model.metadata import ContainerMetadata, MetadataView, TaskMetadata

METADATA_VERSIONS = ("v3", "v4")
CREDENTIALS_PATH = "/v2/credentials"
STATISTICS_PATHS = ("stats", "task/stats")
TOO_MANY = Answer(429, b'"You have reached maximum request limit."')
NOT_FOUND = Answer(404, b'"404 page not found"')
METHOD_NOT_ALLOWED = Answer(405, b'"Method Not Allowed"')


class Statistics(Protocol):
    """Where containers' statistics come from (`drivers.container_stats.ContainerStats`)."""

    async def of(self, container_id: str) -> dict[str, Any] | None:
        """Return a container's statistics, or None."""
        ...


class MetadataService:
    """Answers the tasks of every VPC."""

    def __init__(self, engine_secret: str, statistics: Statistics, clock: Callable[[], float] = time.time) -> None:
        self._engine_secret = engine_secret
        self._statistics = statistics
        self._clock = clock
        self._throttle = Throttle(clock)

    async def respond(self, view: MetadataView, peer: str, method: str, path: str) -> Answer:
        """Return the answer to a request that came from an address in a VPC."""
        if not self._throttle.admits((view.namespace, peer)):
            return TOO_MANY
        if method not in ("GET", "HEAD"):
            return METHOD_NOT_ALLOWED
        task = view.tasks_by_address.get(peer)
        if path == CREDENTIALS_PATH or path.startswith(f"{CREDENTIALS_PATH}/"):
            return self._credentials(task, path.removeprefix(CREDENTIALS_PATH).strip("/"))
        version, _, rest = path.strip("/").partition("/")
        if version not in METADATA_VERSIONS:
            return NOT_FOUND
        endpoint_id, _, document = rest.partition("/")
        return await self._metadata(task, version, endpoint_id, document)

    async def _metadata(self, task: TaskMetadata | None, version: str, endpoint_id: str, document: str) -> Answer:
        containers = {container.endpoint_id: container for container in task.containers} if task else {}
        container = containers.get(endpoint_id)
        if task is None or container is None:
            words = f"{version.upper()} metadata handler: unable to get task ARN from the request: {endpoint_id}"
            return _json(404, f"{words}: no such container of the task that asks")
        if document in STATISTICS_PATHS:
            of_container = document == "stats"
            return _json(200, await (self._stats(container) if of_container else self._task_stats(task)))
        if document == "":
            return _json(200, container.document)
        if document == "task":
            return _json(200, self._task(task))
        if document == "taskWithTags":
            return _json(200, {**self._task(task), "TaskTags": dict(task.tags)})
        return NOT_FOUND

    def _task(self, task: TaskMetadata) -> Mapping[str, Any]:
        """Return a task's document with its containers and the clock: the tasks' reference is this machine's own."""
        clock = {
            "ClockErrorBound": 0.0,
            "ReferenceTimestamp": _time(self._clock()),
            "ClockSynchronizationStatus": "SYNCHRONIZED",
        }
        return {**task.document, "Containers": [c.document for c in task.containers], "ClockDrift": clock}

    async def _stats(self, container: ContainerMetadata) -> Mapping[str, Any] | None:
        return await self._statistics.of(container.container_id) if container.container_id else None

    async def _task_stats(self, task: TaskMetadata) -> Mapping[str, Any]:
        found = await asyncio.gather(*(self._stats(container) for container in task.containers))
        return {c.endpoint_id: statistics for c, statistics in zip(task.containers, found, strict=True)}

    def _credentials(self, task: TaskMetadata | None, asked: str) -> Answer:
        if not asked:
            return _refusal(400, "NoIdInRequest", "CredentialsV2Request: No Credential ID in the request")
        if task is None or task.role_arn is None or task.credentials_id != asked:
            return _refusal(400, "InvalidIdInRequest", "CredentialsV2Request: Credentials not found")
        current = credentials.current(self._engine_secret, task.task_id, task.created_at, self._clock())
        document = {
            "RoleArn": task.role_arn,
            "AccessKeyId": current.access_key_id,
            "SecretAccessKey": current.secret_access_key,
            "Token": current.session_token,
            "Expiration": _time(current.expires_at),
        }
        return _json(200, document)


def _refusal(status: int, code: str, message: str) -> Answer:
    return _json(status, {"code": code, "message": message, "HTTPErrorCode": status})


def _json(status: int, content: Any) -> Answer:
    return Answer(status, json.dumps(content).encode())


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
