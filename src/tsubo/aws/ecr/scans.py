"""Image scans: Tsubo does not scan images, and says so as ECR does of an image that it cannot scan."""

from dataclasses import replace
from datetime import UTC, datetime

from tsubo.aws.ecr.images import image_ids
from tsubo.aws.ecr.lookup import existing_image, find_repository, image_id_text
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.ecr import Image, Repository

STATUS = {
    "status": "FAILED",
    "description": "UnsupportedImageError: The operating system and/or package manager are not supported.",
}


def start_image_scan(call: Call, request: Request) -> Response:
    """StartImageScan: once a day an image. Raises LimitExceededException."""
    repository = find_repository(call, request)
    image = existing_image(call, repository, request["imageId"])
    if image.scanned_at is not None and _day(image.scanned_at) == _day(call.now):
        raise AwsError("LimitExceededException", "The scan quota per image has been exceeded. Wait and try again.")
    call.put(replace(image, scanned_at=call.now))
    return {**_names(repository, image), "imageScanStatus": {"status": "IN_PROGRESS"}}


def describe_image_scan_findings(call: Call, request: Request) -> Response:
    """DescribeImageScanFindings. Raises ScanNotFoundException."""
    repository = find_repository(call, request)
    image = existing_image(call, repository, request["imageId"])
    if image.scanned_at is None:
        raise AwsError(
            "ScanNotFoundException",
            f"Image scan does not exist for the image with '{image_id_text(request['imageId'])}' in the repository "
            f"with name '{repository.name}' in the registry with id '{repository.registry_id}'",
        )
    return {**_names(repository, image), "imageScanStatus": STATUS}


def put_image_scanning_configuration(call: Call, request: Request) -> Response:
    """PutImageScanningConfiguration."""
    configuration = request.get("imageScanningConfiguration") or {}
    repository = replace(find_repository(call, request), scan_on_push=bool(configuration.get("scanOnPush")))
    call.put(repository)
    return {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
    }


def _names(repository: Repository, image: Image) -> Response:
    return {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "imageId": image_ids(image)[0],
    }


def _day(seconds: float) -> object:
    return datetime.fromtimestamp(seconds, UTC).date()
