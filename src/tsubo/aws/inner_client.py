"""A botocore client whose calls go to a function instead of a network: for the engine's own AWS calls.

Goes in: a service, a region, and what answers an HTTP request. Comes out: an ordinary client, so that the engine says
`put_log_events(...)` and gets a dict or a ClientError like everybody else.
"""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.session import Session

from tsubo.aws.message import HttpRequest, HttpResponse

HOST = "localhost"


class RawBody(BytesIO):
    """A response's body as botocore expects it from its HTTP library."""

    def stream(self, amount: int = 65536, decode_content: bool = False) -> Iterator[bytes]:
        """Yield the body in parts."""
        while part := self.read(amount):
            yield part


def make_client(service: str, region: str, answer: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Return a client of a service in a region whose calls `answer` answers."""
    session: Any = Session()
    client = session.create_client(
        service,
        region_name=region,
        endpoint_url=f"http://{HOST}",
        aws_access_key_id="tsubo",
        aws_secret_access_key="tsubo",
        config=Config(inject_host_prefix=False, retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )

    def instead_of_sending(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        response = answer(received(request))
        headers: Any = dict(response.headers)
        return AWSResponse(request.url, response.status, headers, RawBody(response.body))

    client.meta.events.register("before-send", instead_of_sending)
    return client


def received(request: AWSPreparedRequest) -> HttpRequest:
    """Return a prepared request as a server would receive it."""
    path, _, query = request.url.removeprefix(f"http://{HOST}").partition("?")
    content: Any = request.body or b""
    body: bytes = content.read() if hasattr(content, "read") else content
    body = body.encode() if isinstance(body, str) else bytes(body)
    headers = {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    headers |= {"host": HOST, "content-length": str(len(body))}
    return HttpRequest(request.method, path or "/", query, headers, body)
