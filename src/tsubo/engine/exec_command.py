"""`tsubo exec` on the engine's side: ExecuteCommand, and a session that waits for that client."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tsubo.engine.context import EngineContext
from tsubo.engine.errors import BUSY, FAILED, USAGE, UserError
from tsubo.engine.finding import find_task
from tsubo.engine.stack import terraform_addresses

NOT_ENABLED_REMEDY = (
    "ECS Exec needs enable_execute_command = true on the service, as on AWS, before the task starts, and a root file "
    "system that can be written. `docker exec` reaches any container: "
)


def open_session(context: EngineContext, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Open a session for a command in a task's container, and say where its channel is."""
    world = context.store.world
    task = find_task(world, parameters["name"], terraform_addresses(context))
    names = [container.name for container in world.task_definitions[task.task_definition_arn].containers]
    container = parameters.get("container") or names[0]
    if container not in names:
        raise UserError(
            f"Task {task.task_id} has no container {container}; it has {', '.join(names)}.", "Use -c.", USAGE
        )
    ecs = context.clients.get("ecs", task.region)
    try:
        session = ecs.execute_command(
            cluster=task.cluster_arn,
            task=task.arn,
            container=container,
            command=shlex.join(parameters["words"]),
            interactive=True,
        )["session"]
    except ClientError as error:
        raise _user_error(error, context.containers.container_name(task.task_id, container)) from error
    if not context.exec_sessions.prepare(session["sessionId"], bool(parameters.get("terminal"))):
        raise UserError("The session began before this client was ready for it.", "Run it again.", BUSY)
    yield {"type": "result", "stream_url": session["streamUrl"], "token": session["tokenValue"]}


def _user_error(error: ClientError, container: str) -> UserError:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    if code == "TargetNotConnectedException":
        remedy = f"A container has two sessions at a time, as on AWS. See what runs in it: docker top {container}"
        return UserError(message, remedy, BUSY)
    return UserError(message, f"{NOT_ENABLED_REMEDY}docker exec -it {container} sh", FAILED)
