"""Whether a rule means a packet: protocols, ports, address ranges, in the terms of EC2 rather than of nftables.

Written apart from the code that compiles rules, on purpose: two readings of the same rules that a test compares.
Source: aws/alb-vpc-terraform.md sections 2.2 and 2.4.
"""

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network

from tsubo.model.explanation import Protocol

LINUX_CLIENT_PORTS = (32768, 60999)
"""The ports that connections of Linux start from; replies go there."""
AWS_CLIENT_PORTS = (1024, 65535)
"""The ports that load balancers, NAT gateways and other people's machines start from."""
ECHO_REQUEST, ECHO_REPLY = (8, 0), (0, 0)

_NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp"}
_ALL_PORTS = (0, 65535)


@dataclass(frozen=True)
class Flow:
    """One direction of a connection. `ports` are the first and last destination port that it may use; an ICMP
    message has a type and a code instead."""

    source: str
    destination: str
    protocol: Protocol
    ports: tuple[int, int] = (0, 0)
    icmp: tuple[int, int] = ECHO_REQUEST

    def reply(self, client_ports: tuple[int, int] = LINUX_CLIENT_PORTS) -> "Flow":
        """Return the answers, which go to the port that the client chose."""
        return replace(self, source=self.destination, destination=self.source, ports=client_ports, icmp=ECHO_REPLY)

    @property
    def text(self) -> str:
        """The protocol and port: `tcp 80`."""
        if self.protocol == "icmp":
            return f"icmp type {self.icmp[0]}"
        first, last = self.ports
        return f"{self.protocol} {first}" if first == last else f"{self.protocol} {first}-{last}"


def in_range(address: str, cidr: str) -> bool:
    """Say whether an IPv4 address is in a range; in an IPv6 range none is."""
    return ":" not in cidr and IPv4Address(address) in IPv4Network(cidr, strict=False)


def protocol_name(protocol: str) -> str:
    """Return `tcp` for `6`; what has no name here stays as it is."""
    return _NUMBERS.get(protocol, protocol)


def means_protocol(protocol: str, flow: Flow) -> bool:
    """Say whether a rule's protocol is the flow's; `-1` is every one's."""
    return protocol == "-1" or protocol_name(protocol) == flow.protocol


def port_limits(protocol: str, ports: tuple[int, int]) -> tuple[int, int]:
    """Return the first and last port that a rule means; -1 stands for all, and all protocols have all ports."""
    return _ALL_PORTS if protocol == "-1" or -1 in ports else ports


def means_icmp(protocol: str, icmp: tuple[int, int], flow: Flow) -> bool:
    """Say whether a rule's ICMP type and code (-1: any) are those of an ICMP flow."""
    if protocol == "-1":
        return True
    wanted_type, wanted_code = icmp
    return wanted_type == -1 or (wanted_type == flow.icmp[0] and wanted_code in (-1, flow.icmp[1]))


def ports_text(protocol: str, ports: tuple[int, int]) -> str:
    """Return a rule's protocol and ports: `tcp 80`, `udp 1000-2000`, `everything`."""
    if protocol == "-1":
        return "everything"
    name, (first, last) = protocol_name(protocol), ports
    if name == "icmp":
        return "icmp" if first == -1 else f"icmp type {first}" + ("" if last == -1 else f" code {last}")
    if name not in ("tcp", "udp") or -1 in ports or ports == _ALL_PORTS:
        return f"all of {name}"
    return f"{name} {first}" if first == last else f"{name} {first}-{last}"
