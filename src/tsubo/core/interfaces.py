"""Making network interfaces: an address of the subnet, a name, what AWS says of it."""

from tsubo.core import ipam
from tsubo.core.draft import Draft
from tsubo.model.supply import Supply, resource_id
from tsubo.model.vpc import InterfaceOwner, NetworkInterface, Subnet


def new_interface(
    draft: Draft,
    subnet: Subnet,
    owner: InterfaceOwner,
    owner_id: str,
    now: float,
    supply: Supply,
    *,
    security_group_ids: tuple[str, ...] = (),
    public_ip: str | None = None,
    description: str = "",
) -> NetworkInterface | None:
    """Put a new ENI into a subnet and return it, or None if the subnet has no free address."""
    private_ip = ipam.free_address(draft.world, subnet.subnet_id, begin=int(supply.text(6), 16))
    if private_ip is None:
        return None
    interface = NetworkInterface(
        network_interface_id=resource_id(supply, "eni"),
        subnet_id=subnet.subnet_id,
        vpc_id=subnet.vpc_id,
        region=subnet.region,
        availability_zone=subnet.availability_zone,
        private_ip=private_ip,
        mac=ipam.mac_address(private_ip),
        owner=owner,
        owner_id=owner_id,
        attachment_id=resource_id(supply, "eni-attach"),
        created_at=now,
        security_group_ids=security_group_ids,
        public_ip=public_ip,
        description=description,
    )
    draft.put(interface)
    return interface


def default_security_group(draft: Draft, vpc_id: str) -> tuple[str, ...]:
    """Return the VPC's default group, which guards an interface that names none (alb-vpc-terraform.md section 2.8)."""
    groups = draft.world.security_groups.values()
    return tuple(g.group_id for g in groups if g.vpc_id == vpc_id and g.name == "default")
