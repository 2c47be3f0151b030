"""ECR: repositories, the images in them, and a region's settings of the registry.

An image is its manifest; the layers and configuration that the manifest names are files of the registry
(`drivers/layer_store.py`), known here by digest alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tsubo.model.vpc import Tags

INDEX_MEDIA_TYPES = frozenset(
    {"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json"}
)


@dataclass(frozen=True)
class Repository:
    """A repository. `mutability_exclusions` are the tag patterns that `tag_mutability` does not hold for, if it is
    one of the two `_WITH_EXCLUSION`. The policies are the JSON texts as given."""

    arn: str
    name: str
    region: str
    created_at: float
    tag_mutability: str = "MUTABLE"
    mutability_exclusions: tuple[str, ...] = ()
    scan_on_push: bool = False
    encryption_type: str = "AES256"
    kms_key: str | None = None
    policy: str | None = None
    lifecycle_policy: str | None = None
    previewed_policy: str | None = None
    """The lifecycle policy of which StartLifecyclePolicyPreview asked what it would do."""
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.arn

    @property
    def registry_id(self) -> str:
        """The account whose registry it is in."""
        return self.arn.split(":")[4]

    @property
    def uri(self) -> str:
        """What `docker push` and a task definition call it."""
        return f"{registry_host(self.registry_id, self.region)}/{self.name}"

    def is_immutable(self, tag: str) -> bool:
        """Return whether a tag, once given, stays where it is."""
        excluded = any(fnmatchcase(tag, pattern) for pattern in self.mutability_exclusions)
        return self.tag_mutability.startswith("IMMUTABLE") != (excluded and self.tag_mutability.endswith("_EXCLUSION"))


@dataclass(frozen=True)
class Blob:
    """A layer or a configuration as a manifest names it."""

    digest: str
    media_type: str
    size: int


@dataclass(frozen=True)
class Image:
    """An image, an artifact or an index. `manifest` is the text as pushed: its SHA-256 is the digest.

    `children` are the digests of an index's manifests. Times are seconds since the epoch.
    """

    repository_arn: str
    digest: str
    manifest: str
    media_type: str
    pushed_at: float
    tags: tuple[str, ...] = ()
    config: Blob | None = None
    layers: tuple[Blob, ...] = ()
    children: tuple[str, ...] = ()
    artifact_type: str | None = None
    scanned_at: float | None = None
    pulled_at: float | None = None

    @property
    def key(self) -> str:
        return f"{self.repository_arn}@{self.digest}"

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """The configuration and the layers: all that the registry must have for the image to be pulled."""
        return (self.config, *self.layers) if self.config else self.layers


@dataclass(frozen=True)
class RegistrySettings:
    """What is said of a region's whole registry."""

    region: str
    policy: str | None = None
    replication_rules: tuple[Mapping[str, Any], ...] = ()
    scan_type: str = "BASIC"
    scan_rules: tuple[Mapping[str, Any], ...] = ()

    @property
    def key(self) -> str:
        return self.region


def registry_host(account_id: str, region: str) -> str:
    """Return the host name of an account's registry in a region (aws/ecs-cloudmap-exec.md section 16)."""
    return f"{account_id}.dkr.ecr.{region}.amazonaws.com"
