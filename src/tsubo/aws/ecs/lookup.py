"""Finding what a request names: clusters, services, task definitions and tasks, by name or ARN.

Each function takes the identifier of a request and returns the record, or None, or raises the error that AWS
answers. Source: aws/ecs-cloudmap-exec.md section 2.
"""

import re

from tsubo.aws.operations import AwsError, Call, Request
from tsubo.model.ecs import Cluster, Service, Task, TaskDefinition

DEFAULT_CLUSTER = "default"
NAME_PATTERN = re.compile(r"[a-zA-Z0-9_-]{1,255}")


def invalid_parameter(message: str) -> AwsError:
    """Return an InvalidParameterException."""
    return AwsError("InvalidParameterException", message)


def client_error(message: str) -> AwsError:
    """Return a ClientException."""
    return AwsError("ClientException", message)


def unsupported(message: str) -> AwsError:
    """Return an UnsupportedFeatureException: what AWS can do and Tsubo does not."""
    return AwsError("UnsupportedFeatureException", message)


def find_cluster(call: Call, identifier: str | None) -> Cluster | None:
    """Return the cluster of a name or ARN (None means `default`), active or not."""
    name_or_arn = identifier or DEFAULT_CLUSTER
    arn = name_or_arn if name_or_arn.startswith("arn:") else call.arn("ecs", f"cluster/{name_or_arn}")
    return call.world.clusters.get(arn)


def active_cluster(call: Call, identifier: str | None) -> Cluster:
    """Return the active cluster of a name or ARN. Raises ClusterNotFoundException."""
    cluster = find_cluster(call, identifier)
    if cluster is None:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    if cluster.status != "ACTIVE":
        raise AwsError("ClusterNotFoundException", "The referenced cluster was inactive.")
    return cluster


def service_arn(cluster: Cluster, identifier: str) -> str:
    """Return the ARN that a service's name or ARN (the short form too) means in a cluster."""
    if identifier.startswith("arn:") and identifier.count("/") > 1:
        return identifier
    name = identifier.rsplit("/", 1)[-1]
    return f"{cluster.arn.replace(':cluster/', ':service/', 1)}/{name}"


def find_service(call: Call, cluster: Cluster, identifier: str) -> Service | None:
    """Return the service of a name or ARN in a cluster, in any status."""
    service = call.world.services.get(service_arn(cluster, identifier))
    return service if service is not None and service.cluster_arn == cluster.arn else None


def existing_service(call: Call, cluster: Cluster, identifier: str) -> Service:
    """Return the service of a name or ARN, in any status. Raises ServiceNotFoundException."""
    service = find_service(call, cluster, identifier)
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    return service


def task_arn(cluster: Cluster, identifier: str) -> str:
    """Return the ARN that a task's id or ARN (the short form too) means in a cluster."""
    if identifier.startswith("arn:") and identifier.count("/") > 1:
        return identifier
    task_id = identifier.rsplit("/", 1)[-1]
    return f"{cluster.arn.replace(':cluster/', ':task/', 1)}/{task_id}"


def find_task(call: Call, cluster: Cluster, identifier: str) -> Task | None:
    """Return the task of an id or ARN in a cluster."""
    task = call.world.tasks.get(task_arn(cluster, identifier))
    return task if task is not None and task.cluster_arn == cluster.arn else None


def existing_task(call: Call, cluster: Cluster, identifier: str) -> Task:
    """Return the task of an id or ARN. Raises InvalidParameterException."""
    task = find_task(call, cluster, identifier)
    if task is None:
        raise invalid_parameter("The referenced task was not found.")
    return task


def cluster_tasks(call: Call, cluster: Cluster) -> list[Task]:
    """Return a cluster's tasks, oldest first."""
    tasks = [t for t in call.world.tasks.values() if t.cluster_arn == cluster.arn]
    return sorted(tasks, key=lambda t: (t.created_at, t.arn))


def revisions_of(call: Call, family: str) -> list[TaskDefinition]:
    """Return every revision of a family in the call's region, the oldest first."""
    revisions = [d for d in call.world.task_definitions.values() if d.family == family and d.region == call.region]
    return sorted(revisions, key=lambda d: d.revision)


def find_task_definition(call: Call, identifier: str) -> TaskDefinition | None:
    """Return the task definition of an ARN, `family:revision`, or `family` (its latest active revision)."""
    if identifier.startswith("arn:") and identifier in call.world.task_definitions:
        return call.world.task_definitions[identifier]
    family, _, revision = identifier.rsplit("/", 1)[-1].partition(":")
    revisions = revisions_of(call, family)
    if revision:
        return next((d for d in revisions if str(d.revision) == revision), None)
    return next((d for d in reversed(revisions) if d.status == "ACTIVE"), None)


def runnable_task_definition(call: Call, identifier: str) -> TaskDefinition:
    """Return an ACTIVE task definition for something new to run. Raises ClientException."""
    task_definition = find_task_definition(call, identifier)
    if task_definition is None:
        raise client_error("TaskDefinition not found.")
    if task_definition.status != "ACTIVE":
        raise client_error("TaskDefinition is inactive")
    return task_definition


def requested_cluster(call: Call, request: Request) -> Cluster:
    """Return the active cluster that a request names, or `default`. Raises ClusterNotFoundException."""
    return active_cluster(call, request.get("cluster"))
