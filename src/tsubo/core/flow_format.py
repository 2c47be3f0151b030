"""How a flow record is written: the default format (version 2), and formats of a user's own.

A field that is not known here, or means nothing for a record, is `-`, as on AWS.
Source: aws/alb-vpc-terraform.md section 2.10.
"""

import re
from collections.abc import Mapping

from tsubo.model.flows import DEFAULT_LOG_FORMAT, FlowInterface, FlowRecord, FlowVpc, LogTarget

VERSIONS: Mapping[str, int] = {
    **dict.fromkeys(re.findall(r"\$\{([\w-]+)\}", DEFAULT_LOG_FORMAT), 2),
    **dict.fromkeys(("vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr"), 3),
    **dict.fromkeys(("region", "az-id", "sublocation-type", "sublocation-id"), 4),
    **dict.fromkeys(("pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction", "traffic-path"), 5),
    **dict.fromkeys(
        (
            "ecs-cluster-arn",
            "ecs-cluster-name",
            "ecs-container-instance-arn",
            "ecs-container-instance-id",
            "ecs-container-id",
            "ecs-second-container-id",
            "ecs-service-name",
            "ecs-task-definition-arn",
            "ecs-task-arn",
            "ecs-task-id",
        ),
        7,
    ),
    **dict.fromkeys(("reject-reason",), 8),
}
"""The fields that a format may name, by the version in which AWS introduced each."""
_FIELD = re.compile(r"\$\{([\w-]+)\}")


def fields(log_format: str) -> tuple[str, ...]:
    """Return the fields of a format, in order."""
    return tuple(_FIELD.findall(log_format))


def line(account_id: str, record: FlowRecord) -> str:
    """Return a record in the default format: version 2."""
    return _written(fields(DEFAULT_LOG_FORMAT), _values(account_id, record))


def formatted(account_id: str, record: FlowRecord, vpc: FlowVpc, log_format: str) -> str:
    """Return a record in a format of a user's own."""
    names = fields(log_format)
    version = max((VERSIONS.get(name, 2) for name in names), default=2)
    interface = vpc.by_id.get(record.interface_id)
    return _written(names, {**_values(account_id, record), **_details(vpc, interface), "version": version})


def concerns(target: LogTarget, vpc: FlowVpc, record: FlowRecord) -> bool:
    """Say whether a record belongs into a flow log."""
    interface = vpc.by_id.get(record.interface_id)
    places = (vpc.vpc_id, record.interface_id, interface.subnet_id if interface else None)
    wanted = target.traffic_type in ("ALL", record.action) or record.status == "SKIPDATA"
    return target.resource_id in places and wanted


def _written(names: tuple[str, ...], values: Mapping[str, object]) -> str:
    return " ".join(str(values.get(name, "-")) for name in names)


def _values(account_id: str, record: FlowRecord) -> dict[str, object]:
    always = {
        "version": 2,
        "account-id": account_id,
        "interface-id": record.interface_id,
        "start": record.start,
        "end": record.end,
        "log-status": record.status,
    }
    if record.status != "OK":
        return always
    flow = record.flow
    return always | {
        "srcaddr": flow.source,
        "dstaddr": flow.destination,
        "srcport": flow.source_port,
        "dstport": flow.destination_port,
        "protocol": flow.protocol,
        "packets": record.packets,
        "bytes": record.bytes,
        "action": record.action,
        "type": "IPv4",
    }


def _details(vpc: FlowVpc, interface: FlowInterface | None) -> dict[str, object]:
    details: dict[str, object] = {"vpc-id": vpc.vpc_id, "region": vpc.region}
    if interface is not None:
        details["subnet-id"] = interface.subnet_id
        if interface.service is not None:
            details |= {"ecs-cluster-name": interface.cluster, "ecs-service-name": interface.service}
    return details
