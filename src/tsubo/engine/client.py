"""The faces' one HTTP client: a command is one request to the engine, answered as lines of JSON."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from tsubo.engine.errors import BUSY, FAILED, UserError
from tsubo.engine.home import Home

KEY_HEADER = "x-tsubo-key"
CONNECT_TIMEOUT_SECONDS = 5.0


def stream(home: Home, command: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Yield a command's events up to its result. Raises UserError for its error, and if nobody answers."""
    try:
        yield from _stream(home, command, parameters)
    except httpx.HTTPError as error:
        raise UserError(
            f"The controller of the engine in {home.path} does not answer ({type(error).__name__}).",
            "If it is starting, run the command again; `tsubo status` shows the engine.",
            BUSY,
        ) from error


def _stream(home: Home, command: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    # Plain HTTP to loopback: no proxy of the environment, and no certificates to load.
    timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_SECONDS)
    headers = {KEY_HEADER: home.settings.secret_access_key}
    url = f"{home.endpoint}/_tsubo/{command}"
    with (
        httpx.Client(timeout=timeout, trust_env=False, verify=False) as client,
        client.stream("POST", url, json=parameters, headers=headers) as response,
    ):
        for line in response.iter_lines():
            event = json.loads(line)
            if event["type"] == "error":
                raise UserError(event["message"], event["remedy"], event["exit_code"])
            if event["type"] != "alive":
                yield event
            if event["type"] == "result":
                return
    raise UserError(
        "The engine ended in the middle of the command.", "Run it again; `tsubo status` shows the engine.", FAILED
    )


def request(home: Home, command: str, **parameters: Any) -> dict[str, Any]:
    """Return a command's result."""
    *_, result = stream(home, command, **parameters)
    return result
