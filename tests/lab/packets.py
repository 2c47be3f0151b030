"""Real packets between namespaces: a process that holds a namespace, a server in it, attempts to reach it."""

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tsubo.drivers import netns

SILENCE_SECONDS = 0.6
"""How long an attempt waits before it counts as dropped; an answer takes milliseconds."""


@contextlib.contextmanager
def container_process() -> Iterator[int]:
    """Run a process in a network namespace of its own, as a container's first process is, and give its id."""
    process = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        own = os.stat("/proc/self/ns/net").st_ino
        wait_until(lambda: os.stat(f"/proc/{process.pid}/ns/net").st_ino != own)
        yield process.pid
    finally:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool], timeout_seconds: float = 5.0) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


IP_TRANSPARENT = 19
"""Linux: send from an address the namespace does not have."""


class Server:
    """A TCP server in a namespace: greets each connection with `NAME PEER`, then echoes until the peer closes."""

    def __init__(self, namespace: str, port: int, name: str, address: str = "0.0.0.0") -> None:
        self._name = name
        self._listener = netns.socket_in(namespace, socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((address, port))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, (peer, _) = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection, peer), daemon=True).start()

    def _serve(self, connection: socket.socket, peer: str) -> None:
        with contextlib.suppress(OSError), connection:
            connection.sendall(f"{self._name} {peer}".encode())
            while data := connection.recv(100):
                connection.sendall(data)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def connect(namespace: str, address: str, port: int, source: str | None = None) -> socket.socket:
    """Return a connection made inside a namespace, or raise what connect(2) says (TimeoutError: no answer)."""
    connection = netns.socket_in(namespace, socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(SILENCE_SECONDS)
    try:
        if source is not None:
            connection.bind((source, 0))
        connection.connect((address, port))
    except OSError:
        connection.close()
        raise
    return connection


def attempt(namespace: str, address: str, port: int, source: str | None = None) -> str:
    """Return what a client in a namespace gets: the server's greeting, `refused`, `timeout` or the error's name."""
    try:
        with connect(namespace, address, port, source) as connection:
            return connection.recv(100).decode()
    except TimeoutError:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return os.strerror(error.errno or 0)


def datagram_arrives(
    sender: str, source: str, receiver: str, address: str, port: int, seen_as: str | None = None
) -> bool:
    """Send a UDP datagram with any source address (also one that is not the sender's) and say whether it arrives,
    from any address or from the one it shall be seen as."""
    with (
        netns.socket_in(receiver, socket.AF_INET, socket.SOCK_DGRAM) as inbox,
        netns.socket_in(sender, socket.AF_INET, socket.SOCK_DGRAM) as outbox,
    ):
        inbox.bind((address, port))
        inbox.settimeout(SILENCE_SECONDS)
        outbox.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        outbox.bind((source, 0))
        outbox.sendto(b"hello", (address, port))
        try:
            seen = inbox.recvfrom(100)[1][0]
            return seen_as is None or seen == seen_as
        except TimeoutError:
            return False


def root_namespace() -> dict[str, str]:
    """Return what the machine's own namespace has of routes, rules, links and nftables."""
    commands = {
        "routes": ["ip", "route", "show", "table", "all"],
        "rules": ["ip", "rule"],
        "nft": ["nft", "list", "ruleset"],
    }
    state = {k: subprocess.run(v, capture_output=True, text=True, check=True).stdout for k, v in commands.items()}
    return {**state, "links": " ".join(sorted(os.listdir("/sys/class/net")))}


def namespaces() -> set[str]:
    return {entry.name for entry in Path("/run/netns").iterdir()} if Path("/run/netns").is_dir() else set()
