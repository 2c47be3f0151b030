"""ECR repositories and their lifecycle policies. Calls: aws/alb-vpc-terraform.md section 6.2."""

from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import block, changed, first, given, retag_by, tag_list, tag_map
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values


def find_repository(aws: Aws, name: str) -> Any:
    """Return a repository as ECR describes it, or None."""
    answer = aws.find("ecr", "describe_repositories", repositoryNames=[name]) or {}
    return first(answer.get("repositories"))


def _create(aws: Aws, values: Values) -> Values:
    encryption = block(values, "encryption_configuration")
    scanning = block(values, "image_scanning_configuration")
    aws.call(
        "ecr",
        "create_repository",
        repositoryName=values["name"],
        imageTagMutability=values["image_tag_mutability"],
        imageScanningConfiguration={"scanOnPush": scanning["scan_on_push"]} if scanning else None,
        encryptionConfiguration=given(
            encryptionType=encryption["encryption_type"], kmsKey=encryption.get("kms_key") or None
        )
        if encryption
        else None,
        tags=tag_list(values),
    )
    return {"id": values["name"]}


def _read(aws: Aws, values: Values) -> Values | None:
    repository = find_repository(aws, values["id"])
    if repository is None:
        return None
    tags = aws.call("ecr", "list_tags_for_resource", resourceArn=repository["repositoryArn"])["tags"]
    scanning = repository.get("imageScanningConfiguration") or {}
    encryption = repository.get("encryptionConfiguration") or {}
    return {
        "arn": repository["repositoryArn"],
        "name": repository["repositoryName"],
        "registry_id": repository["registryId"],
        "repository_url": repository["repositoryUri"],
        "image_tag_mutability": repository.get("imageTagMutability", "MUTABLE"),
        "image_scanning_configuration": [{"scan_on_push": scanning.get("scanOnPush", False)}],
        "encryption_configuration": [
            {"encryption_type": encryption.get("encryptionType", "AES256"), "kms_key": encryption.get("kmsKey", "")}
        ],
        "tags": tag_map(tags),
    }


def _update(aws: Aws, before: Values, values: Values) -> None:
    name = values["id"]
    if changed(before, values, "image_tag_mutability"):
        mutability = values["image_tag_mutability"]
        aws.call("ecr", "put_image_tag_mutability", repositoryName=name, imageTagMutability=mutability)
    if changed(before, values, "image_scanning_configuration"):
        scanning = block(values, "image_scanning_configuration") or {}
        configuration = {"scanOnPush": bool(scanning.get("scan_on_push"))}
        aws.call(
            "ecr", "put_image_scanning_configuration", repositoryName=name, imageScanningConfiguration=configuration
        )


def _delete(aws: Aws, values: Values) -> None:
    aws.call("ecr", "delete_repository", repositoryName=values["id"], force=bool(values.get("force_delete")))


def _create_policy(aws: Aws, values: Values) -> Values:
    repository, policy = values["repository"], values["policy"]
    aws.call("ecr", "put_lifecycle_policy", repositoryName=repository, lifecyclePolicyText=policy)
    return {"id": repository}


def _read_policy(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("ecr", "get_lifecycle_policy", repositoryName=values["id"])
    if answer is None:
        return None
    return {
        "repository": answer["repositoryName"],
        "registry_id": answer.get("registryId", aws.account_id),
        "policy": answer["lifecyclePolicyText"],
    }


def _delete_policy(aws: Aws, values: Values) -> None:
    aws.call("ecr", "delete_lifecycle_policy", repositoryName=values["id"])


def _set_permissions(aws: Aws, values: Values) -> Values:
    repository, policy = values["repository"], values["policy"]
    aws.call("ecr", "set_repository_policy", repositoryName=repository, policyText=policy)
    return {"id": repository}


def _read_permissions(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("ecr", "get_repository_policy", repositoryName=values["id"])
    if answer is None:
        return None
    return {
        "repository": answer["repositoryName"],
        "registry_id": answer.get("registryId", aws.account_id),
        "policy": answer["policyText"],
    }


def _update_permissions(aws: Aws, _before: Values, values: Values) -> None:
    _set_permissions(aws, values)


def _delete_permissions(aws: Aws, values: Values) -> None:
    aws.call("ecr", "delete_repository_policy", repositoryName=values["id"])


RESOURCES = {
    "aws_ecr_repository": ResourceType(
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=retag_by("ecr", "tag_resource", "untag_resource", "resourceArn", "tags", "tagKeys", ("Key", "Value")),
    ),
    "aws_ecr_lifecycle_policy": ResourceType(create=_create_policy, read=_read_policy, delete=_delete_policy),
    "aws_ecr_repository_policy": ResourceType(
        create=_set_permissions, read=_read_permissions, update=_update_permissions, delete=_delete_permissions
    ),
}
