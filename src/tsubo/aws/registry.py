"""Which services are ours, and their operations.

A service that is not listed here is moto's, whole (see `breadth.py`); so are the operations that EC2 and STS have
beyond ours, because there the two parts do not share state.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec

from tsubo.aws.operations import Operations

SERVICES = ("ec2", "ecs", "elbv2", "route53", "servicediscovery", "acm", "sts")
SHARED_SERVICES = frozenset({"ec2", "sts"})
"""Services of which moto answers the operations that we do not have."""


def load_operations() -> Mapping[str, Operations]:
    """Return the operations of each service of ours, from its package's OPERATIONS."""
    operations: dict[str, Operations] = {}
    for service in SERVICES:
        module = import_module(f"tsubo.aws.{service}") if find_spec(f"tsubo.aws.{service}") else None
        operations[service] = getattr(module, "OPERATIONS", {})
    return operations


OPERATIONS: Mapping[str, Operations] = load_operations()
