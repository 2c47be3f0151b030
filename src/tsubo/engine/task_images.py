"""A task's images from the engine's own registry, into the container engine; and local images into that registry.

A task's image is looked for in Tsubo's ECR, then among the container engine's images, and never at AWS. What stands in
ECR is fetched by its digest, so that a tag that moves is a new image at the next start of a task, as on Fargate.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from tsubo.aws.image_registry import ImageRegistry, make_password
from tsubo.aws.store import Store
from tsubo.core.registry_names import referenced_image
from tsubo.core.registry_road import unreachable_service
from tsubo.drivers.docker import ContainerEngine
from tsubo.drivers.docker_images import ImageTransfer, TransferError
from tsubo.engine.pull_failures import cannot_pull, no_road
from tsubo.model.containers import ContainerSpec, TaskSpec

PASSWORD_SECONDS = 3600.0
REGISTRY_PATIENCE_SECONDS = 10.0
POLL_SECONDS = 0.05
NOBODY_LISTENS = "connection refused"
PULL_RECORD_SECONDS = 86400.0
"""`lastRecordedPullTime` is as exact as this."""


class TaskImages:
    """Fetches and pushes images. Safe to use from several threads at once."""

    def __init__(
        self,
        store: Store,
        containers: ContainerEngine,
        registry: ImageRegistry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._containers = containers
        self._transfer = ImageTransfer(containers.client)
        self._registry = registry
        self._clock = clock

    def require_road(self, spec: TaskSpec) -> None:
        """What stands in the registry can be reached from the task's subnet. Raises StartError."""
        world = self._store.world
        pushed = [container for container in spec.containers if container.registry_image is not None]
        service = unreachable_service(world, world.network_interfaces[spec.network_interface_id]) if pushed else None
        if service is not None:
            raise no_road(pushed[0], service)

    def fetch(self, spec: TaskSpec) -> TaskSpec:
        """Fetch what stands in the registry; return the task with those images before others. Raises StartError."""
        return replace(spec, containers=tuple(self._fetch(container) for container in spec.containers))

    def _fetch(self, container: ContainerSpec) -> ContainerSpec:
        if container.registry_image is None:
            return container
        reference = f"{self._address()}/{container.registry_image}"
        digest = container.registry_image.partition("@")[2]
        if self._containers.find_image([reference]) is None:
            try:
                self._pull(reference)
            except TransferError as error:
                raise cannot_pull(container, str(error)) from error
        self._record_pull(container.registry_image)
        return replace(container, images=(reference, *container.images), image_digest=digest)

    def _pull(self, reference: str) -> None:
        """Pull an image, by more than one try while the registry is just starting again. Raises TransferError."""
        deadline = time.monotonic() + REGISTRY_PATIENCE_SECONDS
        while True:
            try:
                self._transfer.pull(reference, self._password())
                return
            except TransferError as error:
                if NOBODY_LISTENS not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)

    def push(self, image: str, repository_uri: str, tag: str) -> str:
        """Push a local image into a repository of the registry; return its digest. Raises TransferError."""
        return self._transfer.push(image, f"{self._address()}/{repository_uri}:{tag}", self._password())

    def _password(self) -> str:
        return make_password(self._registry.key, self._clock() + PASSWORD_SECONDS)

    def _address(self) -> str:
        """Return where the registry listens, once it does."""
        deadline = time.monotonic() + REGISTRY_PATIENCE_SECONDS
        while (address := self._registry.address()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError("the registry does not come up; see registry.log")
            time.sleep(POLL_SECONDS)
        return address

    def _record_pull(self, name: str) -> None:
        """Say in the image's record when it was pulled."""
        now = self._clock()
        with self._store.transaction() as transaction:
            found = referenced_image(transaction.world, name)
            if found and (found.image.pulled_at is None or now - found.image.pulled_at > PULL_RECORD_SECONDS):
                transaction.put(replace(found.image, pulled_at=now))
