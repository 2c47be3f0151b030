"""ECR for real: docker pushes, tasks pull. Source of the behaviour: aws/ecs-cloudmap-exec.md section 16."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.engine_lab import PROJECT, engine_lab, wait_until
from tests.lab.fargate_lab import EVERYTHING, FargateLab
from tests.lab.registry_lab import REGISTRY, RegistryLab, give_a_road, registry_lab

pytestmark = pytest.mark.lab

STACK = PROJECT / "tests" / "stacks" / "registry"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryLab]:
    """A registry that docker has logged in to."""
    with registry_lab(tmp_path_factory.mktemp("registry")) as made:
        made.log_in(made.address)
        yield made


@pytest.fixture(scope="module")
def fargate(registry: RegistryLab) -> FargateLab:
    """Tasks with a road to ECR, and an execution role."""
    made = FargateLab(registry.lab)
    made.role("execution", EVERYTHING)
    give_a_road(made)
    return made


def definition(fargate: FargateLab, family: str, image: str) -> str:
    return fargate.definition(family, {"image": image}, executionRoleArn="arn:aws:iam::123456789012:role/execution")


def pushed(registry: RegistryLab, uri: str, tag: str, garden: str) -> str:
    """Push an image by docker and leave nothing of it here; return its digest."""
    local = registry.build(f"{registry.lab.id}-{garden}:build", garden)
    digest = registry.push(local, f"{registry.address}/{uri}:{tag}")
    registry.forget(local)
    return digest


def why_not(fargate: FargateLab, family: str, image: str) -> str:
    task = fargate.stopped(fargate.launch(definition(fargate, family, image)))
    assert task["stopCode"] == "TaskFailedToStart"
    return str(task["stoppedReason"])


def test_what_docker_pushes_a_task_runs(fargate: FargateLab, registry: RegistryLab) -> None:
    uri = registry.create("garden/moss")
    digest = pushed(registry, uri, "1", "moss")
    (details,) = fargate.lab.client("ecr").describe_images(repositoryName="garden/moss")["imageDetails"]
    assert (details["imageDigest"], details["imageTags"]) == (digest, ["1"])
    task = fargate.run(definition(fargate, "moss", f"{uri}:1"))
    assert task.environment()["GARDEN"] == "moss"
    (container,) = fargate.describe(task.arn)["containers"]
    assert (container["image"], container["imageDigest"]) == (f"{uri}:1", digest)
    (details,) = fargate.lab.client("ecr").describe_images(repositoryName="garden/moss")["imageDetails"]
    assert "lastRecordedPullTime" in details


def test_a_tag_that_moved_is_another_image_for_the_next_task_and_a_digest_is_not(
    fargate: FargateLab, registry: RegistryLab
) -> None:
    uri = registry.create("garden/stones")
    first = pushed(registry, uri, "latest", "stones-1")
    assert fargate.run(definition(fargate, "stones", uri)).environment()["GARDEN"] == "stones-1"
    pushed(registry, uri, "latest", "stones-2")
    assert fargate.run(definition(fargate, "stones", uri)).environment()["GARDEN"] == "stones-2"
    by_digest = definition(fargate, "stones-by-digest", f"{uri}@{first}")
    assert fargate.run(by_digest).environment()["GARDEN"] == "stones-1"


def test_what_is_in_ecr_goes_before_a_local_image_and_a_local_image_needs_no_push(
    fargate: FargateLab, registry: RegistryLab
) -> None:
    name = f"{fargate.lab.id}-lantern"
    uri = registry.create(name)
    registry.build(f"{name}:1", "local")
    local = fargate.run(definition(fargate, "lantern", f"{uri}:1"))
    assert local.environment()["GARDEN"] == "local"
    pushed(registry, uri, "1", "pushed")
    assert fargate.run(definition(fargate, "lantern", f"{uri}:1")).environment()["GARDEN"] == "pushed"
    assert fargate.run(definition(fargate, "lantern", f"{uri}:1")).arn != local.arn


@pytest.mark.parametrize("reference", [f"{REGISTRY}/garden/bare:none", f"{REGISTRY}/garden/nowhere:1"])
def test_an_image_that_is_not_there_stops_the_task_in_ecs_words(
    fargate: FargateLab, registry: RegistryLab, reference: str
) -> None:
    if "bare" in reference:
        registry.create("garden/bare")
    family = reference.rsplit("/", 1)[-1].replace(":", "-")
    assert why_not(fargate, family, reference) == (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {reference}: not found"
    )


def test_an_image_without_its_layers_stops_the_task(fargate: FargateLab, registry: RegistryLab) -> None:
    uri = registry.create("garden/ghost")
    digest = "sha256:" + "0" * 64
    descriptor = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": digest}
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": descriptor, "layers": [descriptor]}
    ecr = fargate.lab.client("ecr")
    ecr.put_image(repositoryName="garden/ghost", imageManifest=json.dumps(manifest), imageTag="1")
    assert why_not(fargate, "ghost", f"{uri}:1").startswith(
        f"CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: {uri}:1: "
    )


def test_without_a_road_to_ecr_the_task_stops_in_ecs_words(fargate: FargateLab, registry: RegistryLab) -> None:
    uri = registry.create("garden/island")
    pushed(registry, uri, "1", "island")
    configuration: Any = fargate.network["awsvpcConfiguration"]
    configuration["assignPublicIp"] = "DISABLED"
    try:
        reason = why_not(fargate, "island", f"{uri}:1")
    finally:
        configuration["assignPublicIp"] = "ENABLED"
    assert reason.startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from "
        "Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network "
        "configuration."
    )


def test_docker_is_refused_in_ecrs_words(registry: RegistryLab) -> None:
    ecr = registry.lab.client("ecr")
    uri = registry.create("garden/rake", imageTagMutability="IMMUTABLE")
    local = registry.build(f"{registry.lab.id}-rake:1", "rake")
    registry.push(local, f"{registry.address}/{uri}:1")
    for reference, words in (
        (
            f"{registry.address}/{uri}:1",
            "tag invalid: The image tag '1' already exists in the 'garden/rake' repository and cannot be overwritten "
            "because the tag is immutable.",
        ),
        (
            f"{registry.address}/{REGISTRY}/garden/shed:1",
            "name unknown: The repository with name 'garden/shed' does not exist in the registry with id "
            "'123456789012'",
        ),
    ):
        registry.docker("tag", local, reference)
        done = registry.docker("push", reference)
        registry.docker("rmi", reference)
        assert done.returncode != 0
        assert words in done.stderr
    ecr.put_image_tag_mutability(repositoryName="garden/rake", imageTagMutability="MUTABLE")
    registry.push(local, f"{registry.address}/{uri}:1")


def test_another_password_does_not_log_in(registry: RegistryLab) -> None:
    done = registry.docker("login", "--username", "AWS", "--password-stdin", registry.address, answer="guess")
    assert done.returncode != 0
    assert "401 Unauthorized" in done.stderr
    registry.log_in(registry.address)


def test_a_repository_with_images_goes_only_by_force_and_its_images_with_it(
    fargate: FargateLab, registry: RegistryLab
) -> None:
    ecr = fargate.lab.client("ecr")
    uri = registry.create("garden/bridge")
    pushed(registry, uri, "1", "bridge")
    with pytest.raises(ClientError, match="RepositoryNotEmptyException"):
        ecr.delete_repository(repositoryName="garden/bridge")
    assert fargate.run(definition(fargate, "bridge", f"{uri}:1")).environment()["GARDEN"] == "bridge"
    ecr.delete_repository(repositoryName="garden/bridge", force=True)
    assert why_not(fargate, "bridge", f"{uri}:1").endswith("not found")


def test_the_registry_keeps_its_images_and_its_address_when_it_is_killed(
    fargate: FargateLab, registry: RegistryLab
) -> None:
    uri = registry.create("garden/pond")
    pushed(registry, uri, "1", "pond")
    address = registry.address
    status = fargate.lab.home / "run" / "supervisor.json"
    before = json.loads(status.read_text())
    os.kill(before["processes"]["registry"], signal.SIGKILL)
    # A task that starts meanwhile waits for it.
    assert fargate.run(definition(fargate, "pond", f"{uri}:1")).environment()["GARDEN"] == "pond"
    assert json.loads(status.read_text())["starts"]["registry"] > before["starts"]["registry"]
    assert registry.address == address
    assert registry.docker("pull", f"{address}/{uri}:1").returncode == 0
    registry.docker("rmi", f"{address}/{uri}:1")


def test_a_lifecycle_policy_takes_the_oldest(registry: RegistryLab) -> None:
    ecr = registry.lab.client("ecr")
    uri = registry.create("garden/leaves")
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    ecr.put_lifecycle_policy(repositoryName="garden/leaves", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    pushed(registry, uri, "old", "leaves-1")
    newest = pushed(registry, uri, "new", "leaves-2")
    wait_until(
        lambda: [i["imageDigest"] for i in ecr.list_images(repositoryName="garden/leaves")["imageIds"]] == [newest],
        what="one image",
    )


def test_the_command_line_pushes_and_says_what_it_cannot(registry: RegistryLab) -> None:
    name = f"{registry.lab.id}-gate"
    local = registry.build(f"{name}:2", "gate")
    missing = registry.lab.run("push", local)
    assert (missing.returncode, f"aws ecr create-repository --region ap-northeast-1 --repository-name {name}") == (
        3,
        missing.stderr.splitlines()[-1].partition("Make it: ")[2],
    )
    uri = registry.create(name)
    done = registry.lab.json("push", local)
    assert done["image"] == f"{uri}:2"
    registry.lab.tsubo("push", local, f"{uri}:3")
    images = registry.lab.client("ecr").describe_images(repositoryName=name)["imageDetails"]
    assert [(image["imageDigest"], image["imageTags"]) for image in images] == [(done["digest"], ["2", "3"])]
    absent = registry.lab.run("push", "no-such-image", name)
    assert (absent.returncode, "No such image" in absent.stderr) == (4, True)


# A Terraform directory


def test_up_says_where_each_image_came_from(tmp_path: Path) -> None:
    with registry_lab(tmp_path) as registry:
        lab = registry.lab
        names = {"pushed": f"{lab.id}-pushed", "built": f"{lab.id}-built"}
        for name in names.values():
            registry.build(f"{name}:1", name)
        variable = ("--var", f"names={json.dumps(names)}")
        first = lab.json("up", str(STACK), *variable)
        assert {row["image"]: (row["source"], row["used"]) for row in first["images"]} == {
            f"{REGISTRY}/{name}:1": ("local", f"{name}:1") for name in names.values()
        }
        digest = lab.json("push", f"{names['pushed']}:1")["digest"]
        ecs = lab.client("ecs")
        ecs.update_service(cluster="garden", service="garden", forceNewDeployment=True)
        second = lab.json("up", str(STACK), *variable)
        assert second["changes"] == {"added": 0, "changed": 0, "destroyed": 0}
        assert {row["image"]: (row["source"], row["used"]) for row in second["images"]} == {
            f"{REGISTRY}/{names['pushed']}:1": ("ecr", digest),
            f"{REGISTRY}/{names['built']}:1": ("local", f"{names['built']}:1"),
        }
        shown = lab.tsubo("up", str(STACK), *variable)
        assert f"image  {REGISTRY}/{names['pushed']}:1 from Tsubo's ECR {digest}" in shown
        assert f"image  {REGISTRY}/{names['built']}:1 from the local image {names['built']}:1" in shown


# AWS's names


def test_docker_finds_the_registry_under_awss_name_once_that_is_enabled_and_down_takes_it_back(tmp_path: Path) -> None:
    hosts = Path("/etc/hosts")
    before = hosts.read_bytes()
    with registry_lab(tmp_path) as registry:
        lab = registry.lab
        uri = registry.create("garden/tree")
        local = registry.build(f"{lab.id}-tree:1", "tree")
        assert hosts.read_bytes() == before
        assert lab.json("registry", "enable")["hosts"] == [REGISTRY]
        _refuse_to_a_second_engine()
        registry.log_in(REGISTRY)
        digest = registry.push(local, f"{uri}:1")
        (details,) = lab.client("ecr").describe_images(repositoryName="garden/tree")["imageDetails"]
        assert details["imageDigest"] == digest
        assert registry.docker("pull", f"{uri}:1").returncode == 0
        registry.forget(f"{uri}:1")
        lab.json("registry", "disable")
        assert hosts.read_bytes() == before
        lab.json("registry", "enable", "--region", "eu-west-1")
        assert "123456789012.dkr.ecr.eu-west-1.amazonaws.com" in hosts.read_text()
    assert hosts.read_bytes() == before
    assert not list(Path("/etc/docker").glob("certs.d/*.dkr.ecr.*"))


def _refuse_to_a_second_engine() -> None:
    with engine_lab() as second:
        refused = second.run("registry", "enable")
        assert (refused.returncode, "Another engine" in refused.stderr) == (6, True)
