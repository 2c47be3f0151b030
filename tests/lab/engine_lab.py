"""An engine of a test's own, used as its users do: the `tsubo` command, AWS clients, real requests.

`engine_lab()` gives an engine with a state directory and a port of its own. However the test ends, `tsubo down`
follows, and what is left of the engine after it is an error.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config

from tsubo.drivers.docker import ENGINE_LABEL
from tsubo.drivers.processes import processes_of
from tsubo.engine.home import engine_id
from tsubo.engine.registry_address import LOOPBACK_HOST
from tsubo.model.identity import EngineIdentity

PROJECT = Path(__file__).resolve().parents[2]
EXAMPLE = PROJECT / "examples" / "ecs-navi"
PROGRAMS = Path(sys.executable).parent
COMMAND_TIMEOUT_SECONDS = 180.0
PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.05

T = TypeVar("T")


def wait_until(condition: Callable[[], T], seconds: float = PATIENCE_SECONDS, what: str = "") -> T:
    """Return the condition's first true value. An assertion of its own that fails is asked again like a false value."""
    deadline = time.monotonic() + seconds
    while True:
        problem = ""
        try:
            if value := condition():
                return value
            problem = f"the last value was {value!r}"
        except AssertionError as error:
            problem = str(error)
        assert time.monotonic() < deadline, f"{what or 'the state'} did not come within {seconds} s: {problem}"
        time.sleep(POLL_SECONDS)


@dataclass(frozen=True)
class Reply:
    """What curl got. `exit_code` is curl's: 7 refused, 28 timed out, 52 and 56 broken off."""

    exit_code: int
    status: int
    headers: Message
    body: str
    seconds: float


class EngineLab:
    """One engine: its command line, its AWS clients, its traces on the machine."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.port = free_port()
        for name in ("tmp", "user"):
            (directory / name).mkdir()
        self.id = engine_id(self.home)
        self.command = [str(PROGRAMS / "tsubo"), "--home", str(self.home)]

    # The command line

    def run(
        self,
        *arguments: str,
        timeout: float = COMMAND_TIMEOUT_SECONDS,
        current: Path | None = None,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run `tsubo ARGUMENTS` to its end, whatever that is; in the directory `current`, if that is given."""
        return subprocess.run(
            [*self.command, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            cwd=current,
            env={**self.environment(), **environment},
        )

    def spawn(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `tsubo ARGUMENTS`, in a process group of its own."""
        return subprocess.Popen(
            [*self.command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
            start_new_session=True,
        )

    def tsubo(self, *arguments: str) -> str:
        """Run `tsubo ARGUMENTS`, which must succeed, and return what it prints."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"tsubo {' '.join(arguments)} -> {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """Run `tsubo ARGUMENTS --json`, which must succeed, and return what it prints."""
        return json.loads(self.tsubo(*arguments, "--json"))

    def start(self) -> None:
        """Start the engine on the lab's port."""
        self.tsubo("start", "--port", str(self.port))

    def environment(self) -> dict[str, str]:
        """Return the environment of the command line: no settings of this machine's user, who is a new one here, with
        a home and a directory for temporary files in which nothing may be left."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TSUBO_", "TF_"))
        }
        path = f"{PROGRAMS}{os.pathsep}{inherited.get('PATH', os.defpath)}"
        own = {"HOME": str(self.directory / "user"), "TMPDIR": str(self.directory / "tmp")}
        return {**inherited, "PATH": path, **own}

    # AWS

    @cache  # noqa: B019 - a lab lives as long as its tests
    def aws_environment(self) -> dict[str, str]:
        """Return what `tsubo env` says."""
        variables: dict[str, str] = self.json("env")
        return variables

    @cache  # noqa: B019
    def client(self, service: str) -> Any:
        """Return a boto3 client of this engine, made from `tsubo env` alone."""
        variables = self.aws_environment()
        return boto3.client(
            service,
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            region_name=variables["AWS_REGION"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
        )

    def aws(self, *arguments: str) -> Any:
        """Run the AWS CLI in the environment that `tsubo env` prints, and return its answer."""
        done = subprocess.run(
            [str(PROGRAMS / "aws"), *arguments, "--output", "json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_TIMEOUT_SECONDS,
            env={**self.environment(), **self.aws_environment()},
        )
        assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    # Requests

    def curl(self, url: str, *options: str, source: str = "internet", seconds: float = 20.0) -> Reply:
        """Ask a URL by `tsubo curl`, for this long at most."""
        write_out = ("-w", "%{stderr}%{http_code} %{time_total}")
        done = subprocess.run(
            [*self.command, "curl", "--from", source, "-sSi", "--max-time", str(seconds), *write_out, *options, url],
            capture_output=True,
            check=False,
            timeout=COMMAND_TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
            env=self.environment(),
        )
        *_, said = ["", *done.stderr.decode().splitlines()]
        status, _, total = said.partition(" ")
        assert status.isdigit(), f"curl did not run ({done.returncode}): {done.stderr.decode()}"
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = Parser().parsestr(head.decode().partition("\r\n")[2], headersonly=True)
        return Reply(done.returncode, int(status), headers, body.decode(errors="replace"), float(total))

    # Traces

    def namespace(self, resource: str) -> str:
        """Return the network namespace's name of a VPC, an ENI or the `internet`."""
        return f"tsubo-{self.id}-{resource}"

    @property
    def registry_address(self) -> str:
        """The loopback address of the engine's registry."""
        return EngineIdentity(self.id).loopback(LOOPBACK_HOST)

    def close(self) -> None:
        """Take everything down, and check that nothing is left."""
        done = self.run("down")
        left = self.left_over()
        shutil.rmtree(self.directory, ignore_errors=True)
        assert done.returncode == 0, f"tsubo down -> {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert not left, f"left after `tsubo down`: {left}"

    def left_over(self) -> dict[str, list[str]]:
        """Return what of this engine is on the machine, by kind; kinds of which there is nothing are left out."""
        found = {
            "processes": [_command_line(pid) for pid in processes_of(self.id)],
            "containers": _lines("docker", "ps", "-aq", "--filter", f"label={ENGINE_LABEL}={self.id}"),
            "images": [line for line in _image_references() if line.startswith(f"{self.registry_address}:")],
            "hosts": [line for line in Path("/etc/hosts").read_text().splitlines() if self.id in line],
            "certificates": [str(path) for path in Path("/etc/docker").glob(f"certs.d/*/*{self.id}*")],
            "namespaces": [name for name in _lines("ip", "netns") if self.id in name],
            "links": [line for line in _lines("ip", "-o", "link") if self.id in line],
            "nftables": [line for line in _lines("nft", "list", "ruleset") if self.id in line],
            "mounts": [
                line
                for line in Path("/proc/self/mountinfo").read_text().splitlines()
                if self.id in line or str(self.directory) in line
            ],
            "files": [str(path) for path in (*self.directory.rglob("*"), *Path("/run/netns").glob(f"*{self.id}*"))],
        }
        places = {str(self.directory / name) for name in ("tmp", "user")}
        found["files"] = [path for path in found["files"] if path not in places]
        return {kind: things for kind, things in found.items() if things}


@contextlib.contextmanager
def engine_lab(*, start: bool = True) -> Iterator[EngineLab]:
    """An engine of its own, started unless the test wants to do that."""
    lab = EngineLab(Path(tempfile.mkdtemp(prefix="tsubo-lab-", dir="/tmp")))
    try:
        if start:
            lab.start()
        yield lab
    finally:
        lab.close()


def free_port() -> int:
    """Return a loopback port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def machine_state() -> dict[str, list[str]]:
    """Return what Tsubo must leave as it was: the root namespace's routes, rules, links, nftables and addresses."""
    return {
        "routes": _lines("ip", "route", "show", "table", "all"),
        "rules": _lines("ip", "rule"),
        "links": sorted(os.listdir("/sys/class/net")),
        "nftables": _lines("nft", "list", "ruleset"),
        "addresses": _lines("ip", "-brief", "address"),
        "forwarding": [Path("/proc/sys/net/ipv4/ip_forward").read_text().strip()],
    }


def _lines(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if line.strip()]


def _image_references() -> list[str]:
    return _lines("docker", "images", "--all", "--digests", "--format", "{{.Repository}}@{{.Digest}}")


def _command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return f"process {pid}"
