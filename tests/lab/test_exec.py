"""ECS Exec into real containers: `tsubo exec`, the AWS CLI, and clients that we did not write.

Sources: aws/ecs-cloudmap-exec.md sections 13 and 14.
"""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from websockets.asyncio.client import ClientConnection, connect

from tests.lab import exec_clients
from tests.lab.engine_lab import PROGRAMS, EngineLab, engine_lab, wait_until
from tests.lab.fargate_lab import CLUSTER, FargateLab, RunningTask
from tests.lab.terminal import Terminal, terminal
from tsubo.core.channel_message import CHANNEL_CLOSED, OUTPUT, decode
from tsubo.core.client_channel import ClientChannel, opening
from tsubo.core.data_channel import SendFrame
from tsubo.engine.client import request
from tsubo.engine.home import open_home

pytestmark = pytest.mark.lab

LONG_OUTPUT = ("awk", 'BEGIN { for (i = 1; i <= 400000; i++) printf "%07d\\n", i }')
MEGABYTES = b"".join(b"%07d\r\n" % number for number in range(1, 400_001))
ID = "00112233-4455-6677-8899-aabbccddeeff"


@pytest.fixture(scope="module")
def fargate() -> Iterator[FargateLab]:
    with engine_lab() as lab:
        yield FargateLab(lab)


@pytest.fixture(scope="module")
def definition(fargate: FargateLab) -> str:
    """A task of an image that does not run as root."""
    role = fargate.role("exec")
    app = {"user": "1000:1000", "environment": [{"name": "GREETING", "value": "hello"}]}
    return fargate.definition("exec", app, taskRoleArn=role, executionRoleArn=role)


@pytest.fixture(scope="module")
def task(fargate: FargateLab, definition: str) -> RunningTask:
    return fargate.run(definition, enableExecuteCommand=True)


@pytest.fixture(scope="module")
def lab(fargate: FargateLab) -> EngineLab:
    return fargate.lab


def tsubo_exec(
    lab: EngineLab, task: RunningTask, *words: str, given: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    """Run `tsubo exec` with pipes."""
    return subprocess.run(
        [*lab.command, "exec", task.task_id, "--", *words],
        input=given,
        capture_output=True,
        check=False,
        timeout=120,
        env=lab.environment(),
    )


opened: list[str] = []
"""The sessions of the present test."""


@pytest.fixture(autouse=True)
def no_session_is_left(lab: EngineLab) -> Iterator[None]:
    """A container has two sessions at a time, and the next test wants both."""
    opened.clear()
    yield
    for session_id in opened:
        lab.client("ssm").terminate_session(SessionId=session_id)


def execute_command(lab: EngineLab, task: RunningTask, command: str) -> dict[str, str]:
    """Call ExecuteCommand and return the session."""
    answer = lab.client("ecs").execute_command(cluster=CLUSTER, task=task.arn, command=command, interactive=True)
    session: dict[str, str] = answer["session"]
    opened.append(session["sessionId"])
    return session


def processes(task: RunningTask, marker: str) -> list[str]:
    """Return the command lines in the task's container in which a marker stands."""
    name = f"tsubo-{task.lab.id}-{task.task_id}-app"
    command = ["docker", "top", name, "-eo", "pid,args"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if marker in line]


# tsubo exec with pipes


def test_a_command_with_pipes(lab: EngineLab, task: RunningTask) -> None:
    done = tsubo_exec(lab, task, "sh", "-c", "echo out; echo error >&2; exit 3")
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"error\n", 3)


def test_input_to_its_end(lab: EngineLab, task: RunningTask) -> None:
    data = os.urandom(3_000_000)
    done = tsubo_exec(lab, task, "sh", "-c", "cat; echo end >&2", given=data)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()
    assert done.stderr == b"end\n"


def test_root_whatever_the_image_says_and_no_shell(lab: EngineLab, task: RunningTask) -> None:
    """Section 13: uid 0, the container's environment, TERM and LANG; `$NAME`, pipes and globs are literal."""
    assert task.shell("id -u").stdout == "1000\n"
    assert tsubo_exec(lab, task, "id", "-u").stdout == b"0\n"
    shown = tsubo_exec(lab, task, "sh", "-c", 'echo "$GREETING $TERM $LANG"').stdout
    assert shown == b"hello xterm-256color C.UTF-8\n"
    assert tsubo_exec(lab, task, "echo", "$HOME", "*", "|", "cat", "a  b").stdout == b"$HOME * | cat a  b\n"


def test_what_cannot_be_started(lab: EngineLab, task: RunningTask) -> None:
    done = tsubo_exec(lab, task, "nope")
    assert done.returncode == 127
    assert (
        b'Unable to start command: Failed to start pty: exec: "nope": executable file not found in $PATH' in done.stderr
    )
    assert tsubo_exec(lab, task, "/etc").returncode == 126


def test_a_signal_ends_the_process(lab: EngineLab, task: RunningTask) -> None:
    client = lab.spawn("exec", task.task_id, "--", "sleep", "98701")
    wait_until(lambda: processes(task, "98701"), what="the process")
    client.send_signal(signal.SIGINT)
    assert client.wait(30) == 128 + signal.SIGINT
    wait_until(lambda: not processes(task, "98701"), what="its end")


def test_a_reader_that_goes_ends_the_process(lab: EngineLab, task: RunningTask) -> None:
    client = lab.spawn("exec", task.task_id, "--", "yes", "marker98702")
    assert client.stdout is not None
    assert client.stdout.readline() == "marker98702\n"
    client.stdout.close()
    assert client.wait(30) == 128 + signal.SIGPIPE
    wait_until(lambda: not processes(task, "marker98702"), what="its end")


def test_a_task_without_ecs_exec(lab: EngineLab, fargate: FargateLab, definition: str) -> None:
    without = fargate.run(definition)
    done = tsubo_exec(lab, without, "ls")
    assert done.returncode == 4
    assert b"execute command was not enabled when the task was run" in done.stderr
    assert b"enable_execute_command = true" in done.stderr
    with pytest.raises(ClientError, match="InvalidParameterException"):
        execute_command(lab, without, "ls")


def test_a_third_session_is_refused_and_the_next_after_it_is_not(lab: EngineLab, task: RunningTask) -> None:
    sessions = [execute_command(lab, task, "sleep 98703") for _ in range(2)]
    wait_until(lambda: len(processes(task, "98703")) == 2, what="both processes")
    with pytest.raises(ClientError, match="TargetNotConnectedException"):
        execute_command(lab, task, "ls")
    for session in sessions:
        lab.client("ssm").terminate_session(SessionId=session["sessionId"])
    wait_until(lambda: not processes(task, "98703"), what="their ends")
    for number in range(5):
        assert tsubo_exec(lab, task, "echo", str(number)).stdout == f"{number}\n".encode()


# tsubo exec at a terminal


def test_a_terminal(lab: EngineLab, task: RunningTask) -> None:
    """Window size, Ctrl-C, UTF-8, the exit code; and our terminal is afterwards as it was."""
    command = [*lab.command, "exec", task.task_id, "--", "sh"]
    with terminal(command, lab.environment(), rows=30, columns=100) as screen:
        before = screen.attributes()
        screen.await_text("# ")
        assert screen.attributes() != before
        shows_in_time(screen, "stty size", "30 100")
        screen.resize(45, 120)
        shows_in_time(screen, "stty size", "45 120")
        screen.type("sleep 98708\r")
        wait_until(lambda: processes(task, "98708"), what="the process")
        screen.type("\x03")
        wait_until(lambda: not processes(task, "98708"), what="its end")
        shows(screen, 'echo "code $?"', "code 130")
        shows(screen, "echo GäRTEN 庭 😀 | tr A-Z a-z", "gärten 庭 😀")
        screen.type("exit 7\r")
        assert screen.await_end() == 7
        assert screen.attributes() == before


def shows(screen: Terminal, command: str, answer: str, seconds: float = 60.0) -> None:
    """Type a command and wait for its answer, which is not part of the command."""
    place = len(screen.screen)
    screen.type(f"{command}\r")
    screen.await_text(answer, place, seconds)


def shows_in_time(screen: Terminal, command: str, answer: str) -> None:
    """Type a command until its answer is this one: a window's size is on its way while one types."""

    def look() -> bool:
        shows(screen, command, answer, seconds=2.0)
        return True

    wait_until(look, what=answer)


def test_megabytes_at_a_terminal(lab: EngineLab, task: RunningTask) -> None:
    with terminal([*lab.command, "exec", task.task_id, "--", *LONG_OUTPUT], lab.environment()) as screen:
        assert screen.await_end() == 0
        assert bytes(screen.screen) == MEGABYTES


# Clients that we did not write


@pytest.fixture(scope="module", params=["pyssm", "ssm_session"])
def foreign_client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    command: list[str] = getattr(exec_clients, request.param)(tmp_path_factory.mktemp(request.param))
    return command


def test_a_foreign_client(lab: EngineLab, task: RunningTask, foreign_client: list[str]) -> None:
    session = execute_command(lab, task, "sh")
    with terminal([*foreign_client, json.dumps(session)], lab.environment(), rows=34, columns=197) as screen:
        screen.await_text("# ")
        shows_in_time(screen, "stty size", "34 197")
        shows(screen, "echo user $(id -u)", "user 0")
        # One of the two cannot send what is not ASCII; what it shows may be anything.
        shows(screen, r"printf 'g\303\244rten \345\272\255 \360\237\230\200\n'", "gärten 庭 😀")
        screen.type("exit\r")
        assert screen.await_end() == 0


def test_a_foreign_client_and_ctrl_c(lab: EngineLab, task: RunningTask, foreign_client: list[str]) -> None:
    if "pyssm" not in " ".join(foreign_client):
        pytest.skip("the program around ssm-session does not take keys for itself: Ctrl-C ends it")
    session = execute_command(lab, task, "sh")
    with terminal([*foreign_client, json.dumps(session)], lab.environment()) as screen:
        screen.await_text("# ")
        shows(screen, "sleep 98704", "sleep 98704")
        wait_until(lambda: processes(task, "98704"), what="the process")
        screen.type("\x03")
        wait_until(lambda: not processes(task, "98704"), what="its end")
        shows(screen, 'echo "code $?"', "code 130")


def test_a_foreign_client_gets_megabytes_and_whole_characters(
    lab: EngineLab, task: RunningTask, foreign_client: list[str]
) -> None:
    """Both decode each message by itself, so that a character cut in two would be seen."""
    line = "gärten 庭 😀"
    script = f'BEGIN {{ for (i = 1; i <= 100000; i++) printf "%06d{line}\\n", i }}'
    session = execute_command(lab, task, f"awk '{script}'")
    done = subprocess.run(
        [*foreign_client, json.dumps(session)], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
    )
    shown = done.stdout.decode()
    wanted = "".join(f"{number:06d}{line}\r\n" for number in range(1, 100_001))
    assert shown[: len(wanted)] == wanted


def test_a_foreign_client_shakes_hands(
    lab: EngineLab, task: RunningTask, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The other variant of the protocol, which sessions of `tsubo exec` have; ssm-session does not know it."""
    asked = {"name": task.task_id, "words": ["sh"], "terminal": True}
    session = request(open_home(lab.home), "exec", **asked)
    described = {"sessionId": "s", "streamUrl": session["stream_url"], "tokenValue": session["token"]}
    command = [*exec_clients.pyssm(tmp_path_factory.mktemp("handshake")), json.dumps(described)]
    with terminal(command, lab.environment(), rows=34, columns=197) as screen:
        screen.await_text("# ")
        shows_in_time(screen, "stty size", "34 197")
        screen.type("exit\r")
        assert screen.await_end() == 0


@pytest.fixture(scope="module", params=["official_plugin", "plugin_stand_in"])
def plugin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "official_plugin":
        return exec_clients.official_plugin()
    return exec_clients.plugin_stand_in(tmp_path_factory.mktemp("plugin"))


def test_the_aws_cli(lab: EngineLab, task: RunningTask, plugin: Path) -> None:
    """The CLI's own sequence; the plugin is the official one, or another client under its name."""
    environment = {**lab.environment(), **lab.aws_environment()}
    environment["PATH"] = f"{plugin}{os.pathsep}{environment['PATH']}"
    command = [str(PROGRAMS / "aws"), "ecs", "execute-command", "--cluster", CLUSTER, "--task", task.arn]
    with terminal([*command, "--interactive", "--command", "sh"], environment, rows=34, columns=197) as screen:
        screen.await_text("# ")
        shows_in_time(screen, "stty size", "34 197")
        shows(screen, "echo $((41 + 1)) answers", "42 answers")
        screen.type("exit\r")
        assert screen.await_end() == 0


# The session itself


class Wire:
    """A client that shows the frames themselves, acknowledges and types."""

    def __init__(self, socket: ClientConnection, channel: ClientChannel) -> None:
        self._socket = socket
        self._channel = channel
        self.shown = b""
        self.is_closed = False

    @classmethod
    async def open(cls, session: dict[str, str], channel: ClientChannel) -> "Wire":
        socket = await connect(session["streamUrl"], proxy=None)
        await socket.send(opening(session["tokenValue"], ID, ID))
        return cls(socket, channel)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Receive until a condition holds."""
        async with asyncio.timeout(30):
            while not condition():
                frame = await self._socket.recv()
                assert isinstance(frame, bytes)
                message = decode(frame)
                self.is_closed |= message.message_type == CHANNEL_CLOSED
                self.shown += message.payload if message.message_type == OUTPUT else b""
                for command in self._channel.receive(frame, time.time()):
                    if isinstance(command, SendFrame):
                        await self._socket.send(command.frame)

    async def type(self, keys: bytes) -> None:
        for command in self._channel.typed(keys, time.time()):
            assert isinstance(command, SendFrame)
            await self._socket.send(command.frame)

    def abort(self) -> None:
        self._socket.transport.abort()


def test_a_session_is_resumed_and_terminated(lab: EngineLab, task: RunningTask) -> None:
    """ResumeSession and TerminateSession arrive at the endpoint that ECS has (section 13)."""
    session = execute_command(lab, task, "sh")
    ssm = lab.client("ssm")

    async def scenario() -> None:
        channel = ClientChannel("0" * 16)
        wire = await Wire.open(session, channel)
        await wire.until(lambda: b"# " in wire.shown)
        await wire.type(b"cd /tmp; sleep 98705 &\r")
        await wire.until(lambda: b"/tmp # " in wire.shown)
        wire.abort()
        answer = ssm.resume_session(SessionId=session["sessionId"])
        assert answer["TokenValue"] != session["tokenValue"]
        again = await Wire.open({"streamUrl": answer["StreamUrl"], "tokenValue": answer["TokenValue"]}, channel)
        await again.type(b"pwd\r")
        await again.until(lambda: b"\n/tmp\r\n" in again.shown)
        ssm.terminate_session(SessionId=session["sessionId"])
        await again.until(lambda: again.is_closed)

    asyncio.run(scenario())
    wait_until(lambda: not processes(task, "98705"), what="the end of what the shell had started")
    assert ssm.resume_session(SessionId=session["sessionId"]).get("TokenValue", "") == ""


def test_a_command_runs_whether_or_not_a_client_comes(lab: EngineLab, task: RunningTask) -> None:
    execute_command(lab, task, "touch /tmp/alone")
    wait_until(lambda: task.shell("ls /tmp/alone").returncode == 0, what="the file")


def test_a_session_ends_with_its_task(lab: EngineLab, fargate: FargateLab, definition: str) -> None:
    task = fargate.run(definition, enableExecuteCommand=True)
    client = lab.spawn("exec", task.task_id, "--", "sleep", "98706")
    wait_until(lambda: processes(task, "98706"), what="the process")
    lab.client("ecs").stop_task(cluster=CLUSTER, task=task.arn)
    assert client.wait(60) != 0
    fargate.stopped(task.arn)


def test_sessions_end_with_the_engine(lab: EngineLab, task: RunningTask) -> None:
    client = lab.spawn("exec", task.task_id, "--", "sleep", "98707")
    wait_until(lambda: processes(task, "98707"), what="the process")
    lab.tsubo("stop")
    _, said = client.communicate(timeout=60)
    assert (client.returncode, "The session broke off" in said) == (4, True)
    assert not processes(task, "98707")
    lab.start()
    assert tsubo_exec(lab, task, "echo", "again").stdout == b"again\n"


def test_a_killed_controller_leaves_no_process(lab: EngineLab, task: RunningTask) -> None:
    """The next controller ends what the killed one could not."""
    client = lab.spawn("exec", task.task_id, "--", "sleep", "98709")
    wait_until(lambda: processes(task, "98709"), what="the process")
    os.kill(lab.json("status")["controller"]["pid"], signal.SIGKILL)
    client.communicate(timeout=60)
    assert client.returncode == 4
    wait_until(lambda: not processes(task, "98709"), what="its end")
    wait_until(lambda: tsubo_exec(lab, task, "echo", "again").stdout == b"again\n", what="the next controller")
