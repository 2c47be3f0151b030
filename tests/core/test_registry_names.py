"""What a reference and a path of the registry mean."""

import pytest

from tsubo.core.registry_names import parse_path, referenced_image, registry_hosts
from tsubo.model.ecr import Image, Repository
from tsubo.model.identity import EngineIdentity
from tsubo.model.world import World

ENGINE = EngineIdentity("0011aabb")
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
REPOSITORY = Repository("arn:aws:ecr:eu-west-1:123456789012:repository/web/nginx", "web/nginx", "eu-west-1", 0.0)
DIGEST = "sha256:" + "a" * 64
IMAGE = Image(REPOSITORY.arn, DIGEST, "{}", "", 0.0, ("1.0", "latest"))
WORLD = World(ENGINE).with_records(REPOSITORY, IMAGE)


@pytest.mark.parametrize(
    "reference",
    [
        f"{HOST}/web/nginx",
        f"{HOST}/web/nginx:latest",
        f"{HOST}/web/nginx:1.0",
        f"{HOST}/web/nginx@{DIGEST}",
        f"{HOST}/web/nginx:9.9@{DIGEST}",
    ],
)
def test_a_reference_means_the_image_of_its_tag_or_digest(reference: str) -> None:
    found = referenced_image(WORLD, reference)
    assert found is not None
    assert (found.image, found.name) == (IMAGE, f"{HOST}/web/nginx@{DIGEST}")


@pytest.mark.parametrize(
    "reference",
    [
        f"{HOST}/web/nginx:2.0",
        f"{HOST}/web/nginx@sha256:{'b' * 64}",
        f"{HOST}/nginx:1.0",
        "999999999999.dkr.ecr.eu-west-1.amazonaws.com/web/nginx:1.0",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/web/nginx:1.0",
        "web/nginx:1.0",
        "docker.io/web/nginx:1.0",
    ],
)
def test_a_reference_to_what_was_not_pushed_means_nothing(reference: str) -> None:
    assert referenced_image(WORLD, reference) is None


def test_the_host_that_was_called_says_the_region() -> None:
    path = parse_path("/v2/web/nginx/manifests/1.0", f"{HOST}:443", ENGINE)
    assert path is not None
    assert (path.kind, path.region, path.name, path.reference) == ("manifests", "eu-west-1", "web/nginx", "1.0")


def test_the_name_says_the_region_where_the_host_is_an_address() -> None:
    path = parse_path(f"/v2/{HOST}/web/nginx/blobs/uploads/", "127.16.3.1:5000", ENGINE)
    assert path is not None
    assert (path.kind, path.region, path.name, path.reference) == ("uploads", "eu-west-1", "web/nginx", "")
    assert path.prefix == f"/v2/{HOST}/web/nginx"


def test_without_either_it_is_the_engines_own_region() -> None:
    path = parse_path("/v2/nginx/tags/list", "127.16.3.1:5000", ENGINE)
    assert path is not None
    assert (path.kind, path.account_id, path.region) == ("tags", ENGINE.account_id, ENGINE.default_region)


def test_an_upload_is_told_from_a_layer() -> None:
    assert [
        (path.kind, path.reference)
        for text in ("/v2/a/blobs/uploads/1-2", f"/v2/a/blobs/{DIGEST}", "/v2/", "/v2")
        if (path := parse_path(text, "", ENGINE))
    ] == [("uploads", "1-2"), ("blobs", DIGEST), ("base", ""), ("base", "")]


@pytest.mark.parametrize("path", ["/", "/v1/", "/v2/a/", "/v2/a/manifests/", "/v2/a/tags/all"])
def test_other_paths_are_none_of_the_registrys(path: str) -> None:
    assert parse_path(path, "", ENGINE) is None


def test_the_registry_has_a_name_in_each_region_with_a_repository() -> None:
    assert registry_hosts(WORLD) == ["123456789012.dkr.ecr.ap-northeast-1.amazonaws.com", HOST]
