"""Reading a manifest: what it is, which layers it needs, and which manifests an index is made of.

Goes in: the text of a Docker (schema 2) or OCI manifest. Comes out: its digest and its parts, or ECR's refusal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from tsubo.aws.ecr.lookup import invalid, json_object
from tsubo.aws.operations import AwsError
from tsubo.model.ecr import INDEX_MEDIA_TYPES, Blob

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MEDIA_TYPES = INDEX_MEDIA_TYPES | {OCI_MANIFEST, DOCKER_MANIFEST}


@dataclass(frozen=True)
class Manifest:
    """A manifest's parts. `config` and `layers` of an image, `children` (digests) of an index."""

    digest: str
    media_type: str
    config: Blob | None = None
    layers: tuple[Blob, ...] = ()
    children: tuple[str, ...] = ()
    artifact_type: str | None = None


def read_manifest(text: str, media_type: str | None) -> Manifest:
    """Return a manifest's parts; `media_type` is what the client says it is. Raises InvalidParameterException."""
    content = json_object(text, invalid("ImageManifest", "Invalid JSON syntax"))
    media_type = media_type or content.get("mediaType")
    if media_type not in MEDIA_TYPES:
        raise AwsError("InvalidParameterException", "image manifest mediatype not provided in manifest or parameter")
    digest = f"sha256:{sha256(text.encode()).hexdigest()}"
    try:
        if media_type in INDEX_MEDIA_TYPES:
            children = tuple(str(each["digest"]) for each in content.get("manifests") or ())
            return Manifest(digest, media_type, children=children, artifact_type=content.get("artifactType"))
        config = _blob(content["config"]) if content.get("config") else None
        layers = tuple(_blob(each) for each in content.get("layers") or ())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise invalid("ImageManifest", "Invalid image manifest") from error
    artifact_type = content.get("artifactType") or (config.media_type if config else None)
    return Manifest(digest, media_type, config, layers, (), artifact_type)


def _blob(descriptor: Mapping[str, Any]) -> Blob:
    return Blob(str(descriptor["digest"]), str(descriptor.get("mediaType", "")), int(descriptor.get("size", 0)))
