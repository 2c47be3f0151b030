"""Whether a role may do something, and AWS's words where it may not.

`Decisions` is asked by the endpoint for each call of a task, and by the engine for what ECS does by a task's execution
role. Sources: aws/alb-vpc-terraform.md sections 5.1 and 5.3.
"""

import time
from collections.abc import Callable, Mapping

from botocore.exceptions import ClientError

from tsubo.aws.access.actions import action_of
from tsubo.aws.access.policy import Access, Verdict, decide, trusts
from tsubo.aws.access.resources import ANY, Place, resources_of
from tsubo.aws.access.roles import Iam, Role, Roles
from tsubo.aws.caller import Caller
from tsubo.aws.dispatch import Target
from tsubo.aws.message import HttpRequest
from tsubo.aws.operations import AwsError

TASKS_SERVICE = "ecs-tasks.amazonaws.com"
NEEDS_NO_PERMISSION = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
BECAUSE: Mapping[Verdict, str] = {
    "not allowed": "because no identity-based policy allows the {action} action",
    "not allowed by the boundary": "because no permissions boundary allows the {action} action",
    "denied": "with an explicit deny in an identity-based policy",
}
ERROR_CODES: Mapping[str, tuple[str, int]] = {
    "ec2": ("UnauthorizedOperation", 403),
    "sns": ("AuthorizationError", 403),
    "sqs": ("AccessDenied", 403),
}
"""The code and HTTP status of a denial, where they are not those of the service's protocol."""


class Decisions:
    """Decides by the roles and policies that IAM keeps. Safe to use from several threads at once."""

    def __init__(self, iam: Iam, roles: Roles, clock: Callable[[], float] = time.time) -> None:
        self._iam = iam
        self._roles = roles
        self._clock = clock

    def check(self, caller: Caller, request: HttpRequest, target: Target, place: Place) -> None:
        """Raise AwsError unless the caller may make a call. The engine's user may make any."""
        action = action_of(request, target)
        if caller.role_arn is None or action in NEEDS_NO_PERMISSION:
            return
        for resource in resources_of(request, target, action, place, self._secret_arn):
            refusal = self.refusal(caller, action, resource, place.region)
            if refusal is not None:
                raise _denial(target, action, refusal)

    def refusal(self, caller: Caller, action: str, resource: str | None, region: str) -> str | None:
        """Return why a role may not do something, in AWS's words; None if it may."""
        role = self._roles.get(caller.role_arn or "")
        access = Access(action, resource, self._context(caller, region))
        verdict: Verdict = "not allowed" if role is None else decide(role.policies, access, role.boundary)
        if verdict == "allowed":
            return None
        because = BECAUSE[verdict].format(action=action)
        return f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource or ANY} {because}"

    def role_for_tasks(self, role_arn: str, task_arn: str) -> Role | None:
        """Return a role if ECS can assume it for a task: it exists and trusts ECS's tasks. Otherwise None."""
        role = self._roles.get(role_arn)
        context = {"aws:SourceArn": task_arn, "aws:SourceAccount": task_arn.split(":")[4]}
        return role if role is not None and trusts(role.trust_policy, TASKS_SERVICE, context) else None

    def _context(self, caller: Caller, region: str) -> dict[str, str]:
        now = self._clock()
        return {
            "aws:PrincipalArn": caller.role_arn or caller.arn,
            "aws:PrincipalAccount": caller.arn.split(":")[4],
            "aws:PrincipalType": "AssumedRole",
            "aws:userid": caller.user_id,
            "aws:RequestedRegion": region,
            "aws:CurrentTime": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now)),
            "aws:EpochTime": str(int(now)),
            # On AWS every one of these calls is made over TLS, by the caller itself.
            "aws:SecureTransport": "true",
            "aws:ViaAWSService": "false",
        }

    def _secret_arn(self, secret_id: str, region: str) -> str | None:
        try:
            return str(self._iam.call("secretsmanager", "describe_secret", {"SecretId": secret_id}, region)["ARN"])
        except ClientError:
            return None


def _denial(target: Target, action: str, refusal: str) -> AwsError:
    if target.service == "ec2":
        refusal = f"You are not authorized to perform this operation. {refusal}"
    by_protocol = {"json": ("AccessDeniedException", 400), "rest-json": ("AccessDeniedException", 403)}
    code, status = ERROR_CODES.get(target.service) or by_protocol.get(target.protocol, ("AccessDenied", 403))
    return AwsError(code, refusal, status)
