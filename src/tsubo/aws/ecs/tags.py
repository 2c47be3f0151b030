"""Tags: the wire's list of keys and values, and TagResource, UntagResource and ListTagsForResource for every kind."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from tsubo.aws.ecs.lookup import invalid_parameter
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.ecs import Cluster, Service, Task, TaskDefinition
from tsubo.model.vpc import Tags

MAXIMUM_TAGS = 50
Tagged = Cluster | Service | Task | TaskDefinition


def tags_of(pairs: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """Return the tags of a request. Raises InvalidParameterException for more than 50 or a reserved key."""
    tags = {str(pair.get("key", "")): str(pair.get("value", "")) for pair in pairs or ()}
    if len(tags) > MAXIMUM_TAGS:
        raise invalid_parameter(f"The number of tags cannot be greater than {MAXIMUM_TAGS}.")
    if "" in tags:
        raise invalid_parameter("Some tags contain invalid keys. A key cannot be empty.")
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid_parameter("Some tags contain invalid keys. The aws: prefix is reserved for AWS use.")
    return tags


def tag_list(tags: Tags) -> list[Response]:
    """Return tags as a response has them."""
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def _tagged(call: Call, arn: str) -> Tagged:
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] != "ecs":
        raise invalid_parameter("Invalid resource ARN: not an Amazon ECS resource.")
    kind = parts[5].split("/", 1)[0]
    world = call.world
    if kind == "cluster":
        cluster = world.clusters.get(arn)
        if cluster is None or cluster.status != "ACTIVE":
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return cluster
    found = world.services.get(arn) or world.tasks.get(arn) or world.task_definitions.get(arn)
    if found is None:
        raise invalid_parameter(f"The specified {kind} was not found. Specify a valid {kind} and try again.")
    return found


def tag_resource(call: Call, request: Request) -> Response:
    """Add tags to a cluster, service, task or task definition."""
    resource = _tagged(call, request["resourceArn"])
    tags = {**resource.tags, **tags_of(request["tags"])}
    if len(tags) > MAXIMUM_TAGS:
        raise invalid_parameter(f"The number of tags cannot be greater than {MAXIMUM_TAGS}.")
    call.put(dataclasses.replace(resource, tags=tags))
    return {}


def untag_resource(call: Call, request: Request) -> Response:
    """Remove tags by key; a key that is not there is no error."""
    resource = _tagged(call, request["resourceArn"])
    removed = set(request["tagKeys"])
    call.put(dataclasses.replace(resource, tags={k: v for k, v in resource.tags.items() if k not in removed}))
    return {}


def list_tags_for_resource(call: Call, request: Request) -> Response:
    """Return the tags of one resource."""
    return {"tags": tag_list(_tagged(call, request["resourceArn"]).tags)}


OPERATIONS: dict[str, Operation] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
