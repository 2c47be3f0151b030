"""What tasks are answered at 169.254.170.2: aws/ecs-cloudmap-exec.md section 17."""

import asyncio
import json
from typing import Any

import pytest

from tsubo.core import credentials
from tsubo.engine.metadata_service import MetadataService
from tsubo.engine.throttle import BURST, MOST_BUCKETS, REQUESTS_PER_SECOND, Throttle
from tsubo.model.metadata import ContainerMetadata, MetadataView, TaskMetadata

ROLE = "arn:aws:iam::123456789012:role/app"
NOW = 1_700_000_000.0


def task(number: int, role_arn: str | None = ROLE) -> TaskMetadata:
    identity = f"{number:032x}"
    return TaskMetadata(
        identity,
        f"10.0.0.{number}",
        NOW,
        {"TaskARN": f"task-{number}"},
        (
            ContainerMetadata(f"{identity}-0000000001", {"Name": "web"}, "c1"),
            ContainerMetadata(f"{identity}-0000000002", {"Name": "sidecar"}),
        ),
        {"team": "garden"},
        role_arn,
        f"credentials-{number}" if role_arn else None,
    )


ONE, TWO, WITHOUT_ROLE = task(1), task(2), task(3, None)
VIEW = MetadataView("here", (ONE, TWO, WITHOUT_ROLE))
CONTAINER = f"/v4/{ONE.containers[0].endpoint_id}"


class FakeStatistics:
    async def of(self, container_id: str) -> dict[str, Any] | None:
        return {"id": container_id}


class Asking:
    """A service, asked at a time that the test sets."""

    def __init__(self) -> None:
        self.now = NOW
        self.service = MetadataService("secret", FakeStatistics(), lambda: self.now)

    def __call__(self, path: str, peer: str = ONE.address, method: str = "GET") -> tuple[int, Any]:
        answer = asyncio.run(self.service.respond(VIEW, peer, method, path))
        return answer.status, json.loads(answer.body)


@pytest.fixture
def ask() -> Asking:
    return Asking()


def test_documents(ask: Asking) -> None:
    assert ask(CONTAINER) == (200, {"Name": "web"})
    status, document = ask(f"{CONTAINER}/task")
    assert status == 200
    clock = document.pop("ClockDrift")
    assert clock == {
        "ClockErrorBound": 0.0,
        "ReferenceTimestamp": "2023-11-14T22:13:20Z",
        "ClockSynchronizationStatus": "SYNCHRONIZED",
    }
    assert document == {"TaskARN": "task-1", "Containers": [{"Name": "web"}, {"Name": "sidecar"}]}
    assert ask(f"{CONTAINER}/taskWithTags")[1]["TaskTags"] == {"team": "garden"}
    assert ask(CONTAINER.replace("v4", "v3")) == (200, {"Name": "web"})


def test_statistics(ask: Asking) -> None:
    first, second = (container.endpoint_id for container in ONE.containers)
    assert ask(f"{CONTAINER}/stats") == (200, {"id": "c1"})
    assert ask(f"/v4/{second}/stats") == (200, None)
    assert ask(f"{CONTAINER}/task/stats") == (200, {first: {"id": "c1"}, second: None})


@pytest.mark.parametrize(
    "path",
    [
        "/v4/nobody",
        "/v4/nobody/task",
        "/v4/",
        "/v4",
        "/v5/x",
        "/",
        "",
        f"{CONTAINER}/unknown",
        f"/v4/{TWO.containers[0].endpoint_id}",
        f"/v4/{TWO.containers[0].endpoint_id}/task",
    ],
)
def test_what_is_not_the_tasks_own_is_not_found(ask: Asking, path: str) -> None:
    """An unknown id is a 404 with a JSON string; so is another task's."""
    status, message = ask(path)
    assert status == 404
    assert isinstance(message, str)


def test_an_address_of_no_task_is_told_nothing(ask: Asking) -> None:
    assert ask(CONTAINER, peer="10.0.0.99")[0] == 404
    assert ask("/v2/credentials/credentials-1", peer="10.0.0.99")[0] == 400


def test_credentials(ask: Asking) -> None:
    status, document = ask("/v2/credentials/credentials-1")
    made = credentials.current("secret", ONE.task_id, NOW, NOW)
    assert status == 200
    assert document == {
        "RoleArn": ROLE,
        "AccessKeyId": made.access_key_id,
        "SecretAccessKey": made.secret_access_key,
        "Token": made.session_token,
        "Expiration": "2023-11-15T04:13:20Z",
    }
    ask.now += credentials.RENEWAL_SECONDS
    assert ask("/v2/credentials/credentials-1")[1]["Expiration"] == "2023-11-15T09:13:20Z"


@pytest.mark.parametrize(
    ("path", "peer", "code"),
    [
        ("/v2/credentials", ONE.address, "NoIdInRequest"),
        ("/v2/credentials/", ONE.address, "NoIdInRequest"),
        ("/v2/credentials/unknown", ONE.address, "InvalidIdInRequest"),
        ("/v2/credentials/credentials-2", ONE.address, "InvalidIdInRequest"),
        ("/v2/credentials/None", WITHOUT_ROLE.address, "InvalidIdInRequest"),
    ],
)
def test_credentials_that_are_not_the_tasks_own_are_refused(ask: Asking, path: str, peer: str, code: str) -> None:
    status, document = ask(path, peer)
    assert status == 400
    assert (document["code"], document["HTTPErrorCode"]) == (code, 400)
    assert document["message"].startswith("CredentialsV2Request: ")


def test_only_reading_is_possible(ask: Asking) -> None:
    assert ask(CONTAINER, method="PUT")[0] == 405
    assert ask(CONTAINER, method="HEAD")[0] == 200


def test_a_task_that_asks_too_often_is_put_off_and_the_others_are_not(ask: Asking) -> None:
    """40 a second and 60 at once."""
    statuses = [ask(CONTAINER)[0] for _ in range(70)]
    assert statuses == [200] * 60 + [429] * 10
    assert ask(f"/v4/{TWO.containers[0].endpoint_id}", TWO.address)[0] == 200
    ask.now += 0.5
    assert [ask(CONTAINER)[0] for _ in range(25)] == [200] * 20 + [429] * 5


def test_full_buckets_are_forgotten() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for number in range(MOST_BUCKETS + 1):
        assert throttle.admits(number)
    now[0] = BURST / REQUESTS_PER_SECOND
    throttle.admits("one more")
    assert len(throttle._buckets) == 1
