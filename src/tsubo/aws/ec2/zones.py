"""Regions and availability zones, and the domain names EC2 derives from a region.

Zone identifiers (`apne1-az4`) follow from the region's name. Which zone name stands for which identifier differs
between AWS accounts; the mapping here is one that an account may have.
"""

from collections.abc import Mapping, Sequence

from tsubo.aws.ec2.describe import chosen
from tsubo.aws.ec2.errors import invalid_value
from tsubo.aws.ec2.filters import View, select
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response

THREE_ZONES = {"a": 1, "b": 2, "c": 3}
REGION_ZONES: Mapping[str, Mapping[str, int]] = {
    "ap-northeast-1": {"a": 4, "c": 1, "d": 2},
    "ap-northeast-2": {"a": 1, "b": 2, "c": 3, "d": 4},
    "ap-northeast-3": THREE_ZONES,
    "ap-south-1": THREE_ZONES,
    "ap-southeast-1": THREE_ZONES,
    "ap-southeast-2": THREE_ZONES,
    "ca-central-1": {"a": 1, "b": 2, "d": 4},
    "eu-central-1": THREE_ZONES,
    "eu-north-1": THREE_ZONES,
    "eu-west-1": THREE_ZONES,
    "eu-west-2": THREE_ZONES,
    "eu-west-3": THREE_ZONES,
    "sa-east-1": THREE_ZONES,
    "us-east-1": {"a": 1, "b": 2, "c": 4, "d": 6, "e": 3, "f": 5},
    "us-east-2": THREE_ZONES,
    "us-west-1": {"a": 1, "c": 3},
    "us-west-2": {"a": 1, "b": 2, "c": 3, "d": 4},
}
"""Per region that needs no opt-in, its zone letters and the number of each one's identifier."""

DIRECTIONS = {
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "central": "c",
    "northeast": "ne",
    "northwest": "nw",
    "southeast": "se",
    "southwest": "sw",
}
ZONE_FILTERS = {
    "group-name": "GroupName",
    "message": "Messages.Message",
    "opt-in-status": "OptInStatus",
    "parent-zone-id": "ParentZoneId",
    "parent-zone-name": "ParentZoneName",
    "region-name": "RegionName",
    "state": "State",
    "zone-id": "ZoneId",
    "zone-name": "ZoneName",
    "zone-type": "ZoneType",
}
REGION_FILTERS = {"endpoint": "Endpoint", "opt-in-status": "OptInStatus", "region-name": "RegionName"}


def zones_of(region: str) -> dict[str, str]:
    """Return a region's zone names with their identifiers; a region that is not known here has a, b and c."""
    *area, direction, number = region.split("-")
    prefix = "".join((*area, DIRECTIONS.get(direction, direction[:1]), number)).replace("gov", "g")
    letters = REGION_ZONES.get(region, THREE_ZONES)
    return {f"{region}{letter}": f"{prefix}-az{number}" for letter, number in letters.items()}


def private_domain(region: str) -> str:
    """Return the domain of private host names in a region."""
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"


def public_domain(region: str) -> str:
    """Return the domain of public host names in a region."""
    return "compute-1.amazonaws.com" if region == "us-east-1" else f"{region}.compute.amazonaws.com"


def describe_availability_zones(call: Call, request: Request) -> Response:
    views: list[View] = [
        {
            "State": "available",
            "OptInStatus": "opt-in-not-required",
            "Messages": [],
            "RegionName": call.region,
            "ZoneName": name,
            "ZoneId": identifier,
            "GroupName": f"{call.region}-zg-1",
            "NetworkBorderGroup": call.region,
            "ZoneType": "availability-zone",
        }
        for name, identifier in zones_of(call.region).items()
    ]
    for member, wanted in (("ZoneName", request.get("ZoneNames")), ("ZoneId", request.get("ZoneIds"))):
        views = chosen(views, member, wanted, _no_such_zone)
    return {"AvailabilityZones": select(views, request.get("Filters") or [], ZONE_FILTERS)}


def describe_regions(call: Call, request: Request) -> Response:
    views: list[View] = [
        {"RegionName": name, "Endpoint": f"ec2.{name}.amazonaws.com", "OptInStatus": "opt-in-not-required"}
        for name in sorted({*REGION_ZONES, call.region})
    ]
    views = chosen(views, "RegionName", request.get("RegionNames"), _no_such_region)
    return {"Regions": select(views, request.get("Filters") or [], REGION_FILTERS)}


def _no_such_zone(names: Sequence[str]) -> AwsError:
    return invalid_value(f"Invalid availability zones: [{', '.join(names)}]")


def _no_such_region(names: Sequence[str]) -> AwsError:
    return invalid_value(f"Invalid region names: [{', '.join(names)}]")


OPERATIONS: Mapping[str, Operation] = {
    "DescribeAvailabilityZones": describe_availability_zones,
    "DescribeRegions": describe_regions,
}
