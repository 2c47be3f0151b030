"""Pages of Route 53's listings, which are found by a key and not by a token: a zone's id, a record set's name."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tsubo.aws.route53.lookup import invalid_input

T = TypeVar("T")


def page_from(
    items: Iterable[T], key: Callable[[T], Any], size: int, start: Any | None = None
) -> tuple[list[T], T | None]:
    """Return at most `size` items in the order of their keys, from the key `start` on, and the next page's first."""
    rest = sorted((item for item in items if start is None or key(item) >= start), key=key)
    return rest[:size], rest[size] if len(rest) > size else None


def page_size(text: str | None, most: int) -> int:
    """Return how many items a request wants by MaxItems, which Route 53 takes as text."""
    if text is None:
        return most
    if not str(text).isdecimal() or int(text) < 1:
        raise invalid_input(f"MaxItems '{text}' must be a number of at least 1")
    return min(int(text), most)
