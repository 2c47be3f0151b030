"""A stream of bytes cut into messages: each of limited length, none ending inside a UTF-8 character.

A reader that decodes each message by itself then shows every character. Bytes that are no UTF-8 pass as they are.
Source: aws/ecs-cloudmap-exec.md section 14 (the agent sends whole runes only).
"""

LONGEST_CHARACTER = 4


def pieces(data: bytes, limit: int) -> tuple[list[bytes], bytes]:
    """Return `data` in pieces of at most `limit` bytes, and the beginning of a character that is left at its end."""
    whole = whole_characters(data)
    cut: list[bytes] = []
    start = 0
    while start < whole:
        end = min(start + limit, whole)
        if end < whole:
            end = start + whole_characters(data[start:end])
        cut.append(data[start:end])
        start = end
    return cut, data[whole:]


def whole_characters(data: bytes) -> int:
    """Return how many bytes of `data` come before a character that begins at its end and goes on after it."""
    for back in range(1, min(LONGEST_CHARACTER, len(data) + 1)):
        byte = data[-back]
        if byte & 0b1100_0000 == 0b1000_0000:
            continue
        return len(data) - back if _length(byte) > back else len(data)
    return len(data)


def _length(first: int) -> int:
    """Return how many bytes a character has whose first byte is this; 1 for a byte that begins none."""
    if first & 0b1110_0000 == 0b1100_0000:
        return 2
    if first & 0b1111_0000 == 0b1110_0000:
        return 3
    return 4 if first & 0b1111_1000 == 0b1111_0000 else 1
