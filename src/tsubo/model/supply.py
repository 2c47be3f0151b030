"""Where identifiers come from: a supply that is handed in, so that what decides can stay pure."""

from typing import Protocol

ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyz0123456789"


class Supply(Protocol):
    """Gives fresh random text. The engine's draws from the system; a test's counts."""

    def text(self, length: int, alphabet: str = "0123456789abcdef") -> str:
        """Return `length` characters of `alphabet`, different on every call."""
        ...


def resource_id(supply: Supply, prefix: str) -> str:
    """Return an EC2 identifier such as `vpc-0123456789abcdef0`."""
    return f"{prefix}-0{supply.text(16)}"


def uuid_text(supply: Supply) -> str:
    """Return a random identifier in the form of a UUID."""
    return "-".join(supply.text(length) for length in (8, 4, 4, 4, 12))
