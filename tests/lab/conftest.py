"""The reference system, brought up once by `tsubo up examples/ecs-navi` and shared by the tests that look at it."""

from collections.abc import Iterator

import pytest

from tests.lab.engine_lab import EXAMPLE, EngineLab, engine_lab, machine_state
from tests.lab.reference_stack import ReferenceStack


@pytest.fixture(scope="session")
def reference_lab() -> Iterator[EngineLab]:
    """An engine with the example up; at the end the machine is as it was before."""
    before = machine_state()
    with engine_lab() as lab:
        lab.tsubo("up", str(EXAMPLE))
        yield lab
    assert machine_state() == before


@pytest.fixture
def stack(reference_lab: EngineLab) -> ReferenceStack:
    """The reference system with one settled task in each service and both URLs answering.

    A test may change what it likes and put back what it changed in configuration; tasks settle by themselves.
    """
    reference = ReferenceStack(reference_lab)
    reference.settle()
    return reference
