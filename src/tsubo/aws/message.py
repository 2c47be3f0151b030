"""An HTTP request and its response as plain values: what the endpoint takes and gives, free of any server or socket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class HttpRequest:
    """A request as received. `path` and `query` are percent-encoded as sent; header names are lower-case.

    `from_task` says that it came by the tasks' way in, whatever it claims.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    from_task: bool = False

    def query_parameters(self) -> dict[str, str]:
        """Return the query's parameters, decoded; of a repeated one the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def form_parameters(self) -> dict[str, str]:
        """Return the parameters of the query and of a form body, decoded.

        Raises UnicodeDecodeError (a ValueError) when a form body is not UTF-8.
        """
        parameters = self.query_parameters()
        if self.headers.get("content-type", "").startswith(FORM_CONTENT_TYPE):
            body = self.body.decode("utf-8")
            parameters.update(parse_qsl(body, keep_blank_values=True, errors="strict"))
        return parameters


@dataclass(frozen=True)
class HttpResponse:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
