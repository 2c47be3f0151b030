"""Envoy's admin interface on its unix socket: what it runs with, and how many requests it has under way."""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 2.0


class AdminError(Exception):
    """Envoy gave no usable answer in time."""


class NotRunningError(AdminError):
    """Nothing listens on the admin socket: there is no such process."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_SECONDS)
        self.sock.connect(str(self._path))


def get_json(admin_path: Path, target: str) -> dict[str, Any]:
    """Return Envoy's answer to GET `target`. Raise NotRunningError without a process, AdminError without an answer."""
    connection = _UnixConnection(admin_path)
    try:
        connection.request("GET", target)
        answer = json.loads(connection.getresponse().read())
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotRunningError(str(admin_path)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise AdminError(f"{admin_path}: {error}") from error
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise AdminError(f"{admin_path}: {target} is no object")
    return answer


def draining_requests(admin_path: Path, cluster: str) -> dict[str, int]:
    """Return the active requests of each endpoint (`address:port`) that Envoy itself shows as draining.

    An endpoint that Envoy does not show so yet may still be given requests, and is left out.
    """
    answer = get_json(admin_path, "/clusters?format=json")
    hosts = [
        host
        for status in answer.get("cluster_statuses", ())
        if status["name"] == cluster
        for host in status.get("host_statuses", ())
    ]
    return {
        f"{host['address']['socket_address']['address']}:{host['address']['socket_address']['port_value']}": _active(
            host
        )
        for host in hosts
        if host.get("health_status", {}).get("eds_health_status") == "DRAINING"
    }


def _active(host: dict[str, Any]) -> int:
    return next((int(stat.get("value", 0)) for stat in host["stats"] if stat["name"] == "rq_active"), 0)
