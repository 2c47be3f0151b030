"""IAM roles, policies, attachments. Calls: aws/alb-vpc-terraform.md section 6.2.

A policy document is compared as JSON, so that its layout never shows as a change.
"""

import json
from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import changed, name_of, retag_by, tag_items, tag_list, tag_map, unique_name
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

LONGEST_ROLE_NAME = 64
LONGEST_POLICY_NAME = 128
KEPT_POLICY_VERSIONS = 4
"""A policy has at most five versions; the real provider makes room before it adds one."""


def _document(document: Any) -> str:
    """botocore decodes policy documents; Terraform wants text."""
    return document if isinstance(document, str) else json.dumps(document)


def _create_role(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "iam",
        "create_role",
        RoleName=name_of(values, LONGEST_ROLE_NAME),
        AssumeRolePolicyDocument=values["assume_role_policy"],
        Path=values["path"],
        Description=values.get("description"),
        MaxSessionDuration=values["max_session_duration"],
        PermissionsBoundary=values.get("permissions_boundary") or None,
        Tags=tag_list(values),
    )
    name = answer["Role"]["RoleName"]
    return {"id": name, "name": name}


def _complete_role(aws: Aws, values: Values) -> None:
    _change_role_policies(aws, {}, values)


def _change_role_policies(aws: Aws, before: Values, values: Values) -> None:
    role = values["name"]
    old, new = ({p["name"]: p["policy"] for p in state.get("inline_policy") or ()} for state in (before, values))
    for name in old.keys() - new.keys():
        aws.call("iam", "delete_role_policy", RoleName=role, PolicyName=name)
    for name, policy in new.items():
        if policy != old.get(name):
            aws.call("iam", "put_role_policy", RoleName=role, PolicyName=name, PolicyDocument=policy)
    attached, wanted = (set(state.get("managed_policy_arns") or ()) for state in (before, values))
    for arn in attached - wanted:
        aws.call("iam", "detach_role_policy", RoleName=role, PolicyArn=arn)
    for arn in wanted - attached:
        aws.call("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)


def _read_role(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("iam", "get_role", RoleName=values["id"])
    if answer is None:
        return None
    role = answer["Role"]
    actual: Values = {
        "arn": role["Arn"],
        "name": role["RoleName"],
        "name_prefix": values.get("name_prefix") or "",
        "path": role["Path"],
        "description": role.get("Description", ""),
        "unique_id": role["RoleId"],
        "create_date": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "max_session_duration": role.get("MaxSessionDuration", 3600),
        "permissions_boundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", ""),
        "assume_role_policy": _document(role["AssumeRolePolicyDocument"]),
        "tags": tag_map(role.get("Tags")),
    }
    if values.get("managed_policy_arns"):
        attached = aws.call("iam", "list_attached_role_policies", RoleName=values["id"])["AttachedPolicies"]
        actual["managed_policy_arns"] = [policy["PolicyArn"] for policy in attached]
    return actual


def _update_role(aws: Aws, before: Values, values: Values) -> None:
    name = values["id"]
    if changed(before, values, "assume_role_policy"):
        document = values["assume_role_policy"]
        aws.call("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=document)
    if changed(before, values, "description", "max_session_duration"):
        aws.call(
            "iam",
            "update_role",
            RoleName=name,
            Description=values.get("description") or "",
            MaxSessionDuration=values["max_session_duration"],
        )
    if changed(before, values, "permissions_boundary"):
        _set_boundary(aws, name, values.get("permissions_boundary"))
    _change_role_policies(aws, before, values)


def _set_boundary(aws: Aws, name: str, boundary: str | None) -> None:
    if boundary:
        aws.call("iam", "put_role_permissions_boundary", RoleName=name, PermissionsBoundary=boundary)
    else:
        aws.call("iam", "delete_role_permissions_boundary", RoleName=name)


def _delete_role(aws: Aws, values: Values) -> None:
    _change_role_policies(aws, values, {"name": values["id"]})
    if values.get("force_detach_policies"):
        for policy in aws.call("iam", "list_attached_role_policies", RoleName=values["id"])["AttachedPolicies"]:
            aws.call("iam", "detach_role_policy", RoleName=values["id"], PolicyArn=policy["PolicyArn"])
        for name in aws.call("iam", "list_role_policies", RoleName=values["id"])["PolicyNames"]:
            aws.call("iam", "delete_role_policy", RoleName=values["id"], PolicyName=name)
    aws.call("iam", "delete_role", RoleName=values["id"])


def _create_role_policy(aws: Aws, values: Values) -> Values:
    name = name_of(values, LONGEST_POLICY_NAME)
    aws.call("iam", "put_role_policy", RoleName=values["role"], PolicyName=name, PolicyDocument=values["policy"])
    return {"id": f"{values['role']}:{name}", "name": name}


def _read_role_policy(aws: Aws, values: Values) -> Values | None:
    role, _, name = values["id"].partition(":")
    answer = aws.find("iam", "get_role_policy", RoleName=role, PolicyName=name)
    if answer is None:
        return None
    return {
        "role": role,
        "name": name,
        "name_prefix": values.get("name_prefix") or "",
        "policy": _document(answer["PolicyDocument"]),
    }


def _update_role_policy(aws: Aws, _before: Values, values: Values) -> None:
    role, _, name = values["id"].partition(":")
    aws.call("iam", "put_role_policy", RoleName=role, PolicyName=name, PolicyDocument=values["policy"])


def _delete_role_policy(aws: Aws, values: Values) -> None:
    role, _, name = values["id"].partition(":")
    aws.call("iam", "delete_role_policy", RoleName=role, PolicyName=name)


def _create_policy(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "iam",
        "create_policy",
        PolicyName=name_of(values, LONGEST_POLICY_NAME),
        PolicyDocument=values["policy"],
        Path=values["path"],
        Description=values.get("description"),
        Tags=tag_list(values),
    )
    return {"id": answer["Policy"]["Arn"], "arn": answer["Policy"]["Arn"]}


def _read_policy(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("iam", "get_policy", PolicyArn=values["id"])
    if answer is None:
        return None
    policy = answer["Policy"]
    version = aws.call("iam", "get_policy_version", PolicyArn=values["id"], VersionId=policy["DefaultVersionId"])
    return {
        "arn": policy["Arn"],
        "attachment_count": policy.get("AttachmentCount", 0),
        "name": policy["PolicyName"],
        "name_prefix": values.get("name_prefix") or "",
        "path": policy["Path"],
        "description": policy.get("Description", ""),
        "policy_id": policy["PolicyId"],
        "policy": _document(version["PolicyVersion"]["Document"]),
        "tags": tag_map(policy.get("Tags")),
    }


def _update_policy(aws: Aws, before: Values, values: Values) -> None:
    if not changed(before, values, "policy"):
        return
    _drop_policy_versions(aws, values["id"], KEPT_POLICY_VERSIONS)
    document = values["policy"]
    aws.call("iam", "create_policy_version", PolicyArn=values["id"], PolicyDocument=document, SetAsDefault=True)


def _drop_policy_versions(aws: Aws, arn: str, keep: int) -> None:
    versions = aws.call("iam", "list_policy_versions", PolicyArn=arn)["Versions"]
    old = sorted((v for v in versions if not v["IsDefaultVersion"]), key=lambda version: version["CreateDate"])
    for version in old[: max(0, len(versions) - keep)]:
        aws.call("iam", "delete_policy_version", PolicyArn=arn, VersionId=version["VersionId"])


def _delete_policy(aws: Aws, values: Values) -> None:
    _drop_policy_versions(aws, values["id"], 0)
    aws.call("iam", "delete_policy", PolicyArn=values["id"])


def _create_attachment(aws: Aws, values: Values) -> Values:
    aws.call("iam", "attach_role_policy", RoleName=values["role"], PolicyArn=values["policy_arn"])
    return {"id": unique_name(f"{values['role']}-")}


def _read_attachment(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("iam", "list_attached_role_policies", RoleName=values["role"]) or {}
    attached = {policy["PolicyArn"] for policy in answer.get("AttachedPolicies") or ()}
    return {} if values["policy_arn"] in attached else None


def _delete_attachment(aws: Aws, values: Values) -> None:
    aws.call("iam", "detach_role_policy", RoleName=values["role"], PolicyArn=values["policy_arn"])


def _import_attachment(identifier: str) -> Values:
    role, _, arn = identifier.partition("/")
    return {"id": identifier, "role": role, "policy_arn": arn}


def _retag_role(aws: Aws, values: Values, changed_tags: Any, removed: list[str]) -> None:
    if removed:
        aws.call("iam", "untag_role", RoleName=values["id"], TagKeys=removed)
    if changed_tags:
        aws.call("iam", "tag_role", RoleName=values["id"], Tags=tag_items(changed_tags))


RESOURCES = {
    "aws_iam_role": ResourceType(
        create=_create_role,
        complete=_complete_role,
        read=_read_role,
        update=_update_role,
        delete=_delete_role,
        retag=_retag_role,
    ),
    "aws_iam_role_policy": ResourceType(
        create=_create_role_policy, read=_read_role_policy, update=_update_role_policy, delete=_delete_role_policy
    ),
    "aws_iam_policy": ResourceType(
        create=_create_policy,
        read=_read_policy,
        update=_update_policy,
        delete=_delete_policy,
        retag=retag_by("iam", "tag_policy", "untag_policy", "PolicyArn", "Tags", "TagKeys", ("Key", "Value")),
    ),
    "aws_iam_role_policy_attachment": ResourceType(
        create=_create_attachment,
        read=_read_attachment,
        delete=_delete_attachment,
        import_values=_import_attachment,
    ),
}
