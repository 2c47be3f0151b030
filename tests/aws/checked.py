"""Operations called without a wire, each request and answer checked against botocore's model of the service."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from tests.aws.direct import Direct
from tsubo.aws.operations import Operations
from tsubo.model.world import Record


@cache
def service_model(service: str) -> Any:
    """Return botocore's model of a service, which takes a while to read."""
    return botocore.session.get_session().get_service_model(service)


class Checked(Direct):
    """A `Direct` that takes nothing a client could not send, and answers nothing a client could not read."""

    def __init__(self, service: str, operations: Operations, *records: Record) -> None:
        super().__init__(operations, *records)
        self.model = service_model(service)

    def __call__(self, operation: str, request: Mapping[str, Any] | None = None, **members: Any) -> Any:
        """Return the operation's response; keep what it wrote."""
        model = self.model.operation_model(operation)
        check({**(request or {}), **members}, model.input_shape)
        response = super().__call__(operation, request, **members)
        if model.output_shape is None:
            assert response is None
        else:
            check(response, model.output_shape)
        return response


UNCHECKED = ("Missing required", "valid min")
"""What botocore refuses and other clients send: an operation must answer that itself."""


def check(parameters: Any, shape: Any) -> None:
    """See that parameters are of a shape."""
    if shape is None:
        assert not parameters
        return
    report = ParamValidator().validate(parameters, shape).generate_report()
    errors = [error for error in report.split("\n") if error and not any(each in error for each in UNCHECKED)]
    assert not errors, errors
