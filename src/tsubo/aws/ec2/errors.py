"""The errors that more than one EC2 operation answers, with the code and the words AWS gives them."""

from collections.abc import Mapping
from typing import Any

from tsubo.aws.operations import AwsError


def parameter_name(member: str) -> str:
    """Return a request member's name as EC2's messages write it: `VpcId` is `vpcId`."""
    return member[:1].lower() + member[1:]


def missing_parameter(member: str) -> AwsError:
    return AwsError("MissingParameter", f"The request must contain the parameter {parameter_name(member)}")


def invalid_value(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def dependency_violation(noun: str, identifier: str) -> AwsError:
    """Return the refusal to delete what something else still uses."""
    return AwsError("DependencyViolation", f"The {noun} '{identifier}' has dependencies and cannot be deleted.")


def unsupported(feature: str) -> AwsError:
    """Return the refusal of a real EC2 feature that is not run here; a silent acceptance would promise too much."""
    return AwsError("UnsupportedOperation", f"{feature} is not supported by this endpoint.")


def required(request: Mapping[str, Any], member: str) -> Any:
    """Return a member of the request, or raise MissingParameter where it is absent or empty."""
    value = request.get(member)
    if value is None or value == "":
        raise missing_parameter(member)
    return value


def refuse_members(request: Mapping[str, Any], *members: str) -> None:
    """Raise UnsupportedOperation if the request sets one of these members."""
    for member in members:
        if request.get(member):
            raise unsupported(f"The parameter {parameter_name(member)}")
