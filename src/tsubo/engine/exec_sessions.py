"""The sessions of ECS Exec that are open, and the way into them: `/v1/data-channel/SESSION` on the endpoint's port.

ExecuteCommand, ResumeSession and TerminateSession write `ExecSession` records; this follows them. A record without a
session gets one, a session whose record is terminated ends, a record whose session is over is deleted. A WebSocket is
let in that shows the token of which the record holds the digest, once. A session does not outlive its controller: the
next one ends the processes that are left, and deletes the records. Source: aws/ecs-cloudmap-exec.md sections 13 and 14.
"""

import asyncio
import contextlib
import dataclasses
import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from tsubo.aws.asgi import Receive, Scope, Send, websocket_close
from tsubo.aws.store import Store
from tsubo.drivers.pty_exec import end_process, start_process
from tsubo.engine.exec_session import Session, Start
from tsubo.model.exec_session import ExecSession

End = Callable[[str], Coroutine[Any, Any, None]]

log = logging.getLogger("tsubo.exec")

DATA_CHANNEL_PATH = "/v1/data-channel/"
OPENING_PATIENCE_SECONDS = 15.0
PREPARE_PATIENCE_SECONDS = 10.0


class ExecSessions:
    """Every session of an engine. Made and used in one event loop; `prepare` may be called from other threads."""

    def __init__(
        self,
        store: Store,
        container_name: Callable[[str, str], str],
        start: Start = start_process,
        end: End = end_process,
    ) -> None:
        """`container_name` gives the container engine's name for a task's id and a container's name.

        `start` starts a process in a container; `end` ends one by the container engine's id of it.
        """
        self._store = store
        self._container_name = container_name
        self._start_process = start
        self._end_process = end
        self._loop = asyncio.get_running_loop()
        self._sessions: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """End what a former controller left, then begin to follow the store."""
        left_over = list(self._store.world.exec_sessions.values())
        ending = (self._end_process(record.exec_id) for record in left_over if record.exec_id is not None)
        for error in await asyncio.gather(*ending, return_exceptions=True):
            if error is not None:
                log.warning("a process of a former session may be left: %s", error)
        self._store.commit((), left_over)
        self._store.subscribe(self._store_changed)

    async def close(self) -> None:
        """End every session."""
        for session in list(self._sessions.values()):
            await session.end()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def prepare(self, session_id: str, terminal: bool) -> bool:
        """Prepare a session for `tsubo exec` (see `Session.prepare`). Called from a thread that is not the loop's."""

        async def prepare() -> bool:
            self._follow()
            session = self._sessions.get(session_id)
            return session is not None and session.prepare(terminal)

        return asyncio.run_coroutine_threadsafe(prepare(), self._loop).result(PREPARE_PATIENCE_SECONDS)

    # The store

    def _store_changed(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it all sessions
            self._loop.call_soon_threadsafe(self._follow)

    def _follow(self) -> None:
        """Make the sessions those of the store."""
        for record in self._store.world.exec_sessions.values():
            session = self._sessions.get(record.session_id)
            if session is None:
                self._open(record)
            elif record.terminated:
                self._in_background(session.end())

    def _open(self, record: ExecSession) -> None:
        task_id = record.task_arn.rsplit("/", 1)[-1]
        container = self._container_name(task_id, record.container_name)

        async def remember(exec_id: str) -> None:
            await asyncio.to_thread(self._remember, record.session_id, exec_id)

        async def forget() -> None:
            await asyncio.to_thread(self._delete, record.session_id)

        async def run() -> None:
            await session.run()
            await forget()
            del self._sessions[record.session_id]

        session = Session(record.session_id, container, record.command, remember, forget, self._start_process)
        self._sessions[record.session_id] = session
        self._in_background(run())

    def _remember(self, session_id: str, exec_id: str) -> None:
        with self._store.transaction() as transaction:
            record = transaction.world.exec_sessions.get(session_id)
            if record is not None:
                transaction.put(dataclasses.replace(record, exec_id=exec_id))

    def _delete(self, session_id: str) -> None:
        with self._store.transaction() as transaction:
            record = transaction.world.exec_sessions.get(session_id)
            if record is not None:
                transaction.delete(record)

    def _use_token(self, session_id: str, token: str) -> bool:
        """Return whether a token opens a session's channel now; it does not open it again."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        with self._store.transaction() as transaction:
            record = transaction.world.exec_sessions.get(session_id)
            if record is None or record.token_digest is None or not hmac.compare_digest(record.token_digest, digest):
                return False
            transaction.put(dataclasses.replace(record, token_digest=None))
        return True

    # The WebSocket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket connection."""
        await receive()
        session_id = scope["path"].removeprefix(DATA_CHANNEL_PATH)
        if not scope["path"].startswith(DATA_CHANNEL_PATH) or session_id not in self._store.world.exec_sessions:
            await websocket_close(send)
            return
        await send({"type": "websocket.accept"})
        token = await _opening_token(receive)
        if token is None or not await asyncio.to_thread(self._use_token, session_id, token):
            await websocket_close(send)
            return
        self._follow()
        session = self._sessions.get(session_id)
        if session is None:
            await websocket_close(send)
        else:
            await session.attach(receive, send)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _opening_token(receive: Receive) -> str | None:
    """Return the token in the text that a client sends first, if it does."""
    try:
        async with asyncio.timeout(OPENING_PATIENCE_SECONDS):
            event = await receive()
        document = json.loads(event.get("text") or "null")
    except (TimeoutError, ValueError, RecursionError):
        return None
    token = document.get("TokenValue") if isinstance(document, dict) else None
    return token if isinstance(token, str) else None
