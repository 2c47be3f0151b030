"""What is registered exists in AWS, under that name."""

import pytest

from tsubo.aws.registry import OPERATIONS
from tsubo.aws.wire import PROTOCOLS, operation_model


def test_every_service_of_ours_has_operations_and_a_protocol() -> None:
    assert [service for service in OPERATIONS if not OPERATIONS[service]] == []
    assert set(PROTOCOLS) == set(OPERATIONS)


@pytest.mark.parametrize("service", OPERATIONS)
def test_every_operation_is_one_of_awss(service: str) -> None:
    assert [name for name in OPERATIONS[service] if operation_model(service, name) is None] == []
