"""Who and where: the caller, the region, its availability zones, the partition."""

from tsubo.terraform.calls import Aws
from tsubo.terraform.data_sources.filters import filters_of
from tsubo.terraform.table import DataSource
from tsubo.terraform.values import Values

REGION_NAMES = {
    "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-northeast-3": "Asia Pacific (Osaka)",
    "ap-southeast-1": "Asia Pacific (Singapore)",
    "ap-southeast-2": "Asia Pacific (Sydney)",
    "eu-central-1": "Europe (Frankfurt)",
    "eu-west-1": "Europe (Ireland)",
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-2": "US West (Oregon)",
}


def _caller(aws: Aws, _values: Values) -> Values:
    identity = aws.call("sts", "get_caller_identity")
    account = identity["Account"]
    return {"id": account, "account_id": account, "arn": identity["Arn"], "user_id": identity["UserId"]}


def _region(aws: Aws, values: Values) -> Values:
    region = values.get("name") or values.get("region") or aws.region
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": REGION_NAMES.get(region, region),
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


def _zones(aws: Aws, values: Values) -> Values:
    filters = filters_of(values) or []
    if values.get("state"):
        filters.append({"Name": "state", "Values": [values["state"]]})
    zones = aws.call("ec2", "describe_availability_zones", Filters=filters or None)["AvailabilityZones"]
    names, ids = values.get("exclude_names") or (), values.get("exclude_zone_ids") or ()
    kept = sorted(
        (zone for zone in zones if zone["ZoneName"] not in names and zone["ZoneId"] not in ids),
        key=lambda zone: str(zone["ZoneName"]),
    )
    return {
        "id": aws.region,
        "names": [zone["ZoneName"] for zone in kept],
        "zone_ids": [zone["ZoneId"] for zone in kept],
        "group_names": sorted({zone.get("GroupName") or aws.region for zone in kept}),
    }


def _partition(_aws: Aws, _values: Values) -> Values:
    return {"id": "aws", "partition": "aws", "dns_suffix": "amazonaws.com", "reverse_dns_prefix": "com.amazonaws"}


DATA_SOURCES = {
    "aws_caller_identity": DataSource(_caller),
    "aws_region": DataSource(_region),
    "aws_availability_zones": DataSource(_zones),
    "aws_partition": DataSource(_partition),
}
