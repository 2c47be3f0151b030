"""Repositories. Source of the behaviour: aws/ecs-cloudmap-exec.md section 16."""

from typing import Any

import pytest

from tests.aws.direct import NOW
from tests.aws.ecr.conftest import Ecr

URI = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"
ARN = "arn:aws:ecr:ap-northeast-1:123456789012:repository"


def repository(ecr: Ecr, name: str) -> Any:
    return ecr("DescribeRepositories", repositoryNames=[name])["repositories"][0]


def test_a_repository_has_aws_form(ecr: Ecr) -> None:
    made = ecr("CreateRepository", repositoryName="team-a/api")["repository"]
    assert made.pop("createdAt").timestamp() == NOW
    assert made == {
        "repositoryArn": f"{ARN}/team-a/api",
        "registryId": "123456789012",
        "repositoryName": "team-a/api",
        "repositoryUri": f"{URI}/team-a/api",
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }


@pytest.mark.parametrize("name", ["a", "Web", "web/", "/web", "web//api", "a" * 257, "web_", "-web", "web api"])
def test_a_name_that_no_image_could_have_is_refused(ecr: Ecr, name: str) -> None:
    assert ecr.refused("CreateRepository", repositoryName=name).code == "InvalidParameterException"


def test_a_second_repository_of_a_name_is_refused_and_another_regions_is_not(ecr: Ecr) -> None:
    error = ecr.refused("CreateRepository", repositoryName="web")
    assert (error.code, error.message) == (
        "RepositoryAlreadyExistsException",
        "The repository with name 'web' already exists in the registry with id '123456789012'",
    )
    ecr.region = "us-east-1"
    assert ecr("CreateRepository", repositoryName="web")["repository"]["repositoryUri"].split(".")[3] == "us-east-1"
    assert [each["repositoryName"] for each in ecr("DescribeRepositories")["repositories"]] == ["web"]


def test_a_repository_that_is_not_there(ecr: Ecr) -> None:
    words = "The repository with name 'nope' does not exist in the registry with id '{}'"
    for request, registry in (({}, "123456789012"), ({"registryId": "999999999999"}, "999999999999")):
        error = ecr.refused("DescribeRepositories", repositoryNames=["nope"], **request)
        assert (error.code, error.message) == ("RepositoryNotFoundException", words.format(registry))
    assert ecr("DescribeRepositories", registryId="999999999999")["repositories"] == []
    assert ecr.refused("ListImages", repositoryName="web", registryId="999999999999").code == (
        "RepositoryNotFoundException"
    )


def test_repositories_come_in_pages_by_name(ecr: Ecr) -> None:
    for name in ("b2", "a1", "c3"):
        ecr("CreateRepository", repositoryName=name)
    first = ecr("DescribeRepositories", maxResults=3)
    second = ecr("DescribeRepositories", maxResults=3, nextToken=first["nextToken"])
    pages = [[each["repositoryName"] for each in page["repositories"]] for page in (first, second)]
    assert pages == [["a1", "b2", "c3"], ["web"]]
    assert "nextToken" not in second
    assert ecr.refused("DescribeRepositories", nextToken="made up").code == "InvalidParameterException"


def test_a_repository_with_images_is_deleted_only_by_force(ecr: Ecr) -> None:
    ecr.put("one", "latest")
    error = ecr.refused("DeleteRepository", repositoryName="web")
    assert (error.code, error.message) == (
        "RepositoryNotEmptyException",
        "The repository with name 'web' in registry with id '123456789012' cannot be deleted because it still contains "
        "images",
    )
    assert ecr("DeleteRepository", repositoryName="web", force=True)["repository"]["repositoryName"] == "web"
    assert (ecr.world.repositories, ecr.world.images) == ({}, {})


def test_an_empty_repository_is_deleted_without_force(ecr: Ecr) -> None:
    ecr("DeleteRepository", repositoryName="web")
    assert ecr.refused("DeleteRepository", repositoryName="web").code == "RepositoryNotFoundException"


def test_encryption_by_kms_names_a_key(ecr: Ecr) -> None:
    key = "arn:aws:kms:ap-northeast-1:123456789012:key/1"
    for name, given, shown in (
        ("given", {"encryptionType": "KMS", "kmsKey": key}, key),
        ("managed", {"encryptionType": "KMS"}, "arn:aws:kms:ap-northeast-1:123456789012:key/"),
    ):
        made = ecr("CreateRepository", repositoryName=name, encryptionConfiguration=given)["repository"]
        assert made["encryptionConfiguration"]["kmsKey"].startswith(shown)


def test_mutability_is_changed(ecr: Ecr) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    changed = ecr(
        "PutImageTagMutability",
        repositoryName="web",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )
    assert changed["imageTagMutabilityExclusionFilters"] == filters
    assert repository(ecr, "web")["imageTagMutabilityExclusionFilters"] == filters
    ecr("PutImageTagMutability", repositoryName="web", imageTagMutability="IMMUTABLE")
    assert "imageTagMutabilityExclusionFilters" not in repository(ecr, "web")
    assert repository(ecr, "web")["imageTagMutability"] == "IMMUTABLE"


@pytest.mark.parametrize(
    "members",
    [
        {"imageTagMutability": "SOMETIMES"},
        {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"},
        {
            "imageTagMutability": "IMMUTABLE",
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "a"}],
        },
        {
            "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filterType": "REGEX", "filter": "a"}],
        },
        {
            "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "a b"}],
        },
    ],
)
def test_a_mutability_that_makes_no_sense_is_refused(ecr: Ecr, members: dict[str, Any]) -> None:
    assert ecr.refused("PutImageTagMutability", repositoryName="web", **members).code == "InvalidParameterException"
    assert ecr.refused("CreateRepository", repositoryName="other", **members).code == "InvalidParameterException"


def test_tags(ecr: Ecr) -> None:
    arn = f"{ARN}/tagged"
    ecr("CreateRepository", repositoryName="tagged", tags=[{"Key": "a", "Value": "1"}])
    ecr("TagResource", resourceArn=arn, tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}])
    ecr("UntagResource", resourceArn=arn, tagKeys=["b"])
    assert ecr("ListTagsForResource", resourceArn=arn)["tags"] == [{"Key": "a", "Value": "3"}]
    many = [{"Key": str(number), "Value": ""} for number in range(50)]
    assert ecr.refused("TagResource", resourceArn=arn, tags=many).code == "TooManyTagsException"
    assert ecr.refused("ListTagsForResource", resourceArn=f"{ARN}/nope").code == "RepositoryNotFoundException"
    assert ecr.refused("ListTagsForResource", resourceArn="web").code == "InvalidParameterException"
