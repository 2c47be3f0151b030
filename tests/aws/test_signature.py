"""Signatures of botocore's own signers are taken, and nothing that was changed afterwards is."""

import dataclasses
import re
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from tsubo.aws.caller import ENGINE_USER, TaskKey, assumed_role
from tsubo.aws.message import HttpRequest
from tsubo.aws.operations import AwsError
from tsubo.aws.signature import AccessKey, Verifier
from tsubo.aws.wire import Protocol

KEY = AccessKey("AKIAENGINE", "secret")
VERIFIER = Verifier(KEY)
TASK = assumed_role("arn:aws:iam::123456789012:role/path/app", "AROA1", "task1")


def received(request: AWSRequest) -> HttpRequest:
    prepared = request.prepare()
    path, _, query = prepared.url.removeprefix("http://127.0.0.1:4566").partition("?")
    headers = {name.lower(): str(value) for name, value in prepared.headers.items()}
    return HttpRequest(str(prepared.method), path, query, {"host": "127.0.0.1:4566", **headers}, request.data or b"")


def signed(
    signer: Any, path: str = "/", body: bytes = b"body", token: str | None = None, **headers: str
) -> HttpRequest:
    service = "s3" if signer in (S3SigV4Auth, S3SigV4QueryAuth) else "ecs"
    request = AWSRequest("POST", f"http://127.0.0.1:4566{path}", {"X-Amz-Target": "A.B", **headers}, body)
    signer(Credentials(KEY.access_key_id, KEY.secret_access_key, token), service, "eu-west-1").add_auth(request)
    return received(request)


def refused(request: HttpRequest, verifier: Verifier = VERIFIER, protocol: Protocol = "query") -> tuple[str, int]:
    with pytest.raises(AwsError) as error:
        verifier.verify(request, "iam", protocol)
    return error.value.code, error.value.status


@pytest.mark.parametrize("signer", [SigV4Auth, S3SigV4Auth, SigV4QueryAuth, S3SigV4QueryAuth])
@pytest.mark.parametrize("path", ["/", "/a%20b/c", "/a//b", "/x?b=2&a=1&a=%2F&empty=", "/%E3%83%84?q=~-_."])
def test_botocores_signatures_are_taken(signer: Any, path: str) -> None:
    assert VERIFIER.verify(signed(signer, path, body=b""), "ecs", "json") == ENGINE_USER


def test_a_session_token_reaches_the_lookup() -> None:
    seen: list[tuple[str, str | None]] = []

    def lookup(access_key_id: str, token: str | None) -> TaskKey:
        seen.append((access_key_id, token))
        return TaskKey(KEY.secret_access_key, TASK)

    verifier = Verifier(AccessKey("AKIAOTHER", "other"), lookup)
    assert verifier.verify(signed(SigV4Auth, token="the token"), "ecs", "json") == TASK
    verifier.verify(signed(SigV4QueryAuth, body=b"", token="the token"), "ecs", "json")
    assert seen == [(KEY.access_key_id, "the token")] * 2


CHANGES: dict[str, dict[str, Any]] = {
    "method": {"method": "PUT"},
    "path": {"path": "/other"},
    "query": {"query": "Action=Other"},
    "body": {"body": b"another"},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("signer", [SigV4Auth, S3SigV4Auth])
def test_a_request_that_was_changed_is_refused(signer: Any, change: str) -> None:
    changed = dataclasses.replace(signed(signer), **CHANGES[change])
    assert refused(changed) == ("SignatureDoesNotMatch", 403)


@pytest.mark.parametrize(("header", "pattern"), [("host", "4566"), ("x-amz-target", "A.B"), ("x-amz-date", r"\d\dZ$")])
def test_a_signed_header_that_was_changed_is_refused(header: str, pattern: str) -> None:
    request = signed(SigV4Auth)
    other = re.sub(pattern, "99Z", request.headers[header])
    changed = dataclasses.replace(request, headers={**request.headers, header: other})
    assert refused(changed) == ("SignatureDoesNotMatch", 403)


@settings(deadline=None)
@given(st.data())
def test_no_other_signature_is_taken(data: st.DataObject) -> None:
    request = signed(SigV4Auth)
    authorization = request.headers["authorization"]
    position = data.draw(st.integers(len(authorization) - 64, len(authorization) - 1))
    digit = data.draw(st.sampled_from([digit for digit in "0123456789abcdef" if digit != authorization[position]]))
    other = authorization[:position] + digit + authorization[position + 1 :]
    assert refused(dataclasses.replace(request, headers={**request.headers, "authorization": other}))[1] == 403


@settings(deadline=None)
@given(st.text(max_size=120))
def test_any_authorization_header_gets_a_typed_refusal(authorization: str) -> None:
    for text in (authorization, "AWS4-HMAC-SHA256 " + authorization):
        headers = {"host": "localhost", "authorization": text, "x-amz-date": "20260101T000000Z"}
        assert refused(HttpRequest("POST", "/", headers=headers), protocol="json")[1] == 403


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Signature=00",
        "X-Amz-Signature=00&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=10",
        "X-Amz-Signature=00&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=-1",
        "X-Amz-Signature=%ff",
    ],
)
def test_an_incomplete_presigned_url_is_refused(query: str) -> None:
    assert refused(HttpRequest("GET", "/", query, {"host": "localhost"})) == ("IncompleteSignature", 403)


def test_a_presigned_url_ends_with_its_lifetime() -> None:
    request = signed(S3SigV4QueryAuth, body=b"")
    later = Verifier(KEY, clock=lambda: 4e9)
    assert refused(request, later) == ("SignatureDoesNotMatch", 403)


def test_no_signature_is_needed_where_none_is_asked_for() -> None:
    Verifier(KEY, auth="none").verify(HttpRequest("GET", "/"), "ecs", "json")
    assert refused(HttpRequest("GET", "/")) == ("MissingAuthenticationToken", 403)


def test_from_a_task_the_engines_own_key_is_none() -> None:
    request = dataclasses.replace(signed(SigV4Auth), from_task=True)
    assert refused(request, protocol="json") == ("UnrecognizedClientException", 403)


def test_a_tasks_key_ends() -> None:
    ended = Verifier(AccessKey("AKIAOTHER", "other"), lambda key, token: TaskKey(KEY.secret_access_key, TASK, True))
    assert refused(signed(SigV4Auth, token="t"), ended, "json") == ("ExpiredTokenException", 403)
    assert refused(signed(S3SigV4Auth, token="t"), ended) == ("ExpiredToken", 403)


def test_a_task_is_its_role_in_a_session_of_its_id() -> None:
    """aws/alb-vpc-terraform.md section 5.2."""
    assert TASK.arn == "arn:aws:sts::123456789012:assumed-role/app/task1"
    assert TASK.user_id == "AROA1:task1"
