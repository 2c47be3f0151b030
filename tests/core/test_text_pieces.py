"""UTF-8 over message boundaries."""

from hypothesis import given
from hypothesis import strategies as st

from tsubo.core.text_pieces import pieces, whole_characters


@given(st.text(max_size=300), st.lists(st.integers(0, 50)), st.integers(4, 32))
def test_every_piece_of_text_decodes(text: str, reads: list[int], limit: int) -> None:
    """However a text is read and cut, each message can be decoded by itself, and nothing is lost."""
    data = text.encode()
    sent: list[bytes] = []
    held = b""
    for size in [*reads, len(data)]:
        whole, held = pieces(held + data[:size], limit)
        data = data[size:]
        sent += whole
    assert held == b""
    assert "".join(piece.decode() for piece in sent) == text
    assert all(0 < len(piece) <= limit for piece in sent)


@given(st.binary(max_size=300), st.integers(4, 32))
def test_other_bytes_pass_as_they_are(data: bytes, limit: int) -> None:
    whole, held = pieces(data, limit)
    assert b"".join(whole) + held == data
    assert all(0 < len(piece) <= limit for piece in whole)
    assert len(held) < 4


def test_what_is_held() -> None:
    assert pieces("aé".encode()[:2], 10) == ([b"a"], b"\xc3")
    assert pieces("a😀".encode()[:4], 10) == ([b"a"], "😀".encode()[:3])
    assert pieces(b"a\xff", 10) == ([b"a\xff"], b"")
    assert pieces(b"\x80\x80\x80\x80", 10) == ([b"\x80\x80\x80\x80"], b"")
    assert whole_characters(b"") == 0
