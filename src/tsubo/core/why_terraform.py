"""The smallest change that would allow what was denied, as Terraform text.

What the configuration knows goes by its Terraform address, everything else by its id. A change that belongs into a
block that exists names the block and its file. Source: aws/alb-vpc-terraform.md sections 2.3 to 2.7.
"""

from collections.abc import Sequence

from tsubo.core import why_routes
from tsubo.core.why_match import Flow, in_range
from tsubo.core.why_trail import Trail
from tsubo.model.elbv2 import LoadBalancer, TargetGroup
from tsubo.model.explanation import Remedy, Source
from tsubo.model.route53 import HostedZone
from tsubo.model.vpc import NetworkAcl, NetworkAclEntry, NetworkInterface, RouteTable, Subnet
from tsubo.model.world import World

Argument = tuple[str, str]
SEPARATE_RULES = ("aws_vpc_security_group_", "aws_security_group_rule.")
ACL_RULE_SPACING = 10
ANYONE = "0.0.0.0/0"
CLOSED_INTERNET_CLIENTS = "198.18.0.0/15"


def group_rule(
    trail: Trail, interface: NetworkInterface, flow: Flow, peer: str, other: NetworkInterface | None, *, is_egress: bool
) -> Remedy | None:
    """Return the rule that an interface's first group lacks: for the other's first group, or for its address."""
    if not interface.security_group_ids:
        return None
    group_id = interface.security_group_ids[0]
    other_group = other.security_group_ids[0] if other and other.security_group_ids else None
    source = trail.source(group_id)
    if source is not None and not _has_separate_rules(trail, group_id):
        return Remedy(f"In {place(source)} add:", _inline_rule(trail, flow, peer, other_group, is_egress=is_egress))
    direction = "egress" if is_egress else "ingress"
    arguments = [("security_group_id", trail.reference(group_id)), ("ip_protocol", f'"{flow.protocol}"')]
    arguments += _ports(flow)
    if other_group is None:
        arguments.append(("cidr_ipv4", f'"{peer_range(peer)}"'))
    else:
        arguments.append(("referenced_security_group_id", trail.reference(other_group)))
    name = f"{flow.protocol}_{flow.ports[0]}"
    return Remedy("Add:", block(f'resource "aws_vpc_security_group_{direction}_rule" "{name}"', arguments))


def acl_entry(trail: Trail, acl: NetworkAcl, flow: Flow, denying: NetworkAclEntry | None, *, is_egress: bool) -> Remedy:
    """Return the entry that an ACL lacks, numbered so that it is asked before the one that denies."""
    arguments = [
        ("protocol", f'"{flow.protocol}"'),
        ("action" if trail.source(acl.key) else "rule_action", '"allow"'),
        ("cidr_block", f'"{peer_range(flow.destination if is_egress else flow.source)}"'),
        *_ports(flow),
    ]
    number = str(_free_number(acl, denying, is_egress=is_egress))
    source = trail.source(acl.key)
    if source is not None:
        text = block("egress" if is_egress else "ingress", [("rule_no", number), *arguments])
        return Remedy(f"In {place(source)} add:", text)
    head = f'resource "aws_network_acl_rule" "{flow.protocol}_{"out" if is_egress else "in"}"'
    own = [("network_acl_id", f'"{acl.key}"'), ("rule_number", number), ("egress", str(is_egress).lower())]
    return Remedy("Add:", block(head, [*own, *arguments]))


def way_out(trail: Trail, subnet: Subnet, table: RouteTable | None, sender: NetworkInterface) -> Remedy:
    """Return the route that leads a subnet out: to the internet gateway for a public address, else to a NAT gateway."""
    gateway = why_routes.gateway_of(trail.world, subnet.vpc_id)
    if sender.public_ip is not None and gateway is not None:
        return route(trail, subnet, table, ("gateway_id", trail.reference(gateway)))
    nat = _nat_gateway(trail.world, subnet.vpc_id)
    if nat is not None:
        return route(trail, subnet, table, ("nat_gateway_id", trail.reference(nat)))
    added = route(trail, subnet, table, ("nat_gateway_id", "aws_nat_gateway.out.id"))
    public = next((s for s in trail.world.subnets.values() if s.vpc_id == subnet.vpc_id and _is_public(trail, s)), None)
    place_of_nat = trail.reference(public.subnet_id) if public else '"a subnet that leads to an internet gateway"'
    texts = (
        block('resource "aws_eip" "nat"', [("domain", '"vpc"')]),
        block('resource "aws_nat_gateway" "out"', [("allocation_id", "aws_eip.nat.id"), ("subnet_id", place_of_nat)]),
        f"# {added.text}\n{added.terraform}",
    )
    return Remedy("Add a NAT gateway in a public subnet, and lead this one to it:", "\n\n".join(texts))


def _is_public(trail: Trail, subnet: Subnet) -> bool:
    return why_routes.leads_to_internet(trail.world, subnet)


def route(trail: Trail, subnet: Subnet, table: RouteTable | None, target: Argument) -> Remedy:
    """Return a default route for a subnet. The VPC's main table is left alone: it serves other subnets too."""
    own = table is not None and any(a.subnet_id == subnet.subnet_id for a in table.associations)
    if table is None or not own:
        new_table = block(
            'resource "aws_route_table" "out"', [("vpc_id", trail.reference(subnet.vpc_id))], _route_block(target)
        )
        association = block(
            'resource "aws_route_table_association" "out"',
            [("subnet_id", trail.reference(subnet.subnet_id)), ("route_table_id", "aws_route_table.out.id")],
        )
        return Remedy("Give the subnet a route table of its own:", f"{new_table}\n\n{association}")
    source = trail.source(table.route_table_id)
    if source is not None and table.routes:
        return Remedy(f"In {place(source)} have:", _route_block(target))
    arguments = [("route_table_id", trail.reference(table.route_table_id)), ("destination_cidr_block", f'"{ANYONE}"')]
    return Remedy("Add:", block('resource "aws_route" "out"', [*arguments, target]))


def public_address(trail: Trail, sender: NetworkInterface) -> Remedy | None:
    """Return how a task gets a public address."""
    task = trail.world.tasks.get(sender.owner_id)
    if task is None:
        return None
    source = trail.source(task.service_arn or "")
    where = f"In {place(source)}, in `network_configuration`, set:" if source else "In the service's network, set:"
    return Remedy(where, "assign_public_ip = true")


def zone_association(trail: Trail, zone: HostedZone, vpc_id: str) -> Remedy:
    """Return how a VPC gets to see another one's private zone."""
    namespace = next((n for n in trail.world.namespaces.values() if n.hosted_zone_id == zone.zone_id), None)
    zone_id = f'"{zone.zone_id}"'
    if trail.source(zone.zone_id) is not None:
        zone_id = trail.reference(zone.zone_id, "zone_id")
    elif namespace is not None and trail.source(namespace.namespace_id) is not None:
        zone_id = trail.reference(namespace.namespace_id, "hosted_zone")
    arguments = [("zone_id", zone_id), ("vpc_id", trail.reference(vpc_id))]
    return Remedy(
        f"Associate the zone with {vpc_id}:", block('resource "aws_route53_zone_association" "also"', arguments)
    )


def vpc_setting(trail: Trail, vpc_id: str, *names: str) -> Remedy:
    """Return how a VPC's DNS is turned on."""
    source = trail.source(vpc_id)
    where = f"In {place(source)} set:" if source else f"In the VPC {vpc_id} set:"
    return Remedy(where, _arguments([(name, "true") for name in names]))


def listener(trail: Trail, balancer: LoadBalancer, port: int, group: TargetGroup | None) -> Remedy:
    """Return a listener on a port, forwarding to a target group of the load balancer if it has one."""
    secure = port == 443
    arguments = [
        ("load_balancer_arn", trail.reference(balancer.arn, "arn")),
        ("port", str(port)),
        ("protocol", '"HTTPS"' if secure else '"HTTP"'),
        *([("certificate_arn", '"the ARN of a certificate for the name"')] if secure else []),
    ]
    target = trail.reference(group.arn, "arn") if group else '"the ARN of a target group"'
    action = block("default_action", [("type", '"forward"'), ("target_group_arn", target)])
    return Remedy("Add:", block(f'resource "aws_lb_listener" "port_{port}"', arguments, action))


def registration(trail: Trail, group: TargetGroup) -> Remedy:
    """Return what makes an ECS service register its tasks in a target group."""
    arguments = [
        ("target_group_arn", trail.reference(group.arn, "arn")),
        ("container_name", '"the container that serves"'),
        ("container_port", str(group.port)),
    ]
    return Remedy("In the `aws_ecs_service` that shall serve it, have:", block("load_balancer", arguments))


def more_tasks(trail: Trail, service_arn: str) -> Remedy:
    """Return what makes a service run a task."""
    source = trail.source(service_arn)
    return Remedy(f"In {place(source)} set:" if source else "In the service set:", "desired_count = 1")


def place(source: Source) -> str:
    """Return a Terraform address with its file and line, where they are known."""
    return source.address if source.file is None else f"{source.address} ({source.file}:{source.line})"


def peer_range(address: str) -> str:
    """Return the range of one address. A client of the closed internet stands for any: nobody has its address."""
    return ANYONE if in_range(address, CLOSED_INTERNET_CLIENTS) else f"{address}/32"


def block(head: str, arguments: Sequence[Argument], *inner: str) -> str:
    """Return a block, its arguments aligned as `terraform fmt` does."""
    parts = [_indented(_arguments(arguments)), *map(_indented, inner)]
    return f"{head} {{\n" + "\n\n".join(parts) + "\n}"


def _arguments(arguments: Sequence[Argument]) -> str:
    width = max(len(name) for name, _ in arguments)
    return "\n".join(f"{name.ljust(width)} = {value}" for name, value in arguments)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else line for line in text.splitlines())


def _inline_rule(trail: Trail, flow: Flow, peer: str, other_group: str | None, *, is_egress: bool) -> str:
    whom = ("cidr_blocks", f'["{peer_range(peer)}"]')
    if other_group is not None:
        whom = ("security_groups", f"[{trail.reference(other_group)}]")
    return block("egress" if is_egress else "ingress", [("protocol", f'"{flow.protocol}"'), *_ports(flow), whom])


def _has_separate_rules(trail: Trail, group_id: str) -> bool:
    rules = (r.rule_id for r in trail.world.security_group_rules.values() if r.group_id == group_id)
    sources = (trail.source(rule_id) for rule_id in rules)
    return any(source is not None and source.address.startswith(SEPARATE_RULES) for source in sources)


def _ports(flow: Flow) -> list[Argument]:
    first, last = flow.icmp if flow.protocol == "icmp" else flow.ports
    return [("from_port", str(first)), ("to_port", str(last))]


def _free_number(acl: NetworkAcl, denying: NetworkAclEntry | None, *, is_egress: bool) -> int:
    numbers = {e.rule_number for e in acl.entries if e.is_egress == is_egress}
    if denying is None:
        return max(numbers, default=90) + ACL_RULE_SPACING
    below = (n for n in range(denying.rule_number - 1, 0, -1) if n not in numbers)
    return next(below, denying.rule_number)


def _route_block(target: Argument) -> str:
    return block("route", [("cidr_block", f'"{ANYONE}"'), target])


def _nat_gateway(world: World, vpc_id: str) -> str | None:
    gateways = (g for g in world.nat_gateways.values() if g.vpc_id == vpc_id and g.connectivity_type == "public")
    return next((g.nat_gateway_id for g in gateways if g.state in ("pending", "available")), None)
