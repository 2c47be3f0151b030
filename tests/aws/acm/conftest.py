"""ACM's operations, checked, on an empty world."""

import pytest

from tests.aws.checked import Checked
from tsubo.aws.acm import OPERATIONS


@pytest.fixture
def acm() -> Checked:
    return Checked("acm", OPERATIONS)
