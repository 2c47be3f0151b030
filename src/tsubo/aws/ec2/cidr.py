"""Address ranges as EC2 reads them: any address of a range names it; VPCs and subnets are of size /16 to /28."""

from ipaddress import IPv4Network, ip_network

from tsubo.aws.ec2.errors import invalid_value, parameter_name

LARGEST_PREFIX = 28
SMALLEST_PREFIX = 16


def parse_cidr(text: str, member: str = "CidrBlock") -> IPv4Network:
    """Return the range in canonical form (100.68.0.18/18 is 100.68.0.0/18), or raise InvalidParameterValue."""
    try:
        if "/" not in text:
            raise ValueError(text)
        return IPv4Network(text, strict=False)
    except ValueError:
        raise invalid_value(
            f"Value ({text}) for parameter {parameter_name(member)} is invalid. This is not a valid CIDR block."
        ) from None


def canonical_cidr(text: str) -> str:
    """Return an IPv4 or IPv6 range in canonical form, or raise InvalidParameterValue."""
    try:
        if "/" not in text:
            raise ValueError(text)
        return str(ip_network(text, strict=False))
    except ValueError:
        raise invalid_value(f"CIDR block {text} is malformed") from None


def is_block_size(network: IPv4Network) -> bool:
    """Say whether a VPC or subnet may have this size: a netmask from /16 to /28."""
    return SMALLEST_PREFIX <= network.prefixlen <= LARGEST_PREFIX
