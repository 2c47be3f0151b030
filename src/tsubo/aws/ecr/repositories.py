"""Repositories: made, described, deleted."""

import re
from datetime import UTC, datetime

from tsubo.aws.ecr import mutability
from tsubo.aws.ecr.lookup import find_repository, images_of, invalid, registry_id, repository_arn, repository_named
from tsubo.aws.ecr.tags import parse_tags
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.aws.paging import InvalidToken, page
from tsubo.model.ecr import Repository
from tsubo.model.supply import uuid_text

NAME = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
NAME_LENGTH = range(2, 257)
PAGE_SIZE = 100
ENCRYPTION_TYPES = ("AES256", "KMS", "KMS_DSSE")


def create_repository(call: Call, request: Request) -> Response:
    """CreateRepository."""
    name = request["repositoryName"]
    if len(name) not in NAME_LENGTH or not NAME.fullmatch(name):
        raise invalid("repositoryName", f"must satisfy regular expression '{NAME.pattern}'")
    if request.get("registryId", call.account_id) != call.account_id:
        raise AwsError("InvalidParameterException", f"The registry with id '{request['registryId']}' is not yours")
    arn = repository_arn(call, call.account_id, name)
    if arn in call.world.repositories:
        raise AwsError(
            "RepositoryAlreadyExistsException",
            f"The repository with name '{name}' already exists in the registry with id '{call.account_id}'",
        )
    tag_mutability, exclusions = mutability.parse(request)
    encryption_type, kms_key = _encryption(call, request)
    repository = Repository(
        arn=arn,
        name=name,
        region=call.region,
        created_at=call.now,
        tag_mutability=tag_mutability,
        mutability_exclusions=exclusions,
        scan_on_push=bool((request.get("imageScanningConfiguration") or {}).get("scanOnPush")),
        encryption_type=encryption_type,
        kms_key=kms_key,
        tags=parse_tags(request.get("tags")),
    )
    call.put(repository)
    return {"repository": repository_view(repository)}


def _encryption(call: Call, request: Request) -> tuple[str, str | None]:
    """Return the kind of encryption and its key; without a key of the caller's, one that AWS would manage."""
    configuration = request.get("encryptionConfiguration") or {}
    kind = configuration.get("encryptionType", "AES256")
    if kind not in ENCRYPTION_TYPES:
        raise invalid(
            "encryptionConfiguration.encryptionType", f"Member must satisfy enum value set: {ENCRYPTION_TYPES}"
        )
    if kind == "AES256":
        if configuration.get("kmsKey"):
            raise invalid("encryptionConfiguration", "kmsKey is only supported with encryption type KMS")
        return kind, None
    return kind, configuration.get("kmsKey") or call.arn("kms", f"key/{uuid_text(call.supply)}")


def describe_repositories(call: Call, request: Request) -> Response:
    """DescribeRepositories."""
    account_id = registry_id(call, request)
    names = request.get("repositoryNames")
    if names:
        if request.get("maxResults") or request.get("nextToken"):
            raise AwsError("InvalidParameterException", "maxResults and nextToken do not go with repositoryNames")
        found = [repository_named(call, account_id, name) for name in names]
        return {"repositories": [repository_view(repository) for repository in found]}
    repositories = [
        repository
        for _, repository in sorted(call.world.repositories.items())
        if repository.region == call.region and repository.registry_id == account_id
    ]
    try:
        shown, token = page(repositories, request.get("nextToken"), request.get("maxResults") or PAGE_SIZE)
    except InvalidToken as error:
        raise invalid("nextToken", "Invalid token") from error
    response: Response = {"repositories": [repository_view(repository) for repository in shown]}
    return {**response, "nextToken": token} if token else response


def delete_repository(call: Call, request: Request) -> Response:
    """DeleteRepository: with its images if `force` is given. Raises RepositoryNotEmptyException."""
    repository = find_repository(call, request)
    images = images_of(call, repository)
    if images and not request.get("force"):
        raise AwsError(
            "RepositoryNotEmptyException",
            f"The repository with name '{repository.name}' in registry with id '{repository.registry_id}' cannot be "
            "deleted because it still contains images",
        )
    call.delete(repository, *images)
    return {"repository": repository_view(repository)}


def repository_view(repository: Repository) -> Response:
    """Return a repository as ECR shows it."""
    encryption = {"encryptionType": repository.encryption_type}
    if repository.kms_key:
        encryption["kmsKey"] = repository.kms_key
    return {
        "repositoryArn": repository.arn,
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "repositoryUri": repository.uri,
        "createdAt": datetime.fromtimestamp(repository.created_at, UTC),
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        "encryptionConfiguration": encryption,
        **mutability.view(repository),
    }
