"""Which calls are long polls, and what is left of them for moto."""

import json

import pytest

from tsubo.aws.dispatch import Target
from tsubo.aws.long_poll import without_wait
from tsubo.aws.message import HttpRequest

RECEIVE = Target("sqs", "ReceiveMessage", "json", "eu-west-1")


def test_the_wait_is_taken_out_of_a_long_poll() -> None:
    body = json.dumps({"QueueUrl": "q", "WaitTimeSeconds": 5}).encode()
    request, seconds = without_wait(HttpRequest("POST", "/", body=body), RECEIVE)
    assert (json.loads(request.body), seconds) == ({"QueueUrl": "q", "WaitTimeSeconds": 0}, 5.0)


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"{", b'{"WaitTimeSeconds": 0}', b'{"WaitTimeSeconds": 21}', b'{"WaitTimeSeconds": "5"}']
)
def test_everything_else_stays_as_it_is(body: bytes) -> None:
    request = HttpRequest("POST", "/", body=body)
    assert without_wait(request, RECEIVE) == (request, 0)


def test_other_operations_stay_as_they_are() -> None:
    request = HttpRequest("POST", "/", body=b'{"WaitTimeSeconds": 5}')
    assert without_wait(request, Target("sqs", "CreateQueue", "json")) == (request, 0)
