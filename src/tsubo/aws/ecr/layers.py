"""Layers by ECR's own API: what is here, where to fetch it, and uploads in parts.

docker takes the registry's API instead (`engine/registry_app.py`); both bring the same files.
"""

from tsubo.aws.ecr.lookup import DIGEST, find_repository, images_of, registry_of
from tsubo.aws.image_registry import make_password
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.ecr import Repository

PART_BYTES = 20 * 1024 * 1024
DOWNLOAD_SECONDS = 3600
DEFAULT_MEDIA_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def batch_check_layer_availability(call: Call, request: Request) -> Response:
    """BatchCheckLayerAvailability."""
    repository = find_repository(call, request)
    media_types = {blob.digest: blob.media_type for image in images_of(call, repository) for blob in image.blobs}
    layers, failures = [], []
    for digest in request["layerDigests"]:
        size = registry_of(call).layers.size(digest)
        if not DIGEST.fullmatch(digest):
            failures.append(_failure(digest, "InvalidLayerDigest", f"Invalid layer digest '{digest}'"))
        elif size is None:
            failures.append(_failure(digest, "MissingLayerDigest", f"Layer digest '{digest}' could not be found"))
        else:
            layers.append(
                {
                    "layerDigest": digest,
                    "layerAvailability": "AVAILABLE",
                    "layerSize": size,
                    "mediaType": media_types.get(digest, DEFAULT_MEDIA_TYPE),
                }
            )
    return {"layers": layers, "failures": failures}


def _failure(digest: str, code: str, reason: str) -> Response:
    return {"layerDigest": digest, "failureCode": code, "failureReason": reason}


def get_download_url_for_layer(call: Call, request: Request) -> Response:
    """GetDownloadUrlForLayer: a URL of the registry that carries its own password for an hour."""
    repository, digest, registry = find_repository(call, request), request["layerDigest"], registry_of(call)
    if registry.layers.size(digest) is None:
        raise AwsError(
            "LayersNotFoundException",
            f"The layer with digest '{digest}' does not exist within the repository with name '{repository.name}' in "
            f"the registry with id '{repository.registry_id}'",
        )
    password = make_password(registry.key, call.now + DOWNLOAD_SECONDS)
    path = f"/v2/{repository.uri}/blobs/{digest}"
    return {"downloadUrl": f"http://{registry.address()}{path}?password={password}", "layerDigest": digest}


def initiate_layer_upload(call: Call, request: Request) -> Response:
    """InitiateLayerUpload."""
    find_repository(call, request)
    return {"uploadId": registry_of(call).layers.begin(), "partSize": PART_BYTES}


def upload_layer_part(call: Call, request: Request) -> Response:
    """UploadLayerPart: parts follow one another without a gap. Raises InvalidLayerPartException."""
    repository, upload_id = find_repository(call, request), request["uploadId"]
    received = _received(call, repository, upload_id)
    data: bytes = request["layerPartBlob"]
    first, last = request["partFirstByte"], request["partLastByte"]
    if first != received or last - first + 1 != len(data):
        raise AwsError(
            "InvalidLayerPartException",
            f"Invalid layer part upload for upload with id '{upload_id}' in the repository with name "
            f"'{repository.name}' in the registry with id '{repository.registry_id}'",
            registryId=repository.registry_id,
            repositoryName=repository.name,
            uploadId=upload_id,
            lastValidByteReceived=received - 1,
        )
    total = registry_of(call).layers.append(upload_id, data)
    return {**_names(repository, upload_id), "lastByteReceived": total - 1}


def complete_layer_upload(call: Call, request: Request) -> Response:
    """CompleteLayerUpload: raises InvalidLayerException where the content is not what one of the digests says."""
    repository, upload_id = find_repository(call, request), request["uploadId"]
    if _received(call, repository, upload_id) == 0:
        raise AwsError("EmptyUploadException", f"The upload with id '{upload_id}' does not contain any layer parts")
    digest = request["layerDigests"][0] if request["layerDigests"] else ""
    try:
        registry_of(call).layers.finish(upload_id, digest)
    except ValueError as error:
        message = f"The layer digest '{digest}' is not that of the upload: {error}"
        raise AwsError("InvalidLayerException", message) from error
    if any(blob.digest == digest for image in images_of(call, repository) for blob in image.blobs):
        raise AwsError(
            "LayerAlreadyExistsException",
            f"The layer with digest '{digest}' already exists in the repository with name '{repository.name}' in the "
            f"registry with id '{repository.registry_id}'",
        )
    return {**_names(repository, upload_id), "layerDigest": digest}


def _received(call: Call, repository: Repository, upload_id: str) -> int:
    received = registry_of(call).layers.received(upload_id)
    if received is None:
        raise AwsError(
            "UploadNotFoundException",
            f"Upload with id '{upload_id}' could not be found for the repository with name '{repository.name}' in the "
            f"registry with id '{repository.registry_id}'",
        )
    return received


def _names(repository: Repository, upload_id: str) -> Response:
    return {"registryId": repository.registry_id, "repositoryName": repository.name, "uploadId": upload_id}
