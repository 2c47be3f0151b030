"""What the container engine is asked to run, in its own words: no AWS noun here."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class HealthProbe:
    """A container's own check. `test` starts with CMD or CMD-SHELL; times in seconds."""

    test: tuple[str, ...]
    interval: float
    timeout: float
    retries: int
    start_period: float


@dataclass(frozen=True)
class ContainerSpec:
    """One container. `images` are the references to look for, in order, among the engine's local images;
    `pull` is the one to fetch if none is there, or None if it must not be fetched. `registry_image` is what our own
    registry calls the image (NAME@DIGEST), if it has it: it is fetched from there and goes before the others."""

    name: str
    images: tuple[str, ...]
    pull: str | None
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    user: str | None = None
    working_directory: str | None = None
    read_only: bool = False
    init: bool = False
    tty: bool = False
    stdin: bool = False
    stop_timeout: int = 30
    memory_bytes: int | None = None
    memory_reservation_bytes: int | None = None
    ulimits: tuple[tuple[str, int, int], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    health: HealthProbe | None = None
    log_group: str | None = None
    log_stream: str | None = None
    create_log_group: bool = False
    registry_image: str | None = None
    image_digest: str | None = None
    """The digest in the registry from which the image was fetched."""


@dataclass(frozen=True)
class TaskSpec:
    """Containers that share one network namespace, and what they find in resolv.conf, hosts and hostname."""

    task_id: str
    network_interface_id: str
    address: str
    hostname: str
    nameservers: tuple[str, ...]
    search_domains: tuple[str, ...]
    containers: tuple[ContainerSpec, ...]
    stop_layers: tuple[tuple[str, ...], ...]
    """Container names in the order they are stopped; those of one layer at the same time."""
