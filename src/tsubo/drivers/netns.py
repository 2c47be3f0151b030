"""Network namespaces by name: make, name, delete, enter.

A namespace's name is a file below /run/netns, as iproute2 keeps them. A thread enters one without the process leaving
its own: `run_in` does the work in a thread that ends with it, and what is opened there (a socket) stays in the
namespace for life, whichever thread uses it later.
"""

import ctypes
import os
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

NAMESPACE_DIRECTORY = Path("/run/netns")

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

T = TypeVar("T")

Identity = tuple[int, int]
"""What tells a namespace from all others, under whatever name: the device and number of its file."""


class NamespaceError(Exception):
    """A network command failed. The message names the namespace and the command."""


def names(prefix: str) -> frozenset[str]:
    """Return the names of the namespaces that start with a prefix (that of one engine)."""
    if not NAMESPACE_DIRECTORY.is_dir():
        return frozenset()
    return frozenset(entry.name for entry in NAMESPACE_DIRECTORY.iterdir() if entry.name.startswith(prefix))


def exists(name: str) -> bool:
    """Say whether a namespace with this name exists."""
    return (NAMESPACE_DIRECTORY / name).exists()


def ensure(name: str) -> None:
    """Make a namespace unless it exists."""
    if not exists(name):
        _ip("netns", "add", name)


def attach(name: str, pid: int) -> None:
    """Give the namespace of a process a name. It then lives as long as the name does, even without the process."""
    _ip("netns", "attach", name, str(pid))


def delete(name: str) -> None:
    """Take a namespace's name away, unless it is gone; without processes and sockets the namespace ends, too."""
    if exists(name):
        _ip("netns", "del", name)


def identity(name: str) -> Identity | None:
    """Return the identity of the namespace that has this name now, or None if none has."""
    return _identity(NAMESPACE_DIRECTORY / name)


def is_of_process(name: str, pid: int) -> bool:
    """Say whether a process is in the namespace with this name."""
    own = identity(name)
    return own is not None and own == _process_identity(pid)


def pids(*names: str) -> list[int]:
    """Return the ids of the processes in any of these namespaces."""
    identities = {identity(name) for name in names} - {None}
    processes = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in processes if _process_identity(pid) in identities]


def run_in(name: str, function: Callable[[], T]) -> T:
    """Call a function in a thread inside a namespace and return its result.

    Raises:
        NamespaceError: the namespace does not exist.
        Exception: whatever the function raises.
    """
    results: list[T] = []
    errors: list[Exception] = []

    def enter_and_call() -> None:
        try:
            _enter(name)
            results.append(function())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=enter_and_call, name=f"in {name}")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def socket_in(namespace: str, family: socket.AddressFamily, type: socket.SocketKind) -> socket.socket:
    """Return a socket of a namespace, to be bound, connected and used by any thread."""
    return run_in(namespace, lambda: socket.socket(family, type))


def command_in(namespace: str, argv: Iterable[str]) -> list[str]:
    """Return the command line that runs a command inside a namespace, in the same process (no fork between)."""
    return ["nsenter", f"--net={NAMESPACE_DIRECTORY / namespace}", *argv]


def batch(namespace: str, commands: Iterable[str], *, json: bool = False) -> str:
    """Run `ip` commands inside a namespace in one process and return what they print.

    Raises:
        NamespaceError: with the command that failed; those before it have taken effect.
    """
    lines = list(commands)
    if not lines:
        return ""
    argv = ["ip", *(["-json"] if json else []), "-netns", namespace, "-batch", "-"]
    result = subprocess.run(argv, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
    if result.returncode != 0:
        failed = re.search(r"Command failed -:(\d+)", result.stderr)
        command = f"`ip {lines[int(failed[1]) - 1]}`" if failed else "an `ip` command"
        raise NamespaceError(f"In namespace {namespace}, {command} failed: {result.stderr.strip()}")
    return result.stdout


def devices(namespace: str) -> frozenset[str]:
    """Return the names of a namespace's devices."""
    return run_in(namespace, lambda: frozenset(name for _, name in socket.if_nameindex()))


def routed_devices(namespace: str) -> frozenset[str]:
    """Return the names of those devices of a namespace that a route of its main table leads to."""

    def read() -> frozenset[str]:
        lines = Path("/proc/thread-self/net/route").read_text().splitlines()[1:]
        return frozenset(line.split(maxsplit=1)[0] for line in lines)

    return run_in(namespace, read)


def set_sysctls(namespace: str, settings: Iterable[tuple[str, str]]) -> None:
    """Write kernel settings of a namespace; a name has dots for slashes, as sysctl(8) takes it."""

    def write() -> None:
        for name, value in settings:
            (Path("/proc/sys") / name.replace(".", "/")).write_text(value)

    run_in(namespace, write)


def _enter(name: str) -> None:
    """Move the calling thread into a namespace."""
    path = NAMESPACE_DIRECTORY / name
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NamespaceError(f"There is no network namespace {name}") from None
    try:
        if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
            raise NamespaceError(f"Cannot enter network namespace {name}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _process_identity(pid: int) -> Identity | None:
    return _identity(Path(f"/proc/{pid}/ns/net"))


def _ip(*arguments: str) -> None:
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise NamespaceError(f"`ip {' '.join(arguments)}` failed: {result.stderr.strip()}")
