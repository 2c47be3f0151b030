"""Pages of a list: an opaque token in, one page and the next token out.

A token is the position of the first item that was not returned yet, encoded so that nobody builds one by hand.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class InvalidToken(ValueError):
    """The token is none that `page` gave out; each service has its own error for it."""


def page(items: Sequence[T], token: str | None, size: int) -> tuple[list[T], str | None]:
    """Return the page of at most `size` items that `token` points to, and the next token (None after the last page)."""
    start = _position(token) if token else 0
    end = start + size
    return list(items[start:end]), _token(end) if end < len(items) else None


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(b"position:%d" % position).decode()


def _position(token: str) -> int:
    try:
        name, _, position = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if name != "position":
            raise InvalidToken(token)
        return int(position)
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise InvalidToken(token) from error
