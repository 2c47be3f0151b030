"""The smallest network in which a load balancer works: an internet, a router, two nodes, and targets.

Made by hand from namespaces that carry an engine id of the test's own, so that these tests need no other driver.
"""

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tsubo.model.identity import EngineIdentity

HERE = Path(__file__).parent
CLIENT = "198.18.7.7"
PUBLIC = {"10.0.1.20": "203.0.113.7", "10.0.2.20": "203.0.113.8"}
PATIENCE_SECONDS = 15.0


def until(what: Callable[[], object], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so; fail if it does not become so."""
    deadline = time.monotonic() + patience_seconds
    while not what():
        assert time.monotonic() < deadline, f"did not come true within {patience_seconds} s"
        time.sleep(0.02)


class Lab:
    """The namespaces and the processes in them; `close` removes all of it."""

    def __init__(self, directory: Path) -> None:
        self.engine = EngineIdentity(hashlib.sha256(str(directory).encode()).hexdigest()[:8])
        self.directory = directory
        self.namespaces: list[str] = []
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.router = self._namespace("vpc-lab")
        self._ip(self.router, "sysctl -qw net.ipv4.ip_forward=1", plain=True)
        self.internet = self.plug("internet", "198.18.255.2/16")
        self._ip(self.internet, "route add local 198.18.0.0/15 dev lo")
        self.node_names = {address: f"eni-{number:017x}" for number, address in enumerate(PUBLIC, 1)}
        for address in PUBLIC:
            self.plug(self.node_names[address], f"{address}/24")
        self._publish()

    def plug(self, resource: str, address: str) -> str:
        """Make a namespace with this address, one hop from the router; return its name."""
        name = self._namespace(resource)
        number = len(self.namespaces)
        gateway = f"169.254.{number}.1"
        self._run(f"ip link add p{number} netns {self.router} type veth peer name eth0 netns {name}")
        self._ip(self.router, f"addr add {gateway}/30 dev p{number}")
        self._ip(self.router, f"link set p{number} up")
        self._ip(self.router, f"route add {address.split('/', maxsplit=1)[0]}/32 dev p{number}")
        if resource == "internet":
            self._ip(self.router, f"route add 198.18.0.0/15 via {address.split('/', maxsplit=1)[0]} dev p{number}")
        self._ip(name, f"addr add {address.split('/', maxsplit=1)[0]}/32 dev eth0")
        self._ip(name, "link set eth0 up")
        self._ip(name, f"route add {gateway}/32 dev eth0")
        self._ip(name, f"route add default via {gateway} dev eth0 src {address.split('/', maxsplit=1)[0]}")
        return name

    def start(self, name: str, argv: list[str], namespace: str | None = None) -> subprocess.Popen[bytes]:
        """Start a process, in a namespace if one is named; it ends with the lab."""
        inside = ["ip", "netns", "exec", namespace] if namespace else []
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen([*inside, *argv], stdout=log, stderr=log)
        return self.processes[name]

    def end(self, name: str) -> None:
        """End a process that was started here."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def serve(self, name: str, namespace: str, address: str, port: int = 80) -> None:
        """Start a target that answers as `name`."""
        self.start(name, [sys.executable, str(HERE / "target_server.py"), address, str(port), name], namespace)

    def curl(self, *arguments: str, namespace: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run curl on the internet as CLIENT, or in another namespace."""
        source = [] if namespace else ["--interface", CLIENT]
        argv = [
            "ip",
            "netns",
            "exec",
            namespace or self.internet,
            "curl",
            "-sS",
            "--max-time",
            "20",
            *source,
            *arguments,
        ]
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    def drop(self, address: str) -> None:
        """Drop all packets to an address."""
        self._ip(self.router, f"nft add rule ip lab forward ip daddr {address} drop", plain=True)

    def pass_all(self) -> None:
        """Drop nothing any more."""
        self._ip(self.router, "nft flush chain ip lab forward", plain=True)

    def close(self) -> None:
        """End every process and remove every namespace that was made here."""
        for name in list(self.processes):
            self.end(name)
        for namespace in reversed(self.namespaces):
            self._run(f"ip netns del {namespace}")

    def _publish(self) -> None:
        table = "add table ip lab; add chain ip lab forward { type filter hook forward priority 0; };"
        table += "add chain ip lab in { type nat hook prerouting priority -100; };"
        for private, public in PUBLIC.items():
            table += f"add rule ip lab in ip daddr {public} dnat to {private};"
        argv = ["ip", "netns", "exec", self.router, "nft", table]
        subprocess.run(argv, check=True, capture_output=True)

    def _namespace(self, resource: str) -> str:
        name = self.engine.namespace(resource)
        self._run(f"ip netns add {name}")
        self.namespaces.append(name)
        self._ip(name, "link set lo up")
        return name

    def _ip(self, namespace: str, command: str, plain: bool = False) -> None:
        self._run(f"ip netns exec {namespace} {command}" if plain else f"ip -n {namespace} {command}")

    def _run(self, command: str) -> None:
        done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
