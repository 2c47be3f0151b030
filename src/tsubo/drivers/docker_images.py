"""Images between the container engine and a registry on this machine: pulled, pushed, forgotten.

The registry is called by its loopback address, which docker lets speak plain HTTP.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import docker
import docker.errors

USER_NAME = "AWS"


class TransferError(Exception):
    """An image could not be pulled or pushed; the text is the container engine's."""


class ImageTransfer:
    """Moves images by the container engine. `password` is the registry's; a reference begins with its address."""

    def __init__(self, client: docker.APIClient) -> None:
        self._client = client

    def pull(self, reference: str, password: str) -> None:
        """Fetch an image. Raises TransferError."""
        with _transfer_errors():
            _follow(self._client.pull(reference, stream=True, decode=True, auth_config=_credentials(password)))

    def push(self, image: str, reference: str, password: str) -> str:
        """Push a local image under a reference (with a tag); return its digest there. Raises TransferError."""
        repository, _, tag = reference.rpartition(":")
        with _transfer_errors():
            self._client.tag(image, repository, tag)
            try:
                events = self._client.push(
                    repository, tag, stream=True, decode=True, auth_config=_credentials(password)
                )
                found = _follow(events)
            finally:
                self._remove(reference)
        return str(found["Digest"])

    def forget(self, prefix: str) -> int:
        """Remove every reference that begins so, and images that have no other; return how many there were."""
        references = [
            reference
            for image in self._client.images()
            for reference in [*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())]
            if reference.startswith(prefix)
        ]
        for reference in references:
            self._remove(reference)
        return len(references)

    def _remove(self, reference: str) -> None:
        # It may be gone with another of its references, or in use by a container that is not ours.
        with contextlib.suppress(docker.errors.APIError):
            self._client.remove_image(reference)


def _credentials(password: str) -> dict[str, str]:
    return {"username": USER_NAME, "password": password}


def _follow(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Follow a transfer to its end; return what the engine said of its result. Raises TransferError."""
    result: dict[str, Any] = {}
    for event in events:
        if "error" in event:
            raise TransferError(str(event["error"]))
        result.update(event.get("aux") or {})
    return result


@contextlib.contextmanager
def _transfer_errors() -> Iterator[None]:
    try:
        yield
    except docker.errors.APIError as error:
        raise TransferError(error.explanation or str(error)) from error
