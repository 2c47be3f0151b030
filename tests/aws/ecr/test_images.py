"""Images. Source of the behaviour: aws/ecs-cloudmap-exec.md section 16."""

import json

import pytest

from tests.aws.ecr.conftest import INDEX, MANIFEST, Ecr, digest_of

NOT_FOUND = "Requested image not found"


def index_of(*digests: str) -> str:
    manifests = [{"mediaType": MANIFEST, "size": 1, "digest": digest} for digest in digests]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})


def test_an_image_is_described_as_pushed(ecr: Ecr) -> None:
    digest = ecr.put("one", "1.0", "latest")
    details = ecr("DescribeImages", repositoryName="web")["imageDetails"]
    pushed_at = details[0].pop("imagePushedAt")
    assert details == [
        {
            "registryId": "123456789012",
            "repositoryName": "web",
            "imageDigest": digest,
            "imageTags": ["1.0", "latest"],
            "imageSizeInBytes": len("one layer"),
            "imageManifestMediaType": MANIFEST,
            "artifactMediaType": "application/vnd.docker.container.image.v1+json",
        }
    ]
    assert pushed_at.timestamp() == ecr.now - 2


def test_the_digest_is_that_of_the_manifest_byte_for_byte(ecr: Ecr) -> None:
    manifest = ecr.manifest("one") + "\n "
    image = ecr("PutImage", repositoryName="web", imageManifest=manifest, imageTag="a")["image"]
    assert image["imageId"] == {"imageDigest": digest_of(manifest), "imageTag": "a"}
    fetched = ecr("BatchGetImage", repositoryName="web", imageIds=[{"imageTag": "a"}])["images"]
    assert [each["imageManifest"] for each in fetched] == [manifest]
    assert ecr.refused(
        "PutImage", repositoryName="web", imageManifest=manifest, imageTag="b", imageDigest=digest_of("other")
    ).code == ("ImageDigestDoesNotMatchException")


def test_a_tag_moves_and_the_image_that_had_it_stays(ecr: Ecr) -> None:
    first, second = ecr.put("one", "latest"), ecr.put("two", "latest")
    assert (ecr.tags(first), ecr.tags(second)) == ([], ["latest"])
    assert ecr("ListImages", repositoryName="web")["imageIds"] == [
        {"imageDigest": first},
        {"imageDigest": second, "imageTag": "latest"},
    ]


@pytest.mark.parametrize("tag", [{"imageTag": "latest"}, {}])
def test_putting_what_is_there_already_is_refused(ecr: Ecr, tag: dict[str, str]) -> None:
    digest = ecr.put("one", "latest")
    error = ecr.refused("PutImage", repositoryName="web", imageManifest=ecr.manifest("one"), **tag)
    assert error.code == "ImageAlreadyExistsException"
    assert error.message.startswith(f"Image with digest '{digest}'")


@pytest.mark.parametrize("name", ["one", "two"])
def test_an_immutable_tag_stays_even_for_the_same_image(ecr: Ecr, name: str) -> None:
    ecr.put("one", "1.0")
    ecr("PutImageTagMutability", repositoryName="web", imageTagMutability="IMMUTABLE")
    error = ecr.refused("PutImage", repositoryName="web", imageManifest=ecr.manifest(name), imageTag="1.0")
    assert (error.code, error.message) == (
        "ImageTagAlreadyExistsException",
        "The image tag '1.0' already exists in the 'web' repository and cannot be overwritten because the tag is "
        "immutable.",
    )
    ecr.put("three", "1.1")


def test_an_excluded_tag_of_an_immutable_repository_moves(ecr: Ecr) -> None:
    ecr(
        "PutImageTagMutability",
        repositoryName="web",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "latest*"}],
    )
    ecr.put("one", "latest", "1.0")
    assert ecr.tags(ecr.put("two", "latest")) == ["latest"]


def test_an_image_that_lacks_a_layer_is_refused(ecr: Ecr) -> None:
    manifest = json.loads(ecr.manifest("one"))
    missing = digest_of("never uploaded")
    manifest["layers"].append({"mediaType": "", "size": 1, "digest": missing})
    error = ecr.refused("PutImage", repositoryName="web", imageManifest=json.dumps(manifest), imageTag="a")
    assert error.code == "LayersNotFoundException"
    assert missing in error.message


def test_an_image_of_which_nothing_was_uploaded_is_a_mere_record(ecr: Ecr) -> None:
    manifest = ecr.manifest("ghost", upload=False)
    ecr("PutImage", repositoryName="web", imageManifest=manifest, imageTag="a")
    assert ecr.tags(digest_of(manifest)) == ["a"]


@pytest.mark.parametrize("manifest", ["{", "[]", "{}", '{"mediaType": "text/plain"}', '{"layers": [], "config": 1}'])
def test_what_is_no_manifest_is_refused(ecr: Ecr, manifest: str) -> None:
    assert ecr.refused("PutImage", repositoryName="web", imageManifest=manifest).code == "InvalidParameterException"
    media_type = {"imageManifestMediaType": MANIFEST}
    if manifest not in ("{}", '{"mediaType": "text/plain"}'):
        error = ecr.refused("PutImage", repositoryName="web", imageManifest=manifest, **media_type)
        assert error.code == "InvalidParameterException"


def test_images_are_found_by_tag_by_digest_and_by_both(ecr: Ecr) -> None:
    digest = ecr.put("one", "a", "b")
    ids = [{"imageTag": "a"}, {"imageDigest": digest}, {"imageDigest": digest, "imageTag": "b"}]
    details = ecr("DescribeImages", repositoryName="web", imageIds=ids)["imageDetails"]
    assert [each["imageDigest"] for each in details] == [digest]
    error = ecr.refused("DescribeImages", repositoryName="web", imageIds=[{"imageDigest": digest, "imageTag": "c"}])
    assert error.code == "ImageNotFoundException"
    assert error.message == (
        f"The image with imageId {{imageDigest:'{digest}', imageTag:'c'}} does not exist within the repository with "
        "name 'web' in the registry with id '123456789012'"
    )


def test_a_batch_reports_what_it_does_not_find(ecr: Ecr) -> None:
    digest = ecr.put("one", "a")
    wrong = {"imageDigest": "sha256:0", "imageTag": "a"}
    for operation in ("BatchGetImage", "BatchDeleteImage"):
        answer = ecr(operation, repositoryName="web", imageIds=[{"imageTag": "b"}, wrong, {}])
        assert [each["failureCode"] for each in answer["failures"]] == [
            "ImageNotFound",
            "InvalidImageDigest",
            "MissingDigestAndTag",
        ]
        assert answer["failures"][0] == {
            "imageId": {"imageTag": "b"},
            "failureCode": "ImageNotFound",
            "failureReason": NOT_FOUND,
        }
    assert ecr.tags(digest) == ["a"]
    assert ecr.refused("BatchGetImage", repositoryName="web", imageIds=[]).code == "InvalidParameterException"


def test_deleting_by_tag_takes_the_tag_and_with_the_last_one_the_image(ecr: Ecr) -> None:
    digest = ecr.put("one", "a", "b")
    deleted = ecr("BatchDeleteImage", repositoryName="web", imageIds=[{"imageTag": "a"}])
    assert deleted == {"imageIds": [{"imageDigest": digest, "imageTag": "a"}], "failures": []}
    assert ecr.tags(digest) == ["b"]
    ecr("BatchDeleteImage", repositoryName="web", imageIds=[{"imageTag": "b"}])
    assert ecr.world.images == {}


def test_deleting_by_digest_takes_the_image_with_all_its_tags(ecr: Ecr) -> None:
    digest = ecr.put("one", "a", "b")
    deleted = ecr("BatchDeleteImage", repositoryName="web", imageIds=[{"imageDigest": digest}])
    assert [each["imageTag"] for each in deleted["imageIds"]] == ["a", "b"]
    assert ecr.world.images == {}


def test_a_part_of_an_index_is_deleted_after_the_index(ecr: Ecr) -> None:
    part = ecr.put("amd64")
    index = index_of(part)
    ecr("PutImage", repositoryName="web", imageManifest=index, imageTag="multi")
    refused = ecr("BatchDeleteImage", repositoryName="web", imageIds=[{"imageDigest": part}])
    assert refused["failures"][0]["failureCode"] == "ImageReferencedByManifestList"
    both = [{"imageDigest": digest_of(index)}, {"imageDigest": part}]
    assert ecr("BatchDeleteImage", repositoryName="web", imageIds=both)["failures"] == []
    assert ecr.world.images == {}


def test_an_index_is_as_large_as_its_largest_image_and_needs_them_all(ecr: Ecr) -> None:
    small, large = ecr.put("s"), ecr.put("larger")
    index = index_of(small, large)
    ecr("PutImage", repositoryName="web", imageManifest=index, imageTag="multi")
    details = ecr("DescribeImages", repositoryName="web", imageIds=[{"imageTag": "multi"}])["imageDetails"][0]
    assert (details["imageSizeInBytes"], details["imageManifestMediaType"]) == (len("larger layer"), INDEX)
    half = index_of(small, digest_of("never pushed"))
    error = ecr.refused("PutImage", repositoryName="web", imageManifest=half, imageTag="half")
    assert error.code == "ReferencedImagesNotFoundException"


def test_images_are_listed_by_tag_status_and_in_pages(ecr: Ecr) -> None:
    untagged = ecr.put("none")
    tagged = ecr.put("one", "a", "b", "c")
    chosen = ecr("ListImages", repositoryName="web", filter={"tagStatus": "UNTAGGED"})["imageIds"]
    assert chosen == [{"imageDigest": untagged}]
    first = ecr("ListImages", repositoryName="web", filter={"tagStatus": "TAGGED"}, maxResults=2)
    rest = ecr(
        "ListImages",
        repositoryName="web",
        filter={"tagStatus": "TAGGED"},
        maxResults=2,
        nextToken=first["nextToken"],
    )
    assert [each["imageTag"] for page in (first, rest) for each in page["imageIds"]] == ["a", "b", "c"]
    details = ecr("DescribeImages", repositoryName="web", filter={"tagStatus": "TAGGED"})["imageDetails"]
    assert [each["imageDigest"] for each in details] == [tagged]


def test_a_scan_says_that_it_cannot(ecr: Ecr) -> None:
    digest = ecr.put("one", "a")
    asked = {"repositoryName": "web", "imageId": {"imageTag": "a"}}
    assert ecr.refused("DescribeImageScanFindings", asked).code == "ScanNotFoundException"
    assert ecr("StartImageScan", asked)["imageScanStatus"] == {"status": "IN_PROGRESS"}
    findings = ecr("DescribeImageScanFindings", asked)
    assert (findings["imageId"], findings["imageScanStatus"]["status"]) == (
        {"imageDigest": digest, "imageTag": "a"},
        "FAILED",
    )
    assert ecr.refused("StartImageScan", asked).code == "LimitExceededException"
    ecr.now += 86400
    ecr("StartImageScan", asked)


def test_an_image_is_scanned_when_it_is_pushed_where_that_is_wanted(ecr: Ecr) -> None:
    ecr("PutImageScanningConfiguration", repositoryName="web", imageScanningConfiguration={"scanOnPush": True})
    ecr.put("one", "a")
    assert ecr("DescribeImages", repositoryName="web")["imageDetails"][0]["imageScanStatus"]["status"] == "FAILED"
