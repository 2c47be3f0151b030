"""The four name servers of a hosted zone. Source: aws/ecs-cloudmap-exec.md section 10."""

from tsubo.aws.operations import Call

PRIVATE_NAME_SERVERS = (
    "ns-1536.awsdns-00.co.uk.",
    "ns-0.awsdns-00.com.",
    "ns-1024.awsdns-00.org.",
    "ns-512.awsdns-00.net.",
)
"""The same for all private zones."""

_TOP_LEVEL_DOMAINS = ((0, "com"), (512, "net"), (1024, "org"), (1536, "co.uk"))
_SERVERS_A_DOMAIN = 512
_SERVERS_A_STRIPE = 8


def public_name_servers(call: Call) -> tuple[str, ...]:
    """Return four name servers of a new public zone, one of each top-level domain that AWS uses."""
    return tuple(_name_server(call, first, domain) for first, domain in _TOP_LEVEL_DOMAINS)


def _name_server(call: Call, first: int, domain: str) -> str:
    number = int(call.supply.text(3), 16) % _SERVERS_A_DOMAIN
    return f"ns-{first + number}.awsdns-{number // _SERVERS_A_STRIPE:02d}.{domain}."
