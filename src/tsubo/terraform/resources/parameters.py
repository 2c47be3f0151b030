"""SSM parameters."""

from collections.abc import Mapping
from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import changed, first, tag_items, tag_list, tag_map
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values


def _put(aws: Aws, values: Values, **more: Any) -> None:
    aws.call(
        "ssm",
        "put_parameter",
        Name=values["name"],
        Type=values["type"],
        Value=values.get("value") or values.get("insecure_value"),
        Description=values.get("description") or None,
        KeyId=values.get("key_id") or None,
        AllowedPattern=values.get("allowed_pattern") or None,
        Tier=values.get("tier") or None,
        DataType=values.get("data_type") or None,
        **more,
    )


def _create(aws: Aws, values: Values) -> Values:
    if values.get("overwrite"):
        _put(aws, values, Overwrite=True)
    else:
        _put(aws, values, Tags=tag_list(values))
    return {"id": values["name"]}


def _read(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("ssm", "get_parameter", Name=values["id"], WithDecryption=True)
    if answer is None:
        return None
    parameter = answer["Parameter"]
    filters = [{"Key": "Name", "Option": "Equals", "Values": [values["id"]]}]
    details = first(aws.call("ssm", "describe_parameters", ParameterFilters=filters)["Parameters"]) or {}
    tags = aws.call("ssm", "list_tags_for_resource", ResourceType="Parameter", ResourceId=values["id"])
    insecure = values.get("insecure_value")
    return {
        "arn": parameter.get("ARN") or aws.arn("ssm", f"parameter/{values['id'].lstrip('/')}"),
        "name": parameter["Name"],
        "type": parameter["Type"],
        "value": parameter["Value"],
        "insecure_value": parameter["Value"] if insecure else None,
        "version": parameter["Version"],
        "data_type": parameter.get("DataType", "text"),
        "description": details.get("Description", ""),
        "key_id": details.get("KeyId", ""),
        "tier": details.get("Tier", "Standard"),
        "allowed_pattern": details.get("AllowedPattern", ""),
        "has_value_wo": None,
        "tags": tag_map(tags.get("TagList")),
    }


def _update(aws: Aws, before: Values, values: Values) -> None:
    names = ("value", "insecure_value", "type", "description", "key_id", "allowed_pattern", "tier", "data_type")
    if changed(before, values, *names):
        _put(aws, values, Overwrite=True)


def _delete(aws: Aws, values: Values) -> None:
    aws.call("ssm", "delete_parameter", Name=values["id"])


def _retag(aws: Aws, values: Values, changed_tags: Mapping[str, str], removed: list[str]) -> None:
    target = {"ResourceType": "Parameter", "ResourceId": values["id"]}
    if removed:
        aws.call("ssm", "remove_tags_from_resource", **target, TagKeys=removed)
    if changed_tags:
        aws.call("ssm", "add_tags_to_resource", **target, Tags=tag_items(changed_tags))


RESOURCES = {
    "aws_ssm_parameter": ResourceType(
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=_retag,
        recomputed={"version": ("value", "insecure_value", "type", "description"), "value": ("insecure_value",)},
        import_values=lambda name: {"id": name, "name": name},
    )
}
