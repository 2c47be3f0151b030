"""Where a call may come from: this machine's own clients and tasks, and no browser (design rule 10).

A web page can send requests to a loopback port, and by DNS rebinding can even read the answers. Both are refused:
the first by its Origin header, the second by its Host.
"""

import ipaddress
import re

from tsubo.aws.message import HttpRequest
from tsubo.aws.operations import AwsError
from tsubo.model.metadata import LINK_LOCAL_ADDRESS

HOST_PREFIX = re.compile(r"^(data|stream|sync|\d{12})[-.]")
"""What clients put before the host: a model's host prefix (aws/ecs-cloudmap-exec.md section 1), an account."""


def refuse_foreign(request: HttpRequest) -> None:
    """Raise AwsError (403) for a browser's request and for a Host that is neither loopback nor AWS's."""
    if "origin" in request.headers:
        raise AwsError("AccessDenied", "Requests from web pages (with an Origin header) are refused.", status=403)
    host = host_name(request.headers.get("host", ""))
    if not is_own_host(host):
        raise AwsError("AccessDenied", f"Host {host!r} is neither a loopback address nor *.amazonaws.com.", status=403)


def host_name(host: str) -> str:
    """Return a Host header without port, brackets and trailing dot, in lower case."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](:\d+)?", host)
    name = bracketed.group(1) if bracketed else re.sub(r":\d+$", "", host)
    return name.lower().rstrip(".")


def is_own_host(name: str) -> bool:
    """Return whether a host name means this endpoint: as its own clients call it, or as tasks do."""
    bare = HOST_PREFIX.sub("", name)
    if bare in ("localhost", LINK_LOCAL_ADDRESS) or bare.endswith((".localhost", ".amazonaws.com")):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
