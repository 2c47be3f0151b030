"""Domain names as Route 53 keeps them: lower-case, with a trailing dot, unusual characters as `\\ooo` (octal).

Source: aws/ecs-cloudmap-exec.md section 11.
"""

import re

LONGEST_NAME = 255
LONGEST_LABEL = 63
_UNUSUAL = re.compile(r"\\([0-3][0-7]{2})|([^a-z0-9_.-])")
_PLAIN = re.compile(r"[a-z0-9_-]")


class BadName(ValueError):
    """A text that is no domain name; the message is in the words of Route 53."""


def normalized(name: str) -> str:
    """Return a domain name as Route 53 keeps it; the same name in any spelling gives the same text.

    `*.Example.com` and `\\052.example.com.` are both `\\052.example.com.`. Raises BadName.
    """
    bare = name.lower().removesuffix(".")
    text = _UNUSUAL.sub(_escaped, bare)
    labels = text.split(".")
    if not bare or "" in labels:
        raise BadName(f"FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with '{name}'")
    if any(len(_unescaped(label)) > LONGEST_LABEL for label in labels):
        raise BadName(f"FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '{name}'")
    if len(_unescaped(text)) > LONGEST_NAME:
        raise BadName(f"FATAL problem: DomainNameTooLong (Domain name is too long) encountered with '{name}'")
    return f"{text}."


def sort_key(name: str) -> tuple[str, ...]:
    """Return what Route 53 sorts names by: their labels from the last to the first."""
    return tuple(reversed(name.removesuffix(".").split(".")))


def lies_in(name: str, zone_name: str) -> bool:
    """Return whether a name is a zone's own or below it (both as `normalized` gives them)."""
    return name == zone_name or name.endswith(f".{zone_name}")


def _escaped(match: re.Match[str]) -> str:
    octal, character = match.groups()
    value = int(octal, 8) if octal else ord(character)
    if value > 0xFF:
        raise BadName(
            "FATAL problem: UnsupportedCharacter (Value contains unsupported characters) encountered with "
            f"'{character}'"
        )
    plain = chr(value).lower()
    return plain if _PLAIN.fullmatch(plain) else f"\\{value:03o}"


def _unescaped(text: str) -> str:
    return re.sub(r"\\[0-7]{3}", "?", text)
