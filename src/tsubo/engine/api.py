"""The engine's own requests, for the command line: `POST /_tsubo/COMMAND`, a JSON object in, lines of JSON out.

A command is a generator of events (`commands.py`). Each event is sent as it comes; the last is a `result`, or an
`error` with its remedy and exit code. A client that goes away closes the generator.
"""

import asyncio
import hmac
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

from tsubo.aws.asgi import ENGINE_PREFIX, Receive, Scope, Send, read_request
from tsubo.engine.commands import COMMANDS
from tsubo.engine.context import EngineContext
from tsubo.engine.errors import USAGE, UserError

log = logging.getLogger("tsubo.api")

Event = dict[str, Any]
KEY_HEADER = "x-tsubo-key"


class Api:
    """The ASGI application below `/_tsubo/`. Only who knows the engine's key may ask."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        request = await read_request(scope, receive)
        key = request.headers.get(KEY_HEADER, "")
        if "origin" in request.headers or not hmac.compare_digest(key, self._context.home.settings.secret_access_key):
            await _refuse(send, 403)
            return
        command = COMMANDS.get(request.path.removeprefix(ENGINE_PREFIX))
        if command is None or request.method != "POST":
            await _refuse(send, 404)
            return
        try:
            parameters = json.loads(request.body or b"{}")
        except ValueError:
            await _refuse(send, 400)
            return
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/x-ndjson")]}
        )
        await self._stream(command(self._context, parameters), receive, send)

    async def _stream(self, events: Iterator[Event], receive: Receive, send: Send) -> None:
        lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        gone = threading.Event()
        thread = threading.Thread(
            target=_pump,
            args=(events, lambda line: loop.call_soon_threadsafe(lines.put_nowait, line), gone),
            daemon=True,
        )
        thread.start()
        watcher = asyncio.create_task(_await_disconnect(receive, gone))
        try:
            while (line := await lines.get()) is not None:
                await send({"type": "http.response.body", "body": line, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            watcher.cancel()
            gone.set()


def _pump(events: Iterator[Event], put: Any, gone: threading.Event) -> None:
    """Run a command to its end, or until its client has gone."""
    try:
        for event in events:
            put(json.dumps(event).encode() + b"\n")
            if gone.is_set():
                events.close()  # type: ignore[attr-defined]
                break
    except UserError as error:
        put(_error(error.message, error.remedy, error.exit_code))
    except Exception as error:
        log.exception("a command failed")
        put(_error(f"{type(error).__name__}: {error}", "See controller.log in the state directory's log/.", 1))
    finally:
        put(None)


def _error(message: str, remedy: str, exit_code: int) -> bytes:
    event = {"type": "error", "message": message, "remedy": remedy, "exit_code": exit_code}
    return json.dumps(event).encode() + b"\n"


async def _await_disconnect(receive: Receive, gone: threading.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


async def _refuse(send: Send, status: int) -> None:
    body = _error("The engine refused the request.", "Use the `tsubo` command of the engine's user.", USAGE)
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})
