"""ECS: clusters, task definitions, services and tasks, by the name of each operation.

The operations write what is wanted; the loop writes what is. `OPERATIONS` is all that the endpoint needs.
"""

from tsubo.aws.ecs import (
    account_settings,
    clusters,
    execute_command,
    service_queries,
    services,
    tags,
    task_definitions,
    task_queries,
    tasks,
)
from tsubo.aws.operations import Operations

OPERATIONS: Operations = {
    **clusters.OPERATIONS,
    **task_definitions.OPERATIONS,
    **services.OPERATIONS,
    **service_queries.OPERATIONS,
    **tasks.OPERATIONS,
    **task_queries.OPERATIONS,
    **execute_command.OPERATIONS,
    **tags.OPERATIONS,
    **account_settings.OPERATIONS,
}

__all__ = ["OPERATIONS"]
