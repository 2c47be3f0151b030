"""ECR's operations, checked, on an empty world, with a registry whose files are in a directory of the test's own."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.aws.checked import Checked
from tsubo.aws.ecr import OPERATIONS
from tsubo.aws.image_registry import ImageRegistry, signing_key
from tsubo.drivers.layer_store import LayerStore

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
CONFIG = "application/vnd.docker.container.image.v1+json"


def digest_of(content: str | bytes) -> str:
    """Return the digest of a content."""
    return f"sha256:{hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()}"


class Ecr(Checked):
    """ECR with one repository `web`, and images to push there."""

    def __init__(self, directory: Path) -> None:
        super().__init__("ecr", OPERATIONS)
        self.layers = LayerStore(directory)
        self.registry = ImageRegistry(self.layers, signing_key("secret"), lambda: "127.16.17.1:5000")
        self("CreateRepository", repositoryName="web")

    def upload(self, content: bytes) -> str:
        """Upload a layer as docker does; return its digest."""
        upload_id = self.layers.begin()
        self.layers.append(upload_id, content)
        self.layers.finish(upload_id, digest_of(content))
        return digest_of(content)

    def manifest(self, name: str, upload: bool = True) -> str:
        """Return the manifest of an image with one layer and a configuration of its own, uploaded or not."""
        parts = [(CONFIG, f"{name} config".encode()), (LAYER, f"{name} layer".encode())]
        config, layer = [
            {
                "mediaType": media_type,
                "size": len(content),
                "digest": self.upload(content) if upload else digest_of(content),
            }
            for media_type, content in parts
        ]
        return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]})

    def put(self, name: str, *tags: str, repository: str = "web") -> str:
        """Put an image under these tags (or none); return its digest."""
        manifest = self.manifest(name)
        for tag in tags or (None,):
            tagged: dict[str, Any] = {"imageTag": tag} if tag else {}
            self("PutImage", repositoryName=repository, imageManifest=manifest, **tagged)
            self.now += 1
        return digest_of(manifest)

    def tags(self, digest: str) -> list[str]:
        """Return an image's tags as DescribeImages shows them."""
        details = self("DescribeImages", repositoryName="web", imageIds=[{"imageDigest": digest}])["imageDetails"]
        tags: list[str] = details[0].get("imageTags", [])
        return tags


@pytest.fixture
def ecr(tmp_path: Path) -> Ecr:
    return Ecr(tmp_path / "registry")
