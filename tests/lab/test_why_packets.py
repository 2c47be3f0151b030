"""`why` against real packets: random VPCs in real namespaces, random questions, each answered by sending it.

The pure test (tests/core/test_why.py) compares `why` with a simulator of the same rules; this one compares it with the
kernel, and so the simulator's notion of the kernel as well.
"""

import contextlib
import hashlib
import os
import re
import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.core.random_vpc import PORTS, WEB_HOST, Question, RandomVpc
from tests.lab.packets import SILENCE_SECONDS, Server, attempt
from tests.lab.test_network import Lab
from tsubo.core.why import explain
from tsubo.core.why_text import render
from tsubo.drivers import netns, nft
from tsubo.drivers.network import NetworkDriver
from tsubo.model.explanation import Observations

pytestmark = pytest.mark.lab

QUESTIONS = 40
AT_ONCE = 8
DNS_PORT = 53
ECHO_REQUEST = 8


class Echo:
    """Answers every datagram that comes to any of its sockets, from the address that it was sent to."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []
        self._stopped, self._stop = socket.socketpair()
        self._selector.register(self._stopped, selectors.EVENT_READ)

    def listen(self, namespace: str, address: str, port: int) -> None:
        inbox = netns.socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM)
        inbox.bind((address, port))
        self._sockets.append(inbox)
        self._selector.register(inbox, selectors.EVENT_READ)

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._stopped:
                    return
                assert isinstance(key.fileobj, socket.socket)
                data, sender = key.fileobj.recvfrom(100)
                key.fileobj.sendto(data, sender)

    def close(self) -> None:
        self._stop.close()
        for each in self._sockets:
            each.close()


def answers_datagram(namespace: str, address: str, port: int, source: str | None) -> bool:
    with netns.socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(SILENCE_SECONDS)
        with contextlib.suppress(OSError):
            client.bind((source or "0.0.0.0", 0))
            client.connect((address, port))
            client.send(b"question")
            return client.recv(100) == b"question"
    return False


def answers_echo(namespace: str, address: str, source: str | None) -> bool:
    identifier = int.from_bytes(os.urandom(2), "big")
    with netns.run_in(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)) as client:
        client.settimeout(SILENCE_SECONDS)
        with contextlib.suppress(OSError):
            client.bind((source or "0.0.0.0", 0))
            client.sendto(echo_request(identifier), (address, 0))
            while True:
                message = client.recv(200)[20:]
                kind, _, _, seen, _ = struct.unpack("!BBHHH", message[:8])
                if (kind, seen) == (0, identifier):
                    return True
    return False


def echo_request(identifier: int) -> bytes:
    def message(checksum: int) -> bytes:
        return struct.pack("!BBHHH", ECHO_REQUEST, 0, checksum, identifier, 1)

    total = sum(struct.unpack("!4H", message(0)))
    return message(~((total >> 16) + (total & 0xFFFF)) & 0xFFFF)


class RandomLab:
    """A random VPC that runs, with something listening on every port that is asked for."""

    def __init__(self, vpc: RandomVpc, stack: contextlib.ExitStack) -> None:
        self.vpc = vpc
        self.lab = Lab(vpc.world, stack)
        echo = Echo()
        stack.callback(echo.close)
        places = [(i.network_interface_id, i.private_ip) for i in vpc.interfaces()]
        places += [("eni-b", "10.0.1.10"), ("internet", WEB_HOST)]
        for resource, address in places:
            for port in PORTS:
                self._serve(stack, echo, resource, address, port)
        for address in self.resolvers():
            self._serve(stack, echo, "vpc-a", address, DNS_PORT)
        echo.start()

    def resolvers(self) -> tuple[str, ...]:
        return ("10.0.0.2", "169.254.169.253") if self.vpc.world.vpcs["vpc-a"].enable_dns_support else ()

    def _serve(self, stack: contextlib.ExitStack, echo: Echo, resource: str, address: str, port: int) -> None:
        namespace = self.vpc.world.engine.namespace(resource)
        stack.callback(Server(namespace, port, resource, address).close)
        echo.listen(namespace, address, port)

    def arrives(self, question: Question) -> bool:
        """Send a question's packet; return whether an answer comes back."""
        start, to = question.start, question.destination
        namespace = self.vpc.world.engine.namespace(start.network_interface_id or "internet")
        source = start.address if start.network_interface_id is None else None
        assert to.address is not None
        if to.protocol == "udp":
            return answers_datagram(namespace, to.address, to.port, source)
        if to.protocol == "icmp":
            return answers_echo(namespace, to.address, source)
        return attempt(namespace, to.address, to.port, source) not in ("timeout", "refused")


@contextlib.contextmanager
def random_lab(seed: int, directory: Path) -> Iterator[RandomLab]:
    engine_id = hashlib.sha256(f"{directory}{seed}".encode()).hexdigest()[:8]
    vpc = RandomVpc(seed, engine_id)
    with contextlib.ExitStack() as stack:
        stack.callback(NetworkDriver.destroy, vpc.world.engine)
        yield RandomLab(vpc, stack)


def askable(question: Question) -> bool:
    """Say whether someone would answer if the network let the question through: port 53 is the resolver's alone."""
    return question.destination.port != DNS_PORT or question.destination.address in ("10.0.0.2", "169.254.169.253")


def disagreements(lab: RandomLab) -> tuple[list[str], int]:
    """Return the questions on which `why` and the packets differ, and how many were allowed."""
    questions = [question for question in lab.vpc.questions(QUESTIONS) if askable(question)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        arrived = list(pool.map(lab.arrives, questions))
    differing = []
    for question, seen in zip(questions, arrived, strict=True):
        said = explain(lab.vpc.world, question.start, question.destination, Observations())
        if said.allowed != seen:
            differing.append(f"{question.destination.protocol}: packets {seen}\n{render(said)}")
    return differing, sum(arrived)


@pytest.mark.parametrize("seed", range(4))
def test_why_says_what_packets_do(seed: int, tmp_path: Path) -> None:
    with random_lab(seed, tmp_path) as lab:
        differing, allowed = disagreements(lab)
        assert not differing, "\n\n".join(differing)
        assert allowed > 0


def test_a_fault_planted_in_the_kernels_rules_is_found(tmp_path: Path) -> None:
    with random_lab(5, tmp_path) as lab:
        router = lab.lab.network.routers[0]
        open_door = re.sub(r"^( +chain i_set\d+ \{)$", r"\1\n        accept", router.ruleset, flags=re.MULTILINE)
        assert open_door != router.ruleset
        nft.load(router.namespace, open_door)
        assert disagreements(lab)[0]
