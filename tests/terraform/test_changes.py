"""Plans and settled states, as pure functions of a schema."""

from typing import Any

from tsubo.terraform.changes import plan_block, replacing_paths, settle
from tsubo.terraform.schema import parse_block
from tsubo.terraform.values import UNKNOWN, conform

BLOCK = parse_block(
    {
        "a": {
            "id": ["string", "oc"],
            "name": ["string", "rf"],
            "protocol": ["string", "o", "HTTP"],
            "description": ["string", "o"],
            "policy": ["string", "o"],
            "groups": [["set", "string"], "o"],
            "order": [["list", "string"], "o"],
            "rules": [["set", ["object", {"port": "number", "cidrs": ["list", "string"]}]], "oc"],
        },
        "b": {
            "check": ["list", 0, 1, "ck", {"a": {"path": ["string", "oc"], "interval": ["number", "o", 30]}}],
            "target": ["set", 0, 0, "", {"a": {"arn": ["string", "r"], "weight": ["number", "oc"]}}],
            "fixed": ["list", 0, 1, "f", {"a": {"code": ["string", "of"]}}],
        },
    }
)


def values(**given: Any) -> dict[str, Any]:
    return conform(BLOCK, {"name": "web"} | given)


def planned(prior: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    return plan_block(BLOCK, prior, values(**given), {})


def test_a_new_resource_has_defaults_and_unknown_computed_values() -> None:
    plan = planned(check=[{"path": "/"}], target=[{"arn": "a"}])
    assert plan["protocol"] == "HTTP"
    assert plan["id"] is UNKNOWN
    assert plan["description"] is None
    assert plan["check"] == [{"path": "/", "interval": 30}]
    assert plan["target"] == [{"arn": "a", "weight": UNKNOWN}]


def test_a_computed_block_is_unknown_at_first_and_kept_later() -> None:
    assert planned()["check"] is UNKNOWN
    prior = values(id="1", check=[{"path": "/old", "interval": 5}])
    assert planned(prior)["check"] == [{"path": "/old", "interval": 5}]


def test_what_only_looks_different_stays_as_it_was() -> None:
    prior = values(
        id="1",
        protocol="HTTP",
        description="",
        policy='{"a": [1, 2], "b": 1}',
        groups=["b", "a"],
        rules=[{"port": 80, "cidrs": []}],
        target=[{"arn": "b", "weight": 1}, {"arn": "a", "weight": 2}],
        check=[{"path": "/", "interval": 30}],
    )
    plan = planned(
        prior,
        policy='{"b":1,"a":[1,2]}',
        groups=["a", "b"],
        rules=[{"port": 80, "cidrs": None}],
        target=[{"arn": "a"}, {"arn": "b"}],
        check=[{}],
    )
    assert plan | {"target": sorted(plan["target"], key=lambda t: t["arn"])} == prior | {
        "target": [{"arn": "a", "weight": 2}, {"arn": "b", "weight": 1}]
    }


def test_the_order_of_a_list_counts() -> None:
    prior = values(id="1", order=["a", "b"])
    assert planned(prior, order=["b", "a"])["order"] == ["b", "a"]


def test_an_attribute_taken_out_goes_back_to_its_default_or_to_nothing() -> None:
    prior = values(id="1", protocol="HTTPS", description="x", groups=["a"], target=[{"arn": "a", "weight": 1}])
    plan = planned(prior)
    assert (plan["protocol"], plan["description"], plan["groups"], plan["target"]) == ("HTTP", None, None, [])


def test_only_what_forces_it_replaces() -> None:
    prior = values(id="1", protocol="HTTP", fixed=[{"code": "404"}])
    for change, paths in (
        ({"protocol": "HTTPS", "fixed": [{"code": "404"}]}, []),
        ({"name": "other", "fixed": [{"code": "404"}]}, [("name",)]),
        ({"name": UNKNOWN, "fixed": [{"code": "404"}]}, [("name",)]),
        ({"fixed": [{"code": "403"}]}, [("fixed", 0, "code")]),
        ({"fixed": []}, [("fixed",)]),
    ):
        assert replacing_paths(BLOCK, prior, planned(prior, **change), {}) == paths


def test_values_that_mean_the_same_to_a_type_neither_change_nor_replace() -> None:
    alike = {"name": lambda one, other: one.rstrip(".") == other.rstrip(".")}
    prior = values(id="1", name="a.example", protocol="HTTP")
    plan = plan_block(BLOCK, prior, values(name="a.example."), alike)
    assert plan["name"] == "a.example"
    assert replacing_paths(BLOCK, prior, plan, alike) == []


def test_settling_keeps_what_is_known_and_shows_what_drifted() -> None:
    known = values(id="1", description="", groups=["b", "a"], target=[{"arn": "a", "weight": 1}], policy='{"a":1}')
    actual = {
        "description": None,
        "groups": ["a", "b"],
        "policy": '{ "a": 1 }',
        "target": [{"arn": "b", "weight": "3"}, {"arn": "a", "weight": "1"}],
        "check": [{"path": "/", "interval": "30"}],
    }
    settled = settle(BLOCK, known, actual, {})
    assert settled["description"] == ""
    assert settled["groups"] == ["b", "a"]
    assert settled["policy"] == '{"a":1}'
    assert settled["target"] == [{"arn": "b", "weight": 3}, {"arn": "a", "weight": 1}]
    assert settled["check"] == [{"path": "/", "interval": 30}]


def test_nothing_unknown_is_left_after_settling() -> None:
    settled = settle(BLOCK, planned(check=[{}], rules=UNKNOWN), {"id": "1"}, {})
    assert settled["id"] == "1"
    assert settled["rules"] is None
    assert settled["check"] == [{"path": None, "interval": 30}]
    assert settle(BLOCK, planned(), {}, {})["check"] == []
