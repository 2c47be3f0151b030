"""The agent of ECS Exec in a container, as `managedAgents` shows it.

AWS starts it about ten seconds after the task runs; here it is there at once. Source: aws/ecs-cloudmap-exec.md
section 13.
"""

from typing import Literal

from tsubo.aws.operations import Response
from tsubo.model.ecs import ContainerDefinition, Task, TaskContainer

RUNS_IN = ("RUNNING", "DEACTIVATING", "STOPPING")


def agent_status(
    task: Task, container: TaskContainer, definition: ContainerDefinition | None
) -> Literal["PENDING", "RUNNING", "STOPPED"]:
    """Return the status of the agent, which cannot run on a root file system that is read-only."""
    is_up = container.last_status == "RUNNING" and task.last_status in RUNS_IN
    if container.last_status == "STOPPED" or (is_up and definition is not None and definition.readonly_root_filesystem):
        return "STOPPED"
    return "RUNNING" if is_up else "PENDING"


def agent_view(task: Task, container: TaskContainer, definition: ContainerDefinition | None) -> Response:
    """Return the agent as DescribeTasks shows it."""
    view: Response = {"name": "ExecuteCommandAgent", "lastStatus": agent_status(task, container, definition)}
    if view["lastStatus"] == "RUNNING" and task.started_at is not None:
        view["lastStartedAt"] = task.started_at
    return view
