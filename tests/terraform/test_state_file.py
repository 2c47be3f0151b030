"""What a state file tells."""

import json
from pathlib import Path
from typing import Any

from tsubo.terraform.runs import AcceptedResource
from tsubo.terraform.state_file import accepted_resources, addresses, read_state


def resource(kind: str, name: str, *instances: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": kind, "name": name, "instances": list(instances)} | more


STATE = {
    "resources": [
        resource("aws_ecs_service", "web", {"attributes": {"id": "arn:aws:ecs:r:1:service/c/web"}}),
        resource("aws_subnet", "a", *({"index_key": i, "attributes": {"id": f"subnet-{i}"}} for i in range(2))),
        resource("aws_db_instance", "db", {"index_key": "x", "attributes": {"id": "db"}}, module='module.data["x"]'),
        resource("random_id", "r", {"attributes": {"id": "abc"}}),
        {"mode": "data", "type": "aws_vpc", "name": "d", "instances": [{"attributes": {"id": "vpc-1"}}]},
    ]
}


def test_addresses_by_arn_and_id() -> None:
    found = addresses(STATE)
    assert found["arn:aws:ecs:r:1:service/c/web"] == "aws_ecs_service.web"
    assert found["subnet-1"] == "aws_subnet.a[1]"
    assert found["db"] == 'module.data["x"].aws_db_instance.db["x"]'
    assert "vpc-1" not in found


def test_aws_resources_that_are_not_run() -> None:
    assert accepted_resources(STATE) == (
        AcceptedResource('module.data["x"].aws_db_instance.db["x"]', "aws_db_instance"),
    )


def test_no_file_is_an_empty_state(tmp_path: Path) -> None:
    assert read_state(tmp_path / "terraform.tfstate") == {}
    (tmp_path / "terraform.tfstate").write_text(json.dumps(STATE))
    assert read_state(tmp_path / "terraform.tfstate") == STATE
