"""STS: who the caller is. The first call of every Terraform run, so it is answered without moto."""

from tsubo.aws.operations import Call, Operations, Request, Response

USER_NAME = "tsubo"
USER_ID = "AIDATSUBOTSUBOTSUBO00"


def get_caller_identity(call: Call, request: Request) -> Response:
    """GetCallerIdentity: the engine's account and its one user."""
    return {
        "Account": call.account_id,
        "UserId": USER_ID,
        "Arn": f"arn:aws:iam::{call.account_id}:user/{USER_NAME}",
    }


OPERATIONS: Operations = {"GetCallerIdentity": get_caller_identity}
