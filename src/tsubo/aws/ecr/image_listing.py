"""Images as DescribeImages and ListImages show them."""

from datetime import UTC, datetime
from typing import Any

from tsubo.aws.ecr import scans
from tsubo.aws.ecr.images import image_ids
from tsubo.aws.ecr.lookup import existing_image, find_repository, images_of, invalid
from tsubo.aws.operations import Call, Request, Response
from tsubo.aws.paging import InvalidToken, page
from tsubo.model.ecr import Image, Repository

PAGE_SIZE = 100


def describe_images(call: Call, request: Request) -> Response:
    """DescribeImages: those named (each once), or all of a tag status."""
    repository = find_repository(call, request)
    if request.get("imageIds"):
        named = {image.key: image for image in (existing_image(call, repository, i) for i in request["imageIds"])}
        return {"imageDetails": [_details(call, repository, image) for image in named.values()]}
    images, token = _page(_filtered(images_of(call, repository), request), request)
    response: Response = {"imageDetails": [_details(call, repository, image) for image in images]}
    return {**response, "nextToken": token} if token else response


def list_images(call: Call, request: Request) -> Response:
    """ListImages: an id for each tag, and for each image without one."""
    repository = find_repository(call, request)
    ids = [each for image in _filtered(images_of(call, repository), request) for each in image_ids(image)]
    shown, token = _page(ids, request)
    response: Response = {"imageIds": shown}
    return {**response, "nextToken": token} if token else response


def _filtered(images: list[Image], request: Request) -> list[Image]:
    status = (request.get("filter") or {}).get("tagStatus", "ANY")
    if status not in ("ANY", "TAGGED", "UNTAGGED"):
        raise invalid("filter.tagStatus", "Member must satisfy enum value set: [TAGGED, UNTAGGED, ANY]")
    return [image for image in images if status == "ANY" or bool(image.tags) == (status == "TAGGED")]


def _page(items: list[Any], request: Request) -> tuple[list[Any], str | None]:
    try:
        return page(items, request.get("nextToken"), request.get("maxResults") or PAGE_SIZE)
    except InvalidToken as error:
        raise invalid("nextToken", "Invalid token") from error


def _details(call: Call, repository: Repository, image: Image) -> Response:
    details: Response = {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "imageDigest": image.digest,
        "imageSizeInBytes": _size(call, repository, image),
        "imagePushedAt": datetime.fromtimestamp(image.pushed_at, UTC),
        "imageManifestMediaType": image.media_type,
    }
    if image.tags:
        details["imageTags"] = list(image.tags)
    if image.artifact_type:
        details["artifactMediaType"] = image.artifact_type
    if image.pulled_at is not None:
        details["lastRecordedPullTime"] = datetime.fromtimestamp(image.pulled_at, UTC)
    if image.scanned_at is not None:
        details["imageScanStatus"] = scans.STATUS
    return details


def _size(call: Call, repository: Repository, image: Image) -> int:
    """Return the size of an image's layers, and of an index the largest of its images."""
    children = (call.world.images.get(f"{repository.arn}@{digest}") for digest in image.children)
    sizes = [_size(call, repository, child) for child in children if child is not None]
    return max(sizes, default=0) if image.children else sum(layer.size for layer in image.layers)
