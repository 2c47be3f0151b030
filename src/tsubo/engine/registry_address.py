"""Where the registry listens, and the key of its passwords: what its process says and the controller needs.

HOME/registry/address.json is written by the process. The port is the same after a restart, as images in the container
engine are known by it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tsubo.aws.image_registry import ImageRegistry, signing_key
from tsubo.drivers.layer_store import LayerStore
from tsubo.drivers.reload import replace_file
from tsubo.engine.home import Home

HTTPS_PORT = 443
LOOPBACK_HOST = 1
"""The last byte of the registry's loopback address: 203.0.113.1 is nobody's, so no load balancer is published there."""


@dataclass(frozen=True)
class RegistryAddress:
    """Where the registry listens. `https` is whether it answers on port 443 too, `problem` why not."""

    address: str
    port: int
    https: bool = False
    problem: str | None = None

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


def registry_directory(home: Path) -> Path:
    """Return where a registry keeps its files."""
    return home / "registry"


def certificate_files(home: Path) -> tuple[Path, Path]:
    """Return the certificate and the key with which the registry answers HTTPS, if they are there."""
    directory = registry_directory(home)
    return directory / "tls.crt", directory / "tls.key"


def read_address(home: Path) -> RegistryAddress | None:
    """Return where the registry listens; None before it has said so."""
    try:
        return RegistryAddress(**json.loads((registry_directory(home) / "address.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_address(home: Path, address: RegistryAddress) -> None:
    """Say where the registry listens."""
    replace_file(registry_directory(home) / "address.json", json.dumps(asdict(address)).encode())


def image_registry(home: Home) -> ImageRegistry:
    """Return an engine's registry as ECR's operations see it."""

    def address() -> str | None:
        found = read_address(home.path)
        return str(found) if found else None

    layers = LayerStore(registry_directory(home.path))
    return ImageRegistry(layers, signing_key(home.settings.secret_access_key), address)
