"""Cloud Map: namespaces, services, instances and discovery, by the name of each operation.

A namespace's hosted zone is written here; the records in it are derived (`model/derived.py`).
"""

from tsubo.aws.operations import Operations
from tsubo.aws.servicediscovery import discovery, instances, journal, namespaces, services, tags

OPERATIONS: Operations = {
    **namespaces.OPERATIONS,
    **services.OPERATIONS,
    **instances.OPERATIONS,
    **discovery.OPERATIONS,
    **journal.OPERATIONS,
    **tags.OPERATIONS,
}

__all__ = ["OPERATIONS"]
