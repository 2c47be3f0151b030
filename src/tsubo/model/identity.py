"""Who an engine is: its id, and the names that follow from it.

Two engines live side by side on one machine. Everything an engine makes carries its id, so that a process
without memory can tell what is its own (design rule 7).
"""

from dataclasses import dataclass

ACCOUNT_ID = "123456789012"
"""The one account of an engine; moto's default, so that both parts of the control plane agree."""

DEVICE_NAME_LENGTH = 15


@dataclass(frozen=True)
class EngineIdentity:
    """An engine's id (8 hexadecimal digits, from the real path of its state directory), and where its endpoint is."""

    engine_id: str
    account_id: str = ACCOUNT_ID
    default_region: str = "ap-northeast-1"
    endpoint_port: int = 4566
    """On 127.0.0.1."""

    def namespace(self, resource: str) -> str:
        """Return the network namespace's name of a resource: a VPC id, an ENI id, or `internet`."""
        return f"tsubo-{self.engine_id}-{resource}"

    def loopback(self, host: int) -> str:
        """Return the engine's `host`-th loopback address (1..254), from its own 127.x.y.0/24."""
        second = 16 + int(self.engine_id[0:2], 16) % 200
        third = int(self.engine_id[2:4], 16)
        return f"127.{second}.{third}.{host}"


def device_name(network_interface_id: str) -> str:
    """Return the router-side device name of an ENI: `e` and the last 14 digits of its id."""
    return "e" + network_interface_id.removeprefix("eni-")[-(DEVICE_NAME_LENGTH - 1) :]
