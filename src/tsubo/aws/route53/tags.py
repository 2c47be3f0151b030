"""Tags of hosted zones."""

import dataclasses
from typing import Any

from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.aws.route53.lookup import find_zone, invalid_input
from tsubo.model.route53 import HostedZone

MOST_RESOURCES = 10


def change_tags_for_resource(call: Call, request: Request) -> Response:
    """ChangeTagsForResource: removes by key, then adds."""
    zone = _tagged(call, request.get("ResourceType"), request.get("ResourceId"))
    removed = set(request.get("RemoveTagKeys") or ())
    added = {tag["Key"]: tag.get("Value", "") for tag in request.get("AddTags") or ()}
    if not removed and not added:
        raise invalid_input("AddTags or RemoveTagKeys must be specified")
    kept = {key: value for key, value in zone.tags.items() if key not in removed}
    call.put(dataclasses.replace(zone, tags=kept | added))
    return {}


def list_tags_for_resource(call: Call, request: Request) -> Response:
    """ListTagsForResource."""
    zone = _tagged(call, request.get("ResourceType"), request.get("ResourceId"))
    return {"ResourceTagSet": _tag_set(zone)}


def list_tags_for_resources(call: Call, request: Request) -> Response:
    """ListTagsForResources: of up to ten."""
    ids = request.get("ResourceIds") or ()
    if len(ids) > MOST_RESOURCES:
        raise invalid_input(f"At most {MOST_RESOURCES} resources can be named")
    zones = [_tagged(call, request.get("ResourceType"), each) for each in ids]
    return {"ResourceTagSets": [_tag_set(zone) for zone in zones]}


def _tagged(call: Call, kind: Any, resource_id: Any) -> HostedZone:
    if kind == "healthcheck":
        raise AwsError("NoSuchHealthCheck", f"No health check exists with the ID: {resource_id}")
    if kind != "hostedzone":
        raise invalid_input(f"The resource type '{kind}' must be one of hostedzone, healthcheck")
    return find_zone(call, resource_id)


def _tag_set(zone: HostedZone) -> Response:
    return {
        "ResourceType": "hostedzone",
        "ResourceId": zone.zone_id,
        "Tags": [{"Key": key, "Value": value} for key, value in zone.tags.items()],
    }
