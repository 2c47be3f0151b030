"""ExecuteCommand: a session in a container of a running task.

The operation writes an `ExecSession` record, as any operation writes what it wants; the engine follows the records and
runs the process. So the call stays a function of the world, the token is known to nobody but the caller, and
ResumeSession and TerminateSession find the session where everything else is found. Source: aws/ecs-cloudmap-exec.md
section 13.
"""

from tsubo.aws.ecs.exec_agent import agent_status
from tsubo.aws.ecs.lookup import existing_task, invalid_parameter, requested_cluster
from tsubo.aws.exec_channel import new_token, stream_url
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.ecs import Task, TaskContainer
from tsubo.model.exec_session import SESSION_PREFIX, ExecSession

SESSION_ID_LENGTH = 17
SESSIONS_PER_CONTAINER = 2
NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or the "
    "execute command agent isn\u2019t running. Wait and try again or run a new task with execute command "
    "enabled and try again."
)


def execute_command(call: Call, request: Request) -> Response:
    """Open a session for a command; the answer says where its channel is, and the token that opens it once."""
    task = existing_task(call, requested_cluster(call, request), request["task"])
    if not request["interactive"]:
        raise invalid_parameter("Interactive must be set to true.")
    if not task.enable_execute_command:
        raise invalid_parameter(NOT_ENABLED)
    container = _container(task, request.get("container"))
    definitions = call.world.task_definitions[task.task_definition_arn].containers
    definition = next((d for d in definitions if d.name == container.name), None)
    if agent_status(task, container, definition) != "RUNNING":
        raise invalid_parameter(NOT_ENABLED)
    _check_sessions(call, task, container)
    session_id = SESSION_PREFIX + call.supply.text(SESSION_ID_LENGTH)
    token, digest = new_token(call)
    call.put(ExecSession(session_id, call.region, task.arn, container.name, request["command"], call.now, digest))
    return {
        "clusterArn": task.cluster_arn,
        "taskArn": task.arn,
        "containerArn": container.arn,
        "containerName": container.name,
        "interactive": True,
        "session": {"sessionId": session_id, "streamUrl": stream_url(call, session_id), "tokenValue": token},
    }


def _container(task: Task, name: str | None) -> TaskContainer:
    """Return the container that is meant. Raises InvalidParameterException."""
    names = [container.name for container in task.containers]
    if name is None and len(names) > 1:
        raise invalid_parameter(f"Specify a container: the task has {', '.join(names)}.")
    for container in task.containers:
        if name in (None, container.name):
            return container
    raise invalid_parameter(f"The container {name} does not exist in the task: it has {', '.join(names)}.")


def _check_sessions(call: Call, task: Task, container: TaskContainer) -> None:
    """The agent runs so many sessions at a time; ECS says no more of the next one than that it failed."""
    sessions = call.world.exec_sessions.values()
    own = [s for s in sessions if (s.task_arn, s.container_name) == (task.arn, container.name) and not s.terminated]
    if len(own) >= SESSIONS_PER_CONTAINER:
        message = "The execute command failed due to an internal error. Try again later."
        raise AwsError("TargetNotConnectedException", message)


OPERATIONS: dict[str, Operation] = {"ExecuteCommand": execute_command}
