"""Addresses: which one a new interface gets, and what follows from a CIDR block.

In: the world (what is taken) and addresses promised to others in the same pass. Out: an address, or None when there is
no free one. The choice is the first free address from where the caller says to begin (AWS's look random), so that equal
questions give equal answers.
"""

import ipaddress
from collections.abc import Iterable

from tsubo.model.world import World

PUBLIC_RANGE = "203.0.113.0/24"
"""The public addresses of an engine: a range reserved for documentation (RFC 5737), so none of them is anyone's."""
LINK_LOCAL_RESOLVER = "169.254.169.253"
"""The resolver's other address, the same in every VPC."""

_RESERVED_AT_START = 4
"""Of a subnet AWS keeps the network address, the router, the resolver and one for the future, and the last
(aws/alb-vpc-terraform.md section 2.8)."""
_PUBLIC_RESERVED_AT_START = 2


def free_address(world: World, subnet_id: str, taken: frozenset[str] = frozenset(), begin: int = 0) -> str | None:
    """Return a free private address of a subnet, or None when it is full. `taken` are addresses promised elsewhere.

    The search begins at the `begin`-th usable address (counted round the subnet). A caller that varies it gives a
    replaced task another address, as on AWS: a client that goes on calling the old one finds nobody.
    """
    used = {i.private_ip for i in world.network_interfaces.values() if i.subnet_id == subnet_id}
    return _first_free(world.subnets[subnet_id].cidr, _RESERVED_AT_START, used | taken, begin)


def free_public_address(world: World, taken: frozenset[str] = frozenset()) -> str | None:
    """Return a free public address, or None when all are taken. `taken` are addresses promised elsewhere."""
    used = {a.public_ip for a in world.addresses.values()}
    used |= {i.public_ip for i in world.network_interfaces.values() if i.public_ip is not None}
    return _first_free(PUBLIC_RANGE, _PUBLIC_RESERVED_AT_START, used | taken)


def mac_address(private_ip: str) -> str:
    """Return the hardware address of the interface with this private address, which it spells."""
    return "02:00:" + ":".join(f"{byte:02x}" for byte in ipaddress.IPv4Address(private_ip).packed)


def prefix_length(cidr: str) -> int:
    """Return 24 for `10.0.11.0/24`."""
    return ipaddress.IPv4Network(cidr).prefixlen


def subnet_gateway(cidr: str) -> str:
    """Return the address of a subnet's router: the first after the network address."""
    return str(ipaddress.IPv4Network(cidr)[1])


def resolver_address(vpc_cidr: str) -> str:
    """Return the address of a VPC's resolver: the base of its CIDR block plus two."""
    return str(ipaddress.IPv4Network(vpc_cidr)[2])


def _first_free(cidr: str, reserved_at_start: int, used: Iterable[str], begin: int = 0) -> str | None:
    network = ipaddress.IPv4Network(cidr)
    used_numbers = {int(ipaddress.IPv4Address(address)) for address in used}
    first, last = int(network.network_address) + reserved_at_start, int(network.broadcast_address)
    middle = first + begin % (last - first)
    number = next((n for n in (*range(middle, last), *range(first, middle)) if n not in used_numbers), None)
    return None if number is None else str(ipaddress.IPv4Address(number))
