"""The trail of an explanation: hops in order, ended by the first denial.

Every part of `why` adds its hops to one `Trail`. What denies raises `Stopped`, so that the parts read as the plain way
of a packet. Where a way forks (several addresses, several targets), each branch is a trail of its own and the fork
keeps the one that is worth reading: the first that is denied, else the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from tsubo.model.explanation import Ending, Hop, Observations, Remedy, Source, Symptom
from tsubo.model.vpc import NetworkInterface, Tags
from tsubo.model.world import World


class Stopped(Exception):
    """A hop denied the connection; the trail holds all there is to say."""


class Trail:
    """The hops so far. `ending` is what the client sees if nothing more happens."""

    def __init__(self, world: World, observations: Observations) -> None:
        self.world = world
        self.observations = observations
        self.hops: list[Hop] = []
        self.ending = Ending("connected")
        self.remedy: Remedy | None = None

    def allow(self, step: str, text: str, *ids: str, details: Sequence[str] = ()) -> None:
        """Add a hop that lets the connection through. The first id with a known source is what decides."""
        self.hops.append(Hop(step, "allowed", text, _known(ids), self.source(*ids), tuple(details)))

    def note(self, step: str, text: str, *ids: str, details: Sequence[str] = ()) -> None:
        """Add what is worth knowing and decides nothing."""
        self.hops.append(Hop(step, "note", text, _known(ids), self.source(*ids), tuple(details)))

    def deny(
        self,
        step: str,
        text: str,
        *ids: str,
        details: Sequence[str] = (),
        remedy: Remedy | None = None,
        ending: Ending | Symptom = "timeout",
    ) -> NoReturn:
        """Add the hop that stops the connection, and stop."""
        self.hops.append(Hop(step, "denied", text, _known(ids), self.source(*ids), tuple(details)))
        self.ending = Ending(ending) if isinstance(ending, str) else ending
        self.remedy = remedy
        raise Stopped

    def source(self, *ids: str) -> Source | None:
        """Return where the configuration says the first of these resources that it says anything of."""
        return next((self.observations.sources[i] for i in ids if i in self.observations.sources), None)

    def reference(self, resource_id: str, attribute: str = "id") -> str:
        """Return how Terraform text refers to a resource: by its address, or by its id where that is unknown."""
        source = self.source(resource_id)
        return f'"{resource_id}"' if source is None else f"{source.address}.{attribute}"

    def branch(self) -> "Trail":
        """Return an empty trail in the same world."""
        return Trail(self.world, self.observations)

    def join(self, other: "Trail") -> None:
        """Go on with another trail's hops; stop where it was stopped."""
        self.hops += other.hops
        self.ending, self.remedy = other.ending, other.remedy
        if other.denied:
            raise Stopped

    @property
    def denied(self) -> bool:
        return bool(self.hops) and self.hops[-1].verdict == "denied"


@dataclass(frozen=True)
class Branch:
    """One of several ways: what it is called, and its trail to the end."""

    label: str
    trail: Trail


def worst(branches: Sequence[Branch]) -> Branch:
    """Return the first branch that is denied, else the first."""
    return next((branch for branch in branches if branch.trail.denied), branches[0])


def join_worst(trail: Trail, step: str, branches: Sequence[Branch]) -> None:
    """Go on with the worst branch; say in a word how the others end."""
    chosen = worst(branches)
    others = [branch for branch in branches if branch is not chosen]
    alike = [branch.label for branch in others if branch.trail.denied == chosen.trail.denied]
    different = [branch.label for branch in others if branch.trail.denied != chosen.trail.denied]
    if alike:
        trail.note(step, f"The way to {chosen.label} follows; {_listing(alike)} {_ends(chosen.trail, len(alike))} too.")
    if different:
        text = f"Only some connections are denied, as this one to {chosen.label}; {_listing(different)} can be reached."
        trail.note(step, text)
    trail.join(chosen.trail)


def _ends(trail: Trail, count: int) -> str:
    verb = "is" if count == 1 else "are"
    return f"{verb} denied" if trail.denied else f"{verb} reached"


def _listing(labels: Sequence[str]) -> str:
    return ", ".join(labels[:-1]) + (" and " if len(labels) > 1 else "") + labels[-1]


def _known(ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i for i in ids if i))


def named(resource_id: str, tags: Tags) -> str:
    """Return a resource's `Name` tag with its id, or its id alone."""
    return f"{tags['Name']} ({resource_id})" if tags.get("Name") else resource_id


def subnet_name(world: World, subnet_id: str) -> str:
    """Return how a subnet is called: `subnet private-1 (subnet-0123)`, or its id alone, which says what it is."""
    name = world.subnets[subnet_id].tags.get("Name")
    return f"subnet {name} ({subnet_id})" if name else subnet_id


def owner_name(world: World, interface: NetworkInterface) -> str:
    """Return what sits behind an interface: `a task of proxy (10.0.10.5)`, `load balancer web (10.0.1.20)`."""
    address = interface.private_ip
    if interface.owner == "load_balancer":
        balancer = world.load_balancers.get(interface.owner_id)
        return f"load balancer {balancer.name if balancer else interface.owner_id} ({address})"
    if interface.owner == "nat_gateway":
        return f"NAT gateway {interface.owner_id} ({address})"
    task = world.tasks.get(interface.owner_id)
    service = world.services.get(task.service_arn or "") if task else None
    if service is not None:
        return f"a task of {service.name} ({address})"
    return f"task {task.task_id} ({address})" if task else f"{interface.network_interface_id} ({address})"
