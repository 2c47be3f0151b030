"""Making the data plane true for a world: network, load balancers, published ports, names. Whole, and by comparison.

Order: the network first (default drop, so that nothing is open too early), then the load balancers' files and what
checks and publishes their ports, names last: a name must not be answered before its address can be reached.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tsubo.core import alb, dns, relay, router
from tsubo.core.flow_table import flow_table
from tsubo.core.metadata import metadata_table
from tsubo.drivers.envoy import EnvoyDriver
from tsubo.drivers.network import NetworkDriver
from tsubo.drivers.reload import replace_file, request_reload
from tsubo.engine import flows_process, metadata_process
from tsubo.engine.home import Home
from tsubo.engine.lookup import encode_table, table_path
from tsubo.model.observed import ObservedTask
from tsubo.model.proxy import LoadBalancerPlan
from tsubo.model.world import World


class DataPlane:
    """The parts that are replaced as a whole, and what each was last told."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.network = NetworkDriver(home.identity)
        self._envoy = EnvoyDriver(home.path)
        self._told: dict[Path, bytes] = {}
        self._plans: dict[str, LoadBalancerPlan] = {}

    def apply(self, world: World, tasks: Mapping[str, ObservedTask]) -> None:
        """Make the data plane what this world says. What is so already is left alone.

        `tasks` are the containers as observed: part of what tasks are told about themselves.
        """
        self.network.apply(router.network(world))
        self._tell("flows", flows_process.table_path(self.home.path), msgspec.json.encode(flow_table(world)))
        metadata = msgspec.json.encode(metadata_table(world, tasks))
        self._tell("metadata", metadata_process.table_path(self.home.path), metadata)
        plans = alb.load_balancers(world, str(self.home.path))
        self._apply_load_balancers(plans)
        self._tell("health", self.home.path / "health" / "table.json", msgspec.json.encode(alb.health_table(plans)))
        self._tell("relay", self.home.path / "relay" / "table.json", msgspec.json.encode(relay.relay_table(world)))
        self._tell("resolver", table_path(self.home.path), encode_table(dns.dns_table(world)))

    def shortfalls(self) -> tuple[str, ...]:
        """Return what the load balancers do not do, and why."""
        return tuple(f"{s.listener_arn}: {s.reason}" for plan in self._plans.values() for s in plan.shortfalls)

    def proxies_not_ready(self) -> tuple[str, ...]:
        """Return the names of the load balancers whose proxies do not serve yet."""
        waiting = [arn for arn, plan in self._plans.items() if plan.nodes and not self._envoy.ready(arn)]
        return tuple(arn.split("/")[-2] for arn in waiting)

    def _apply_load_balancers(self, plans: Mapping[str, LoadBalancerPlan]) -> None:
        wanted = dict(plans)
        for arn, plan in wanted.items():
            if self._plans.get(arn) != plan:
                self._envoy.apply(plan)
        changed = self._write_processes([arn for arn, plan in wanted.items() if plan.nodes])
        if changed:
            request_reload(self.home.socket("supervisor"))
        for arn in self._envoy.names() - wanted.keys():
            self._envoy.remove(arn)
        self._plans = wanted

    def _write_processes(self, arns: list[str]) -> bool:
        """Write which proxies shall run; return whether that changed anything."""
        directory = self.home.path / "processes"
        wanted = {f"{name}.json": argv for name, argv in map(self._envoy.process_spec, arns)}
        changed = False
        for file in directory.glob("*.json"):
            if file.name not in wanted:
                file.unlink()
                changed = True
        for name, argv in wanted.items():
            content = json.dumps({"argv": argv}).encode()
            path = directory / name
            if not path.exists() or path.read_bytes() != content:
                replace_file(path, content)
                changed = True
        return changed

    def _tell(self, process: str, path: Path, content: bytes) -> None:
        """Write a helper's table and have it read, unless the helper has it already."""
        if self._told.get(path) == content:
            return
        replace_file(path, content)
        # A helper that does not answer is starting, and reads the file then: told either way.
        request_reload(self.home.socket(process))
        self._told[path] = content
