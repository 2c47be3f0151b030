"""A process in a running container, started by the container engine's exec API: at a terminal, or at pipes.

No shell and no wrapper is between the engine and the process. It runs as root whatever user the image names, in the
container's environment. The engine's client library cannot be used for the stream: it loses output that arrives
together with the answer's header. Source of user and environment: aws/ecs-cloudmap-exec.md section 13.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ENGINE_SOCKET = "/var/run/docker.sock"
ROOT = "0"
TERMINAL_VARIABLE = "TERM=xterm-256color"
LANGUAGE_VARIABLE = "LANG=C.UTF-8"
READ_BYTES = 16 * 1024
ERROR_STREAM = 2
FRAME_HEADER_BYTES = 8
CALL_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.005
HEADER_END = b"\r\n\r\n"
SWITCHING_PROTOCOLS, OK, CREATED = 101, 200, 201
LONGEST_POLL_SECONDS = 0.5
HANGUP_PATIENCE_SECONDS = 2.0
KILLED = 137
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit codes, as a shell gives them, of commands that cannot be started."""
ENGINE_REASON = re.compile(r"unable to start container process: (.*?)(?:: unknown)?\s*$", re.DOTALL)
ENGINE_EXEC = re.compile(r'exec: "(?P<program>[^"]*)": (?:stat [^:]*: )?(?P<reason>.*)', re.DOTALL)


class CannotStartError(Exception):
    """A process could not be started; the message is what a Go program says that tried to."""

    @property
    def exit_code(self) -> int:
        """Return what a shell would return."""
        text = str(self)
        return NOT_FOUND if "not found" in text or "no such file" in text else NOT_EXECUTABLE


class ExecProcess:
    """A process that was started in a container. `start_process` makes one."""

    def __init__(self, exec_id: str, terminal: bool, reader: StreamReader, writer: StreamWriter) -> None:
        self.exec_id = exec_id
        self._terminal = terminal
        self._reader = reader
        self._writer = writer
        self._left_in_frame = 0
        self._frame_is_error = False

    async def read(self) -> tuple[bytes, bool] | None:
        """Return what the process wrote next, and whether to its error output; None at the end.

        At a terminal there is one output only.
        """
        try:
            if not self._terminal and self._left_in_frame == 0:
                header = await self._reader.readexactly(FRAME_HEADER_BYTES)
                self._frame_is_error = header[0] == ERROR_STREAM
                self._left_in_frame = int.from_bytes(header[4:])
            data = await self._reader.read(READ_BYTES if self._terminal else min(READ_BYTES, self._left_in_frame))
        except (OSError, asyncio.IncompleteReadError):
            return None
        self._left_in_frame -= 0 if self._terminal else len(data)
        return (data, self._frame_is_error) if data else None

    async def write(self, data: bytes) -> None:
        """Write to the process's input; return when it, or the pipe to it, has taken that."""
        with contextlib.suppress(OSError):
            self._writer.write(data)
            await self._writer.drain()

    def close_input(self) -> None:
        """End the process's input. A terminal has no such end: there the user types Ctrl-D."""
        if not self._terminal:
            with contextlib.suppress(OSError):
                self._writer.write_eof()

    async def resize(self, columns: int, rows: int) -> None:
        """Give the process's terminal a size. Of a process that has ended there is none, and that is no error."""
        await _call("POST", f"/exec/{self.exec_id}/resize?h={rows}&w={columns}")

    async def wait(self) -> int:
        """Return the exit code of a process whose output has ended; it may have closed that and go on for long."""
        pause = POLL_SECONDS
        while True:
            status, state = await _call("GET", f"/exec/{self.exec_id}/json")
            if status != OK:
                return KILLED
            if state["ExitCode"] is not None and not state["Running"]:
                return int(state["ExitCode"])
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_POLL_SECONDS)

    async def end(self) -> None:
        """End the process if it runs, and what it started in its session."""
        await end_process(self.exec_id)
        self.close()

    def close(self) -> None:
        """Close the stream."""
        self._writer.close()

    async def _await_start(self) -> None:
        """Return once the process runs, or has run. Raises CannotStartError."""
        while True:
            status, state = await _call("GET", f"/exec/{self.exec_id}/json")
            if status != OK:
                raise CannotStartError(f"the container is gone ({status})")
            if state["Pid"]:
                return
            if state["ExitCode"] is not None:
                said = b""
                while (part := await self.read()) is not None:
                    said += part[0]
                raise CannotStartError(start_error(said.decode(errors="replace")))
            await asyncio.sleep(POLL_SECONDS)


async def start_process(container: str, arguments: Sequence[str], terminal: bool) -> ExecProcess:
    """Start a process in a container (its name or id) as root. Raises CannotStartError."""
    status, inspected = await _call("GET", f"/containers/{container}/json")
    if status != OK:
        raise CannotStartError(str(inspected.get("message", status)))
    configuration = {
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": terminal,
        "User": ROOT,
        "Env": additional_environment(inspected["Config"]["Env"] or []),
        "Cmd": list(arguments),
    }
    status, made = await _call("POST", f"/containers/{container}/exec", configuration)
    if status != CREATED:
        raise CannotStartError(str(made.get("message", status)))
    process = ExecProcess(made["Id"], terminal, *await _attach(made["Id"], terminal))
    try:
        await process._await_start()
    except BaseException:
        process.close()
        raise
    return process


async def end_process(exec_id: str) -> None:
    """End a process and what it started in its session, as a terminal that is closed does; then for certain."""
    status, state = await _call("GET", f"/exec/{exec_id}/json")
    if status != OK or not state["Running"] or not state["Pid"]:
        return
    leader = int(state["Pid"])
    _signal(leader, signal.SIGHUP)
    deadline = asyncio.get_running_loop().time() + HANGUP_PATIENCE_SECONDS
    while _session(leader) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(POLL_SECONDS)
    _signal(leader, signal.SIGKILL)


def additional_environment(environment: Sequence[str]) -> list[str]:
    """Return what the process gets beyond its container's environment."""
    has_language = any(variable.startswith("LANG=") and variable != "LANG=" for variable in environment)
    return [TERMINAL_VARIABLE] if has_language else [TERMINAL_VARIABLE, LANGUAGE_VARIABLE]


def start_error(said: str) -> str:
    """Return why a program did not start, in Go's words, from the container engine's message."""
    reason = ENGINE_REASON.search(said)
    if reason is None:
        return said.strip()
    found = ENGINE_EXEC.fullmatch(reason[1])
    if found is None or "/" not in found["program"]:
        return reason[1]
    return f"fork/exec {found['program']}: {found['reason']}"


async def _attach(exec_id: str, terminal: bool) -> tuple[StreamReader, StreamWriter]:
    """Start an exec instance and return its stream."""
    reader, writer = await asyncio.open_unix_connection(ENGINE_SOCKET)
    content = json.dumps({"Detach": False, "Tty": terminal}).encode()
    writer.write(_request("POST", f"/exec/{exec_id}/start", "1.1", content, "Connection: Upgrade", "Upgrade: tcp"))
    header = await reader.readuntil(HEADER_END)
    if _status(header) not in (SWITCHING_PROTOCOLS, OK):
        said = await reader.read(READ_BYTES)
        writer.close()
        raise CannotStartError(said.decode(errors="replace").strip())
    return reader, writer


async def _call(method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    """Call the container engine; return the status and the JSON object of the answer.

    HTTP/1.0, so that the answer ends with the connection and is not sent in chunks.
    """
    content = b"" if body is None else json.dumps(body).encode()
    async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
        reader, writer = await asyncio.open_unix_connection(ENGINE_SOCKET)
        try:
            writer.write(_request(method, path, "1.0", content))
            header, _, answer = (await reader.read()).partition(HEADER_END)
        finally:
            writer.close()
    document = json.loads(answer) if answer else {}
    return _status(header), document if isinstance(document, dict) else {}


def _request(method: str, path: str, version: str, content: bytes, *headers: str) -> bytes:
    lines = [
        f"{method} {path} HTTP/{version}",
        "Host: engine",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + HEADER_END + content


def _status(header: bytes) -> int:
    return int(header.split(b" ", 2)[1])


def _session(leader: int) -> list[int]:
    """Return the ids of the processes in the session that a process leads."""
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                state, _, _, session, *_ = (directory / "stat").read_text().rsplit(")", 1)[1].split()
                if int(session) == leader and state != "Z":
                    found.append(int(directory.name))
    return found


def _signal(leader: int, number: signal.Signals) -> None:
    for pid in _session(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
