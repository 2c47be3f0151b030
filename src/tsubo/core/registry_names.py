"""What the registry is asked for: an image reference of a task, and a path of the registry's own HTTP API.

Both name a repository by an account, a region and a name. In a path the first two come from the host that the client
called, or from the name itself where a client cannot call that host:
`127.16.3.1:5000/123456789012.dkr.ecr.eu-west-1.amazonaws.com/nginx:1`.
"""

import re
from dataclasses import dataclass
from typing import Literal

from tsubo.model.ecr import Image, Repository, registry_host
from tsubo.model.identity import EngineIdentity
from tsubo.model.world import World

REGISTRY = r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com"
REFERENCE = re.compile(rf"{REGISTRY}/(?P<name>[^:@]+)(:(?P<tag>[^@]+))?(@(?P<digest>.+))?")
HOST = re.compile(rf"{REGISTRY}(:\d+)?")
NAME_IN_PATH = re.compile(rf"{REGISTRY}/(?P<name>.+)")

Kind = Literal["base", "uploads", "blobs", "manifests", "tags"]
PATHS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("base", re.compile(r"/v2/?(?P<name>)(?P<reference>)")),
    ("uploads", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/?(?P<reference>[^/]*)")),
    ("blobs", re.compile(r"/v2/(?P<name>.+)/blobs/(?P<reference>[^/]+)")),
    ("manifests", re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")),
    ("tags", re.compile(r"/v2/(?P<name>.+)/tags/(?P<reference>list)")),
)


@dataclass(frozen=True)
class RegistryPath:
    """What a request to the registry is about. `prefix` is `/v2/` and the repository's name as the client wrote it."""

    kind: Kind
    account_id: str
    region: str
    name: str
    reference: str
    prefix: str


def parse_path(path: str, host: str, engine: EngineIdentity) -> RegistryPath | None:
    """Return what a path means, asked of this `Host`; None if the registry has no such path."""
    for kind, pattern in PATHS:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        inner = NAME_IN_PATH.fullmatch(found["name"])
        place = inner or HOST.fullmatch(host)
        return RegistryPath(
            kind,
            account_id=place["account"] if place else engine.account_id,
            region=place["region"] if place else engine.default_region,
            name=inner["name"] if inner else found["name"],
            reference=found["reference"],
            prefix=f"/v2/{found['name']}",
        )
    return None


@dataclass(frozen=True)
class ReferencedImage:
    """An image that a reference means. `name` is what the engine's registry calls it, digest included."""

    image: Image
    name: str


def referenced_image(world: World, reference: str) -> ReferencedImage | None:
    """Return the image of the engine's registry that a reference means; None if there is none."""
    found = REFERENCE.fullmatch(reference)
    if found is None:
        return None
    repository = find_repository(world, found["account"], found["region"], found["name"])
    if repository is None:
        return None
    image = _image(world, repository, found["tag"] or "latest", found["digest"])
    return ReferencedImage(image, f"{repository.uri}@{image.digest}") if image is not None else None


def find_repository(world: World, account_id: str, region: str, name: str) -> Repository | None:
    """Return a repository of an account's registry in a region."""
    return world.repositories.get(f"arn:aws:ecr:{region}:{account_id}:repository/{name}")


def _image(world: World, repository: Repository, tag: str, digest: str | None) -> Image | None:
    if digest is not None:
        return world.images.get(f"{repository.arn}@{digest}")
    images = (image for image in world.images.values() if image.repository_arn == repository.arn)
    return next((image for image in images if tag in image.tags), None)


def registry_hosts(world: World) -> list[str]:
    """Return the host names by which clients call the registry: of each region with a repository, and the default."""
    engine = world.engine
    regions = {repository.region for repository in world.repositories.values()} | {engine.default_region}
    return [registry_host(engine.account_id, region) for region in sorted(regions)]
