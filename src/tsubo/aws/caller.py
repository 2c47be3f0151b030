"""Who makes a call: the engine's user, or a task by its role."""

from dataclasses import dataclass

from tsubo.model.identity import ACCOUNT_ID


@dataclass(frozen=True)
class Caller:
    """As GetCallerIdentity shows it. `role_arn` is None for the engine's user, to whom everything is allowed."""

    arn: str
    user_id: str
    role_arn: str | None = None


ENGINE_USER = Caller(f"arn:aws:iam::{ACCOUNT_ID}:user/tsubo", "AIDATSUBOTSUBOTSUBO00")


@dataclass(frozen=True)
class TaskKey:
    """What the engine knows of credentials that it gave to a task."""

    secret_access_key: str
    caller: Caller
    expired: bool = False


def assumed_role(role_arn: str, role_id: str, session_name: str) -> Caller:
    """Return the caller that a task is: its role, assumed in a session of the task's id.

    Source: aws/alb-vpc-terraform.md section 5.2.
    """
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    return Caller(f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}", f"{role_id}:{session_name}", role_arn)
