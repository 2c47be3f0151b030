"""NAT gateways get their interface and their Elastic IP address, and give them back.

Source: aws/alb-vpc-terraform.md section 2.6.
"""

from tsubo.core.draft import Draft
from tsubo.core.interfaces import new_interface
from tsubo.model.supply import Supply
from tsubo.model.vpc import Address, NatGateway

INTERNET_GATEWAY_AWAITED_SECONDS = 30.0
"""How long a new public NAT gateway waits for its VPC's internet gateway before it fails."""
DELETED_STAYS_VISIBLE_SECONDS = 3600.0


def decide(draft: Draft, now: float, supply: Supply) -> None:
    """Bring pending NAT gateways up, take deleting ones down, forget those deleted an hour ago."""
    for gateway in list(draft.world.nat_gateways.values()):
        if gateway.state == "pending":
            _bring_up(draft, gateway, now, supply)
        elif gateway.state == "deleting":
            _take_down(draft, gateway, now)
        elif gateway.deleted_at is not None and now - gateway.deleted_at > DELETED_STAYS_VISIBLE_SECONDS:
            draft.delete(gateway)


def _bring_up(draft: Draft, gateway: NatGateway, now: float, supply: Supply) -> None:
    if gateway.network_interface_id is not None:
        draft.update(gateway, state="available")
        return
    address = _address(draft, gateway)
    if gateway.connectivity_type == "public":
        attached = any(g.vpc_id == gateway.vpc_id for g in draft.world.internet_gateways.values())
        if not attached:
            _await_internet_gateway(draft, gateway, now)
            return
        if address is not None and address.association_id is not None:
            message = f"Elastic IP address [{address.allocation_id}] is already associated"
            _fail(draft, gateway, now, "Resource.AlreadyAssociated", message)
            return
    interface = new_interface(
        draft,
        draft.world.subnets[gateway.subnet_id],
        "nat_gateway",
        gateway.nat_gateway_id,
        now,
        supply,
        public_ip=address.public_ip if address else None,
        description=f"Interface for NAT Gateway {gateway.nat_gateway_id}",
    )
    if interface is None:
        _fail(draft, gateway, now, "InsufficientFreeAddressesInSubnet", "Subnet has insufficient free addresses")
        return
    draft.update(gateway, network_interface_id=interface.network_interface_id)
    if address is not None:
        association_id = f"eipassoc-0{supply.text(16)}"
        draft.update(address, association_id=association_id, network_interface_id=interface.network_interface_id)


def _await_internet_gateway(draft: Draft, gateway: NatGateway, now: float) -> None:
    deadline = gateway.created_at + INTERNET_GATEWAY_AWAITED_SECONDS
    if now < deadline:
        draft.wake_at(deadline)
    else:
        message = f"Network {gateway.vpc_id} has no Internet gateway attached"
        _fail(draft, gateway, now, "Gateway.NotAttached", message)


def _fail(draft: Draft, gateway: NatGateway, now: float, code: str, message: str) -> None:
    draft.update(gateway, state="failed", failure_code=code, failure_message=message, deleted_at=now)


def _take_down(draft: Draft, gateway: NatGateway, now: float) -> None:
    interface = draft.world.network_interfaces.get(gateway.network_interface_id or "")
    if interface is not None:
        draft.delete(interface)
    address = _address(draft, gateway)
    if address is not None and address.network_interface_id == gateway.network_interface_id:
        draft.update(address, association_id=None, network_interface_id=None)
    draft.update(gateway, state="deleted", deleted_at=now)


def _address(draft: Draft, gateway: NatGateway) -> Address | None:
    return draft.world.addresses.get(gateway.allocation_id or "")
