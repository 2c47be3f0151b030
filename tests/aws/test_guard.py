"""Hosts and origins."""

import pytest

from tsubo.aws.guard import refuse_foreign
from tsubo.aws.message import HttpRequest
from tsubo.aws.operations import AwsError


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:4566",
        "127.45.6.7",
        "localhost:4566",
        "LOCALHOST.",
        "[::1]:4566",
        "data-127.0.0.1:4566",
        "data-localhost:4566",
        "stream-localhost",
        "123456789012.localhost:4566",
        "bucket.localhost",
        "ecs.eu-west-1.amazonaws.com",
        "169.254.170.2:4566",
        "data-169.254.170.2:4566",
    ],
)
def test_own_hosts(host: str) -> None:
    refuse_foreign(HttpRequest("POST", "/", headers={"host": host}))


@pytest.mark.parametrize(
    "host",
    [
        "",
        "example.com",
        "10.0.0.1:4566",
        "127.0.0.1.example.com",
        "localhost.example.com",
        "amazonaws.com.example.com",
        "notamazonaws.com",
        "data-example.com",
        "[::2]",
        "0.0.0.0",
    ],
)
def test_foreign_hosts(host: str) -> None:
    with pytest.raises(AwsError) as error:
        refuse_foreign(HttpRequest("POST", "/", headers={"host": host}))
    assert error.value.status == 403


def test_browsers() -> None:
    with pytest.raises(AwsError, match="web pages"):
        refuse_foreign(HttpRequest("POST", "/", headers={"host": "localhost", "origin": "http://localhost"}))
