"""Makes the machine's network what a `Network` says, and plugs containers into it.

`apply` is level-triggered: it reads what each changed router is, and corrects it; so it can be repeated, and a driver
without memory adopts what stands. An unchanged network costs a comparison. The order keeps the rule that a namespace
forwards nothing its ruleset does not name: namespaces, rulesets (default drop), links, interfaces, routes.

An interface counts as plugged once the router has a route to it, which is the last thing wiring does. A router's end of
a link is always deleted before the namespace at the other end, because only that is done when the command returns.
"""

import contextlib
import os
import signal
import threading
import time

from tsubo.drivers import ip_state, netns, nft
from tsubo.model.identity import EngineIdentity, device_name
from tsubo.model.linux import INTERFACE_DEVICE, Interface, Link, Network, Router

_KILL_PATIENCE_SECONDS = 2.0
_POLL_SECONDS = 0.01


class NetworkDriver:
    """The network of one engine. Methods may be called from any thread; they take turns."""

    def __init__(self, engine: EngineIdentity) -> None:
        self._engine = engine
        self._applied: Network | None = None
        self._turn = threading.Lock()

    def apply(self, network: Network, force: bool = False) -> None:
        """Make the engine's namespaces, links, routes and rules what `network` says, and remove what it does not name.

        Containers are not touched: a `task` interface is routed and guarded here, and wired by `plug` (or here again
        where its namespace has a name and the wire is gone). With `force` all is looked at, not only what changed.

        Raises:
            NamespaceError, RulesetError: something was refused; the next call tries all of it again.
        """
        with self._turn:
            if network == self._applied and not force:
                return
            before = {router.namespace: router for router in self._applied.routers} if self._applied else {}
            self._applied = None
            changed = [r for r in network.routers if force or before.get(r.namespace) != r]
            for router in changed:
                _prepare(router.namespace, router.sysctls, router.ruleset)
            names = {router.namespace for router in changed}
            for link in network.links:
                if link.namespace in names or link.peer_namespace in names:
                    _connect(link)
            for router in changed:
                _correct(router, _link_devices(network, router), force)
            _remove_unwanted(network)
            self._applied = network

    def plug(self, interface: Interface, pid: int) -> None:
        """Name the network namespace of a container's process after the interface, and wire it to its router.

        Repeating it changes nothing; for a process in another namespace the interface moves there.
        """
        with self._turn:
            if netns.exists(interface.namespace):
                if netns.is_of_process(interface.namespace, pid):
                    if interface.router_device not in netns.routed_devices(interface.router_namespace):
                        _wire(interface)
                    return
                _unplug(interface.namespace, interface.router_device, interface.router_namespace)
            netns.attach(interface.namespace, pid)
            _wire(interface)

    def unplug(self, interface_id: str, router_namespace: str) -> None:
        """Take an interface out of its router and give up its namespace's name. What is gone already is not missed."""
        with self._turn:
            _unplug(self._engine.namespace(interface_id), device_name(interface_id), router_namespace)

    def observe(self) -> frozenset[str]:
        """Return the ids of the interfaces that are plugged."""
        prefix = self._engine.namespace("")
        routed: set[str] = set()
        for router in netns.names(f"{prefix}vpc-"):
            routed |= netns.routed_devices(router)
        interface_ids = (name.removeprefix(prefix) for name in netns.names(f"{prefix}eni-"))
        return frozenset(i for i in interface_ids if device_name(i) in routed)

    @staticmethod
    def destroy(engine: EngineIdentity) -> list[int]:
        """Remove every namespace of an engine, needing no memory of them, and kill the processes inside.

        A name for the caller's own namespace (the machine's) is only taken away. Returns the ids of processes that
        would not die within two seconds; an empty list means that nothing is left.
        """
        prefix = engine.namespace("")
        names = netns.names(prefix)
        inside = [name for name in sorted(names) if not netns.is_of_process(name, os.getpid())]
        left = _kill_all(inside)
        for name in inside:
            if name.startswith(f"{prefix}vpc-"):
                _delete_links(name, ip_state.read(name).links)
        for name in sorted(names):
            _delete_namespace(name)
        return left


def _prepare(namespace: str, sysctls: tuple[tuple[str, str], ...], ruleset: str) -> None:
    """Make a namespace with its kernel settings and its ruleset, before anything is connected to it."""
    netns.ensure(namespace)
    netns.set_sysctls(namespace, sysctls)
    if ruleset:
        nft.load(namespace, ruleset)


def _connect(link: Link) -> None:
    here = link.device in netns.devices(link.namespace)
    there = link.peer_device in netns.devices(link.peer_namespace)
    if here and there:
        return
    if here:
        _delete_links(link.namespace, frozenset({link.device}))
    if there:
        _delete_links(link.peer_namespace, frozenset({link.peer_device}))
    pair = f"link add {link.device} type veth peer name {link.peer_device} netns {link.peer_namespace}"
    netns.batch(link.namespace, [pair])


def _link_devices(network: Network, router: Router) -> set[str]:
    """Return the devices that connect a router to other routers."""
    devices = {link.device for link in network.links if link.namespace == router.namespace}
    return devices | {link.peer_device for link in network.links if link.peer_namespace == router.namespace}


def _correct(router: Router, link_devices: set[str], force: bool) -> None:
    """Bring a router's devices, interfaces, addresses, rules and routes to what they should be."""
    state = ip_state.read(router.namespace)
    unwanted = state.links - link_devices - {interface.router_device for interface in router.interfaces}
    unwired = [i for i in router.interfaces if force or ip_state.interface_route(i) not in state.routes]
    _delete_links(router.namespace, unwanted)
    for interface in unwired:
        if interface.kind != "task":
            _prepare(interface.namespace, interface.sysctls, interface.ruleset)
    wirable = [interface for interface in unwired if netns.exists(interface.namespace)]
    for interface in wirable:
        _wire(interface)
    if unwanted or wirable:
        # Routes come and go with their devices.
        state = ip_state.read(router.namespace)
    netns.batch(router.namespace, ip_state.corrections(router, state))


def _wire(interface: Interface) -> None:
    """Connect an interface's namespace to its router and configure both ends; what is there already stays.

    The interface has its address with the subnet's prefix length, as on AWS, but reaches its neighbours through the
    router like everyone else: so groups apply inside a subnet, and an address that nobody has is silent.
    """
    device, router_device = INTERFACE_DEVICE, interface.router_device
    here = device in netns.devices(interface.namespace)
    there = router_device in netns.devices(interface.router_namespace)
    if there and not here:
        _delete_links(interface.router_namespace, frozenset({router_device}))
    commands = [
        f"addr replace {interface.address}/{interface.prefix_length} dev {device} noprefixroute",
        "link set lo up",
        f"link set {device} up",
        f"route replace {interface.gateway} dev {device} scope link",
        f"route replace default via {interface.gateway} dev {device}",
    ]
    if not (here and there):
        pair = f"type veth peer name {router_device} netns {interface.router_namespace}"
        commands.insert(0, f"link add {device} address {interface.mac} {pair}")
    netns.batch(interface.namespace, commands)
    route = ip_state.route_text(ip_state.interface_route(interface))
    netns.batch(interface.router_namespace, [f"link set {router_device} up", f"route replace {route}"])


def _unplug(namespace: str, router_device: str, router_namespace: str) -> None:
    if netns.exists(router_namespace):
        _delete_links(router_namespace, netns.devices(router_namespace) & {router_device})
    netns.delete(namespace)


def _delete_links(namespace: str, devices: frozenset[str]) -> None:
    netns.batch(namespace, [f"link del {device}" for device in sorted(devices)])


def _remove_unwanted(network: Network) -> None:
    """Remove the engine's namespaces that the network does not name, but for a name of the machine's own namespace."""
    wanted = {router.namespace for router in network.routers} | {i.namespace for i in network.interfaces}
    for name in sorted(netns.names(network.prefix) - wanted):
        if not netns.is_of_process(name, os.getpid()):
            _delete_links(name, ip_state.read(name).links)
            _delete_namespace(name)


def _delete_namespace(name: str) -> None:
    nft.forget(name)
    netns.delete(name)


def _kill_all(namespaces: list[str]) -> list[int]:
    """Kill the processes inside namespaces and return those that are still there after a while."""
    deadline = time.monotonic() + _KILL_PATIENCE_SECONDS
    while left := netns.pids(*namespaces):
        if time.monotonic() > deadline:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    return left
