"""The provider's schema as data, and what version 6 lays over it."""

import pytest

from tsubo.terraform.data_sources import DATA_SOURCES
from tsubo.terraform.resources import RESOURCES
from tsubo.terraform.schema import DATA_FILE, UnknownTypeError, load, type_names
from tsubo.terraform.values import conform


def test_all_types_are_there_and_the_file_is_small() -> None:
    assert len(type_names("resource")) == 1526
    assert len(type_names("data")) == 608
    assert DATA_FILE.stat().st_size < 600_000
    assert (DATA_FILE.parent / "NOTICE.md").exists()


def test_every_type_that_runs_has_a_schema() -> None:
    assert RESOURCES.keys() <= type_names("resource")
    assert DATA_SOURCES.keys() <= type_names("data")
    for name in RESOURCES:
        assert "id" in load("resource", name).block.attributes


def test_defaults_and_replacement_are_the_real_providers() -> None:
    balancer = load("resource", "aws_lb").block
    assert balancer.attributes["idle_timeout"].default == 60
    assert balancer.attributes["name"].replaces
    assert not balancer.attributes["idle_timeout"].replaces
    redirect = load("resource", "aws_lb_listener").block.blocks["default_action"].block.blocks["redirect"].block
    assert redirect.attributes["port"].default == "#{port}"
    group = load("resource", "aws_lb_target_group").block
    assert group.attributes["port"].replaces
    assert group.blocks["health_check"].computed
    assert load("resource", "aws_ecs_service").block.attributes["name"].replaces


def test_version_six_adds_arguments_and_takes_none_away() -> None:
    assert "region" in load("resource", "aws_vpc").block.attributes
    assert "region" not in load("resource", "aws_iam_role").block.attributes
    assert "vpc" in load("resource", "aws_eip").block.attributes
    rule = load("resource", "aws_lb_listener_rule").block
    assert "transform" in rule.blocks
    assert "regex_values" in rule.blocks["condition"].block.blocks["path_pattern"].block.attributes


def test_every_schema_can_be_read() -> None:
    for kind in ("resource", "data"):
        for name in type_names(kind):  # type: ignore[arg-type]
            assert conform(load(kind, name).block, {})  # type: ignore[arg-type]


def test_a_type_that_is_none_is_named() -> None:
    with pytest.raises(UnknownTypeError, match="aws_tsubo"):
        load("resource", "aws_tsubo")
