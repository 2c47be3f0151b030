"""CreateTags, DeleteTags and DescribeTags: tags of any EC2 resource by its identifier."""

import dataclasses
from collections.abc import Mapping

from tsubo.aws.ec2.describe import listed
from tsubo.aws.ec2.errors import required
from tsubo.aws.ec2.lookup import KINDS, Resource, find, regional
from tsubo.aws.ec2.tags import with_tags, without_tags
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response

FILTERS = {"key": "Key", "resource-id": "ResourceId", "resource-type": "ResourceType", "value": "Value"}


def create_tags(call: Call, request: Request) -> None:
    tags = required(request, "Tags")
    for identifier in required(request, "Resources"):
        resource = _tagged(call, identifier)
        call.put(dataclasses.replace(resource, tags=with_tags(resource.tags, tags)))


def delete_tags(call: Call, request: Request) -> None:
    for identifier in required(request, "Resources"):
        resource = _tagged(call, identifier)
        call.put(dataclasses.replace(resource, tags=without_tags(resource.tags, request.get("Tags"))))


def describe_tags(call: Call, request: Request) -> Response:
    views = [
        {
            "Key": key,
            "ResourceId": record.key,
            "ResourceType": kind.resource_type,
            "Value": value,
            "Tags": [{"Key": key, "Value": value}],
        }
        for record_class, kind in KINDS.items()
        for record in regional(call, record_class)
        for key, value in record.tags.items()
    ]
    answer = listed("Tags", views, request, FILTERS, by=("ResourceId", "Key"))
    for view in answer["Tags"]:
        del view["Tags"]
    return answer


def _tagged(call: Call, identifier: str) -> Resource:
    for record_class, kind in KINDS.items():
        if identifier.startswith(f"{kind.prefix}-"):
            resource: Resource = find(call, record_class, identifier)
            return resource
    raise AwsError("InvalidID", f"The ID '{identifier}' is not valid")


OPERATIONS: Mapping[str, Operation] = {
    "CreateTags": create_tags,
    "DeleteTags": delete_tags,
    "DescribeTags": describe_tags,
}
