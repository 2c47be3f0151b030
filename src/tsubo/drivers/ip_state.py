"""What a namespace's devices, addresses, policy rules and routes are, and the `ip` commands that make them what they
should be.

Routes of ours carry the protocol `static`; all others (the kernel's own) are left alone. The comparison is pure; only
`read` touches the machine.
"""

import json
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

from tsubo.drivers import netns
from tsubo.model.linux import DeviceAddress, Interface, PolicyRule, RouteEntry, Router

_QUERIES = ("addr show", "link show type veth", "rule show", "route show table all proto static")
_KERNEL_TABLES = ("local", "main", "default")


@dataclass(frozen=True)
class State:
    """A namespace as it is. `links` are its virtual Ethernet devices, `up` all devices that are up."""

    links: frozenset[str] = frozenset()
    up: frozenset[str] = frozenset()
    addresses: frozenset[DeviceAddress] = frozenset()
    rules: frozenset[PolicyRule] = frozenset()
    routes: frozenset[RouteEntry] = frozenset()


def read(namespace: str) -> State:
    """Return the state of a namespace (one process, about 4 ms)."""
    return parse(netns.batch(namespace, _QUERIES, json=True))


def parse(text: str) -> State:
    """Return the state that the answers to the four queries describe."""
    decoder = json.JSONDecoder()
    answers: list[list[dict[str, Any]]] = []
    while text := text.strip():
        answer, end = decoder.raw_decode(text)
        answers.append(answer)
        text = text[end:]
    devices, links, rules, routes = answers
    return State(
        links=frozenset(link["ifname"] for link in links),
        up=frozenset(device["ifname"] for device in devices if "UP" in device["flags"]),
        addresses=frozenset(_addresses(devices)),
        rules=frozenset(_rule(rule) for rule in rules if rule["table"] not in _KERNEL_TABLES),
        routes=frozenset(_route(route) for route in routes),
    )


def corrections(router: Router, state: State) -> list[str]:
    """Return the commands that turn a state into what a router should be: first what is missing, then what is too much.

    The routes to the interfaces are kept where they are, and not made here: they are the last step of wiring one.
    """
    addresses, rules, routes = frozenset(router.addresses), frozenset(router.rules), frozenset(router.routes)
    devices = {"lo", *(address.device for address in addresses)}
    kept = {(route.destination, route.table) for route in (*routes, *map(interface_route, router.interfaces))}
    stale = {route for route in state.routes if (route.destination, route.table) not in kept}
    return [
        *(f"link set {device} up" for device in sorted(devices - state.up)),
        *(f"addr replace {a.address} dev {a.device}" for a in _ordered(addresses - state.addresses)),
        *(f"route replace {route_text(route)}" for route in _ordered(routes - state.routes)),
        *(f"rule add {_rule_text(rule)}" for rule in _ordered(rules - state.rules)),
        *(f"rule del {_rule_text(rule)}" for rule in _ordered(state.rules - rules)),
        *(f"route del {route_text(route)}" for route in _ordered(stale)),
        *(f"addr del {a.address} dev {a.device}" for a in _ordered(state.addresses - addresses)),
    ]


def interface_route(interface: Interface) -> RouteEntry:
    """Return the router's route to an interface."""
    return RouteEntry(f"{interface.address}/32", device=interface.router_device)


def route_text(route: RouteEntry) -> str:
    """Return a route as `ip route` takes it."""
    words = [route.destination] if route.kind == "unicast" else [route.kind, route.destination]
    if route.gateway is not None:
        words += ["via", route.gateway]
    if route.device is not None:
        words += ["dev", route.device]
    if route.gateway is not None:
        words.append("onlink")
    if route.source is not None:
        words += ["src", route.source]
    return " ".join((*words, "table", route.table, "proto", "static"))


def _rule_text(rule: PolicyRule) -> str:
    return f"priority {rule.priority} from {rule.source} lookup {rule.table}"


def _addresses(devices: list[dict[str, Any]]) -> Iterator[DeviceAddress]:
    """Yield the IPv4 addresses, but for the loopback's own."""
    for device in devices:
        for info in device.get("addr_info", ()):
            if info["family"] == "inet" and info["scope"] != "host":
                yield DeviceAddress(device["ifname"], f"{info['local']}/{info['prefixlen']}")


def _rule(rule: dict[str, Any]) -> PolicyRule:
    return PolicyRule(rule["priority"], f"{rule['src']}/{rule.get('srclen', 32)}", rule["table"])


def _route(route: dict[str, Any]) -> RouteEntry:
    destination = route["dst"]
    if destination != "default" and "/" not in destination:
        destination += "/32"
    return RouteEntry(
        destination=destination,
        table=route.get("table", "main"),
        kind=route.get("type", "unicast"),
        device=route.get("dev"),
        gateway=route.get("gateway"),
        source=route.get("prefsrc"),
    )


def _ordered(items: Set[Any]) -> list[Any]:
    return sorted(items, key=repr)
