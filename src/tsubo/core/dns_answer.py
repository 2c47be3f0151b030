"""What a resolver answers: the meaning of a view. Pure; randomness is handed in.

`find` follows a question to the pool of values that answers it (or to a denial); `answer` draws from that pool. The
resolver's hot path keeps what `find` found and draws by itself, so the two cannot differ in anything but the draw.
Source: aws/ecs-cloudmap-exec.md section 12 (the VPC resolver).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from tsubo.model.nameserver import (
    Answer,
    AnswerCode,
    RecordGroup,
    RecordPool,
    ResourceRecord,
    View,
    Zone,
    parent_name,
)

Choose = Callable[[int], int]
"""Given n > 0, return a number from 0 to n - 1."""

LONGEST_CHAIN = 9
"""CNAMEs followed before the answer is SERVFAIL."""

ADDRESS_TTL_SECONDS = 60
REVERSE_SUFFIX = ".in-addr.arpa."
OCTETS = frozenset(str(number) for number in range(256))

UNKNOWN_TOP_LEVEL = ResourceRecord(
    ".", "SOA", 900, "a.root-servers.net. nstld.verisign-grs.com. 2025010100 1800 900 604800 86400"
)
"""The denial of a name in none of the zones: the root's, with the negative TTL of a registered top-level domain."""


@dataclass(frozen=True)
class Found:
    """Where a question leads: the CNAMEs followed, then either a pool of values under `name` or a denial."""

    code: AnswerCode
    aliases: tuple[ResourceRecord, ...] = ()
    name: str = ""
    type: str = ""
    pool: RecordPool | None = None
    denial: ResourceRecord | None = None


def answer(view: View, question_name: str, question_type: str, choose: Choose) -> Answer:
    """Answer a question (any case, with or without the trailing dot) as the resolver of this view does."""
    found = find(view, question_name, question_type, choose)
    records = found.aliases
    if found.pool is not None:
        values = draw(found.pool, choose)
        records += tuple(ResourceRecord(found.name, found.type, found.pool.ttl, value) for value in values)
    return Answer(found.code, records, found.denial)


def find(view: View, question_name: str, question_type: str, choose: Choose) -> Found:
    """Follow a question through the view's zones. `choose` is called only where a pool is chosen by weight."""
    name = question_name.lower().rstrip(".") + "."
    aliases: tuple[ResourceRecord, ...] = ()
    while len(aliases) <= LONGEST_CHAIN:
        zone = zone_of(view, name)
        if zone is None:
            return Found("NXDOMAIN", aliases, denial=UNKNOWN_TOP_LEVEL)
        groups = _groups_at(zone, name)
        if groups is None:
            return Found("NXDOMAIN", aliases, denial=zone.negative)
        group = _select(groups, question_type)
        if group is None or not group.pools:
            return Found("NOERROR", aliases, denial=zone.negative)
        pool = _by_weight(group.pools, choose)
        if group.type != "CNAME" or question_type in ("CNAME", "ANY"):
            return Found("NOERROR", aliases, name, group.type, pool)
        aliases += (ResourceRecord(name, "CNAME", pool.ttl, pool.values[0]),)
        name = pool.values[0].lower().rstrip(".") + "."
    return Found("SERVFAIL")


def zone_of(view: View, name: str) -> Zone | None:
    """Return the zone that answers for a name: the longest private one, else the longest public one."""
    for zones in view.zones_by_name:
        candidate = name
        while candidate != ".":
            if candidate in zones:
                return zones[candidate]
            candidate = parent_name(candidate)
    return None


def draw(pool: RecordPool, choose: Choose) -> tuple[str, ...]:
    """Return the pool's values in random order, at most `limit` of them."""
    values = list(pool.values)
    count = len(values) if pool.limit is None else min(pool.limit, len(values))
    for position in range(count):
        other = position + choose(len(values) - position)
        values[position], values[other] = values[other], values[position]
    return tuple(values[:count])


def _groups_at(zone: Zone, name: str) -> Mapping[str, RecordGroup] | None:
    """Return what stands at a name, by type: its own records, else those of a wildcard; None where there is nothing."""
    names = zone.groups_by_name
    if name in names:
        return names[name]
    if zone.address_domain is not None:
        made_up = _made_up(zone, zone.address_domain, name)
        return None if made_up is None else {made_up.type: made_up}
    encloser = parent_name(name)
    while encloser not in names:
        encloser = parent_name(encloser)
    return names.get(f"*.{encloser}")


def _select(groups: Mapping[str, RecordGroup], question_type: str) -> RecordGroup | None:
    """Return the group that answers a type. ANY is answered with one of the types, as RFC 8482 allows."""
    if question_type == "ANY":
        return next(iter(groups.values()), None)
    return groups.get(question_type) or groups.get("CNAME")


def _by_weight(pools: Sequence[RecordPool], choose: Choose) -> RecordPool:
    """Choose a pool by weight; where all weights are 0 each is as likely."""
    if len(pools) == 1:
        return pools[0]
    weights = [pool.weight for pool in pools]
    bounds = list(accumulate(weights if any(weights) else [1] * len(pools)))
    chosen = choose(bounds[-1])
    return next(pool for pool, bound in zip(pools, bounds, strict=True) if chosen < bound)


def _made_up(zone: Zone, domain: str, name: str) -> RecordGroup | None:
    """Return the record that follows from an address in a name, also where nobody owns the address."""
    own_part = name.removesuffix(zone.name)
    if zone.name == domain:
        octets = _octets(own_part.removeprefix("ip-").rstrip("."), "-") if own_part.startswith("ip-") else None
        kind, value = "A", ".".join(octets or ())
    else:
        octets = _octets(name.removesuffix(REVERSE_SUFFIX), ".")
        kind, value = "PTR", "ip-" + "-".join(reversed(octets or ())) + f".{domain}"
    if octets is None:
        return None
    return RecordGroup(name, kind, (RecordPool(ADDRESS_TTL_SECONDS, (value,)),))


def _octets(text: str, separator: str) -> list[str] | None:
    """Return the four octets that a text consists of, or None."""
    octets = text.split(separator)
    return octets if len(octets) == 4 and all(octet in OCTETS for octet in octets) else None
