"""The DNS table: what each VPC's resolver and the internet know, computed from the world.

A VPC sees the private zones associated with it (those of Cloud Map among them), the names of addresses, then all that
is public: Route 53's public zones and the load balancers' names. The view `internet` sees only what is public.
In goes the world, out comes plain data; `core/dns_answer.py` says what it answers.
Sources: aws/ecs-cloudmap-exec.md sections 10-12, aws/alb-vpc-terraform.md section 3.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network

from tsubo.core.dns_answer import answer
from tsubo.core.dns_zone import LoadBalancerAddresses, hosted_zone, service_zone
from tsubo.model.nameserver import DnsTable, RecordGroup, RecordPool, View, Zone
from tsubo.model.vpc import Vpc
from tsubo.model.world import World

__all__ = ["INTERNET", "LINK_LOCAL_RESOLVER", "answer", "dns_table", "names", "resolver_addresses"]

INTERNET = "internet"
LINK_LOCAL_RESOLVER = "169.254.169.253"
LOAD_BALANCER_TTL_SECONDS = 60
PRIVATE_REVERSE_ZONES = (
    "10.in-addr.arpa.",
    *(f"{second}.172.in-addr.arpa." for second in range(16, 32)),
    "168.192.in-addr.arpa.",
)


def dns_table(world: World) -> DnsTable:
    """Return what every resolver serves: a view for each VPC that has DNS support, and the internet's."""
    addresses = _load_balancer_addresses(world)
    zones = {
        zone.zone_id: (zone, hosted_zone(world, zone, addresses))
        for zone in sorted(world.hosted_zones.values(), key=lambda zone: (zone.created_at, zone.zone_id))
    }
    public = (
        *(served for zone, served in zones.values() if not zone.private),
        *_load_balancer_zones(addresses),
    )
    views = []
    for vpc in sorted(world.vpcs.values(), key=lambda vpc: vpc.vpc_id):
        if vpc.enable_dns_support:
            private = [
                served
                for zone, served in zones.values()
                if zone.private and any(associated.vpc_id == vpc.vpc_id for associated in zone.vpcs)
            ]
            views.append(_vpc_view(world, vpc, private, public))
    internet = View(INTERNET, world.engine.namespace(INTERNET), (), (), public)
    return DnsTable((*views, internet))


def resolver_addresses(vpc: Vpc) -> tuple[str, str]:
    """Return the addresses of a VPC's resolver: the third of its range (base + 2), and the link-local one."""
    return str(IPv4Network(vpc.cidr)[2]), LINK_LOCAL_RESOLVER


def names(view: View) -> tuple[tuple[str, str], ...]:
    """Return the names that a view can answer and their types, sorted, without what every zone has (NS and SOA)."""
    zones = (*view.private_zones, *view.public_zones)
    found = {(group.name, group.type) for zone in zones for group in zone.groups if group.type not in ("NS", "SOA")}
    return tuple(sorted(found))


def _vpc_view(world: World, vpc: Vpc, private: list[Zone], public: tuple[Zone, ...]) -> View:
    """Return a VPC's view. Private zones and the names of addresses need DNS host names to be enabled too."""
    hidden: tuple[Zone, ...] = ()
    if vpc.enable_dns_hostnames:
        hidden = (*private, *_address_zones(vpc.region))
    return View(vpc.vpc_id, world.engine.namespace(vpc.vpc_id), resolver_addresses(vpc), hidden, public)


def _address_zones(region: str) -> Iterator[Zone]:
    """Yield the zones in which addresses have names: the region's domain, and the reverse zones of private ranges."""
    domain = "ec2.internal." if region == "us-east-1" else f"{region}.compute.internal."
    for name in (domain, *PRIVATE_REVERSE_ZONES):
        yield service_zone(name, (), address_domain=domain)


def _load_balancer_addresses(world: World) -> LoadBalancerAddresses:
    """Return the addresses that each load balancer's name answers with: its nodes', public unless it is internal."""
    nodes: dict[str, list[str]] = {}
    for interface in sorted(world.network_interfaces.values(), key=lambda interface: interface.network_interface_id):
        balancer = world.load_balancers.get(interface.owner_id) if interface.owner == "load_balancer" else None
        if balancer is not None:
            address = interface.private_ip if balancer.scheme == "internal" else interface.public_ip
            nodes.setdefault(balancer.arn, []).extend([address] if address else [])
    return {
        f"{balancer.dns_name.lower()}.": _node_pools(nodes.get(balancer.arn, ()))
        for balancer in world.load_balancers.values()
    }


def _node_pools(addresses: Iterable[str]) -> tuple[RecordPool, ...]:
    values = tuple(addresses)
    return (RecordPool(LOAD_BALANCER_TTL_SECONDS, values, limit=8),) if values else ()


def _load_balancer_zones(addresses: LoadBalancerAddresses) -> Iterator[Zone]:
    """Yield the public zones that hold the load balancers' names, with and without the console's `dualstack.`."""
    groups: dict[str, list[RecordGroup]] = {}
    for name, pools in sorted(addresses.items()):
        zone_groups = groups.setdefault(name.partition(".")[2], [])
        zone_groups += [RecordGroup(name, "A", pools), RecordGroup(f"dualstack.{name}", "A", pools)]
    for zone_name, zone_groups in groups.items():
        yield service_zone(zone_name, tuple(zone_groups))
