"""Measures how fast the example comes up and scales (`make bench`), on an engine of its own that is removed again.

Printed are phases, each with seconds since the command before it was given. The images must be built.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
EXAMPLE = PROJECT / "examples" / "ecs-navi"
TSUBO = PROJECT / ".venv" / "bin" / "tsubo"
URLS = ("https://ecs-navi.site/", "https://api.ecs-navi.site/")
BACKEND, RESOLVER = "backend.ecs-navi.local", "10.0.0.2"
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.02


class Bench:
    """One engine, and a clock that starts anew with each command."""

    def __init__(self, home: Path) -> None:
        self._environment = {**os.environ, "TSUBO_HOME": str(home)}
        self._started = time.monotonic()
        self.engine_id = ""

    def begin(self, title: str) -> None:
        """Start the clock anew."""
        print(title, flush=True)
        self._started = time.monotonic()

    def phase(self, what: str) -> None:
        """Print what is true now, and how long that took."""
        print(f"  {time.monotonic() - self._started:7.2f} s  {what}", flush=True)

    def tsubo(self, *arguments: str, check: bool = True) -> str:
        """Run a command and return what it printed."""
        result = subprocess.run([TSUBO, *arguments], env=self._environment, capture_output=True, text=True, check=False)
        if check and result.returncode != 0:
            sys.exit(f"tsubo {' '.join(arguments)}: exit code {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout

    def up(self) -> None:
        """Bring the example up, and print its progress as phases."""
        with subprocess.Popen(
            [TSUBO, "up", EXAMPLE, "--json"], env=self._environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stderr is not None
            assert process.stdout is not None
            output: list[str] = []
            reader = threading.Thread(target=lambda: output.extend(process.stdout or ()))
            reader.start()
            for line in process.stderr:
                self.phase(line.strip())
            reader.join()
        if process.returncode != 0:
            sys.exit(f"tsubo up: exit code {process.returncode}\n{''.join(output)}")
        self.phase("tsubo up has ended")

    def answers(self, url: str) -> bool:
        """Say whether a URL is answered with 200, as the machine's own curl sees it."""
        return self.tsubo("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url, check=False) == "200"

    def addresses(self) -> int:
        """Ask the VPC's resolver, over the wire, for the backend's addresses; return how many there are."""
        prefix = f"tsubo-{self.engine_id}-vpc-"
        namespaces = [path.name for path in Path("/run/netns").iterdir() if path.name.startswith(prefix)]
        counts = []
        for namespace in namespaces:
            command = ["ip", "netns", "exec", namespace, "dig", "+short", "+time=1", f"@{RESOLVER}", BACKEND]
            counts.append(len(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()))
        return max(counts, default=0)

    def until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until something is so, and print it as a phase."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > end:
                sys.exit(f"not within {PATIENCE_SECONDS:.0f} s: {what}")
            time.sleep(POLL_SECONDS)
        self.phase(what)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def measure(bench: Bench) -> None:
    """Go through the commands that are measured."""
    bench.begin("start")
    started = json.loads(bench.tsubo("start", "--json", "--port", str(free_port())))
    bench.engine_id = started["engine"]
    bench.phase("the engine's endpoint answers")
    bench.begin("up examples/ecs-navi (goal: both URLs in 10 s or less)")
    bench.up()
    for url in URLS:
        bench.until(f"{url} answers 200", partial(bench.answers, url))
    bench.begin("up again, nothing changed")
    bench.up()
    bench.begin("scale backend 3 (goal: three answers in 3 s or less)")
    bench.tsubo("scale", "backend", "3")
    bench.phase("tsubo scale has ended")
    bench.until("three addresses in DNS", lambda: bench.addresses() == 3)
    bench.begin("scale backend 1")
    bench.tsubo("scale", "backend", "1")
    bench.until("one address in DNS", lambda: bench.addresses() == 1)


def main() -> None:
    """Measure, and remove the engine whatever happens."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
    with tempfile.TemporaryDirectory(prefix="tsubo-bench-", ignore_cleanup_errors=True) as directory:
        bench = Bench(Path(directory) / "home")
        try:
            measure(bench)
        finally:
            bench.begin("down")
            bench.tsubo("down", check=False)
            bench.phase("everything of the engine is removed")


if __name__ == "__main__":
    main()
