"""ResumeSession and TerminateSession (aws/ecs-cloudmap-exec.md sections 13 and 14)."""

import hashlib

import pytest

from tests.aws.direct import NOW, REGION, Direct
from tsubo.aws.ssm import OPERATIONS
from tsubo.model.exec_session import ExecSession

SESSION_ID = "ecs-execute-command-0123456789abcdef0"


@pytest.fixture
def ssm() -> Direct:
    return Direct(OPERATIONS, ExecSession(SESSION_ID, REGION, "task", "api", "sh", NOW, None))


def test_another_token(ssm: Direct) -> None:
    answer = ssm("ResumeSession", SessionId=SESSION_ID)
    assert answer["SessionId"] == SESSION_ID
    assert answer["StreamUrl"].startswith(f"ws://127.0.0.1:4566/v1/data-channel/{SESSION_ID}?")
    digest = hashlib.sha256(answer["TokenValue"].encode()).hexdigest()
    assert ssm.world.exec_sessions[SESSION_ID].token_digest == digest
    assert ssm("ResumeSession", SessionId=SESSION_ID)["TokenValue"] != answer["TokenValue"]


def test_the_end_of_a_session(ssm: Direct) -> None:
    ssm("ResumeSession", SessionId=SESSION_ID)
    assert ssm("TerminateSession", SessionId=SESSION_ID) == {"SessionId": SESSION_ID}
    record = ssm.world.exec_sessions[SESSION_ID]
    assert (record.terminated, record.token_digest) == (True, None)
    assert ssm("ResumeSession", SessionId=SESSION_ID)["TokenValue"] == ""


def test_a_session_that_is_over(ssm: Direct) -> None:
    """The official client prints that the session timed out when it gets no token."""
    over = SESSION_ID[:-1] + "1"
    assert ssm("ResumeSession", SessionId=over)["TokenValue"] == ""
    assert ssm("TerminateSession", SessionId=over) == {"SessionId": over}


@pytest.mark.parametrize("operation", ["ResumeSession", "TerminateSession"])
def test_a_session_of_another_kind(ssm: Direct, operation: str) -> None:
    assert ssm.refused(operation, SessionId="root-0123456789abcdef0").code == "DoesNotExistException"
