"""The command line's requests about images: push one into ECR, and how docker finds the registry."""

from collections.abc import Iterator, Mapping
from typing import Any

from tsubo.core.registry_names import REFERENCE, find_repository, registry_hosts
from tsubo.drivers.docker_images import TransferError
from tsubo.engine.context import EngineContext
from tsubo.engine.errors import FAILED, NOT_FOUND, USAGE, UserError
from tsubo.engine.registry_address import read_address
from tsubo.engine.registry_trust import disable, enable, enabled_hosts
from tsubo.model.ecr import registry_host

Event = dict[str, Any]
Parameters = Mapping[str, Any]


def push(context: EngineContext, parameters: Parameters) -> Iterator[Event]:
    """Push an image of the container engine into a repository of Tsubo's ECR. Raises UserError."""
    image = str(parameters["image"])
    name, tag = split_tag(image)
    identity = context.home.identity
    target = parameters.get("repository") or name
    found = REFERENCE.fullmatch(target)
    account, region = (found["account"], found["region"]) if found else (identity.account_id, identity.default_region)
    wanted = found["name"] if found else target
    repository = find_repository(context.store.world, account, region, wanted)
    if repository is None:
        raise UserError(
            f"There is no repository {wanted} in {registry_host(account, region)}.",
            f"Make it: aws ecr create-repository --region {region} --repository-name {wanted}",
            NOT_FOUND,
        )
    pushed_tag = (found["tag"] if found else None) or tag
    yield {"type": "progress", "text": f"{name}:{tag} -> {repository.uri}:{pushed_tag}"}
    try:
        digest = context.images.push(f"{name}:{tag}", repository.uri, pushed_tag)
    except TransferError as error:
        raise UserError(str(error), "`docker images` lists what can be pushed.", FAILED) from error
    yield {"type": "result", "image": f"{repository.uri}:{pushed_tag}", "digest": digest}


def split_tag(image: str) -> tuple[str, str]:
    """Return an image's name and tag (`latest` if it says none). Raises UserError for a digest."""
    if "@" in image:
        raise UserError(f"{image} is a digest; push needs a tag.", "tsubo push IMAGE[:TAG] [REPOSITORY]", USAGE)
    name, colon, tag = image.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (image, "latest")


def registry(context: EngineContext, parameters: Parameters) -> Iterator[Event]:
    """Say where the registry is; enable or disable AWS's names for it on this machine. Raises UserError."""
    action = parameters.get("action", "status")
    regions = parameters.get("regions") or ()
    if action == "enable":
        account_id = context.home.identity.account_id
        named = [registry_host(account_id, region) for region in regions]
        enable(context.home, sorted({*enabled_hosts(context.home), *named, *registry_hosts(context.store.world)}))
    elif action == "disable":
        disable(context.home)
    address = read_address(context.home.path)
    yield {
        "type": "result",
        "address": str(address) if address else None,
        "hosts": enabled_hosts(context.home),
        "known_hosts": registry_hosts(context.store.world),
    }
