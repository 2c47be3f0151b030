"""Lifecycle policies, policies of access, and a region's settings."""

import json
from typing import Any

import pytest

from tests.aws.ecr.conftest import Ecr

ACCESS = json.dumps(
    {
        "Version": "2008-10-17",
        "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
    }
)
REGISTRY_ACCESS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "replicate",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
                "Action": "ecr:ReplicateImage",
                "Resource": "arn:aws:ecr:ap-northeast-1:123456789012:repository/*",
            }
        ],
    }
)


def policy(**selection: Any) -> str:
    chosen = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1, **selection}
    return json.dumps({"rules": [{"rulePriority": 1, "selection": chosen, "action": {"type": "expire"}}]})


def test_a_lifecycle_policy_is_kept_as_given(ecr: Ecr) -> None:
    missing = ecr.refused("GetLifecyclePolicy", repositoryName="web")
    assert missing.code == "LifecyclePolicyNotFoundException"
    text = policy() + " "
    ecr("PutLifecyclePolicy", repositoryName="web", lifecyclePolicyText=text)
    assert ecr("GetLifecyclePolicy", repositoryName="web")["lifecyclePolicyText"] == text
    assert ecr("DeleteLifecyclePolicy", repositoryName="web")["lifecyclePolicyText"] == text
    assert ecr.refused("DeleteLifecyclePolicy", repositoryName="web").code == "LifecyclePolicyNotFoundException"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"rules": {}}',
        '{"rules": [1]}',
        policy(countNumber=0),
        policy(countNumber="1"),
        policy(countType="sometimes"),
        policy(tagStatus="tagged"),
        policy(tagStatus="untagged", tagPrefixList=["a"]),
        policy(countType="sinceImagePushed"),
        json.dumps({"rules": [*json.loads(policy())["rules"], *json.loads(policy())["rules"]]}),
    ],
)
def test_a_lifecycle_policy_that_cannot_be_carried_out_is_refused(ecr: Ecr, text: str) -> None:
    error = ecr.refused("PutLifecyclePolicy", repositoryName="web", lifecyclePolicyText=text)
    assert error.code == "InvalidParameterException"
    assert error.message.startswith("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: '")


def test_a_preview_says_what_would_go_and_deletes_nothing(ecr: Ecr) -> None:
    assert ecr.refused("GetLifecyclePolicyPreview", repositoryName="web").code == (
        "LifecyclePolicyPreviewNotFoundException"
    )
    old = ecr.put("one", "a")
    ecr.put("two", "b")
    ecr("StartLifecyclePolicyPreview", repositoryName="web", lifecyclePolicyText=policy())
    preview = ecr("GetLifecyclePolicyPreview", repositoryName="web")
    assert (preview["status"], preview["summary"]) == ("COMPLETE", {"expiringImageTotalCount": 1})
    assert [each["imageDigest"] for each in preview["previewResults"]] == [old]
    assert len(ecr.world.images) == 2
    assert ecr.refused("GetLifecyclePolicy", repositoryName="web").code == "LifecyclePolicyNotFoundException"


def test_a_repositorys_policy(ecr: Ecr) -> None:
    assert ecr.refused("GetRepositoryPolicy", repositoryName="web").code == "RepositoryPolicyNotFoundException"
    ecr("SetRepositoryPolicy", repositoryName="web", policyText=ACCESS)
    assert ecr("GetRepositoryPolicy", repositoryName="web")["policyText"] == ACCESS
    error = ecr.refused("SetRepositoryPolicy", repositoryName="web", policyText="{}")
    assert error.message.endswith("'Invalid repository policy provided'")
    ecr("DeleteRepositoryPolicy", repositoryName="web")
    assert ecr.refused("DeleteRepositoryPolicy", repositoryName="web").code == "RepositoryPolicyNotFoundException"


def test_the_registrys_policy(ecr: Ecr) -> None:
    assert ecr.refused("GetRegistryPolicy").code == "RegistryPolicyNotFoundException"
    ecr("PutRegistryPolicy", policyText=REGISTRY_ACCESS)
    assert ecr("GetRegistryPolicy")["policyText"] == REGISTRY_ACCESS
    other = REGISTRY_ACCESS.replace("ReplicateImage", "BatchGetImage")
    assert ecr.refused("PutRegistryPolicy", policyText=other).code == "InvalidParameterException"
    ecr("DeleteRegistryPolicy")
    assert ecr.refused("DeleteRegistryPolicy").code == "RegistryPolicyNotFoundException"


def test_replication_is_kept_for_each_region(ecr: Ecr) -> None:
    rules = [{"destinations": [{"region": "us-east-1", "registryId": "123456789012"}]}]
    ecr("PutReplicationConfiguration", replicationConfiguration={"rules": rules})
    assert ecr("DescribeRegistry")["replicationConfiguration"] == {"rules": rules}
    ecr.region = "us-east-1"
    assert ecr("DescribeRegistry")["replicationConfiguration"] == {"rules": []}
    error = ecr.refused("PutReplicationConfiguration", replicationConfiguration={"rules": rules})
    assert error.code == "InvalidParameterException"


def test_scanning_rules_name_repositories(ecr: Ecr) -> None:
    every = {"filter": "*", "filterType": "WILDCARD"}
    rules = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [every]}]
    ecr("PutRegistryScanningConfiguration", scanType="BASIC", rules=rules)
    shown = ecr("GetRegistryScanningConfiguration")["scanningConfiguration"]
    assert shown == {"scanType": "BASIC", "rules": rules}
    answer = ecr("BatchGetRepositoryScanningConfiguration", repositoryNames=["web", "nope"])
    assert [each["failureCode"] for each in answer["failures"]] == ["REPOSITORY_NOT_FOUND"]
    assert [(each["scanFrequency"], each["appliedScanFilters"]) for each in answer["scanningConfigurations"]] == [
        ("SCAN_ON_PUSH", [every])
    ]
    ecr("PutRegistryScanningConfiguration")
    answer = ecr("BatchGetRepositoryScanningConfiguration", repositoryNames=["web"])
    assert answer["scanningConfigurations"][0]["scanFrequency"] == "MANUAL"
