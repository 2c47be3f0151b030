"""Why a connection comes to pass or does not: `explain`, hop by hop, from the configuration and the state beside it.

    name -> why_dns          the zone and the record that answer it where the sender is
    way  -> why_network      routes, network ACLs (why_acls), security groups (why_groups), gateways, and back
    end  -> why_balancer     listener, rule, target group, targets, and the way on to them
            why_task         what listens

It is a second opinion: it reads the same records as the router, the firewall and the proxy's configuration, and shares
no code with them. Where the two differ, one of them is wrong; tests compare them, and `tsubo why --probe` does.
"""

from dataclasses import replace

from tsubo.core import why_balancer, why_dns, why_network, why_task
from tsubo.core.why_match import Flow
from tsubo.core.why_trail import Branch, Stopped, Trail, join_worst, worst
from tsubo.model.explanation import Destination, Ending, Endpoint, Explanation, Observations, Request
from tsubo.model.vpc import NetworkInterface
from tsubo.model.world import World


def explain(world: World, start: Endpoint, destination: Destination, observations: Observations) -> Explanation:
    """Explain what becomes of a connection from `start` to `destination`.

    Of a name with several addresses the first is followed whose way is denied, else the first: a connection fails if
    one of them does. Raises ValueError where the start's interface is not in the world.
    """
    trail = Trail(world, observations)
    address: str | None = destination.address
    try:
        sender = _interface(world, start)
        addresses = (destination.address,) if destination.address else _resolve(trail, sender, destination)
        branches = [
            Branch(str(each), _follow(trail.branch(), start, sender, replace(destination, address=each)))
            for each in addresses
        ]
        address = worst(branches).label
        join_worst(trail, "address", branches)
    except Stopped:
        pass
    return Explanation(start, destination, tuple(trail.hops), trail.ending, address, trail.remedy)


def _interface(world: World, start: Endpoint) -> NetworkInterface | None:
    if start.network_interface_id is None:
        return None
    interface = world.network_interfaces.get(start.network_interface_id)
    if interface is None:
        raise ValueError(f"there is no network interface {start.network_interface_id}")
    return interface


def _resolve(trail: Trail, sender: NetworkInterface | None, destination: Destination) -> tuple[str, ...]:
    return why_dns.resolve(trail, sender.vpc_id if sender else None, destination.name or "")


def _follow(trail: Trail, start: Endpoint, sender: NetworkInterface | None, destination: Destination) -> Trail:
    """Follow a connection to one address to its end; the trail says what the end is."""
    assert destination.address is not None
    port = destination.port
    flow = Flow(start.address, destination.address, destination.protocol, (port, port))
    try:
        if sender is None:
            arrival = why_network.from_internet(trail, flow)
        else:
            arrival = why_network.from_interface(trail, sender, flow)
        _arrive(trail, arrival, flow, destination)
    except Stopped:
        pass
    return trail


def _arrive(trail: Trail, arrival: why_network.Arrival, flow: Flow, destination: Destination) -> None:
    interface = arrival.interface
    if arrival.resolver:
        return
    if interface is None:
        why_task.arrive_on_internet(trail, flow)
    elif interface.owner == "load_balancer":
        request = destination.request or Request(destination.name or flow.destination)
        why_balancer.arrive(trail, interface, arrival.source, flow, request)
    else:
        why_task.arrive(trail, interface, flow, Ending("refused"))
