"""One HTTP request to an address, with the TLS name and Host of another: for checks that know where a name leads."""

import http.client
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class ProbeAnswer:
    status: int
    server: str
    body: bytes


def probe(
    address: str, port: int, host: str, path: str = "/", authority: Path | None = None, method: str = "GET"
) -> ProbeAnswer:
    """Ask `address:port` for a path of `host`; with `authority` (a CA certificate) over TLS. Raises OSError."""
    connection = socket.create_connection((address, port), TIMEOUT_SECONDS)
    if authority is not None:
        context = ssl.create_default_context(cafile=str(authority))
        connection = context.wrap_socket(connection, server_hostname=host)
    client = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    client.sock = connection
    try:
        client.request(method, path, headers={"Host": host, "User-Agent": "tsubo-verify"})
        response = client.getresponse()
        return ProbeAnswer(response.status, response.getheader("Server", ""), response.read())
    except http.client.HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    finally:
        client.close()
