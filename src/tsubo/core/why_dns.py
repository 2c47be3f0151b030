"""What a name is for the sender, and why: the zone and the record that answer, or what is missing.

The resolver's own code says what the answer is (`core.dns`, `core.dns_answer`); here is why. Source:
aws/ecs-cloudmap-exec.md sections 10 to 12.
"""

from typing import NoReturn

from tsubo.core import dns, why_terraform
from tsubo.core.dns_answer import Found, find, zone_of
from tsubo.core.why_trail import Trail
from tsubo.model.cloudmap import DiscoveryService, Namespace
from tsubo.model.nameserver import View
from tsubo.model.route53 import HostedZone, RecordSet
from tsubo.model.world import World

STEP = "dns"
NAMES_SHOWN = 8


def resolve(trail: Trail, vpc_id: str | None, name: str) -> tuple[str, ...]:
    """Return all addresses that a name may be answered with, in a VPC or (None) on the internet. Stops without one."""
    world = trail.world
    full_name = name.lower().rstrip(".") + "."
    view = dns.dns_table(world).view(vpc_id or dns.INTERNET)
    if view is None:
        assert vpc_id is not None
        remedy = why_terraform.vpc_setting(trail, vpc_id, "enable_dns_support")
        text = f"{vpc_id} resolves no names: its DNS support is off."
        trail.deny(STEP, text, vpc_id, remedy=remedy, ending="unresolved")
    found = find(view, full_name, "A", lambda _: 0)
    if found.pool is None or found.type != "A":
        _deny(trail, view, vpc_id, full_name, found)
    addresses = tuple(sorted(found.pool.values))
    _say(trail, view, full_name, found, addresses)
    return addresses


def _say(trail: Trail, view: View, name: str, found: Found, addresses: tuple[str, ...]) -> None:
    world = trail.world
    aliases = "".join(f" by way of {record.value}" for record in found.aliases)
    ttl = found.pool.ttl if found.pool else 0
    zone, ids = _answering_zone(world, view, found.name)
    discovery = _discovery_service(world, found.name)
    if discovery is not None:
        record, ids = f"Cloud Map service {discovery.name} ({discovery.service_id})", (discovery.service_id, *ids)
    else:
        record_set = _record_set(world, ids, found.name)
        record = "its record" if record_set is None else _record_text(record_set)
        ids = (_terraform_id(record_set), *ids) if record_set is not None else ids
    text = f"{name.rstrip('.')} is {', '.join(addresses)}{aliases}: {record} in {zone}, TTL {ttl} s."
    trail.allow(STEP, text, *ids)


def _answering_zone(world: World, view: View, name: str) -> tuple[str, tuple[str, ...]]:
    """Return what the zone is that answers for a name, and the ids of the resources that make it."""
    served = zone_of(view, name)
    zone = None
    if served is not None:
        private = served in view.private_zones
        zone = next((z for z in world.hosted_zones.values() if (z.name, z.private) == (served.name, private)
                     and (not private or _sees(z, view.name))), None)  # fmt: skip
    if zone is None:
        return "a zone of AWS's own", ()
    namespaces = (n.namespace_id for n in world.namespaces.values() if n.hosted_zone_id == zone.zone_id)
    return _zone_text(zone), (zone.zone_id, *namespaces)


def _zone_text(zone: HostedZone) -> str:
    kind = f"private to {', '.join(v.vpc_id for v in zone.vpcs)}" if zone.private else "public"
    return f"zone {zone.name.rstrip('.')} ({zone.zone_id}, {kind})"


def _terraform_id(record_set: RecordSet) -> str:
    """Return the id of a record set, which AWS gives none: the one Terraform makes up."""
    parts = (record_set.zone_id, record_set.name.rstrip("."), record_set.type, record_set.set_identifier)
    return "_".join(part for part in parts if part)


def _record_text(record_set: RecordSet) -> str:
    if record_set.alias is not None:
        return f"an alias of {record_set.alias.dns_name.rstrip('.')}"
    return f"record {record_set.name.rstrip('.')} {record_set.type}"


def _record_set(world: World, zone_ids: tuple[str, ...], name: str) -> RecordSet | None:
    """Return the A record set of a zone that answers a name: its own, else that of the nearest wildcard."""
    own = {
        r.name.replace("\\052", "*"): r for r in world.record_sets.values() if r.zone_id in zone_ids and r.type == "A"
    }
    if name in own:
        return own[name]
    wildcards = (f"*.{name.split('.', depth)[-1]}" for depth in range(1, name.count(".")))
    return next((own[wildcard] for wildcard in wildcards if wildcard in own), None)


def _discovery_service(world: World, name: str) -> DiscoveryService | None:
    """Return the Cloud Map service that a name belongs to, if any."""
    for service in world.discovery_services.values():
        namespace = world.namespaces.get(service.namespace_id)
        if namespace is not None and f"{service.name}.{namespace.name}.".lower() == name:
            return service
    return None


def _sees(zone: HostedZone, vpc_id: str) -> bool:
    return any(associated.vpc_id == vpc_id for associated in zone.vpcs)


# Why there is no answer


def _deny(trail: Trail, view: View, vpc_id: str | None, name: str, found: Found) -> NoReturn:
    if found.aliases:
        name = found.aliases[-1].value.lower().rstrip(".") + "."
    world, shown = trail.world, name.rstrip(".")
    hidden = _hidden_zone(world, vpc_id, name)
    if vpc_id is not None and hidden is not None:
        _deny_hidden_zone(trail, hidden, vpc_id, shown)
    namespace = _http_namespace(world, name)
    zone_name, ids = _answering_zone(world, view, name)
    if namespace is not None and not ids:
        text = (
            f"{shown} does not resolve: namespace {namespace.name} ({namespace.namespace_id}) is of the kind that only "
            "API calls find (HTTP); it has no DNS."
        )
        trail.deny(STEP, text, namespace.namespace_id, ending="unresolved")
    if hidden is not None:
        text = f"{shown} does not resolve on the internet: {_zone_text(hidden)} answers inside its VPCs alone."
        trail.deny(STEP, text, hidden.zone_id, ending="unresolved")
    if not ids:
        text = f"{shown} does not resolve: no zone that {view.name} sees is its parent ({_seen_zones(view)})."
        trail.deny(STEP, text, ending="unresolved")
    _deny_record(trail, view, zone_name, ids, name, found)


def _deny_hidden_zone(trail: Trail, zone: HostedZone, vpc_id: str, shown: str) -> NoReturn:
    namespace = next((n for n in trail.world.namespaces.values() if n.hosted_zone_id == zone.zone_id), None)
    what = f"namespace {namespace.name} ({namespace.namespace_id}), " if namespace else ""
    ids = ([namespace.namespace_id] if namespace else []) + [zone.zone_id]
    if _sees(zone, vpc_id):
        remedy = why_terraform.vpc_setting(trail, vpc_id, "enable_dns_support", "enable_dns_hostnames")
        text = f"{shown} does not resolve: private zones need DNS host names, which {vpc_id} has off."
        trail.deny(STEP, text, vpc_id, *ids, remedy=remedy, ending="unresolved")
    owners = ", ".join(v.vpc_id for v in zone.vpcs) or "no VPC"
    text = f"{shown} does not resolve in {vpc_id}: {what}zone {zone.zone_id}, belongs to {owners}."
    remedy = why_terraform.zone_association(trail, zone, vpc_id)
    trail.deny(STEP, text, *ids, remedy=remedy, ending="unresolved")


def _deny_record(trail: Trail, view: View, zone_name: str, ids: tuple[str, ...], name: str, found: Found) -> NoReturn:
    """Stop at a zone that answers and has no address for the name."""
    shown = name.rstrip(".")
    discovery = _discovery_service(trail.world, name)
    if discovery is not None:
        _deny_discovery(trail, discovery, shown)
    if found.code == "NOERROR":
        text = f"{shown} exists in {zone_name}, without an IPv4 address (A record)."
    else:
        text = f"{shown} does not exist in {zone_name}, and no other zone is asked (NXDOMAIN)."
    zone = zone_of(view, name)
    known = sorted({g.name.rstrip(".") for g in (zone.groups if zone else ()) if g.type == "A"})
    details = [f"names with addresses there: {', '.join(known[:NAMES_SHOWN])}"] if known else []
    trail.deny(STEP, text, *ids, details=details, ending="unresolved")


def _deny_discovery(trail: Trail, discovery: DiscoveryService, shown: str) -> NoReturn:
    """Stop at a Cloud Map service without an address, and say why it has none."""
    world = trail.world
    ids = [discovery.service_id]
    details, remedy = [], None
    if not any(record.type == "A" for record in discovery.dns_records):
        kinds = ", ".join(record.type for record in discovery.dns_records) or "no"
        trail.deny(STEP, f"{shown} has {kinds} records and none of type A.", *ids, ending="unresolved")
    services = [s for s in world.services.values() if any(r.registry_arn == discovery.arn for r in s.registries)]
    active = [s for s in services if s.status == "ACTIVE"]
    if not active:
        details.append("no ECS service registers its tasks in it: `service_registries` names it nowhere")
    for service in active:
        ids.append(service.arn)
        running = sum(t.service_arn == service.arn and t.last_status == "RUNNING" for t in world.tasks.values())
        details.append(f"{running} of {service.desired_count} tasks of {service.name} run")
        if service.desired_count == 0:
            remedy = why_terraform.more_tasks(trail, service.arn)
    text = f"{shown} does not exist: no instance is registered in Cloud Map service {discovery.name}."
    trail.deny(STEP, text, *ids, details=details, remedy=remedy, ending="unresolved")


def _hidden_zone(world: World, vpc_id: str | None, name: str) -> HostedZone | None:
    """Return the longest private zone that would be asked for a name if the place saw it, and it does not."""
    hostnames = vpc_id is not None and world.vpcs[vpc_id].enable_dns_hostnames
    hidden = [
        z
        for z in world.hosted_zones.values()
        if z.private and f".{name}".endswith(f".{z.name}") and not (hostnames and _sees(z, vpc_id or ""))
    ]
    visible = any(
        z.private and f".{name}".endswith(f".{z.name}") and hostnames and _sees(z, vpc_id or "")
        for z in world.hosted_zones.values()
    )
    own = [z for z in hidden if _sees(z, vpc_id or "")]
    return None if visible else max(own or hidden, key=lambda z: len(z.name), default=None)


def _http_namespace(world: World, name: str) -> Namespace | None:
    namespaces = (n for n in world.namespaces.values() if n.type == "HTTP")
    return next((n for n in namespaces if f".{name}".endswith(f".{n.name.lower()}.")), None)


def _seen_zones(view: View) -> str:
    names = sorted(
        {zone.name.rstrip(".") for zone in (*view.private_zones, *view.public_zones) if not zone.address_domain}
    )
    return f"it sees {', '.join(names)}" if names else "it sees none"
