"""What packets a rule of a security group or of a network ACL means, in the words of nftables.

Out: the match of a statement, without a verdict; empty where everything matches, None where no IPv4 packet does.
Source: aws/alb-vpc-terraform.md section 2.2.
"""

import ipaddress
from typing import Literal

_ALL_PORTS = (0, 65535)
_PROTOCOL_NAMES = {"1": "icmp", "6": "tcp", "17": "udp"}
_IPV6_PROTOCOLS = ("58", "icmpv6")


def address_match(side: Literal["saddr", "daddr"], cidr: str) -> str:
    """Return the match of an IPv4 range at one end of a packet."""
    network = ipaddress.IPv4Network(cidr, strict=False)
    return "" if network.prefixlen == 0 else f"ip {side} {network}"


def protocol_match(protocol: str, ports: tuple[int, int], icmp: tuple[int, int]) -> str | None:
    """Return the match of a protocol and its (first, last) ports or its ICMP (type, code); -1 stands for all."""
    protocol = _PROTOCOL_NAMES.get(protocol, protocol)
    if protocol in _IPV6_PROTOCOLS:
        return None
    if protocol == "-1":
        return ""
    if protocol == "icmp":
        return _icmp_match(*icmp)
    if protocol in ("tcp", "udp") and -1 not in ports and ports != _ALL_PORTS:
        first, last = ports
        return f"{protocol} dport {first}" if first == last else f"{protocol} dport {first}-{last}"
    return f"meta l4proto {protocol}"


def statement(*parts: str) -> str:
    """Join matches and a verdict to one line, leaving out empty matches."""
    return " ".join(part for part in parts if part)


def _icmp_match(icmp_type: int, icmp_code: int) -> str:
    if icmp_type == -1:
        return "meta l4proto icmp"
    return f"icmp type {icmp_type}" if icmp_code == -1 else f"icmp type {icmp_type} icmp code {icmp_code}"
