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
    address: str, port: int, host: str, path: str, tls_name: str | None = None, authority: Path | None = None
) -> ProbeAnswer:
    """Ask `address:port` for a path of `host`; with `tls_name` over TLS, trusting the CA certificate in `authority`.

    Raises OSError without an answer, a certificate that does not verify included.
    """
    connection = socket.create_connection((address, port), TIMEOUT_SECONDS)
    if tls_name is not None:
        context = ssl.create_default_context(cafile=str(authority))
        connection = context.wrap_socket(connection, server_hostname=tls_name)
    client = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    client.sock = connection
    try:
        client.request("GET", path, headers={"Host": host, "User-Agent": "tsubo-verify"})
        response = client.getresponse()
        return ProbeAnswer(response.status, response.getheader("Server", ""), response.read())
    except http.client.HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    finally:
        client.close()
