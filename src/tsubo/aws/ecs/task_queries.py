"""Reading tasks: describe and list; task protection as far as it is true; container instances, of which there are none.

Source: aws/ecs-cloudmap-exec.md sections 2 and 4.
"""

from tsubo.aws.ecs.listing import listed, missing
from tsubo.aws.ecs.lookup import (
    cluster_tasks,
    existing_service,
    existing_task,
    find_task,
    invalid_parameter,
    requested_cluster,
    task_arn,
    unsupported,
)
from tsubo.aws.ecs.task_view import task_view
from tsubo.aws.operations import Call, Operation, Request, Response
from tsubo.model.ecs import Cluster, Task

MAXIMUM_DESCRIBED = 100
DESIRED_STATUSES = ("RUNNING", "PENDING", "STOPPED")


def describe_tasks(call: Call, request: Request) -> Response:
    """Describe up to a hundred tasks; what is not there is a failure MISSING."""
    cluster = requested_cluster(call, request)
    identifiers = request.get("tasks") or []
    if not identifiers:
        raise invalid_parameter("Tasks cannot be empty.")
    if len(identifiers) > MAXIMUM_DESCRIBED:
        raise invalid_parameter(f"Tasks cannot have more than {MAXIMUM_DESCRIBED} items.")
    with_tags = "TAGS" in (request.get("include") or ())
    found = {identifier: find_task(call, cluster, identifier) for identifier in identifiers}
    return {
        "tasks": [task_view(call.world, t, with_tags=with_tags) for t in found.values() if t is not None],
        "failures": [missing(task_arn(cluster, i)) for i, task in found.items() if task is None],
    }


def list_tasks(call: Call, request: Request) -> Response:
    """List the ARNs of a cluster's tasks that are wanted RUNNING, or STOPPED, by service, family or starter."""
    cluster = requested_cluster(call, request)
    desired = request.get("desiredStatus") or "RUNNING"
    if desired not in DESIRED_STATUSES:
        raise invalid_parameter(f"desiredStatus must be one of {', '.join(DESIRED_STATUSES)}.")
    tasks = [t for t in cluster_tasks(call, cluster) if t.desired_status == desired]
    if request.get("serviceName"):
        arn = existing_service(call, cluster, request["serviceName"]).arn
        tasks = [t for t in tasks if t.service_arn == arn]
    if request.get("family"):
        tasks = [t for t in tasks if _family(call, t) == request["family"]]
    if request.get("startedBy"):
        tasks = [t for t in tasks if t.started_by == request["startedBy"]]
    if request.get("launchType"):
        tasks = [t for t in tasks if t.launch_type == request["launchType"]]
    if request.get("containerInstance"):
        tasks = []
    return listed("taskArns", [t.arn for t in tasks], request)


def _family(call: Call, task: Task) -> str:
    return call.world.task_definitions[task.task_definition_arn].family


def get_task_protection(call: Call, request: Request) -> Response:
    """Say that tasks are not protected from scale-in, for that is how they are."""
    cluster = requested_cluster(call, request)
    return {"protectedTasks": [_unprotected(t) for t in _named(call, cluster, request)], "failures": []}


def update_task_protection(call: Call, request: Request) -> Response:
    """Take protection away, which changes nothing; giving it is refused, because nothing would honour it."""
    cluster = requested_cluster(call, request)
    tasks = _named(call, cluster, request)
    if request["protectionEnabled"]:
        raise unsupported("Tsubo does not protect tasks from scale-in.")
    return {"protectedTasks": [_unprotected(t) for t in tasks], "failures": []}


def _named(call: Call, cluster: Cluster, request: Request) -> list[Task]:
    return [existing_task(call, cluster, identifier) for identifier in request.get("tasks") or ()]


def _unprotected(task: Task) -> Response:
    return {"taskArn": task.arn, "protectionEnabled": False}


def list_container_instances(call: Call, request: Request) -> Response:
    """List none: every task is Fargate's."""
    requested_cluster(call, request)
    return {"containerInstanceArns": []}


def describe_container_instances(call: Call, request: Request) -> Response:
    """Answer MISSING for each: every task is Fargate's."""
    requested_cluster(call, request)
    return {"containerInstances": [], "failures": [missing(arn) for arn in request["containerInstances"]]}


OPERATIONS: dict[str, Operation] = {
    "DescribeTasks": describe_tasks,
    "ListTasks": list_tasks,
    "GetTaskProtection": get_task_protection,
    "UpdateTaskProtection": update_task_protection,
    "ListContainerInstances": list_container_instances,
    "DescribeContainerInstances": describe_container_instances,
}
