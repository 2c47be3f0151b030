"""Which tags of a repository stay where they are."""

import pytest

from tsubo.model.ecr import Repository

ARN = "arn:aws:ecr:eu-west-1:123456789012:repository/web/nginx"


def repository(mutability: str, *exclusions: str) -> Repository:
    return Repository(ARN, "web/nginx", "eu-west-1", 0.0, mutability, exclusions)


def test_a_repository_is_called_by_its_accounts_registry() -> None:
    assert repository("MUTABLE").registry_id == "123456789012"
    assert repository("MUTABLE").uri == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web/nginx"


@pytest.mark.parametrize(
    ("mutability", "exclusions", "tag", "immutable"),
    [
        ("MUTABLE", (), "latest", False),
        ("IMMUTABLE", (), "latest", True),
        ("IMMUTABLE_WITH_EXCLUSION", ("dev-*",), "dev-1", False),
        ("IMMUTABLE_WITH_EXCLUSION", ("dev-*",), "1.0", True),
        ("MUTABLE_WITH_EXCLUSION", ("dev-*", "prod*"), "prod", True),
        ("MUTABLE_WITH_EXCLUSION", ("dev-*", "prod*"), "latest", False),
    ],
)
def test_the_excluded_tags_are_the_others(
    mutability: str, exclusions: tuple[str, ...], tag: str, immutable: bool
) -> None:
    assert repository(mutability, *exclusions).is_immutable(tag) == immutable
