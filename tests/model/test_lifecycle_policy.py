"""Which images a lifecycle policy expires, by the rules of ECR's user guide."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tsubo.model.ecr import Image
from tsubo.model.lifecycle_policy import DAY_SECONDS, expired_images

REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/web"
NOW = 1_700_000_000.0


def image(name: str, days_old: float, *tags: str, children: tuple[str, ...] = ()) -> Image:
    return Image(REPOSITORY, name, "{}", "", NOW - days_old * DAY_SECONDS, tags, children=children)


def rule(priority: int, status: str, count: int, days: bool = False, **selection: Any) -> dict[str, Any]:
    counted = {"countType": "sinceImagePushed", "countUnit": "days"} if days else {"countType": "imageCountMoreThan"}
    chosen = {"tagStatus": status, "countNumber": count, **counted, **selection}
    return {"rulePriority": priority, "selection": chosen, "action": {"type": "expire"}}


def expired(rules: list[dict[str, Any]], *images: Image) -> list[str]:
    return [image.digest for image, _ in expired_images(json.dumps({"rules": rules}), images, NOW)]


def test_only_so_many_are_kept_and_the_oldest_go() -> None:
    assert expired([rule(1, "any", 1)], image("new", 1, "b"), image("oldest", 3), image("old", 2, "a")) == [
        "oldest",
        "old",
    ]


def test_untagged_images_go_by_age() -> None:
    images = (image("young", 13), image("old", 15), image("tagged", 99, "latest"))
    assert expired([rule(1, "untagged", 14, days=True)], *images) == ["old"]


def test_a_rule_wants_all_of_its_prefixes_among_the_tags() -> None:
    both = rule(1, "tagged", 1, days=True, tagPrefixList=["alpha", "beta"])
    images = (image("one", 9, "alpha1"), image("two", 9, "alpha1", "beta2"), image("other", 9, "gamma"))
    assert expired([both], *images) == ["two"]


def test_a_pattern_matches_the_whole_tag() -> None:
    pattern = rule(1, "tagged", 1, days=True, tagPatternList=["*-dev"])
    assert expired([pattern], image("dev", 9, "1-dev"), image("prod", 9, "1-dev-2")) == ["dev"]


def test_what_a_rule_of_higher_priority_asks_for_no_other_rule_expires() -> None:
    kept = rule(1, "tagged", 5, tagPrefixList=["prod"])
    assert expired([rule(2, "any", 1, days=True), kept], image("prod", 9, "prod1"), image("dev", 9, "dev1")) == ["dev"]


def test_a_part_of_an_index_goes_only_with_the_index() -> None:
    rules = [rule(1, "untagged", 1, days=True), rule(2, "tagged", 1, tagPrefixList=["v"])]
    parts = (image("amd64", 9), image("arm64", 9))
    index = image("index", 9, "v1", children=("amd64", "arm64"))
    assert expired(rules, *parts, index) == []
    assert set(expired(rules, *parts, index, image("newer", 1, "v2"))) == {"amd64", "arm64", "index"}


images_of_any_kind = st.lists(
    st.builds(
        lambda name, age, tags: image(name, age, *tags),
        st.uuids().map(str),
        st.floats(0, 100),
        st.sets(st.sampled_from(["v1", "v2", "dev", "prod"])),
    ),
    max_size=12,
)


@given(images_of_any_kind, st.integers(1, 5))
def test_a_count_leaves_that_many_and_never_a_younger_one_goes_before_an_older(images: list[Image], count: int) -> None:
    gone = set(expired([rule(1, "any", count)], *images))
    assert len(images) - len(gone) == min(count, len(images))
    kept = [each.pushed_at for each in images if each.digest not in gone]
    assert all(each.pushed_at <= min(kept) for each in images if each.digest in gone)
