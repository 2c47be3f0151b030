"""The referee: a directory applied by `tsubo up` and by the real provider leaves the same control plane.

Each stack gets a control plane of its own for either provider, with a stand-in for the engine's loop. The real
provider's runs overlap, for nearly all of their time is waiting.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.lab import referee
from tests.lab.engine_lab import EXAMPLE, PROJECT
from tests.terraform.control_plane import ControlPlane, control_plane
from tests.terraform.real_provider import plugin_directory
from tsubo.terraform.state_file import State

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("terraform"), reason="needs terraform on PATH"),
    pytest.mark.skipif(plugin_directory() is None, reason="no directory named registry.terraform.io with 5.100.0"),
]

STACKS: Mapping[str, Path] = {
    "ecs-navi": EXAMPLE,
    "blog-habits": PROJECT / "tests" / "stacks" / "blog-habits",
    **{path.stem: path for path in sorted((PROJECT / "tests" / "stacks" / "referee").glob("*.tf"))},
}
AT_ONCE = 5
"""Each run of the real provider takes some hundred megabytes, and a few seconds of a processor at its start."""


@pytest.fixture(scope="module")
def real_views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[referee.View]]]:
    """What the real provider leaves of each stack, as it comes."""
    top = tmp_path_factory.mktemp("real")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            name: pool.submit(view, source, top / name, referee.apply_with_the_real_provider)
            for name, source in STACKS.items()
        }


def view(source: Path, top: Path, apply: Callable[[ControlPlane, Path], State]) -> referee.View:
    """Apply a copy of a stack to an empty control plane and return what is in that then."""
    directory = top / "stack"
    if source.is_dir():
        shutil.copytree(source, directory, ignore=shutil.ignore_patterns(".terraform*", "terraform.tfstate*", "images"))
    else:
        directory.mkdir(parents=True)
        shutil.copy(source, directory / "main.tf")
    with control_plane(top) as plane:
        return referee.control_plane_view(plane, apply(plane, directory))


@pytest.mark.parametrize("name", STACKS)
def test_both_providers_leave_the_same(
    name: str, real_views: Mapping[str, Future[referee.View]], tmp_path: Path
) -> None:
    def apply(plane: ControlPlane, directory: Path) -> State:
        return referee.apply_with_ours(plane, directory, tmp_path / "home")

    ours = view(STACKS[name], tmp_path, apply)
    real = real_views[name].result()
    assert real, "the real provider left nothing"
    assert real == ours, "\n".join(referee.differences(real, ours))
