"""Flow logs of VPCs, subnets and interfaces. The flows process writes their lines, the controller delivers them to
CloudWatch Logs; a flow log to another destination is kept, and says that nothing is delivered.

Source: aws/alb-vpc-terraform.md section 2.10; the words of errors are moto 5.2.5's.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tsubo.aws.ec2.describe import chosen, listed
from tsubo.aws.ec2.errors import invalid_value, required
from tsubo.aws.ec2.filters import View
from tsubo.aws.ec2.lookup import find, regional
from tsubo.aws.ec2.tags import shown_tags, tags_asked
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.model.flows import DEFAULT_LOG_FORMAT
from tsubo.model.supply import resource_id
from tsubo.model.vpc import FlowLog, NetworkInterface, Subnet, Vpc

CLOUD_WATCH_LOGS = "cloud-watch-logs"
DESTINATION_TYPES = (CLOUD_WATCH_LOGS, "s3", "kinesis-data-firehose")
INTERVALS = (60, 600)
RESOURCES: Mapping[str, type[Vpc] | type[Subnet] | type[NetworkInterface]] = {
    "VPC": Vpc,
    "Subnet": Subnet,
    "NetworkInterface": NetworkInterface,
}
FILTERS = {
    "deliver-log-status": "DeliverLogsStatus",
    "flow-log-id": "FlowLogId",
    "log-destination-type": "LogDestinationType",
    "log-group-name": "LogGroupName",
    "resource-id": "ResourceId",
    "traffic-type": "TrafficType",
}


def create_flow_logs(call: Call, request: Request) -> Response:
    kind = RESOURCES.get(required(request, "ResourceType"))
    if kind is None:
        raise invalid_value(f"Value ({request['ResourceType']}) for parameter resourceType is invalid.")
    token = request.get("ClientToken")
    made = [log.flow_log_id for log in regional(call, FlowLog) if token and log.client_token == token]
    if not made:
        shape = _shape_asked(call, request)
        identifiers = [find(call, kind, identifier).key for identifier in required(request, "ResourceIds")]
        made = [_create(call, identifier, shape) for identifier in identifiers]
    return {"FlowLogIds": made, "Unsuccessful": [], **({"ClientToken": token} if token else {})}


def _create(call: Call, identifier: str, shape: dict[str, Any]) -> str:
    for other in regional(call, FlowLog):
        if (other.resource_id, other.destination) == (identifier, shape["destination"]):
            message = "Error. There is an existing Flow Log with the same configuration and log destination."
            raise AwsError("FlowLogAlreadyExists", message)
    log = FlowLog(resource_id(call.supply, "fl"), identifier, call.region, call.now, **shape)
    call.put(log)
    return log.flow_log_id


def delete_flow_logs(call: Call, request: Request) -> Response:
    identifiers = required(request, "FlowLogIds")
    absent = [identifier for identifier in identifiers if identifier not in call.world.flow_logs]
    if absent:
        raise _not_found(absent)
    call.delete(*(find(call, FlowLog, identifier) for identifier in identifiers))
    return {"Unsuccessful": []}


def describe_flow_logs(call: Call, request: Request) -> Response:
    views = chosen(map(_view, regional(call, FlowLog)), "FlowLogId", request.get("FlowLogIds"), _not_found)
    return listed("FlowLogs", views, request, FILTERS, by="FlowLogId", filter_member="Filter")


def _shape_asked(call: Call, request: Request) -> dict[str, Any]:
    """Return what a request says of the flow logs to be made, or raise where AWS refuses it."""
    destination_type = request.get("LogDestinationType") or CLOUD_WATCH_LOGS
    if destination_type not in DESTINATION_TYPES:
        raise invalid_value(f"Value ({destination_type}) for parameter logDestinationType is invalid.")
    group, destination = request.get("LogGroupName"), (request.get("LogDestination") or "").removesuffix(":*")
    if not group and not destination:
        raise _invalid("LogDestination can't be empty if LogGroupName is not provided.")
    if destination_type == CLOUD_WATCH_LOGS:
        if not request.get("DeliverLogsPermissionArn"):
            raise _invalid("DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.")
        group = group or destination.partition(":log-group:")[2]
        destination = call.arn("logs", f"log-group:{group}")
    elif group:
        raise _invalid("LogDestination type must be cloud-watch-logs if LogGroupName is provided.")
    interval = int(request.get("MaxAggregationInterval") or INTERVALS[-1])
    if interval not in INTERVALS:
        raise _invalid("Invalid Flow Log Max Aggregation Interval")
    return {
        "traffic_type": _traffic_asked(request),
        "destination_type": destination_type,
        "destination": destination,
        "log_format": request.get("LogFormat") or DEFAULT_LOG_FORMAT,
        "interval": interval,
        "log_group_name": group or None,
        "role_arn": request.get("DeliverLogsPermissionArn"),
        "client_token": request.get("ClientToken"),
        "tags": tags_asked(request, "vpc-flow-log"),
    }


def _traffic_asked(request: Request) -> str:
    traffic_type: str = required(request, "TrafficType")
    if traffic_type not in ("ACCEPT", "REJECT", "ALL"):
        raise invalid_value(f"Value ({traffic_type}) for parameter trafficType is invalid.")
    return traffic_type


def _view(log: FlowLog) -> View:
    optional = {"LogGroupName": log.log_group_name, "DeliverLogsPermissionArn": log.role_arn}
    return {
        "FlowLogId": log.flow_log_id,
        "FlowLogStatus": "ACTIVE",
        "ResourceId": log.resource_id,
        "TrafficType": log.traffic_type,
        "LogDestinationType": log.destination_type,
        "LogDestination": log.destination,
        "LogFormat": log.log_format,
        "MaxAggregationInterval": log.interval,
        "CreationTime": datetime.fromtimestamp(log.created_at, UTC),
        **_delivery_view(log),
        **{member: value for member, value in optional.items() if value},
        **shown_tags(log.tags),
    }


def _delivery_view(log: FlowLog) -> View:
    if log.destination_type == CLOUD_WATCH_LOGS:
        return {"DeliverLogsStatus": "SUCCESS"}
    message = f"Tsubo delivers flow logs to CloudWatch Logs only, not to {log.destination_type}."
    return {"DeliverLogsStatus": "FAILED", "DeliverLogsErrorMessage": message}


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameter", message)


def _not_found(identifiers: Sequence[str]) -> AwsError:
    words = f"[TotalCount: {len(identifiers)}] {' '.join(identifiers)}"
    return AwsError("InvalidFlowLogId.NotFound", f"These flow log ids in the input list are not found: {words}")


OPERATIONS: Mapping[str, Operation] = {
    "CreateFlowLogs": create_flow_logs,
    "DeleteFlowLogs": delete_flow_logs,
    "DescribeFlowLogs": describe_flow_logs,
}
