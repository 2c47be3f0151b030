"""The coverage page says what the code does."""

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import botocore
import pytest

from tsubo.aws.coverage import REFUSED, STORED, status
from tsubo.aws.registry import OPERATIONS
from tsubo.aws.wire import service_model

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "coverage.md").read_text()


def tool() -> ModuleType:
    """Load tools/coverage.py, whose name is also that of another package."""
    specification = importlib.util.spec_from_file_location("coverage_tool", ROOT / "tools" / "coverage.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def on_page(service: str) -> dict[str, str]:
    """Return what the page says of each operation of a service."""
    section = re.search(rf"^## {service}(?: \*)?\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert section, f"{service} is not on the page"
    found = {}
    for kind, names in re.findall(r"\*\*(real|stored|not there)\*\*: (.*?)(?=\n\n|\Z)", section[1], re.DOTALL):
        found |= dict.fromkeys(re.split(r",\s+", names.strip()), kind)
    return found


def test_the_page_is_what_the_tool_writes() -> None:
    """Another botocore has other operations; what is ours is the same all the same, and the next test sees to that."""
    made_with = re.search(r"botocore ([\d.]+\d)", TEXT)
    assert made_with
    if made_with[1] != botocore.__version__:
        pytest.skip(f"the page was made with botocore {made_with[1]}")
    assert tool().page() == TEXT, "python tools/coverage.py"


@pytest.mark.parametrize("service", OPERATIONS)
def test_every_operation_of_ours_is_on_the_page(service: str) -> None:
    page = on_page(service)
    ours = {name: status(service, name) for name in OPERATIONS[service]}
    assert {name: page.get(name) for name in ours} == ours
    assert not {name for name, kind in page.items() if kind == "real"} - ours.keys()


@pytest.mark.parametrize("table", [STORED, REFUSED], ids=["stored", "refused"])
def test_what_the_tables_name_exists(table: Mapping[str, frozenset[str]]) -> None:
    for service, names in table.items():
        assert names <= OPERATIONS[service].keys() <= set(service_model(service).operation_names)
