"""The two ends of `tsubo why`: what a user's words mean."""

import pytest

from tests.core.why_world import BACKEND_NAME, SITE, WORLD, service_arn
from tsubo.core.router import DEFAULT_CLIENT
from tsubo.engine.errors import NOT_FOUND, USAGE, UserError
from tsubo.engine.why_places import find_destination, find_start
from tsubo.model.explanation import Endpoint, Request

START = Endpoint("proxy", "10.0.10.10", "eni-proxy1")
INTERNET = Endpoint("internet", DEFAULT_CLIENT)


@pytest.mark.parametrize(
    ("name", "address", "interface"),
    [
        ("internet", DEFAULT_CLIENT, None),
        ("198.18.7.7", "198.18.7.7", None),
        ("proxy", "10.0.10.10", "eni-proxy1"),
        ("backend1", "10.0.11.10", "eni-backend1"),
        ("aws_ecs_service.proxy", "10.0.10.10", "eni-proxy1"),
        ("10.0.11.10", "10.0.11.10", "eni-backend1"),
        ("203.0.113.20", "10.0.1.20", "eni-node"),
    ],
)
def test_starts(name: str, address: str, interface: str | None) -> None:
    start = find_start(WORLD, name, {service_arn("proxy"): "aws_ecs_service.proxy"})
    assert (start.address, start.network_interface_id) == (address, interface)


@pytest.mark.parametrize(
    ("text", "name", "address", "port", "request_"),
    [
        ("backend", BACKEND_NAME, None, 80, None),
        ("backend:9000", BACKEND_NAME, None, 9000, None),
        (BACKEND_NAME, BACKEND_NAME, None, 80, None),
        ("backend1", None, "10.0.11.10", 80, None),
        (f"https://{SITE}/a?b=c", SITE, None, 443, Request(SITE, "/a", "b=c")),
        (f"http://{SITE}", SITE, None, 80, Request(SITE)),
        ("http://203.0.113.20:8080/", None, "203.0.113.20", 8080, Request("203.0.113.20")),
        (SITE, SITE, None, 443, Request(SITE)),
        ("10.0.11.10", None, "10.0.11.10", 80, None),
        ("10.0.1.20", None, "10.0.1.20", 443, None),
        ("198.51.100.1:25", None, "198.51.100.1", 25, None),
    ],
)
def test_destinations(text: str, name: str | None, address: str | None, port: int, request_: Request | None) -> None:
    found = find_destination(WORLD, START, text, {})
    assert (found.name, found.address, found.port, found.request) == (name, address, port, request_)


@pytest.mark.parametrize(
    ("name", "exit_code", "words"),
    [
        ("10.0.10.99", NOT_FOUND, "No network interface has the address 10.0.10.99"),
        ("10.0.10.10", NOT_FOUND, "eni-other1 in vpc-b"),
        ("nobody", NOT_FOUND, "Services here: backend, proxy"),
    ],
)
def test_starts_that_are_nowhere(name: str, exit_code: int, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        find_start(WORLD, name, {})
    assert error.value.exit_code == exit_code


@pytest.mark.parametrize(
    ("text", "exit_code"),
    [("ftp://x/", USAGE), ("http://x:99999/", USAGE), ("backend:0", USAGE), ("backend:http", USAGE), ("x", NOT_FOUND)],
)
def test_destinations_that_mean_nothing(text: str, exit_code: int) -> None:
    with pytest.raises(UserError) as error:
        find_destination(WORLD, START, text, {})
    assert error.value.exit_code == exit_code


def test_a_service_outside_dns_goes_by_its_task() -> None:
    world = WORLD.without(WORLD.discovery_services["srv-backend"])
    assert find_destination(world, INTERNET, "backend", {}).address == "10.0.11.10"
