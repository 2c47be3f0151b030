"""What a compiled network does to a packet, without a kernel: reads the rulesets' text and the routers' routes.

Only what the compiler writes is understood; anything else is an error, so that a new kind of statement is noticed. The
order of things is the kernel's: raw, connection tracking, destination NAT, routing, forward, source NAT.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network

from tsubo.model.linux import Interface, Network, RouteEntry, Router

LONGEST_WAY = 24
"""Namespaces that a packet may enter before it counts as going round in circles."""


@dataclass(frozen=True)
class Packet:
    source: str
    destination: str
    protocol: str
    source_port: int = 0
    port: int = 0
    icmp_type: int = 8
    """Of an answer 0; means nothing for other protocols."""

    def reply(self) -> "Packet":
        return Packet(self.destination, self.source, self.protocol, self.port, self.source_port, icmp_type=0)


@dataclass
class Flow:
    """An entry of connection tracking: the first packet, and what a reply to it looks like when it comes in."""

    first: Packet
    reply: Packet


@dataclass
class Namespace:
    """One namespace's ruleset, by name, and the flows it has seen."""

    chains: dict[str, list[str]] = field(default_factory=dict)
    sets: dict[str, dict[str, str]] = field(default_factory=dict)
    """Sets and maps alike; what a set holds has no values."""
    flows: list[Flow] = field(default_factory=list)

    def hooks(self, hook: str) -> list[list[str]]:
        """Return the base chains of a hook in order of priority."""
        found = [lines for lines in self.chains.values() if lines and f" hook {hook} " in lines[0]]
        return sorted(found, key=lambda lines: _priority(lines[0]))


def _priority(head: str) -> int:
    match = re.search(r"priority (raw|dstnat|filter|srcnat)(?: ([-+] \d+))?;", head)
    assert match, head
    named = {"raw": -300, "dstnat": -100, "filter": 0, "srcnat": 100}[match[1]]
    return named + int((match[2] or "0").replace(" ", ""))


def parse(text: str) -> Namespace:
    """Read a ruleset's text."""
    parsed = Namespace()
    for kind, name, body in re.findall(r"^    (set|map|chain) (\S+) \{\n(.*?)^    \}", text, re.MULTILINE | re.DOTALL):
        lines = [line.strip().rstrip(",") for line in body.splitlines()]
        if kind == "chain":
            parsed.chains[name] = lines
        else:
            elements = (line.partition(" : ") for line in lines[2:-1])
            parsed.sets[name] = {key: value for key, _, value in elements}
    return parsed


class Simulator:
    """Sends packets through a network. `arrives` says whether a packet gets there and its answer back."""

    def __init__(self, network: Network) -> None:
        self._routers = {router.namespace: router for router in network.routers}
        self._interfaces = {i.router_device: i for i in network.interfaces}
        self._by_id = {i.interface_id: i for i in network.interfaces}
        self._links = {(link.namespace, link.device): (link.peer_namespace, link.peer_device) for link in network.links}
        self._links |= {peer: end for end, peer in self._links.items()}
        self._rules = {name: parse(router.ruleset) for name, router in self._routers.items()}
        self._rules |= {i.namespace: parse(i.ruleset) for i in network.interfaces}
        self._internet = f"{network.prefix}internet"
        self._steps = 0

    def arrives(self, sender: str | None, packet: Packet) -> bool:
        """Send a packet from an interface (None: from the internet) and, if it arrives, the answer."""
        self._steps = 0
        for namespace in self._rules.values():
            namespace.flows.clear()
        start = self._internet if sender is None else self._by_id[sender].namespace
        arrived = self._send(start, packet)
        if arrived is None:
            return False
        place, seen = arrived
        returned = self._send(place, seen.reply())
        return returned == (start, packet.reply())

    def _send(self, namespace: str, packet: Packet) -> tuple[str, Packet] | None:
        """Send a packet made in a namespace; return where it ends, and how it looks there."""
        if namespace == self._internet:
            return self._route_on_internet(packet)
        if namespace in self._routers:
            # Only the resolver answers from a router, to a neighbour: nothing is asked on the way out.
            device = self._main_route(self._routers[namespace], packet.destination)
            return (self._interfaces[device].namespace, packet) if device else None
        interface = next(i for i in self._by_id.values() if i.namespace == namespace)
        if packet.destination == interface.address:
            return namespace, packet
        return self._enter_router(interface.router_namespace, interface.router_device, packet)

    # The internet

    def _route_on_internet(self, packet: Packet) -> tuple[str, Packet] | None:
        router = self._routers[self._internet]
        route = _longest([r for r in router.routes], packet.destination)
        if route is None or route.device == "lo":
            local = route is not None and route.kind == "local"
            return (self._internet, packet) if local else None
        namespace, device = self._links[(self._internet, str(route.device))]
        return self._enter_router(namespace, device, packet)

    # A VPC's router

    def _enter_router(self, name: str, device: str, packet: Packet) -> tuple[str, Packet] | None:
        self._steps += 1
        if self._steps > LONGEST_WAY:
            return None
        router, rules = self._routers[name], self._rules[name]
        context = Context(rules, packet, device)
        if not context.passes("prerouting"):
            return None
        flow = next((f for f in rules.flows if f.reply == packet), None)
        inward = replace(packet, destination=flow.first.source) if flow else context.translate("prerouting")
        if any(inward.destination == a.address.partition("/")[0] for a in router.addresses):
            return (name, inward) if Context(rules, inward, device).passes("input") else None
        out = self._route(router, inward)
        if out is None:
            return None
        context = Context(rules, inward, device, established=flow is not None, out=out)
        if not context.passes("forward"):
            return None
        outward = replace(inward, source=flow.first.destination) if flow else context.translate("postrouting")
        if flow is None:
            rules.flows.append(Flow(packet, outward.reply()))
        return self._leave_router(name, out, outward)

    def _leave_router(self, name: str, device: str, packet: Packet) -> tuple[str, Packet] | None:
        if (name, device) in self._links:
            return self._route_on_internet(packet)
        interface = self._interfaces[device]
        if interface.kind != "nat":
            return (interface.namespace, packet) if packet.destination == interface.address else None
        return self._through_nat(interface, packet)

    def _through_nat(self, interface: Interface, packet: Packet) -> tuple[str, Packet] | None:
        rules = self._rules[interface.namespace]
        flow = next((f for f in rules.flows if f.reply == packet), None)
        if flow is not None:
            onward = replace(packet, destination=flow.first.source)
        elif packet.destination == interface.address:
            return None
        else:
            onward = replace(packet, source=interface.address)
            rules.flows.append(Flow(packet, onward.reply()))
        return self._enter_router(interface.router_namespace, interface.router_device, onward)

    # Routing

    def _route(self, router: Router, packet: Packet) -> str | None:
        for rule in sorted(router.rules, key=lambda rule: rule.priority):
            if IPv4Address(packet.source) in IPv4Network(rule.source):
                route = _longest([r for r in router.routes if r.table == rule.table], packet.destination)
                if route is not None and route.kind == "blackhole":
                    return None
                if route is not None and route.kind == "unicast":
                    return str(route.device)
        return self._main_route(router, packet.destination)

    def _main_route(self, router: Router, destination: str) -> str | None:
        return next((i.router_device for i in router.interfaces if i.address == destination), None)


def _longest(routes: list[RouteEntry], destination: str) -> RouteEntry | None:
    fitting = [r for r in routes if IPv4Address(destination) in _network(r.destination)]
    return max(fitting, key=lambda r: _network(r.destination).prefixlen, default=None)


def _network(destination: str) -> IPv4Network:
    return IPv4Network("0.0.0.0/0" if destination == "default" else destination)


class Verdict(Exception):
    """A chain said `accept` (True) or `drop` (False)."""


ACTIONS = ("accept", "drop", "return", "jump", "goto", "log", "notrack")


@dataclass
class Context:
    """A packet in a namespace, for the statements to look at."""

    rules: Namespace
    packet: Packet
    device: str
    established: bool = False
    out: str = ""

    def passes(self, hook: str) -> bool:
        """Return whether the filter chains of a hook let the packet on."""
        return all(self._passes(chain) for chain in self.rules.hooks(hook) if "type filter" in chain[0])

    def _passes(self, base_chain: list[str]) -> bool:
        try:
            self._walk(base_chain[1:])
        except Verdict as verdict:
            return bool(verdict.args[0])
        return "policy accept" in base_chain[0]

    def translate(self, hook: str) -> Packet:
        """Return the packet after the hook's NAT chain."""
        packet = self.packet
        for chain in self.rules.hooks(hook):
            for statement in chain[1:] if "type nat" in chain[0] else ():
                match = re.fullmatch(r'([io])ifname "(\w+)" [ds]nat ip to ip ([ds])addr map @(\w+)', statement)
                assert match, statement
                if match[2] == (self.device if match[1] == "i" else self.out):
                    mapping = self.rules.sets[match[4]]
                    if match[3] == "s":
                        packet = replace(packet, source=mapping.get(packet.source, packet.source))
                    else:
                        packet = replace(packet, destination=mapping.get(packet.destination, packet.destination))
        return packet

    def _walk(self, statements: list[str]) -> None:
        for statement in statements:
            action, *rest = self._action(iter(re.findall(r'"[^"]*"|\{[^}]*\}|\S+', statement)))
            if action in ("accept", "drop"):
                raise Verdict(action == "accept")
            if action in ("jump", "goto"):
                self._walk(self.rules.chains[rest[0]])
            if action in ("return", "goto"):
                return

    def _action(self, tokens: Iterator[str]) -> list[str]:
        """Return what a statement does with this packet: its action, or `go on` where it does not match."""
        for token in tokens:
            if token == "log":
                assert [next(tokens) for _ in range(4)][::2] == ["prefix", "group"]
                return list(tokens) or ["go on"]
            if token in ACTIONS:
                return [token, *tokens]
            device = f'"{self.out if token == "oifname" else self.device}"'
            word = next(tokens)
            if word == "vmap":
                return self.rules.sets[next(tokens)[1:]].get(device, "go on").split(maxsplit=1)
            if not self._matches(token, word, tokens, device):
                return ["go on"]
        raise AssertionError("a statement without an action")

    def _matches(self, token: str, word: str, tokens: Iterator[str], device: str) -> bool:
        packet = self.packet
        if token in ("iifname", "oifname"):
            if word == ".":
                assert [next(tokens), next(tokens)] == ["ip", "saddr"]
                return self._compare(next(tokens), tokens, f"{device} . {packet.source}")
            return self._compare(word, tokens, device)
        if token == "ip":
            return self._compare(next(tokens), tokens, packet.source if word == "saddr" else packet.destination)
        value = next(tokens)
        if word == "flags":
            # No packet here is a reset.
            return False
        if token in ("tcp", "udp"):
            first, _, last = value.partition("-")
            return packet.protocol == token and int(first) <= packet.port <= int(last or first)
        if token == "meta":
            return packet.protocol in re.findall(r"\w+", value)
        if token == "icmp":
            return packet.protocol == "icmp" and int(value) == (packet.icmp_type if word == "type" else 0)
        assert (token, word) == ("ct", "state"), token
        # A new packet is asked for only where it has no route, to say so in the log: it ends there in any case.
        return self.established and "established" in value

    def _compare(self, word: str, tokens: Iterator[str], value: str) -> bool:
        negated = word == "!="
        word = next(tokens) if negated else word
        if word.startswith("@"):
            found = value in self.rules.sets[word[1:]]
        elif word.startswith('"'):
            found = value == word
        else:
            found = IPv4Address(value) in IPv4Network(word)
        return found != negated
