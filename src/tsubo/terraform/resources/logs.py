"""CloudWatch log groups. Calls: aws/alb-vpc-terraform.md sections 6.2 and 6.8."""

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import changed, first, name_of, retag_by
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

LONGEST_NAME = 512


def _create(aws: Aws, values: Values) -> Values:
    name = name_of(values, LONGEST_NAME)
    aws.call(
        "logs",
        "create_log_group",
        logGroupName=name,
        kmsKeyId=values.get("kms_key_id") or None,
        logGroupClass=values.get("log_group_class"),
        tags=values.get("tags_all") or None,
    )
    return {"id": name, "name": name}


def _complete(aws: Aws, values: Values) -> None:
    if values["retention_in_days"]:
        _set_retention(aws, values)


def _set_retention(aws: Aws, values: Values) -> None:
    days = values["retention_in_days"]
    if days:
        aws.call("logs", "put_retention_policy", logGroupName=values["id"], retentionInDays=days)
    else:
        aws.call("logs", "delete_retention_policy", logGroupName=values["id"])


def _read(aws: Aws, values: Values) -> Values | None:
    groups = aws.call("logs", "describe_log_groups", logGroupNamePrefix=values["id"])["logGroups"]
    group = first(group for group in groups if group["logGroupName"] == values["id"])
    if group is None:
        return None
    arn = group["arn"].removesuffix(":*")
    return {
        "arn": arn,
        "name": group["logGroupName"],
        "name_prefix": values.get("name_prefix") or "",
        "retention_in_days": group.get("retentionInDays", 0),
        "kms_key_id": group.get("kmsKeyId", ""),
        "log_group_class": group.get("logGroupClass", "STANDARD"),
        "tags": aws.call("logs", "list_tags_for_resource", resourceArn=arn).get("tags") or {},
    }


def _update(aws: Aws, before: Values, values: Values) -> None:
    if changed(before, values, "retention_in_days"):
        _set_retention(aws, values)
    if changed(before, values, "kms_key_id"):
        if values.get("kms_key_id"):
            aws.call("logs", "associate_kms_key", logGroupName=values["id"], kmsKeyId=values["kms_key_id"])
        else:
            aws.call("logs", "disassociate_kms_key", logGroupName=values["id"])


def _delete(aws: Aws, values: Values) -> None:
    if not values.get("skip_destroy"):
        aws.call("logs", "delete_log_group", logGroupName=values["id"])


RESOURCES = {
    "aws_cloudwatch_log_group": ResourceType(
        create=_create,
        complete=_complete,
        read=_read,
        update=_update,
        delete=_delete,
        retag=retag_by("logs", "tag_resource", "untag_resource", "resourceArn", "tags", "tagKeys"),
    )
}
