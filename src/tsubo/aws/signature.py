"""Who may call: AWS Signature Version 4, verified by computing it again (design rule 10).

Goes in: a request as received. Comes out: who made it, or the AwsError with which the service would refuse it. What is
signed is taken from the request's own list of signed headers; botocore's signer does the computing. Both forms are
read: the Authorization header, and the query of a presigned URL. The age of a signature is checked only for presigned
URLs, which carry their own lifetime: client and endpoint run on one machine.
"""

import calendar
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tsubo.aws.caller import ENGINE_USER, Caller, TaskKey
from tsubo.aws.message import HttpRequest
from tsubo.aws.operations import AwsError
from tsubo.aws.wire import Protocol

TaskKeys = Callable[[str, str | None], TaskKey | None]
"""From an access key id and a session token to what a task was given, or None where no task was given such."""

ALGORITHM = "AWS4-HMAC-SHA256"
S3_SERVICES = frozenset({"s3", "s3express", "s3-object-lambda", "s3-outposts"})
SHA256_TEXT = re.compile(r"[0-9a-f]{64}")
AUTHORIZATION = re.compile(
    rf"{ALGORITHM}\s+Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),"
    r"\s*Signature=(?P<signature>[0-9a-f]+)\s*"
)
SIGNATURE_PARAMETER = re.compile(r"(?:^|&)X-Amz-Signature=[^&]*")

Reason = Literal["missing", "incomplete", "unknown key", "mismatch", "expired", "expired token"]


@dataclass(frozen=True)
class AccessKey:
    """A key that calls are signed with."""

    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True)
class Claim:
    """What a request says of its own signature."""

    access_key_id: str
    region: str
    service: str
    timestamp: str
    signed_headers: tuple[str, ...]
    signature: str
    session_token: str | None
    expires_seconds: int | None = None
    """The lifetime of a presigned URL; None for a signature in the header."""


class Verifier:
    """Verifies each call's signature against the engine's key and the credentials that tasks were given."""

    def __init__(
        self,
        engine_key: AccessKey,
        task_keys: TaskKeys = lambda access_key_id, session_token: None,
        auth: Literal["signature", "none"] = "signature",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine_key = engine_key
        self._task_keys = task_keys
        self._auth = auth
        self._clock = clock

    def verify(self, request: HttpRequest, service: str, protocol: Protocol) -> Caller:
        """Return who made a request; raise AwsError unless it is signed with a key that this engine gave out.

        A task may call as a task only: from there the engine's own key is none.
        """
        claim = read_claim(request)
        key = self._key_of(request, claim) if isinstance(claim, Claim) else None
        if self._auth == "none":
            return key.caller if key is not None else ENGINE_USER
        if not isinstance(claim, Claim):
            raise refusal(claim, service, protocol)
        if key is None:
            raise refusal("unknown key", service, protocol)
        expected = computed_signature(request, claim, key.secret_access_key)
        if not declares_its_body(request) or not hmac.compare_digest(expected, claim.signature):
            raise refusal("mismatch", service, protocol)
        if claim.expires_seconds is not None and self._clock() > seconds_of(claim.timestamp) + claim.expires_seconds:
            raise refusal("expired", service, protocol)
        if key.expired:
            raise refusal("expired token", service, protocol)
        return key.caller

    def _key_of(self, request: HttpRequest, claim: Claim) -> TaskKey | None:
        if claim.access_key_id == self._engine_key.access_key_id and not request.from_task:
            return TaskKey(self._engine_key.secret_access_key, ENGINE_USER)
        return self._task_keys(claim.access_key_id, claim.session_token)


def read_claim(request: HttpRequest) -> Claim | Literal["missing", "incomplete"]:
    """Return what the request claims, from its header or its query."""
    parameters = request.query_parameters() if "X-Amz-Signature=" in request.query else {}
    if parameters:
        return presigned_claim(parameters)
    authorization = request.headers.get("authorization", "")
    if not authorization:
        return "missing"
    found = AUTHORIZATION.fullmatch(authorization)
    timestamp = request.headers.get("x-amz-date", "")
    if found is None or not timestamp:
        return "incomplete"
    token = request.headers.get("x-amz-security-token")
    return claim_of(found["credential"], found["headers"], found["signature"], timestamp=timestamp, session_token=token)


def presigned_claim(parameters: Mapping[str, str]) -> Claim | Literal["incomplete"]:
    """Return what a presigned URL claims."""
    lifetime = parameters.get("X-Amz-Expires", "")
    if parameters.get("X-Amz-Algorithm") != ALGORITHM or not lifetime.isdecimal():
        return "incomplete"
    return claim_of(
        parameters.get("X-Amz-Credential", ""),
        parameters.get("X-Amz-SignedHeaders", ""),
        parameters["X-Amz-Signature"],
        timestamp=parameters.get("X-Amz-Date", ""),
        session_token=parameters.get("X-Amz-Security-Token"),
        expires_seconds=int(lifetime),
    )


def claim_of(
    credential: str,
    headers: str,
    signature: str,
    *,
    timestamp: str,
    session_token: str | None,
    expires_seconds: int | None = None,
) -> Claim | Literal["incomplete"]:
    """Return the claim of its parts as written, or "incomplete" if one does not have the form it must have."""
    scope = credential.split("/")
    dated = re.fullmatch(r"\d{8}T\d{6}Z", timestamp) is not None and len(scope) == 5 and scope[1] == timestamp[:8]
    if not dated or scope[4] != "aws4_request" or "host" not in headers.split(";"):
        return "incomplete"
    key_id, _, region, service, _ = scope
    return Claim(
        key_id, region, service, timestamp, tuple(headers.split(";")), signature, session_token, expires_seconds
    )


def computed_signature(request: HttpRequest, claim: Claim, secret: str) -> str:
    """Return the signature that the holder of the secret would put on this request."""
    query = (
        SIGNATURE_PARAMETER.sub("", request.query).removeprefix("&")
        if claim.expires_seconds is not None
        else request.query
    )
    url = f"http://{request.headers.get('host', '')}{request.path}" + (f"?{query}" if query else "")
    signed = {name: request.headers.get(name, "") for name in claim.signed_headers}
    again = AWSRequest(method=request.method, url=url, headers=signed)
    again.context["timestamp"] = claim.timestamp
    again.context["payload"] = payload_hash(request, claim)
    credentials = Credentials(claim.access_key_id, secret, claim.session_token)
    signer_class = S3Recomputation if claim.service in S3_SERVICES else Recomputation
    signer = signer_class(credentials, claim.service, claim.region)
    signature: str = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    return signature


def payload_hash(request: HttpRequest, claim: Claim) -> str:
    """Return the body's part of what is signed: its hash, or the word with which a client says it left it out."""
    declared = request.headers.get("x-amz-content-sha256")
    if declared is None and claim.expires_seconds is not None and claim.service in S3_SERVICES:
        return "UNSIGNED-PAYLOAD"
    return declared or sha256(request.body).hexdigest()


def declares_its_body(request: HttpRequest) -> bool:
    """Return False where a client declared (and so signed) the hash of another body."""
    declared = request.headers.get("x-amz-content-sha256", "")
    return not SHA256_TEXT.fullmatch(declared) or hmac.compare_digest(declared, sha256(request.body).hexdigest())


class Recomputation(SigV4Auth):
    """botocore's signer over exactly the headers that the client signed."""

    def headers_to_sign(self, request: Any) -> Any:
        return request.headers

    def payload(self, request: Any) -> str:
        text: str = request.context["payload"]
        return text


class S3Recomputation(Recomputation, S3SigV4Auth):
    """The same for S3, whose paths are signed as they are sent."""


def seconds_of(timestamp: str) -> float:
    """Return a signature's timestamp in seconds since the epoch."""
    return calendar.timegm(time.strptime(timestamp, "%Y%m%dT%H%M%SZ"))


MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
INVALID_TOKEN = "The security token included in the request is invalid."
MISSING_TOKEN = "Request is missing Authentication Token"
EXPIRED_TOKEN = "The security token included in the request is expired"
INCOMPLETE = "The Authorization header or the query of the request is not a whole AWS Signature Version 4."

REFUSALS: Mapping[Reason, tuple[str, str, str, str]] = {
    # reason: code of a query or REST service, of a JSON service, of S3, and the message
    "missing": ("MissingAuthenticationToken", "MissingAuthenticationTokenException", "AccessDenied", MISSING_TOKEN),
    "incomplete": ("IncompleteSignature", "IncompleteSignatureException", "AccessDenied", INCOMPLETE),
    "unknown key": ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", INVALID_TOKEN),
    "mismatch": ("SignatureDoesNotMatch", "InvalidSignatureException", "SignatureDoesNotMatch", MISMATCH),
    "expired": ("SignatureDoesNotMatch", "InvalidSignatureException", "AccessDenied", "Signature expired"),
    "expired token": ("ExpiredToken", "ExpiredTokenException", "ExpiredToken", EXPIRED_TOKEN),
}


def refusal(reason: Reason, service: str, protocol: Protocol) -> AwsError:
    """Return a service's words for a call that it does not take."""
    of_query, of_json, of_s3, message = REFUSALS[reason]
    if protocol == "ec2" and reason in ("unknown key", "mismatch"):
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", status=401)
    if protocol in ("json", "rest-json"):
        return AwsError(of_json, message, status=403)
    return AwsError(of_s3 if service in S3_SERVICES else of_query, message, status=403)
