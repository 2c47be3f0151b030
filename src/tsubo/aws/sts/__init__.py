"""STS: who the caller is. The first call of every Terraform run, so it is answered without moto."""

from tsubo.aws.operations import Call, Operations, Request, Response


def get_caller_identity(call: Call, request: Request) -> Response:
    """GetCallerIdentity: the engine's account, and its one user or a task's role."""
    return {"Account": call.account_id, "UserId": call.caller.user_id, "Arn": call.caller.arn}


OPERATIONS: Operations = {"GetCallerIdentity": get_caller_identity}
