"""The two operations of Systems Manager that a client of ECS Exec calls; the rest of SSM is moto's.

The Session Manager plugin sends them to the endpoint that ECS has. Source: aws/ecs-cloudmap-exec.md sections 13 and 14.
"""

import dataclasses

from tsubo.aws.exec_channel import new_token, stream_url
from tsubo.aws.operations import AwsError, Call, Operations, Request, Response
from tsubo.model.exec_session import SESSION_PREFIX


def resume_session(call: Call, request: Request) -> Response:
    """Return another token for a session whose connection broke; an empty one if the session is over."""
    session_id = _session_id(request)
    session = call.world.exec_sessions.get(session_id)
    if session is None or session.terminated:
        return {"SessionId": session_id, "TokenValue": "", "StreamUrl": ""}
    token, digest = new_token(call)
    call.put(dataclasses.replace(session, token_digest=digest))
    return {"SessionId": session_id, "TokenValue": token, "StreamUrl": stream_url(call, session_id)}


def terminate_session(call: Call, request: Request) -> Response:
    """Ask for the end of a session and its process; of one that is over nothing is left to end."""
    session_id = _session_id(request)
    session = call.world.exec_sessions.get(session_id)
    if session is not None:
        call.put(dataclasses.replace(session, terminated=True, token_digest=None))
    return {"SessionId": session_id}


def _session_id(request: Request) -> str:
    """Return the session that a request is about. Raises DoesNotExistException for one that is not of ECS Exec."""
    session_id: str = request["SessionId"]
    if not session_id.startswith(SESSION_PREFIX):
        raise AwsError("DoesNotExistException", f"Session {session_id} does not exist.")
    return session_id


OPERATIONS: Operations = {"ResumeSession": resume_session, "TerminateSession": terminate_session}
