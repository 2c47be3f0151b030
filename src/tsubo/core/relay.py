"""Which loopback address and port of this machine publishes which port of a load balancer's public address.

The loopback address follows from the public address alone, so another load balancer never moves it: 203.0.113.7 is
published on the engine's seventh address. Source: dataplane.md section 2.
"""

from tsubo.model.proxy import RelayEntry, RelayTable
from tsubo.model.world import World


def relay_table(world: World) -> RelayTable:
    """Return the ports to publish: each listener of each internet-facing load balancer, on each of its nodes."""
    ports: dict[str, list[int]] = {}
    for listener in world.listeners.values():
        ports.setdefault(listener.load_balancer_arn, []).append(listener.port)
    entries = [
        RelayEntry(interface.owner_id, interface.public_ip, port, loopback_of(world, interface.public_ip))
        for interface in world.network_interfaces.values()
        if interface.owner == "load_balancer" and interface.public_ip is not None
        for port in ports.get(interface.owner_id, ())
    ]
    ordered = sorted(entries, key=lambda entry: (entry.public_address, entry.port))
    return RelayTable(world.engine.namespace("internet"), tuple(ordered))


def loopback_of(world: World, public_address: str) -> str:
    """Return the loopback address on which a public address is published."""
    return world.engine.loopback(int(public_address.rpartition(".")[2]))
