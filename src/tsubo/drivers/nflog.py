"""The packets that a namespace's nftables rules log to a netlink group (`log group N prefix "..."`).

In: a namespace and a group, of which one process at a time can be the reader. Out: `LoggedPacket`s. The kernel copies
the beginning of each packet into the socket's buffer; what does not fit is lost, and `read` says so. Nobody waits:
packets are gathered by the kernel for a tenth of a second and read by whoever comes by.
"""

import errno
import socket
import struct
import time

from tsubo.drivers import netlink, netns
from tsubo.model.flows import Flow, LoggedPacket

RECEIVE_BUFFER = 2 << 20
"""Room for about 8,000 packets between two reads."""

_SUBSYSTEM = 4 << 8
_PACKET, _CONFIGURE = _SUBSYSTEM | 0, _SUBSYSTEM | 1
_COMMAND, _MODE, _TIMEOUT, _THRESHOLD = 1, 2, 4, 5
_BIND = b"\x01"
_COPY_PACKET = 2
_COPIED_BYTES = 64
"""An IPv4 header with all its options, and the ports after it."""
_GATHERED_PACKETS = 50
_GATHER_HUNDREDTHS = 10
_IN_DEVICE, _OUT_DEVICE, _PAYLOAD, _PREFIX = 4, 5, 9, 10

_PORTS = struct.Struct(">HH")
_PROTOCOLS_WITH_PORTS = (6, 17, 132)
_FRAGMENT_OFFSET = 0x1FFF


class LogReader:
    """Reads one log group of one namespace. Its socket keeps the namespace alive until `close`."""

    def __init__(self, namespace: str, group: int) -> None:
        """Become the group's reader.

        Raises:
            NamespaceError: there is no such namespace.
            OSError: the kernel refuses; EBUSY if another process reads the group.
        """
        self._namespace = namespace
        self._devices: dict[int, str] = {}
        self._socket = netlink.netfilter_socket(namespace, RECEIVE_BUFFER)
        try:
            self._configure(group, netlink.attribute(_COMMAND, _BIND))
            self._configure(
                group,
                netlink.attribute(_MODE, struct.pack(">IBx", _COPIED_BYTES, _COPY_PACKET))
                + netlink.attribute(_THRESHOLD, struct.pack(">I", _GATHERED_PACKETS))
                + netlink.attribute(_TIMEOUT, struct.pack(">I", _GATHER_HUNDREDTHS)),
            )
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)

    def read(self, limit: int) -> tuple[list[LoggedPacket], bool]:
        """Return up to about `limit` packets that have come since the last call, and whether others were lost."""
        packets: list[LoggedPacket] = []
        lost = False
        while len(packets) < limit:
            try:
                data = self._socket.recv(netlink.LARGEST_RECEIVE)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                lost = True
                continue
            packets += self._packets(data)
        return packets, lost

    def close(self) -> None:
        """Stop reading."""
        self._socket.close()

    def _configure(self, group: int, attributes: bytes) -> None:
        self._socket.send(netlink.request(_CONFIGURE, netlink.ACKNOWLEDGE, group, attributes))
        data = self._socket.recv(netlink.LARGEST_RECEIVE)
        for message_type, start, _ in netlink.messages(data):
            if message_type == netlink.ERROR:
                netlink.check(data, start)

    def _packets(self, data: bytes) -> list[LoggedPacket]:
        now = time.time()
        packets = []
        for message_type, start, end in netlink.messages(data):
            if message_type == _PACKET:
                packet = self._packet(data, netlink.attributes(data, start, end), now)
                if packet is not None:
                    packets.append(packet)
        return packets

    def _packet(self, data: bytes, spans: netlink.Spans, now: float) -> LoggedPacket | None:
        if _PAYLOAD not in spans or _PREFIX not in spans:
            return None
        parsed = parse_ipv4(data[slice(*spans[_PAYLOAD])])
        if parsed is None:
            return None
        flow, length = parsed
        prefix = data[slice(*spans[_PREFIX])].rstrip(b"\0").decode()
        return LoggedPacket(
            at=now,
            prefix=prefix,
            flow=flow,
            length=length,
            in_device=self._device(data, spans.get(_IN_DEVICE)),
            out_device=self._device(data, spans.get(_OUT_DEVICE)),
        )

    def _device(self, data: bytes, span: tuple[int, int] | None) -> str:
        index = _number(data, span)
        if index is None:
            return ""
        if index not in self._devices:
            self._devices = netns.run_in(self._namespace, lambda: dict(socket.if_nameindex()))
        return self._devices.setdefault(index, "")


def parse_ipv4(data: bytes) -> tuple[Flow, int] | None:
    """Return the flow of a packet from its first bytes, and its whole length; None if it is no IPv4 packet."""
    if len(data) < 20 or data[0] >> 4 != 4:
        return None
    header = (data[0] & 0xF) * 4
    protocol = data[9]
    source_port = destination_port = 0
    first_fragment = not int.from_bytes(data[6:8]) & _FRAGMENT_OFFSET
    if protocol in _PROTOCOLS_WITH_PORTS and first_fragment and len(data) >= header + _PORTS.size:
        source_port, destination_port = _PORTS.unpack_from(data, header)
    flow = Flow(protocol, socket.inet_ntoa(data[12:16]), source_port, socket.inet_ntoa(data[16:20]), destination_port)
    return flow, int.from_bytes(data[2:4])


def _number(data: bytes, span: tuple[int, int] | None) -> int | None:
    return None if span is None else int.from_bytes(data[slice(*span)])
