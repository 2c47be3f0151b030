"""Measures how fast the example comes up and scales (`make bench`), on engines of its own that are removed again.

A plain `docker run` of the same containers is measured in the same run: how often it fits into an `up` says more than
seconds on a machine that nobody knows. The images must be built.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import dns.exception
import dns.message
from botocore.config import Config

from tsubo.drivers.http_probe import probe
from tsubo.drivers.netns import socket_in
from tsubo.engine.home import engine_id
from tsubo.engine.published import published_ports

PROJECT = Path(__file__).resolve().parent.parent
EXAMPLE = PROJECT / "examples" / "ecs-navi"
PROGRAMS = Path(sys.executable).parent
HOSTS = ("ecs-navi.site", "api.ecs-navi.site")
CLUSTER, BACKEND = "ecs-navi-cluster", "ecs-navi-backend-service"
NAME, RESOLVER = "backend.ecs-navi.local", "10.0.0.2"
IMAGES = ("ecs-navi-nginx", "ecs-navi-api", "ecs-navi-nginx-proxy")
PATIENCE_SECONDS = 60.0
DNS_POLL_SECONDS = 0.001
POLL_SECONDS = 0.01
PLAIN = "docker run of the same three containers"
UP = "up examples/ecs-navi, until both URLs answer 200 (goal: 10)"


class Engine:
    """One engine with a state directory and a port of its own."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.id = engine_id(self.home)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]

    def tsubo(self, *arguments: str) -> str:
        """Run a command, which must succeed, and return what it printed."""
        environment = {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
        command = [str(PROGRAMS / "tsubo"), "--home", str(self.home), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"tsubo {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        """Start the engine."""
        self.tsubo("start", "--port", str(self.port))

    def up(self) -> dict[str, Any]:
        """Bring the example up; return what `up` says of it."""
        result: dict[str, Any] = json.loads(self.tsubo("up", str(EXAMPLE), "--json"))
        return result

    def both_urls_answer(self) -> bool:
        """Say whether both URLs are answered with 200 where the load balancer is published."""
        authority = self.home / "ca" / "ca.pem"
        places = [(p.entry.listen_address, p.port) for p in published_ports(self.home) if p.port is not None]
        with contextlib.suppress(OSError):
            return bool(places) and all(probe(*places[0], host, "/", host, authority).status == 200 for host in HOSTS)
        return False

    def ecs(self) -> Any:
        """Return an ECS client."""
        variables = json.loads(self.tsubo("env", "--json"))
        return boto3.client(
            "ecs",
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            region_name=variables["AWS_REGION"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}),
        )


class Resolver:
    """Questions to the VPC's resolver, over the wire, from a running task."""

    def __init__(self, engine: Engine) -> None:
        (namespace,) = Path("/run/netns").glob(f"tsubo-{engine.id}-vpc-*")
        self._socket = socket_in(namespace.name, socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(1.0)
        self._socket.connect((RESOLVER, 53))

    def addresses(self) -> set[str]:
        """Return the backend's addresses."""
        question = dns.message.make_query(NAME, "A")
        with contextlib.suppress(OSError, dns.exception.DNSException):
            self._socket.send(question.to_wire())
            answer = dns.message.from_wire(self._socket.recv(4096))
            if answer.id == question.id:
                return {item.to_text() for rrset in answer.answer for item in rrset}
        return set()


@dataclass
class Watched:
    """When each address was first seen in DNS, and each task first RUNNING (seconds since the epoch)."""

    in_dns: dict[str, float] = field(default_factory=dict)
    running: dict[str, tuple[str, float]] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def watch_dns(self, resolver: Resolver) -> None:
        """Ask every millisecond."""
        while not self.ended.wait(DNS_POLL_SECONDS):
            seen = resolver.addresses()
            now = time.time()
            for address in seen:
                self.in_dns.setdefault(address, now)

    def watch_api(self, ecs: Any) -> None:
        """Ask every hundredth of a second."""
        while not self.ended.wait(POLL_SECONDS):
            arns = ecs.list_tasks(cluster=CLUSTER, serviceName=BACKEND)["taskArns"]
            tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
            now = time.time()
            for task in tasks:
                if task["lastStatus"] == "RUNNING":
                    address = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
                    self.running.setdefault(address, (task["taskArn"].rsplit("/", 1)[-1], now))


class Report:
    """What was measured: seconds by title, in the order of its first round."""

    def __init__(self) -> None:
        self._rounds: dict[str, list[float]] = {}

    def add(self, title: str, seconds: float) -> None:
        """Add a round."""
        self._rounds.setdefault(title, []).append(seconds)
        print(f"{seconds:8.3f} s  {title}", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def measure(self, title: str) -> Iterator[None]:
        """Add the time that the block takes."""
        began = time.monotonic()
        yield
        self.add(title, time.monotonic() - began)

    def median(self, title: str) -> float:
        """Return the median of a title's rounds."""
        return statistics.median(self._rounds[title])

    def print(self) -> None:
        """Print the medians and every round."""
        for title, rounds in self._rounds.items():
            every = "  ".join(f"{seconds:.3f}" for seconds in rounds)
            print(f"{title:64} {statistics.median(rounds):8.3f}   {every if len(rounds) > 1 else ''}".rstrip())


def until(what: str, condition: Callable[[], bool], poll_seconds: float = POLL_SECONDS) -> None:
    """Wait until something is so; give up after a while."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {PATIENCE_SECONDS:.0f} s: {what}")
        time.sleep(poll_seconds)


def run_plainly(report: Report) -> None:
    """Run the example's containers as Docker runs them, without a network, all at the same time."""
    options = ["--network", "none", "--add-host", f"{NAME}:127.0.0.1"]

    def run(image: str) -> str:
        command = ["docker", "run", "--detach", *options, image]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    containers: list[str] = []
    try:
        with report.measure(PLAIN), ThreadPoolExecutor() as pool:
            containers += pool.map(run, IMAGES)
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", *containers], capture_output=True, check=False)


def measure_up(engine: Engine, report: Report, title: str, start: bool) -> None:
    """Measure `up`, with the engine's start or without, until both URLs answer, which may be before it ends."""
    began = time.monotonic()

    def seconds_until_both_answer() -> float:
        until("both URLs answer", engine.both_urls_answer)
        return time.monotonic() - began

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(seconds_until_both_answer)
        if start:
            engine.start()
        result = engine.up()
        ended = time.monotonic() - began
        report.add(title, watching.result())
    report.add(f"    of {title.partition(',')[0]}: until the command has ended", ended)
    for phase, seconds in result["phases"].items():
        what = "waiting until it is settled" if phase == "settled" else f"terraform {phase}"
        report.add(f"    of {title.partition(',')[0]}: {what}", seconds)


def measure_scaling(engine: Engine, report: Report) -> None:
    """Measure growing and shrinking by what the resolver answers, and how soon new tasks are in DNS and RUNNING."""
    resolver, watched, ecs = Resolver(engine), Watched(), engine.ecs()
    old = resolver.addresses()
    with ThreadPoolExecutor(2) as pool:
        watching = [pool.submit(watched.watch_dns, Resolver(engine)), pool.submit(watched.watch_api, ecs)]
        try:
            with report.measure("scale backend 3, until three addresses are answered (goal: 3)"):
                engine.tsubo("scale", "backend", "3", "--no-wait")
                until("three addresses", lambda: len(resolver.addresses()) == 3, DNS_POLL_SECONDS)
            until("all RUNNING", lambda: len(watched.running) == 3)
        finally:
            watched.ended.set()
        for future in watching:
            future.result()
    for address in watched.running.keys() - old:
        task_id, running = watched.running[address]
        started = started_at(engine, task_id)
        report.add(
            "    a task's containers have started: its name answers after (goal: 0.05)",
            watched.in_dns[address] - started,
        )
        report.add("    a task's containers have started: it is RUNNING after", running - started)
    engine.tsubo("scale", "backend", "3")
    with report.measure("scale backend 1, until one address is answered"):
        engine.tsubo("scale", "backend", "1", "--no-wait")
        until("one address", lambda: len(resolver.addresses()) == 1, DNS_POLL_SECONDS)


def started_at(engine: Engine, task_id: str) -> float:
    """Return when the last of a task's containers started, as the container engine says."""
    names = [f"tsubo-{engine.id}-{task_id}-{container}" for container in ("nginx", "api")]
    command = ["docker", "inspect", "--format", "{{.State.StartedAt}}", *names]
    stamps = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return max(datetime.fromisoformat(f"{stamp[:26].rstrip('Z')}+00:00").timestamp() for stamp in stamps)


def measure_round(report: Report) -> None:
    """Go once through everything that is measured, on an engine that is removed again."""
    run_plainly(report)
    with tempfile.TemporaryDirectory(prefix="tsubo-bench-", ignore_cleanup_errors=True) as directory:
        engine = Engine(Path(directory))
        try:
            with report.measure("start the engine"):
                engine.start()
            measure_up(engine, report, UP, start=False)
            with report.measure("up again, nothing has changed"):
                engine.up()
            measure_scaling(engine, report)
        finally:
            with report.measure("down: everything of the engine is removed"):
                engine.tsubo("down")
        try:
            measure_up(engine, report, "up from nothing, until both URLs answer 200", start=True)
        finally:
            engine.tsubo("down")


def main() -> None:
    """Measure some rounds and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
    report = Report()
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        measure_round(report)
    print(f"\n{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; seconds, the median and every round")
    report.print()
    ratio = report.median(UP) / report.median(PLAIN)
    print(f"An up takes {ratio:.1f} times as long as Docker takes to run the same containers without a network.")


if __name__ == "__main__":
    main()
