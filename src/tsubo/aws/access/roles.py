"""Roles with all that decides what they may do, read from IAM and kept until a call changes IAM."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

JsonObject = Mapping[str, Any]
IAM_REGION = "us-east-1"


class Iam(Protocol):
    """Where IAM is asked (`aws.breadth.Breadth`)."""

    def call(self, service: str, operation: str, params: Mapping[str, Any], region: str) -> dict[str, Any]:
        """Make a call in boto3's terms; raise ClientError for an error of the service."""
        ...

    def changes(self, service: str) -> int:
        """Return how many calls have changed a service."""
        ...


@dataclass(frozen=True)
class Role:
    """A role. `policies` are its inline and attached ones; `boundary` is its permissions boundary, if it has one."""

    arn: str
    role_id: str
    trust_policy: JsonObject
    policies: tuple[JsonObject, ...]
    boundary: JsonObject | None = None


class Roles:
    """The roles of the account. Safe to use from several threads at once."""

    def __init__(self, iam: Iam) -> None:
        self._iam = iam
        self._known: dict[str, tuple[int, Role | None]] = {}

    def get(self, arn: str) -> Role | None:
        """Return a role, or None where there is none of that ARN."""
        # Counted before it is read: what changes meanwhile is read again.
        changes = self._iam.changes("iam")
        known = self._known.get(arn)
        if known is None or known[0] != changes:
            known = self._known[arn] = (changes, self._read(arn))
        return known[1]

    def _read(self, arn: str) -> Role | None:
        name = arn.rsplit("/", 1)[-1]
        try:
            found = self._ask("get_role", RoleName=name)["Role"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchEntity":
                return None
            raise
        if found["Arn"] != arn:
            return None
        inline = self._ask("list_role_policies", RoleName=name)["PolicyNames"]
        attached = self._ask("list_attached_role_policies", RoleName=name)["AttachedPolicies"]
        boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return Role(
            arn,
            found["RoleId"],
            found["AssumeRolePolicyDocument"] or {},
            policies=(
                *(self._ask("get_role_policy", RoleName=name, PolicyName=p)["PolicyDocument"] for p in inline),
                *(self._managed(policy["PolicyArn"]) for policy in attached),
            ),
            boundary=self._managed(boundary) if boundary else None,
        )

    def _managed(self, arn: str) -> JsonObject:
        version = self._ask("get_policy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document: JsonObject = self._ask("get_policy_version", PolicyArn=arn, VersionId=version)["PolicyVersion"][
            "Document"
        ]
        return document

    def _ask(self, operation: str, **request: str) -> dict[str, Any]:
        return self._iam.call("iam", operation, request, IAM_REGION)
