"""The endpoint behind a web server: an ASGI application for uvicorn.

Goes in: ASGI events. Comes out: the endpoint's answers, computed in worker threads so that neither a commit nor moto
holds up the event loop. Paths below `/_tsubo/` and WebSockets are the engine's own and go to the applications that the
engine hands in.
The server listens twice: on a port for this machine's clients, and on a unix socket to which tasks' calls are brought.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tsubo.aws.endpoint import Endpoint
from tsubo.aws.guard import refuse_foreign
from tsubo.aws.message import HttpRequest, HttpResponse
from tsubo.aws.operations import AwsError

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

ENGINE_PREFIX = "/_tsubo/"
MAXIMUM_BODY_BYTES = 70 * 1024 * 1024
WEBSOCKET_REFUSED = 1008
WORKER_THREADS = 64
"""A thread waits with its client: for the writer lock, or for up to 20 s in a long poll of SQS."""
TOO_LARGE = HttpResponse(413, {"Content-Type": "text/plain"}, b"The request body is larger than 70 MB.\n")


class BodyTooLargeError(Exception):
    """A request's body is larger than the endpoint takes."""


async def websocket_close(send: Send, code: int = WEBSOCKET_REFUSED) -> None:
    """Close a WebSocket; one that was not accepted is answered 403."""
    await send({"type": "websocket.close", "code": code})


async def refuse_websockets(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a WebSocket: the application of an endpoint that has none."""
    await receive()
    await websocket_close(send)


def application(
    endpoint: Endpoint, extra_routes: AsgiApplication, websocket_routes: AsgiApplication = refuse_websockets
) -> AsgiApplication:
    """Return the application that serves an endpoint, `extra_routes` below `/_tsubo/`, and WebSockets.

    A WebSocket that a web page opens, or whose Host is foreign, does not get to `websocket_routes`.
    """
    workers = ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="aws-call")

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
        elif scope["type"] == "websocket":
            await (refuse_websockets if is_foreign(scope) else websocket_routes)(scope, receive, send)
        elif scope["path"].startswith(ENGINE_PREFIX) and not is_from_task(scope):
            await extra_routes(scope, receive, send)
        else:
            try:
                request = await read_request(scope, receive)
            except BodyTooLargeError:
                await send_response(TOO_LARGE, send, close=True)
                return
            response = await asyncio.get_running_loop().run_in_executor(workers, endpoint.handle, request)
            await send_response(response, send)

    return serve


def is_foreign(scope: Scope) -> bool:
    """Return whether a request comes from a web page or for a Host that is not ours."""
    try:
        refuse_foreign(HttpRequest("GET", scope["path"], headers=read_headers(scope)))
    except AwsError:
        return True
    return False


async def serve_lifespan(receive: Receive, send: Send) -> None:
    """Agree to the server's start and end: the engine opens and closes what the endpoint uses."""
    while True:
        event = await receive()
        if event["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


def read_headers(scope: Scope) -> dict[str, str]:
    """Return a request's headers by their names in lower case; of a repeated one all values."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


async def read_request(scope: Scope, receive: Receive) -> HttpRequest:
    """Return a request with its whole body. Raises BodyTooLargeError without reading further than the limit."""
    headers = read_headers(scope)
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MAXIMUM_BODY_BYTES:
        raise BodyTooLargeError
    body = bytearray()
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            break
        body += event.get("body", b"")
        more = event.get("more_body", False)
        if len(body) > MAXIMUM_BODY_BYTES:
            raise BodyTooLargeError
    path = scope.get("raw_path") or scope["path"].encode()
    return HttpRequest(
        method=scope["method"],
        path=path.partition(b"?")[0].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=bytes(body),
        from_task=is_from_task(scope),
    )


def is_from_task(scope: Scope) -> bool:
    """Return whether a request came by the unix socket: a place without a port."""
    server = scope.get("server")
    return server is None or server[1] is None


async def send_response(response: HttpResponse, send: Send, close: bool = False) -> None:
    """Send a response; `close` ends the connection, of which there may be more to read than anyone wants."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    headers.setdefault("content-length", str(len(response.body)))
    if close:
        headers["connection"] = "close"
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    await send({"type": "http.response.body", "body": response.body})
