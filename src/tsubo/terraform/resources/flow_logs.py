"""Flow logs of VPCs, subnets and interfaces. Calls: aws/alb-vpc-terraform.md section 2.10."""

from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.resources.common import block, first, retag_ec2, tag_map, tag_specifications
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

_RESOURCES = {"vpc_id": "VPC", "subnet_id": "Subnet", "eni_id": "NetworkInterface"}
_ID_PREFIXES = {"vpc_id": "vpc-", "subnet_id": "subnet-", "eni_id": "eni-"}


def _same_destination(one: str, other: str) -> bool:
    """Say whether two ARNs name one destination: a log group's may end in `:*`."""
    return one.removesuffix(":*") == other.removesuffix(":*")


def _destination_options(values: Values) -> dict[str, Any] | None:
    options = block(values, "destination_options")
    if options is None:
        return None
    return {
        "FileFormat": options["file_format"],
        "HiveCompatiblePartitions": options["hive_compatible_partitions"],
        "PerHourPartition": options["per_hour_partition"],
    }


def _create(aws: Aws, values: Values) -> Values:
    attribute = first(name for name in _RESOURCES if values.get(name))
    if attribute is None:
        raise CallError("flow logs of transit gateways are not run here", hint="Set vpc_id, subnet_id or eni_id.")
    answer = aws.call(
        "ec2",
        "create_flow_logs",
        ResourceType=_RESOURCES[attribute],
        ResourceIds=[values[attribute]],
        TrafficType=values.get("traffic_type"),
        LogDestinationType=values["log_destination_type"],
        LogDestination=values.get("log_destination") or None,
        LogGroupName=values.get("log_group_name") or None,
        DeliverLogsPermissionArn=values.get("iam_role_arn"),
        DeliverCrossAccountRole=values.get("deliver_cross_account_role"),
        LogFormat=values.get("log_format") or None,
        MaxAggregationInterval=values["max_aggregation_interval"],
        DestinationOptions=_destination_options(values),
        TagSpecifications=tag_specifications(values, "vpc-flow-log"),
    )
    return {"id": answer["FlowLogIds"][0]}


def _read(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("ec2", "describe_flow_logs", FlowLogIds=[values["id"]]) or {}
    log = first(answer.get("FlowLogs"))
    if log is None:
        return None
    resource = log["ResourceId"]
    return {
        "arn": aws.arn("ec2", f"vpc-flow-log/{log['FlowLogId']}"),
        "traffic_type": log["TrafficType"],
        "log_destination_type": log["LogDestinationType"],
        "log_destination": log.get("LogDestination", ""),
        "log_group_name": log.get("LogGroupName", ""),
        "log_format": log["LogFormat"],
        "max_aggregation_interval": log["MaxAggregationInterval"],
        "iam_role_arn": log.get("DeliverLogsPermissionArn", ""),
        "tags": tag_map(log.get("Tags")),
        **{name: resource if resource.startswith(prefix) else "" for name, prefix in _ID_PREFIXES.items()},
    }


def _delete(aws: Aws, values: Values) -> None:
    aws.call("ec2", "delete_flow_logs", FlowLogIds=[values["id"]])


RESOURCES = {
    "aws_flow_log": ResourceType(
        create=_create, read=_read, delete=_delete, retag=retag_ec2, alike={"log_destination": _same_destination}
    )
}
