"""What the resolvers know: for each place that asks, its zones; and what an answer is.

`core/dns.py` makes the table from the world, `core/dns_answer.py` answers from it, the resolver process serves it.
All of it is plain data, so that it can stand on disk as JSON. Names are lower-case with a trailing dot and labels
escaped as Route 53 does (`\\052`), except that a wildcard's `*` is written as such; TTLs are seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

AnswerCode = Literal["NOERROR", "NXDOMAIN", "SERVFAIL"]


@dataclass(frozen=True)
class ResourceRecord:
    """One record of an answer; `value` in zone-file form."""

    name: str
    type: str
    ttl: int
    value: str


@dataclass(frozen=True)
class RecordPool:
    """Values that are answered together, in random order: all, or `limit` of them at random."""

    ttl: int
    values: tuple[str, ...]
    limit: int | None = None
    weight: int = 1


@dataclass(frozen=True)
class RecordGroup:
    """All that stands under one name and type. Of several pools one is chosen by weight; no pool means no data."""

    name: str
    type: str
    pools: tuple[RecordPool, ...]


@dataclass(frozen=True)
class Zone:
    """One zone. `negative` is the SOA record that a denial carries, its TTL already the negative one.

    Where `address_domain` is set, the zone's names are made up from addresses: `ip-10-0-1-5.<domain>` in the domain
    itself, PTR records to such names in a reverse zone.
    """

    name: str
    groups: tuple[RecordGroup, ...]
    negative: ResourceRecord
    address_domain: str | None = None

    @cached_property
    def groups_by_name(self) -> Mapping[str, Mapping[str, RecordGroup]]:
        """The groups by name and type; names that exist only because of names below them have no groups."""
        names: dict[str, dict[str, RecordGroup]] = {self.name: {}}
        for group in self.groups:
            names.setdefault(group.name, {})[group.type] = group
            parent = parent_name(group.name)
            while len(parent) > len(self.name):
                names.setdefault(parent, {})
                parent = parent_name(parent)
        return names


@dataclass(frozen=True)
class View:
    """What one place sees: a VPC (named by its id) or the `internet`.

    It is served in `namespace` on `addresses` (none: the view is only looked up). A private zone hides every public
    one that could answer, however specific that one is; among either kind the longest name wins.
    """

    name: str
    namespace: str
    addresses: tuple[str, ...]
    private_zones: tuple[Zone, ...]
    public_zones: tuple[Zone, ...]

    @cached_property
    def zones_by_name(self) -> tuple[Mapping[str, Zone], Mapping[str, Zone]]:
        """Private and public zones by name; of two with one name the first."""
        private = {zone.name: zone for zone in reversed(self.private_zones)}
        public = {zone.name: zone for zone in reversed(self.public_zones)}
        return private, public


@dataclass(frozen=True)
class DnsTable:
    views: tuple[View, ...] = ()

    def view(self, name: str) -> View | None:
        """Return the view of that name, or None."""
        return next((view for view in self.views if view.name == name), None)


@dataclass(frozen=True)
class Answer:
    """An answer: its code, the records (aliases first, in the order they were followed), the denial's SOA."""

    code: AnswerCode
    records: tuple[ResourceRecord, ...] = ()
    authority: ResourceRecord | None = None


def parent_name(name: str) -> str:
    """Return the name without its first label; of a top-level name the root `.`."""
    return name.partition(".")[2] or "."
