"""Finding the repository and the image a request names, and ECR's errors that several operations share.

Source: aws/ecs-cloudmap-exec.md section 16; the words of the messages are AWS's.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from tsubo.aws.image_registry import ImageRegistry
from tsubo.aws.operations import AwsError, Call, Request
from tsubo.model.ecr import Image, Repository

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def invalid(member: str, constraint: str) -> AwsError:
    """Return ECR's error for a parameter that does not satisfy a constraint."""
    return AwsError(
        "InvalidParameterException", f"Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'"
    )


def registry_id(call: Call, request: Request) -> str:
    """Return the account whose registry a request means: its own unless it says another."""
    return str(request.get("registryId") or call.account_id)


def repository_arn(call: Call, account_id: str, name: str) -> str:
    """Return the ARN that a repository of this region has."""
    return f"arn:aws:ecr:{call.region}:{account_id}:repository/{name}"


def find_repository(call: Call, request: Request) -> Repository:
    """Return the repository that a request names. Raises RepositoryNotFoundException."""
    return repository_named(call, registry_id(call, request), request["repositoryName"])


def repository_named(call: Call, account_id: str, name: str) -> Repository:
    """Return the repository of a name in an account's registry. Raises RepositoryNotFoundException."""
    repository = call.world.repositories.get(repository_arn(call, account_id, name))
    if repository is None:
        raise AwsError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{account_id}'",
        )
    return repository


def images_of(call: Call, repository: Repository) -> list[Image]:
    """Return a repository's images, those pushed first first."""
    images = [image for image in call.world.images.values() if image.repository_arn == repository.arn]
    return sorted(images, key=lambda image: image.pushed_at)


def image_of(call: Call, repository: Repository, image_id: Mapping[str, str]) -> Image | None:
    """Return the image that an image id (digest, tag, or both) means; None if there is none."""
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    if digest is not None:
        image = call.world.images.get(f"{repository.arn}@{digest}")
        return image if image is not None and (tag is None or tag in image.tags) else None
    return next((image for image in images_of(call, repository) if tag in image.tags), None)


def existing_image(call: Call, repository: Repository, image_id: Mapping[str, str]) -> Image:
    """Return the image that an image id means. Raises ImageNotFoundException."""
    if not image_id.get("imageDigest") and not image_id.get("imageTag"):
        raise AwsError("InvalidParameterException", "Invalid request parameters: both tag and digest cannot be null")
    image = image_of(call, repository, image_id)
    if image is None:
        raise AwsError(
            "ImageNotFoundException",
            f"The image with imageId {image_id_text(image_id)} does not exist within the repository with name "
            f"'{repository.name}' in the registry with id '{repository.registry_id}'",
        )
    return image


def image_id_text(image_id: Mapping[str, str]) -> str:
    """Return an image id as ECR's messages write it."""
    digest, tag = image_id.get("imageDigest") or "null", image_id.get("imageTag") or "null"
    return f"{{imageDigest:'{digest}', imageTag:'{tag}'}}"


def registry_of(call: Call) -> ImageRegistry:
    """Return where the registry's layers are. Raises ServerException in an endpoint that has none."""
    if call.registry is None:
        raise AwsError("ServerException", "This endpoint has no image registry.", status=500)
    return call.registry


def json_object(text: str, refusal: AwsError) -> dict[str, Any]:
    """Return a JSON object of a text; raise `refusal` for any other text."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refusal from error
    if not isinstance(content, dict):
        raise refusal
    return content
