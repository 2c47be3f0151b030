"""The life of a resource of a made-up type: what all types have in common."""

from dataclasses import replace
from typing import Any

import pytest

from tests.terraform.fakes import REGION, fake_aws
from tsubo.terraform.accepted import accepted_data_source, accepted_resource
from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.lifecycle import Lifecycle, PartlyMadeError, read_data_source
from tsubo.terraform.schema import Schema, load, parse_block
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import UNKNOWN, Values, conform

BLOCK = parse_block(
    {
        "a": {
            "id": ["string", "oc"],
            "name": ["string", "rf"],
            "size": ["number", "o", 1],
            "version": ["number", "c"],
            "region": ["string", "ocf"],
            "tags": [["map", "string"], "o"],
            "tags_all": [["map", "string"], "oc"],
        }
    }
)


class Shelf:
    """Where the made-up resources stand."""

    def __init__(self) -> None:
        self.things: dict[str, Values] = {}
        self.retagged: list[tuple[Any, Any]] = []

    def create(self, _aws: Aws, values: Values) -> Values:
        self.things[values["name"]] = {"size": values["size"], "tags": dict(values["tags_all"])}
        return {"id": values["name"]}

    def read(self, _aws: Aws, values: Values) -> Values | None:
        return self.things.get(values["id"])

    def update(self, _aws: Aws, _before: Values, values: Values) -> None:
        self.things[values["id"]]["size"] = values["size"]

    def delete(self, _aws: Aws, values: Values) -> None:
        if values["id"] not in self.things:
            raise CallError("gone", "ThingNotFound")
        del self.things[values["id"]]

    def retag(self, _aws: Aws, values: Values, changed: Any, removed: list[str]) -> None:
        self.retagged.append((dict(changed), removed))
        tags = self.things[values["id"]]["tags"]
        tags |= changed
        for key in removed:
            del tags[key]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def life(shelf: Shelf, **more: Any) -> Lifecycle:
    aws, _clients = fake_aws()
    table = ResourceType(
        create=shelf.create,
        read=shelf.read,
        update=shelf.update,
        delete=shelf.delete,
        retag=shelf.retag,
        recomputed={"version": ("size",)},
    )
    return Lifecycle(Schema(0, BLOCK), replace(table, **more), replace(aws, default_tags={"Team": "garden"}))


def config(**given: Any) -> Values:
    return conform(BLOCK, {"name": "a"} | given)


def made(lifecycle: Lifecycle, **given: Any) -> Values:
    planned, _replacing = lifecycle.plan(None, config(**given))
    return lifecycle.apply(None, planned)


def test_a_resource_is_made_read_changed_and_deleted(shelf: Shelf) -> None:
    lifecycle = life(shelf)
    state = made(lifecycle, tags={"Name": "a"})
    assert state["tags_all"] == {"Name": "a", "Team": "garden"}
    assert (state["id"], state["size"], state["region"]) == ("a", 1, REGION)
    assert lifecycle.read(state) == state
    assert lifecycle.plan(state, config(tags={"Name": "a"})) == (state, [])
    planned, replacing = lifecycle.plan(state, config(size=2))
    assert planned["version"] is UNKNOWN
    assert replacing == []
    changed = lifecycle.apply(state, planned)
    assert (changed["size"], changed["tags"]) == (2, None)
    assert shelf.retagged == [({}, ["Name"])]
    lifecycle.delete(changed)
    assert lifecycle.read(changed) is None
    lifecycle.delete(changed)


def test_another_name_or_region_is_another_resource(shelf: Shelf) -> None:
    lifecycle = life(shelf)
    state = made(lifecycle)
    assert lifecycle.plan(state, config(name="b"))[1] == [("name",)]
    assert lifecycle.plan(state, config(region="us-east-1"))[1] == [("region",)]
    assert lifecycle.plan(state | {"region": None}, config())[1] == []


def test_tags_set_outside_show_and_default_tags_do_not(shelf: Shelf) -> None:
    lifecycle = life(shelf)
    state = made(lifecycle)
    shelf.things["a"]["tags"] |= {"Outside": "x", "aws:cloudformation:stack": "y"}
    drifted = lifecycle.read(state)
    assert drifted is not None
    assert drifted["tags"] == {"Outside": "x"}
    assert drifted["tags_all"] == {"Outside": "x", "Team": "garden"}
    assert lifecycle.plan(drifted, config())[0]["tags_all"] == {"Team": "garden"}


def test_tags_that_are_not_known_yet_are_planned_so(shelf: Shelf) -> None:
    assert life(shelf).plan(None, config(tags=UNKNOWN))[0]["tags_all"] is UNKNOWN


def test_what_was_made_but_not_completed_is_remembered(shelf: Shelf) -> None:
    def complete(_aws: Aws, _values: Values) -> None:
        raise CallError("it never became active")

    with pytest.raises(PartlyMadeError, match="never became active") as failed:
        made(life(shelf, complete=complete))
    assert failed.value.state["id"] == "a"
    assert failed.value.state["version"] is None


def test_a_failed_change_leaves_the_state_as_it_was(shelf: Shelf) -> None:
    def update(_aws: Aws, _before: Values, _values: Values) -> None:
        raise CallError("no")

    lifecycle = life(shelf, update=update)
    state = made(lifecycle)
    with pytest.raises(PartlyMadeError) as failed:
        lifecycle.apply(state, lifecycle.plan(state, config(size=3))[0])
    assert failed.value.state == state


def test_an_accepted_resource_is_never_replaced_and_keeps_its_values() -> None:
    aws, clients = fake_aws()
    schema = load("resource", "aws_db_instance")
    lifecycle = Lifecycle(schema, accepted_resource("aws_db_instance", schema), aws)
    wanted = conform(schema.block, {"identifier": "orders", "engine": "mysql", "instance_class": "db.t3.micro"})
    state = lifecycle.apply(None, lifecycle.plan(None, wanted)[0])
    assert state["arn"] == f"arn:aws:db:{REGION}:123456789012:instance/orders"
    assert state["endpoint"].endswith(".invalid")
    assert state["port"] == 3306
    assert lifecycle.read(state) == state
    assert lifecycle.plan(state, wanted) == (state, [])
    assert lifecycle.plan(state, wanted | {"engine": "postgres", "identifier": "x"})[1] == []
    lifecycle.delete(state)
    assert clients.calls == []


def test_an_accepted_data_source_says_the_same_each_time() -> None:
    aws, _clients = fake_aws()
    schema = load("data", "aws_ami")
    source = accepted_data_source("aws_ami", schema)
    arguments = conform(schema.block, {"owners": ["amazon"]})
    first = read_data_source(schema, source, aws, arguments)
    assert first["id"].startswith("ami-")
    assert read_data_source(schema, source, aws, arguments) == first
    other = conform(schema.block, {"owners": ["self"]})
    assert read_data_source(schema, source, aws, other)["id"] != first["id"]
