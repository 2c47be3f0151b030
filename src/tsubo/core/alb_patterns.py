"""The patterns of listener rules as regular expressions (RE2, matched against the whole text).

Source: aws/alb-vpc-terraform.md section 1.4.
"""

import re
from ipaddress import IPv4Network


def wildcard(pattern: str) -> str:
    """Return the expression of a pattern in which `*` is any text and `?` is any one character."""
    return "".join({"*": ".*", "?": "."}.get(character, _literal(character)) for character in pattern)


def host(pattern: str) -> str:
    """Return the expression of a host pattern: letter case and a port do not matter."""
    return f"(?i){wildcard(pattern)}(:[0-9]+)?"


def path(pattern: str) -> str:
    """Return the expression that matches a request target whose path fits a pattern; the query does not matter."""
    return f"{_without_query(pattern)}([?].*)?"


def query(pairs: tuple[tuple[str | None, str], ...]) -> str:
    """Return the expression that matches a request target one of whose query parameters fits one of the pairs.

    A key of None stands for any key. In keys and values `\\` takes the meaning from the character after it.
    """
    parameters = "|".join(
        f"{'[^&=]*' if key is None else _query_part(key)}={_query_part(value)}" for key, value in pairs
    )
    return f"(?i)[^?]*[?](.*&)?({parameters})(&.*)?"


def any_of(expressions: list[str]) -> str:
    """Return the expression of alternatives."""
    return expressions[0] if len(expressions) == 1 else "|".join(f"({expression})" for expression in expressions)


def network(cidr: str) -> str:
    """Return the expression of the IPv4 addresses of a network, as text in dotted form."""
    addresses = IPv4Network(cidr, strict=False)
    first, last = addresses.network_address.packed, addresses.broadcast_address.packed
    return "[.]".join(_octets(low, high) for low, high in zip(first, last, strict=True))


def _octets(low: int, high: int) -> str:
    if (low, high) == (0, 255):
        return "[0-9]+"
    return str(low) if low == high else f"({'|'.join(str(octet) for octet in range(low, high + 1))})"


def _literal(character: str) -> str:
    return re.escape(character)


def _without_query(pattern: str) -> str:
    return "".join({"*": "[^?]*", "?": "[^?]"}.get(character, _literal(character)) for character in pattern)


def _query_part(pattern: str) -> str:
    parts: list[str] = []
    escaped = False
    for character in pattern:
        if escaped:
            parts.append(_literal(character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            parts.append({"*": "[^&]*", "?": "[^&]"}.get(character, _literal(character)))
    return "".join(parts)
