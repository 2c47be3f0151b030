"""Images: put, fetched, deleted. A push by docker is the registry process's PutImage (`engine/registry_app.py`)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tsubo.aws.ecr.lookup import DIGEST, find_repository, image_of, images_of, invalid, registry_of
from tsubo.aws.ecr.manifests import Manifest, read_manifest
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.ecr import Image, Repository

ImageId = Mapping[str, str]


def put_image(call: Call, request: Request) -> Response:
    """PutImage: a new image, or another tag for one that is here. The tag leaves the image that had it.

    Raises ImageTagAlreadyExistsException for a tag that may not be moved, whatever it is on.
    """
    repository = find_repository(call, request)
    manifest = read_manifest(request["imageManifest"], request.get("imageManifestMediaType"))
    tag, wanted_digest = request.get("imageTag"), request.get("imageDigest")
    if wanted_digest is not None and wanted_digest != manifest.digest:
        raise AwsError(
            "ImageDigestDoesNotMatchException",
            f"The provided digest '{wanted_digest}' does not match the digest of the image '{manifest.digest}'",
        )
    image = call.world.images.get(f"{repository.arn}@{manifest.digest}")
    holder = image_of(call, repository, {"imageTag": tag}) if tag else None
    if tag and holder is not None and repository.is_immutable(tag):
        raise AwsError(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten "
            "because the tag is immutable.",
        )
    if image is not None and (tag is None or tag in image.tags):
        raise _already_exists(repository, image, tag)
    if image is None:
        _require_parts(call, repository, manifest)
        image = _new_image(call, repository, manifest, request["imageManifest"])
    if tag:
        if holder is not None:
            call.put(replace(holder, tags=tuple(each for each in holder.tags if each != tag)))
        image = replace(image, tags=(*image.tags, tag))
    call.put(image)
    return {"image": _image_view(repository, image, tag)}


def _already_exists(repository: Repository, image: Image, tag: str | None) -> AwsError:
    tagged = f" and tag '{tag}'" if tag else ""
    return AwsError(
        "ImageAlreadyExistsException",
        f"Image with digest '{image.digest}'{tagged} already exists in the repository with name "
        f"'{repository.name}' in registry with id '{repository.registry_id}'",
    )


def _require_parts(call: Call, repository: Repository, manifest: Manifest) -> None:
    """Raise an error for an image that lacks some of its layers, or an index that lacks some of its images.

    One that lacks them all is taken as a mere record, which AWS would refuse: clients that write records of images, and
    run none of them, can do so with moto. The registry's own API takes nothing that is not whole.
    """
    absent = [digest for digest in manifest.children if f"{repository.arn}@{digest}" not in call.world.images]
    if absent and len(absent) < len(manifest.children):
        raise AwsError(
            "ReferencedImagesNotFoundException",
            f"The following images referenced by the manifest list do not exist: [{', '.join(absent)}]",
        )
    needed = [blob.digest for blob in (manifest.config, *manifest.layers) if blob is not None]
    missing = [digest for digest in needed if registry_of(call).layers.size(digest) is None]
    if missing and len(missing) < len(needed):
        raise AwsError(
            "LayersNotFoundException",
            f"The layers with digests '[{', '.join(missing)}]' could not be found in the repository with name "
            f"'{repository.name}' in the registry with id '{repository.registry_id}'",
        )


def _new_image(call: Call, repository: Repository, manifest: Manifest, text: str) -> Image:
    return Image(
        repository_arn=repository.arn,
        digest=manifest.digest,
        manifest=text,
        media_type=manifest.media_type,
        pushed_at=call.now,
        config=manifest.config,
        layers=manifest.layers,
        children=manifest.children,
        artifact_type=manifest.artifact_type,
        scanned_at=call.now if repository.scan_on_push else None,
    )


def batch_get_image(call: Call, request: Request) -> Response:
    """BatchGetImage."""
    repository = find_repository(call, request)
    found, failures = [], []
    for image_id in _image_ids(request):
        failure, image = _look_up(call, repository, image_id)
        if image is None:
            failures.append(failure)
        else:
            found.append(_image_view(repository, image, image_id.get("imageTag")))
    return {"images": found, "failures": failures}


def batch_delete_image(call: Call, request: Request) -> Response:
    """BatchDeleteImage: by tag the tag, and with its last tag the image; by digest the image with all its tags."""
    repository = find_repository(call, request)
    deleted: list[dict[str, str]] = []
    failures: list[Any] = []
    for image_id in _image_ids(request):
        failure, image = _look_up(call, repository, image_id)
        if image is None:
            failures.append(failure)
        elif "imageDigest" not in image_id and len(image.tags) > 1:
            tag = image_id["imageTag"]
            call.put(replace(image, tags=tuple(each for each in image.tags if each != tag)))
            deleted.append({"imageDigest": image.digest, "imageTag": tag})
        elif parents := _indexes_with(call, repository, image):
            reason = f"Requested image referenced by manifest list: [{', '.join(parents)}]"
            failures.append(_failure(image_id, "ImageReferencedByManifestList", reason))
        else:
            call.delete(image)
            deleted += image_ids(image)
    return {"imageIds": deleted, "failures": failures}


def _image_ids(request: Request) -> list[ImageId]:
    ids: list[ImageId] = request["imageIds"]
    if not ids:
        raise invalid("imageIds", "Member must have length greater than or equal to 1")
    return ids


def _look_up(call: Call, repository: Repository, image_id: ImageId) -> tuple[Any, Image | None]:
    """Return the image that an id means, or the failure with which a batch reports that there is none."""
    digest = image_id.get("imageDigest")
    if digest is None and image_id.get("imageTag") is None:
        reason = "Invalid request parameters: both tag and digest cannot be null"
        return _failure(image_id, "MissingDigestAndTag", reason), None
    if digest is not None and not DIGEST.fullmatch(digest):
        pattern = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"
        reason = f"Invalid request parameters: image digest should satisfy the regex '{pattern}'"
        return _failure(image_id, "InvalidImageDigest", reason), None
    image = image_of(call, repository, image_id)
    return _failure(image_id, "ImageNotFound", "Requested image not found"), image


def _failure(image_id: ImageId, code: str, reason: str) -> Any:
    return {"imageId": dict(image_id), "failureCode": code, "failureReason": reason}


def _indexes_with(call: Call, repository: Repository, image: Image) -> list[str]:
    """Return the digests of the indexes that an image is part of: they go before it."""
    return [each.digest for each in images_of(call, repository) if image.digest in each.children]


def image_ids(image: Image) -> list[dict[str, str]]:
    """Return an image's ids: one a tag, or the digest alone."""
    tagged = [{"imageDigest": image.digest, "imageTag": tag} for tag in image.tags]
    return tagged or [{"imageDigest": image.digest}]


def _image_view(repository: Repository, image: Image, tag: str | None) -> Response:
    return {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "imageId": {"imageDigest": image.digest, **({"imageTag": tag} if tag else {})},
        "imageManifest": image.manifest,
        "imageManifestMediaType": image.media_type,
    }
