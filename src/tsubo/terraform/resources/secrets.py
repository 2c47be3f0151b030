"""Secrets Manager secrets and their versions.

A deleted secret is gone at once, whatever its recovery window: a stack that was taken down must come up again.
"""

import base64
from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import changed, name_of, retag_by, tag_list, tag_map, unique_name
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

_SERVICE = "secretsmanager"


def _create(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        _SERVICE,
        "create_secret",
        Name=name_of(values),
        Description=values.get("description") or None,
        KmsKeyId=values.get("kms_key_id") or None,
        Tags=tag_list(values),
        ClientRequestToken=unique_name("terraform-tsubo-"),
    )
    return {"id": answer["ARN"]}


def _complete(aws: Aws, values: Values) -> None:
    if values.get("policy"):
        aws.call(_SERVICE, "put_resource_policy", SecretId=values["id"], ResourcePolicy=values["policy"])


def _find(aws: Aws, identifier: str) -> Any:
    answer = aws.find(_SERVICE, "describe_secret", SecretId=identifier)
    return None if answer is None or answer.get("DeletedDate") else answer


def _read(aws: Aws, values: Values) -> Values | None:
    secret = _find(aws, values["id"])
    if secret is None:
        return None
    return {
        "arn": secret["ARN"],
        "name": secret["Name"],
        "name_prefix": values.get("name_prefix") or "",
        "description": secret.get("Description", ""),
        "kms_key_id": secret.get("KmsKeyId", ""),
        "replica": [],
        "tags": tag_map(secret.get("Tags")),
    }


def _update(aws: Aws, before: Values, values: Values) -> None:
    if changed(before, values, "description", "kms_key_id"):
        aws.call(
            _SERVICE,
            "update_secret",
            SecretId=values["id"],
            Description=values.get("description") or "",
            KmsKeyId=values.get("kms_key_id") or None,
        )
    if changed(before, values, "policy"):
        if values.get("policy"):
            _complete(aws, values)
        else:
            aws.call(_SERVICE, "delete_resource_policy", SecretId=values["id"])


def _delete(aws: Aws, values: Values) -> None:
    aws.call(_SERVICE, "delete_secret", SecretId=values["id"], ForceDeleteWithoutRecovery=True)


def _content(values: Values) -> dict[str, Any]:
    if values.get("secret_binary"):
        return {"SecretBinary": base64.b64decode(values["secret_binary"])}
    return {"SecretString": values.get("secret_string") or ""}


def _create_version(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        _SERVICE,
        "put_secret_value",
        SecretId=values["secret_id"],
        VersionStages=values.get("version_stages") or None,
        ClientRequestToken=unique_name("terraform-tsubo-"),
        **_content(values),
    )
    version = answer["VersionId"]
    return {"id": f"{values['secret_id']}|{version}", "version_id": version}


def _read_version(aws: Aws, values: Values) -> Values | None:
    secret, _, version = values["id"].rpartition("|")
    if _find(aws, secret) is None:
        return None
    answer = aws.find(_SERVICE, "get_secret_value", SecretId=secret, VersionId=version)
    if answer is None:
        return None
    binary = answer.get("SecretBinary")
    return {
        "arn": answer["ARN"],
        "secret_id": secret,
        "version_id": answer["VersionId"],
        "secret_string": answer.get("SecretString", ""),
        "secret_binary": base64.b64encode(binary).decode() if binary else "",
        "version_stages": answer.get("VersionStages") or [],
        "has_secret_string_wo": None,
    }


RESOURCES = {
    "aws_secretsmanager_secret": ResourceType(
        create=_create,
        complete=_complete,
        read=_read,
        update=_update,
        delete=_delete,
        retag=retag_by(_SERVICE, "tag_resource", "untag_resource", "SecretId", "Tags", "TagKeys", ("Key", "Value")),
    ),
    # A version ends with its secret.
    "aws_secretsmanager_secret_version": ResourceType(create=_create_version, read=_read_version),
}
