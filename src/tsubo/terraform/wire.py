"""Protobuf by hand, for the few messages that the stubs at hand do not have."""


def length_delimited(field: int, content: bytes) -> bytes:
    """Return a field of bytes, text or a message."""
    size, rest = b"", len(content)
    while rest > 127:
        size += bytes([rest & 127 | 128])
        rest >>= 7
    return bytes([field << 3 | 2]) + size + bytes([rest]) + content


def flag(field: int) -> bytes:
    """Return a boolean field that is set."""
    return bytes([field << 3, 1])
