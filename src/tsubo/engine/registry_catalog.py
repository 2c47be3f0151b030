"""The registry's manifests and tags: each question is a call of ECR's API, so both faces of ECR have one truth.

ECR's errors become the registry's (aws/ecs-cloudmap-exec.md section 16): what docker prints of a push to a repository
that does not exist, or of a tag that may not be moved, are ECR's words.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from tsubo.core.registry_names import RegistryPath

CONTROLLER_PATIENCE_SECONDS = 15.0
"""How long a request waits for the controller, which may just be starting again."""
POLL_SECONDS = 0.1

REFUSALS: Mapping[str, tuple[int, str]] = {
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "ImageNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID"),
    "LayersNotFoundException": (400, "MANIFEST_BLOB_UNKNOWN"),
    "ReferencedImagesNotFoundException": (400, "MANIFEST_BLOB_UNKNOWN"),
    "InvalidParameterException": (400, "MANIFEST_INVALID"),
}


class RegistryError(Exception):
    """A request that the registry refuses: an HTTP status, a code of the registry's API, ECR's words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class StoredManifest:
    """A manifest as pushed."""

    digest: str
    media_type: str
    content: bytes


class Catalog:
    """ECR's operations on an engine's endpoint, in the registry's words. Each method may raise RegistryError."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        """`client` returns botocore's client of ECR in a region."""
        self._client = client

    def begin_upload(self, path: RegistryPath) -> str:
        """Begin the upload of a layer and return its id."""
        return str(self._call(path, "initiate_layer_upload")["uploadId"])

    def put(self, path: RegistryPath, content: bytes, media_type: str) -> str:
        """Store a manifest by tag or digest, and return its digest; one that is here already is no error."""
        self._call(
            path,
            "put_image",
            accepted="ImageAlreadyExistsException",
            imageManifest=_text(content),
            **({"imageManifestMediaType": media_type} if media_type else {}),
            **_image_id(path.reference),
        )
        return f"sha256:{sha256(content).hexdigest()}"

    def get(self, path: RegistryPath) -> StoredManifest:
        """Return the manifest of a tag or digest."""
        answer = self._call(path, "batch_get_image", imageIds=[_image_id(path.reference)])
        if not answer["images"]:
            raise RegistryError(404, "MANIFEST_UNKNOWN", answer["failures"][0]["failureReason"])
        image = answer["images"][0]
        content = image["imageManifest"].encode()
        return StoredManifest(image["imageId"]["imageDigest"], image["imageManifestMediaType"], content)

    def missing(self, path: RegistryPath, digests: list[str]) -> list[str]:
        """Return which of these manifests the repository does not have."""
        if not digests:
            return []
        answer = self._call(path, "batch_get_image", imageIds=[{"imageDigest": digest} for digest in digests])
        return [str(failure["imageId"]["imageDigest"]) for failure in answer["failures"]]

    def delete(self, path: RegistryPath) -> None:
        """Delete a tag, or a manifest with all its tags."""
        answer = self._call(path, "batch_delete_image", imageIds=[_image_id(path.reference)])
        for failure in answer["failures"]:
            unknown = failure["failureCode"] == "ImageNotFound"
            raise RegistryError(*((404, "MANIFEST_UNKNOWN") if unknown else (400, "DENIED")), failure["failureReason"])

    def tags(self, path: RegistryPath) -> list[str]:
        """Return all tags of a repository, sorted."""
        tags: list[str] = []
        token: dict[str, str] = {}
        while True:
            answer = self._call(path, "list_images", filter={"tagStatus": "TAGGED"}, maxResults=1000, **token)
            tags += [image_id["imageTag"] for image_id in answer["imageIds"]]
            if "nextToken" not in answer:
                return sorted(tags)
            token = {"nextToken": answer["nextToken"]}

    def _call(self, path: RegistryPath, operation: str, accepted: str = "", **parameters: Any) -> Any:
        """Make a call; return {} for the error that is `accepted`."""
        # Loaded at the first request: an engine whose registry nobody uses shall not pay for it.
        from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError  # noqa: PLC0415

        method = getattr(self._client(path.region), operation)
        deadline = time.monotonic() + CONTROLLER_PATIENCE_SECONDS
        while True:
            try:
                return method(registryId=path.account_id, repositoryName=path.name, **parameters)
            except ClientError as error:
                details = error.response["Error"]
                if details["Code"] == accepted:
                    return {}
                status, code = REFUSALS.get(details["Code"], (500, "UNKNOWN"))
                raise RegistryError(status, code, details["Message"]) from error
            except BotoCoreError as error:
                # A call that was never received may be made again; of any other, nobody knows what it has done.
                if not isinstance(error, EndpointConnectionError) or time.monotonic() > deadline:
                    raise RegistryError(503, "UNAVAILABLE", "The engine's controller does not answer.") from error
                time.sleep(POLL_SECONDS)


def _image_id(reference: str) -> dict[str, str]:
    """Return ECR's image id of a reference in a path: what has a colon is a digest."""
    return {"imageDigest": reference} if ":" in reference else {"imageTag": reference}


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise RegistryError(400, "MANIFEST_INVALID", "manifest invalid: not UTF-8") from error
