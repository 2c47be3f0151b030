"""Netfilter's messages and what they hold, without a kernel."""

import socket
import struct

import pytest

from tsubo.drivers import netlink
from tsubo.drivers.nflog import parse_ipv4
from tsubo.model.flows import Flow


def test_a_request_reads_back_with_its_attributes() -> None:
    inner = netlink.attribute(3, b"abcde")
    data = netlink.request(0x101, netlink.DUMP, 5, netlink.attribute(1, inner) + netlink.attribute(2, b"\x01")) * 2
    first, second = netlink.messages(data)
    assert first[0] == second[0] == 0x101
    spans = netlink.attributes(data, *second[1:])
    assert data[slice(*spans[2])] == b"\x01"
    assert data[slice(*netlink.attributes(data, *spans[1])[3])] == b"abcde"
    assert set(netlink.attributes(data, *first[1:], last=1)) == {1}


def test_an_error_message_is_an_oserror_and_a_zero_is_none() -> None:
    def message(code: int) -> bytes:
        return struct.pack("=IHHIIi", 20, netlink.ERROR, 0, 1, 0, code)

    ((_, start, _),) = netlink.messages(message(0))
    netlink.check(message(0), start)
    with pytest.raises(PermissionError):
        netlink.check(message(-1), start)


def test_a_broken_buffer_ends_the_walk() -> None:
    assert list(netlink.messages(b"\x10")) == []
    assert len(netlink.attributes(b"\x00\x00\x01\x00\x00\x00\x02\x00", 0, 8)) == 2


def ipv4(protocol: int, payload: bytes, fragment: int = 0, options: bytes = b"") -> bytes:
    length = 20 + len(options) + len(payload)
    addresses = socket.inet_aton("10.0.10.11") + socket.inet_aton("10.0.10.10")
    head = struct.pack(">BBHHHBBH", 0x40 | (5 + len(options) // 4), 0, length, 0, fragment, 64, protocol, 0)
    return head + addresses + options + payload


@pytest.mark.parametrize("protocol", [6, 17])
def test_ports_stand_after_the_headers_options(protocol: int) -> None:
    packet = ipv4(protocol, struct.pack(">HH", 40000, 80) + bytes(16), options=bytes(8))
    assert parse_ipv4(packet) == (Flow(protocol, "10.0.10.11", 40000, "10.0.10.10", 80), 48)


@pytest.mark.parametrize(
    "packet", [ipv4(1, bytes(8)), ipv4(6, struct.pack(">HH", 40000, 80), fragment=0x2001), ipv4(6, b"")]
)
def test_icmp_later_fragments_and_cut_packets_have_no_ports(packet: bytes) -> None:
    parsed = parse_ipv4(packet)
    assert parsed is not None
    assert (parsed[0].source_port, parsed[0].destination_port) == (0, 0)


def test_what_is_not_ipv4_is_no_flow() -> None:
    assert parse_ipv4(b"\x60" + bytes(39)) is None
    assert parse_ipv4(b"\x45") is None
