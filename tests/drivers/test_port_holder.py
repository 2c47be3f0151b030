"""Who holds a port, and as whom a client of this machine appears."""

import os
import socket

from tsubo.drivers.port_holder import holder_of
from tsubo.drivers.relay import client_address


def test_the_process_that_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        holder = holder_of(listener.getsockname()[1])
    assert holder is not None
    assert holder.endswith(f"(process {os.getpid()})")


def test_a_port_that_nobody_listens_on_has_no_holder() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert holder_of(bound.getsockname()[1]) is None


def test_clients_on_different_loopback_addresses_are_different_clients() -> None:
    assert client_address("127.0.0.1") == "198.18.0.1"
    assert client_address("127.16.9.3") == "198.18.9.3"
