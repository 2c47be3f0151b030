"""Where a public address is published on this machine: the relay's own account of it, read from disk."""

from pathlib import Path

import msgspec

from tsubo.model.proxy import PublishedPort


def published_ports(home: Path) -> tuple[PublishedPort, ...]:
    """Return what the relay publishes; nothing if it has not written its account yet."""
    try:
        return msgspec.json.decode((home / "relay" / "state.json").read_bytes(), type=tuple[PublishedPort, ...])
    except FileNotFoundError:
        return ()


def published(home: Path, public_address: str, port: int) -> tuple[str, int] | None:
    """Return the loopback address and port behind which a public address's port answers, or None."""
    for entry in published_ports(home):
        if entry.entry.public_address == public_address and entry.entry.port == port and entry.port is not None:
            return entry.entry.listen_address, entry.port
    return None
