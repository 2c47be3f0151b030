"""The stale-DNS watch: who goes on calling an address that its name has left.

A client that resolved a name once and never again (nginx with a literal name in `proxy_pass`, a connection pool, a
JVM that caches for ever) calls a task that is gone. On AWS nothing says so; here the packets do. In: the tasks that
have left Cloud Map (stopped ones stay in the world for an hour) and the connections that were begun to their
addresses. Out: who, which task, how long after the name's TTL had run out, and what to change.

A connection counts from the moment on at which no resolver's answer can be good any more: when the task left, and the
TTL after that. Connections that were begun before may live on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tsubo.model.cloudmap import DiscoveryService
from tsubo.model.ecs import Task
from tsubo.model.flows import Departure, FlowInterface, FlowVpc, LoggedPacket, StaleConnection, TrackedConnection
from tsubo.model.world import World

MOST_DEPARTURES = 500
"""Of a VPC, the latest."""
MOST_KNOWN = 1_000
"""Stale clients that are remembered."""
RETRANSMISSION_SECONDS = 130.0
"""For so long Linux sends a first packet again."""
STILL_SECONDS = 600.0
"""How long after its last call a stale client is still a problem, and not a memory."""


@dataclass(frozen=True)
class Attempt:
    """A connection begun by an interface of the VPC: by its first packet, whether or not anyone was there."""

    client_address: str
    client_port: int
    address: str
    port: int
    at: float


def packet_attempt(packet: LoggedPacket) -> Attempt | None:
    """Return the attempt that a logged packet is: one to an address that nobody has."""
    flow = packet.flow
    if packet.prefix != "no-route":
        return None
    return Attempt(flow.source, flow.source_port, flow.destination, flow.destination_port, packet.at)


def connection_attempt(connection: TrackedConnection) -> Attempt | None:
    """Return the attempt that a connection began with: its task may have left the name and live on for a while."""
    sent, answered = connection.sent, connection.answered
    if connection.started_at is None:
        return None
    return Attempt(sent.source, sent.source_port, answered.source, answered.source_port, connection.started_at)


def departures(world: World, vpc_id: str) -> tuple[Departure, ...]:
    """Return the names that tasks of a VPC had and have left, the latest departure last.

    An address that somebody else has got since is left out: who calls it may well mean its new owner.
    """
    owners = {i.private_ip: i.owner_id for i in world.network_interfaces.values() if i.vpc_id == vpc_id}
    services = {service.arn: service for service in world.discovery_services.values()}
    found = []
    for task in world.tasks.values():
        subnet = world.subnets.get(task.subnet_id or "")
        if task.deregistered_at is None or subnet is None or subnet.vpc_id != vpc_id:
            continue
        if owners.get(task.private_ip or "", task.arn) == task.arn:
            found += [d for r in task.registries if (d := _departure(world, task, services.get(r.registry_arn)))]
    return tuple(sorted(found, key=lambda departure: departure.left_at)[-MOST_DEPARTURES:])


def _departure(world: World, task: Task, service: DiscoveryService | None) -> Departure | None:
    namespace = world.namespaces.get(service.namespace_id) if service else None
    ttl = next((record.ttl for record in service.dns_records if record.type in ("A", "SRV")), None) if service else None
    if service is None or namespace is None or ttl is None or task.private_ip is None:
        return None
    instances = (i for i in world.instances.values() if i.service_id == service.service_id and i.health == "HEALTHY")
    owner = world.services.get(task.service_arn or "")
    return Departure(
        name=f"{service.name}.{namespace.name}",
        address=task.private_ip,
        ttl_seconds=ttl,
        left_at=task.deregistered_at or 0.0,
        task_id=task.task_id,
        service=owner.name if owner else task.group.partition(":")[2],
        successors=tuple(sorted(i.attributes.get("AWS_INSTANCE_IPV4", "") for i in instances)),
    )


def stale_connections(vpc: FlowVpc, attempts: Iterable[Attempt]) -> list[StaleConnection]:
    """Return who called departed addresses of a VPC, and when: one for each client, name and port."""
    by_address: dict[str, list[Departure]] = {}
    for departure in vpc.departures:
        by_address.setdefault(departure.address, []).append(departure)
    found: dict[tuple[str, ...], StaleConnection] = {}
    for attempt in attempts:
        client = vpc.by_address.get(attempt.client_address)
        for departure in by_address.get(attempt.address, ()) if client else ():
            if client is not None and attempt.at > departure.left_at + departure.ttl_seconds:
                stale = _stale(vpc, client, departure, attempt)
                key = stale_key(stale)
                found[key] = merged(found[key], stale) if key in found else stale
    return list(found.values())


def _stale(vpc: FlowVpc, client: FlowInterface, departure: Departure, attempt: Attempt) -> StaleConnection:
    return StaleConnection(
        client=client.name,
        client_interface_id=client.interface_id,
        client_address=client.address,
        client_cluster=client.cluster,
        client_service=client.service,
        resolver=vpc.resolver,
        port=attempt.port,
        departure=departure,
        first_at=attempt.at,
        last_at=attempt.at,
    )


def stale_key(stale: StaleConnection) -> tuple[str, ...]:
    """Return what tells a stale client's habit from all others."""
    departure = stale.departure
    return stale.client_interface_id, departure.task_id, departure.name, departure.address, str(stale.port)


def merged(before: StaleConnection, later: StaleConnection) -> StaleConnection:
    """Return two sightings of the same habit as one. What the name is now is as in the later."""
    return replace(
        later,
        first_at=min(before.first_at, later.first_at),
        last_at=max(before.last_at, later.last_at),
        connections=before.connections + later.connections,
    )


class Watch:
    """Remembers who called departed addresses, and tells one connection from the next."""

    def __init__(self, known: Iterable[StaleConnection] = ()) -> None:
        self._known = {stale_key(stale): stale for stale in known}
        self._seen: dict[tuple[str, int, str, int], float] = {}

    def note(self, vpc: FlowVpc, attempts: Iterable[Attempt], now: float) -> list[StaleConnection]:
        """Take note of attempts seen in a VPC; return the habits they belong to, with all that is known of each."""
        departed = {departure.address for departure in vpc.departures}
        fresh = [a for a in attempts if a.address in departed and self._is_new(a, now)]
        changed = []
        for stale in stale_connections(vpc, fresh):
            key = stale_key(stale)
            # Taken out and put in again: the one that was called longest ago is the first to be forgotten.
            before = self._known.pop(key, None)
            self._known[key] = merged(before, stale) if before else stale
            changed.append(self._known[key])
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        return changed

    def _is_new(self, attempt: Attempt, now: float) -> bool:
        """Say whether this is the first that is seen of a connection: a lost first packet is sent again and again."""
        self._seen = {key: at for key, at in self._seen.items() if now - at < RETRANSMISSION_SECONDS}
        key = (attempt.client_address, attempt.client_port, attempt.address, attempt.port)
        is_new = key not in self._seen
        self._seen[key] = now
        return is_new


def standing(world: World, known: Iterable[StaleConnection], now: float) -> Iterator[StaleConnection]:
    """Yield those whose client is still there and called in the last ten minutes: problems of the present."""
    for stale in known:
        if stale.client_interface_id in world.network_interfaces and now - stale.last_at < STILL_SECONDS:
            yield stale


def describe(stale: StaleConnection) -> str:
    """Say in one sentence who calls which departed task, and how late."""
    departure = stale.departure
    now = f"it is {', '.join(departure.successors)} now" if departure.successors else "nobody has that name now"
    connections = "1 connection" if stale.connections == 1 else f"{stale.connections} connections"
    return (
        f"{stale.client} ({stale.client_address}) still calls {departure.address}:{stale.port}, the address of "
        f"{departure.service}/{departure.task_id[:8]}, which has left {departure.name}: {connections}, the last one "
        f"{stale.overdue_seconds:.0f} s after the name's TTL ({departure.ttl_seconds} s) had run out; {now}."
    )


def remedy(stale: StaleConnection) -> tuple[str, ...]:
    """Say what to change: in the client, and to go on at once."""
    name = stale.departure.name
    seconds = stale.departure.ttl_seconds
    lines = [
        f"It resolved {name} once and keeps the address; it must ask again when the TTL has run out.",
        f"nginx asks again for a name in a variable only: resolver {stale.resolver} valid={seconds}s; "
        f"set $upstream {name}; proxy_pass http://$upstream:{stale.port};",
    ]
    if stale.client_service is not None:
        lines.append(
            "To go on at once: aws ecs update-service --force-new-deployment "
            f"--cluster {stale.client_cluster} --service {stale.client_service}"
        )
    return tuple(lines)
