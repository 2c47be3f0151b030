"""What Terraform's state file tells: which resources there are, under which addresses, and which are not run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tsubo.terraform.resources import RESOURCES
from tsubo.terraform.runs import AcceptedResource

State = dict[str, Any]


def read_state(path: Path) -> State:
    """Return a state file's content; an empty state where there is no file."""
    try:
        state: State = json.loads(path.read_text() or "{}")
    except FileNotFoundError:
        return {}
    return state


def managed_resources(state: State) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield address, type and attributes of each resource in a state (not of data sources)."""
    for resource in state.get("resources") or ():
        if resource.get("mode") != "managed":
            continue
        module = f"{resource['module']}." if resource.get("module") else ""
        for instance in resource.get("instances") or ():
            address = f"{module}{resource['type']}.{resource['name']}{_index(instance.get('index_key'))}"
            yield address, resource["type"], instance.get("attributes") or {}


def _index(key: str | int | None) -> str:
    return "" if key is None else f"[{json.dumps(key)}]"


def addresses(state: State) -> dict[str, str]:
    """Return Terraform addresses by ARN and by id. An id that several resources share names the first."""
    found: dict[str, str] = {}
    for address, _type, attributes in managed_resources(state):
        for name in ("arn", "id"):
            if isinstance(attributes.get(name), str) and attributes[name]:
                found.setdefault(attributes[name], address)
    return found


def accepted_resources(state: State) -> tuple[AcceptedResource, ...]:
    """Return the AWS resources that are kept but not run."""
    return tuple(
        AcceptedResource(address, resource_type)
        for address, resource_type, _attributes in managed_resources(state)
        if resource_type.startswith("aws_") and (resource_type not in RESOURCES or not RESOURCES[resource_type].acts)
    )
