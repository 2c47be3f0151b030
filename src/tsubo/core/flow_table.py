"""Who is who, for flows: the interfaces of each VPC with the names of what is behind them, and what is to be logged.

In: the world. Out: a `FlowTable`, which the flows process reads from disk, so that it needs nothing else to know.
"""

from tsubo.core import ipam, route_tables
from tsubo.core.stale_names import MOST_DEPARTURES, departures
from tsubo.model.ecs import Task
from tsubo.model.flows import FlowInterface, FlowTable, FlowVpc, LogTarget, Passage
from tsubo.model.identity import device_name
from tsubo.model.vpc import FlowLog, NetworkInterface, Subnet, Vpc
from tsubo.model.world import World

CLOUD_WATCH_LOGS = "cloud-watch-logs"
"""The one destination that flow logs are delivered to."""
_SHORT_ID = 8


def flow_table(world: World) -> FlowTable:
    """Return the table of all VPCs."""
    return FlowTable(world.engine.account_id, tuple(_vpc(world, vpc) for _, vpc in sorted(world.vpcs.items())))


def _vpc(world: World, vpc: Vpc) -> FlowVpc:
    subnets = route_tables.subnets_of(world, vpc.vpc_id)
    passages = {subnet.subnet_id: _passages(world, subnet) for subnet in subnets}
    interfaces = route_tables.interfaces_of(world, vpc.vpc_id)
    resolver = ipam.resolver_address(vpc.cidr)
    return FlowVpc(
        vpc_id=vpc.vpc_id,
        region=vpc.region,
        cidr=vpc.cidr,
        namespace=world.engine.namespace(vpc.vpc_id),
        resolver=resolver,
        services=(resolver, *(ipam.subnet_gateway(subnet.cidr) for subnet in subnets)),
        interfaces=tuple(_interface(world, i, passages.get(i.subnet_id, ())) for i in interfaces),
        departures=departures(world, vpc.vpc_id),
        targets=tuple(_target(log) for _, log in sorted(world.flow_logs.items()) if _concerns(world, log, vpc)),
        former=_former(world, vpc.vpc_id, {i.private_ip for i in interfaces}),
    )


def _passages(world: World, subnet: Subnet) -> tuple[Passage, ...]:
    table = route_tables.table_of(world, subnet)
    found = list(route_tables.destinations(world, table)) if table else []
    found.sort(key=lambda destination: (-ipam.prefix_length(destination.cidr), destination.cidr))
    return tuple(Passage(d.cidr, d.interface.network_interface_id if d.interface else None) for d in found)


def _interface(world: World, interface: NetworkInterface, passages: tuple[Passage, ...]) -> FlowInterface:
    task = world.tasks.get(interface.owner_id) if interface.owner == "task" else None
    service = world.services.get(task.service_arn or "") if task else None
    return FlowInterface(
        interface_id=interface.network_interface_id,
        device=device_name(interface.network_interface_id),
        address=interface.private_ip,
        subnet_id=interface.subnet_id,
        availability_zone=interface.availability_zone,
        name=task_name(world, task) if task else _owner_name(world, interface),
        passages=passages,
        cluster=task.cluster_arn.rpartition("/")[2] if task else None,
        service=service.name if service else None,
    )


def task_name(world: World, task: Task) -> str:
    """Return a task's name for people: its service (or family), and the beginning of its id."""
    service = world.services.get(task.service_arn or "")
    return f"{service.name if service else task.group.partition(':')[2]}/{task.task_id[:_SHORT_ID]}"


def _owner_name(world: World, interface: NetworkInterface) -> str:
    if interface.owner == "load_balancer":
        balancer = world.load_balancers.get(interface.owner_id)
        return f"load balancer {balancer.name}" if balancer else "a load balancer"
    return interface.owner_id if interface.owner == "nat_gateway" else interface.network_interface_id


def _former(world: World, vpc_id: str, taken: set[str]) -> tuple[tuple[str, str], ...]:
    """Return the addresses of tasks that have ended, unless somebody has got them since; of two tasks the later."""
    ended = [t for t in world.tasks.values() if t.private_ip and t.private_ip not in taken and t.stopped_at is not None]
    ended.sort(key=lambda task: task.stopped_at or 0.0)
    names = {}
    for task in ended[-MOST_DEPARTURES:]:
        subnet = world.subnets.get(task.subnet_id or "")
        if subnet is not None and subnet.vpc_id == vpc_id:
            names[str(task.private_ip)] = task_name(world, task)
    return tuple(sorted(names.items()))


def _concerns(world: World, log: FlowLog, vpc: Vpc) -> bool:
    """Say whether a flow log is of a VPC, or of a subnet or an interface in it, and to be delivered."""
    if log.destination_type != CLOUD_WATCH_LOGS:
        return False
    resource = world.subnets.get(log.resource_id) or world.network_interfaces.get(log.resource_id)
    return log.resource_id == vpc.vpc_id or (resource is not None and resource.vpc_id == vpc.vpc_id)


def _target(log: FlowLog) -> LogTarget:
    return LogTarget(log.flow_log_id, log.resource_id, log.traffic_type, log.interval, log.log_format)
