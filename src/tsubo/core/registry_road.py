"""Whether a task's interface has a road to ECR: by the internet, or by the VPC's endpoints for it.

On Fargate everything that an image needs is fetched through the task's own interface: the password from `ecr.api`, the
manifest from `ecr.dkr`, the layers from S3. Source: aws/alb-vpc-terraform.md sections 2.7 and 5.3.
"""

from typing import Literal

from tsubo.core.route_tables import destinations, public_interfaces, table_of
from tsubo.model.vpc import NetworkInterface, Subnet
from tsubo.model.world import World

Service = Literal["ecr.api", "ecr.dkr", "s3"]
SERVICES: tuple[Service, ...] = ("ecr.api", "ecr.dkr", "s3")
"""In the order in which they are needed."""


def unreachable_service(world: World, interface: NetworkInterface) -> Service | None:
    """Return the first service that a task with this interface cannot reach; None if it can fetch an image."""
    subnet = world.subnets[interface.subnet_id]
    if _reaches_the_internet(world, subnet, interface):
        return None
    return next((service for service in SERVICES if not _has_endpoint(world, subnet, service)), None)


def _reaches_the_internet(world: World, subnet: Subnet, interface: NetworkInterface) -> bool:
    table = table_of(world, subnet)
    public = {each.network_interface_id for each in public_interfaces(world, subnet.vpc_id)}
    for road in destinations(world, table) if table else ():
        if road.cidr != "0.0.0.0/0":
            continue
        if road.kind == "internet":
            return interface.network_interface_id in public
        if road.interface is not None:
            return road.interface.network_interface_id in public
    return False


def _has_endpoint(world: World, subnet: Subnet, service: Service) -> bool:
    table = table_of(world, subnet)
    for endpoint in world.vpc_endpoints.values():
        if endpoint.vpc_id != subnet.vpc_id or endpoint.service_name != f"com.amazonaws.{subnet.region}.{service}":
            continue
        if endpoint.type == "Interface" and (endpoint.private_dns_enabled or service == "s3"):
            return True
        if endpoint.type == "Gateway" and table is not None and table.route_table_id in endpoint.route_table_ids:
            return True
    return False
