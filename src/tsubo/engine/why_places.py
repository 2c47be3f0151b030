"""What the two ends of `tsubo why` mean: names, addresses and URLs become an endpoint and a destination."""

import ipaddress
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from tsubo.core import dns
from tsubo.core.router import DEFAULT_CLIENT
from tsubo.core.why_requests import listeners_of
from tsubo.core.why_task import first_port
from tsubo.engine.errors import NOT_FOUND, USAGE, UserError
from tsubo.engine.finding import find_service, find_task, service_names
from tsubo.model.ecs import Service, Task
from tsubo.model.explanation import Destination, Endpoint, Protocol, Request
from tsubo.model.vpc import NetworkInterface
from tsubo.model.world import World

INTERNET = "internet"
STANDARD_PORTS = {"http": 80, "https": 443}
PRIVATE_RANGES = tuple(ipaddress.IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
SHORTEST_TASK_ID = 6


def find_start(world: World, name: str, addresses: Mapping[str, str]) -> Endpoint:
    """Return where a connection starts: `internet`, an address, a task, or a service's oldest task.

    `addresses` are Terraform addresses by ARN. Raises UserError.
    """
    if name == INTERNET:
        return Endpoint(INTERNET, DEFAULT_CLIENT)
    if _is_address(name):
        interface = _interface_of(world, name)
        if interface is not None:
            return Endpoint(name, interface.private_ip, interface.network_interface_id)
        if _is_private(name):
            raise UserError(f"No network interface has the address {name}.", "See `tsubo ps`.", NOT_FOUND)
        return Endpoint(f"{name} on the internet", name)
    task = find_task(world, name, addresses)
    return Endpoint(name, task.private_ip or "", task.network_interface_id)


def find_destination(
    world: World, start: Endpoint, name: str, addresses: Mapping[str, str], protocol: Protocol = "tcp"
) -> Destination:
    """Return where a connection goes: a URL, a service, a task, NAME[:PORT] or ADDRESS[:PORT]. Raises UserError."""
    if "://" in name:
        return _of_url(name)
    host, port = _split_port(name)
    if _is_address(host):
        return Destination(host, port or _default_port(world, host), address=host, protocol=protocol)
    if any(host in known.names for known in service_names(world, addresses)):
        return _of_service(world, find_service(world, host, addresses), host, port, addresses, protocol)
    if "." in host and not host.startswith("arn:"):
        port = port or _default_port(world, _first_answer(world, start, host))
        return Destination(host, port, name=host, protocol=protocol, request=Request(host))
    task = find_task(world, host, addresses)
    port = port or _first_port(world, task)
    return Destination(host, port, address=task.private_ip, protocol=protocol)


def _of_url(url: str) -> Destination:
    parts = urlsplit(url)
    if parts.scheme not in STANDARD_PORTS or not parts.hostname:
        raise UserError(f"{url} is not a URL that begins with http:// or https://.", "tsubo why FROM URL", USAGE)
    try:
        port = parts.port or STANDARD_PORTS[parts.scheme]
    except ValueError as error:
        raise UserError(f"{url}: {error}", "tsubo why FROM URL", USAGE) from error
    host = parts.hostname
    request = Request(host, parts.path or "/", parts.query)
    if _is_address(host):
        return Destination(url, port, address=host, request=request)
    return Destination(url, port, name=host, request=request)


def _of_service(
    world: World, service: Service, label: str, port: int | None, addresses: Mapping[str, str], protocol: Protocol
) -> Destination:
    """Return a service by its Cloud Map name; where it has none that DNS knows, by the address of its oldest task."""
    discovery = {entry.arn: entry for entry in world.discovery_services.values()}
    for registry in service.registries:
        entry = discovery.get(registry.registry_arn)
        if entry is not None and entry.dns_records:
            full_name = f"{entry.name}.{world.namespaces[entry.namespace_id].name}"
            port = port or _service_port(world, service)
            return Destination(label, port, name=full_name, protocol=protocol)
    task = find_task(world, service.arn, addresses)
    return Destination(label, port or _first_port(world, task), address=task.private_ip, protocol=protocol)


def _service_port(world: World, service: Service) -> int:
    definition = world.task_definitions.get(service.task_definition_arn)
    containers = definition.containers if definition else ()
    ports = [mapping.container_port for container in containers for mapping in container.port_mappings]
    return ports[0] if ports else _refuse_without_port(service.name)


def _first_port(world: World, task: Task) -> int:
    return first_port(world, task) or _refuse_without_port(f"task {task.task_id}")


def _refuse_without_port(what: str) -> NoReturn:
    raise UserError(
        f"No container of {what} maps a port, so it is not known which one to call.", "Name one: NAME:PORT", USAGE
    )


def _default_port(world: World, address: str | None) -> int:
    """Return the port that whoever has an address is usually called on: 443, a listener's, or a container's."""
    interface = _interface_of(world, address) if address else None
    if interface is not None and interface.owner == "task" and interface.owner_id in world.tasks:
        return _first_port(world, world.tasks[interface.owner_id])
    listeners = listeners_of(world, interface.owner_id) if interface else []
    ports = [listener.port for listener in listeners]
    return ports[0] if ports and STANDARD_PORTS["https"] not in ports else STANDARD_PORTS["https"]


def _first_answer(world: World, start: Endpoint, name: str) -> str | None:
    """Return the first address that a name has where the connection starts."""
    interface = world.network_interfaces.get(start.network_interface_id or "")
    view = dns.dns_table(world).view(interface.vpc_id if interface else dns.INTERNET)
    records = dns.answer(view, name, "A", lambda _: 0).records if view else ()
    return next((record.value for record in records if record.type == "A"), None)


def _interface_of(world: World, address: str) -> NetworkInterface | None:
    """Return the interface that has an address, private or public. Raises UserError where several VPCs have it."""
    found = [i for i in world.network_interfaces.values() if address in (i.private_ip, i.public_ip)]
    if len(found) > 1:
        choices = ", ".join(sorted(f"{i.network_interface_id} in {i.vpc_id}" for i in found))
        message = f"{address} means more than one network interface: {choices}."
        raise UserError(message, "Name the service or the task.", NOT_FOUND)
    return next(iter(found), None)


def _split_port(name: str) -> tuple[str, int | None]:
    host, separator, port = name.rpartition(":")
    if not separator or host.startswith("arn:") or name.startswith("arn:"):
        return name, None
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise UserError(f"{port} is not a port.", "A port is a number from 1 to 65535.", USAGE)
    return host, int(port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_private(address: str) -> bool:
    return any(ipaddress.IPv4Address(address) in network for network in PRIVATE_RANGES)
