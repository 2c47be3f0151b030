"""What listens, read from the kernel's tables."""

import socket

import pytest

from tsubo.drivers.listening_sockets import parse
from tsubo.model.explanation import ListeningSocket

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TCP = (
    HEAD
    + "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n"
    + "   1: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0\n"
    + "   2: 0A0B000A:0050 140A000A:C350 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0\n"
)
TCP6 = (
    HEAD
    + "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 4\n"
    + "   1: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 5\n"
    + "   2: 0000000000000000FFFF00000100007F:1F92 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 6\n"
)
UDP = HEAD + "  10: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 7 2 0 0\n"


@pytest.mark.parametrize(
    ("table", "text", "sockets"),
    [
        ("tcp", TCP, [("tcp", "0.0.0.0", 80), ("tcp", "127.0.0.1", 9000)]),
        ("tcp6", TCP6, [("tcp", "0.0.0.0", 8080), ("tcp", "127.0.0.1", 8082)]),
        ("udp", UDP, [("udp", "127.0.0.1", 53)]),
        ("tcp", HEAD, []),
    ],
)
def test_tables(table: str, text: str, sockets: list[tuple[str, str, int]]) -> None:
    assert [(s.protocol, s.address, s.port) for s in parse(table, text)] == sockets


def test_the_kernel_of_this_machine_is_understood() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, open("/proc/thread-self/net/tcp") as table:
        port = server.getsockname()[1]
        assert ListeningSocket("tcp", "127.0.0.1", port) in list(parse("tcp", table.read()))
