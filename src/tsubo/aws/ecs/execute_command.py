"""ExecuteCommand: its preconditions are AWS's; the channel to the container is not there yet.

Source: aws/ecs-cloudmap-exec.md section 13.
"""

from tsubo.aws.ecs.lookup import existing_task, invalid_parameter, requested_cluster
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.ecs import Task


def execute_command(call: Call, request: Request) -> Response:
    """Check the request as AWS does, then say that no session can be opened."""
    task = existing_task(call, requested_cluster(call, request), request["task"])
    if not request["interactive"]:
        raise invalid_parameter("Interactive must be set to true.")
    if not task.enable_execute_command:
        raise invalid_parameter(
            "The execute command failed because execute command was not enabled when the task was run or the "
            "execute command agent isn\u2019t running. Wait and try again or run a new task with execute command "
            "enabled and try again."
        )
    if task.last_status != "RUNNING":
        raise invalid_parameter(f"The task {task.arn} is not running: its last status is {task.last_status}.")
    _check_container(task, request.get("container"))
    raise AwsError(
        "TargetNotConnectedException",
        "The execute command failed: Tsubo has no SSM channel to a task yet. Use `tsubo exec` on this machine.",
    )


def _check_container(task: Task, name: str | None) -> None:
    names = [container.name for container in task.containers]
    if name is None and len(names) > 1:
        raise invalid_parameter(f"Specify a container: the task has {', '.join(names)}.")
    if name is not None and name not in names:
        raise invalid_parameter(f"The container {name} does not exist in the task: it has {', '.join(names)}.")


OPERATIONS: dict[str, Operation] = {"ExecuteCommand": execute_command}
