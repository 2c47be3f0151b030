"""The binary message (aws/ecs-cloudmap-exec.md section 14)."""

import hashlib
import json
import struct
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsubo.core.channel_message import (
    ACKNOWLEDGE,
    INPUT,
    OUTPUT,
    ChannelMessage,
    MalformedMessageError,
    acknowledged,
    acknowledgement,
    channel_closed,
    decode,
    encode,
    json_object,
    message_ids,
)

ID = "00112233-4455-6677-8899-aabbccddeeff"
MESSAGE = ChannelMessage(OUTPUT, 7, ID, 1_700_000_000_123, "é\n".encode(), payload_type=1, flags=1)


def test_every_field_is_where_the_table_says() -> None:
    frame = encode(MESSAGE)
    assert struct.unpack(">I", frame[0:4]) == (116,)
    assert frame[4:36] == b"output_stream_data".ljust(32)
    assert struct.unpack(">I", frame[36:40]) == (1,)
    assert struct.unpack(">Q", frame[40:48]) == (1_700_000_000_123,)
    assert struct.unpack(">q", frame[48:56]) == (7,)
    assert struct.unpack(">Q", frame[56:64]) == (1,)
    assert frame[64:80].hex() == "8899aabbccddeeff0011223344556677"
    assert frame[80:112] == hashlib.sha256(MESSAGE.payload).digest()
    assert struct.unpack(">II", frame[112:120]) == (1, 3)
    assert frame[120:] == MESSAGE.payload


@given(
    st.sampled_from([INPUT, OUTPUT, ACKNOWLEDGE]),
    st.integers(-(2**63), 2**63 - 1),
    st.uuids().map(str),
    st.integers(1, 2**63),
    st.binary(max_size=2000),
    st.integers(0, 2**32 - 1),
    st.integers(0, 3),
)
def test_there_and_back(
    kind: str, number: int, identifier: str, created: int, payload: bytes, what: int, f: int
) -> None:
    message = ChannelMessage(kind, number, identifier, created, payload, what, f)
    assert decode(encode(message)) == message


def test_other_clients_pad_the_type_and_write_digests_in_their_own_way() -> None:
    """One that exists fills the type up on its left, with zeros, and writes half of the digest as text."""
    frame = bytearray(encode(MESSAGE))
    frame[4:36] = b"output_stream_data".rjust(32, b"\0")
    frame[80:112] = hashlib.sha256(MESSAGE.payload).hexdigest()[:32].encode()
    assert decode(bytes(frame)) == MESSAGE


@given(st.binary(max_size=300))
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode(b"\xff" + data)


def test_a_message_cut_short_is_refused() -> None:
    with pytest.raises(MalformedMessageError):
        decode(encode(MESSAGE)[:-1])


def test_acknowledgement() -> None:
    message = decode(acknowledgement(MESSAGE, ID, 5))
    assert (message.message_type, message.sequence_number, message.flags, message.payload_type) == (
        ACKNOWLEDGE,
        0,
        3,
        0,
    )
    assert json.loads(message.payload) == {
        "AcknowledgedMessageType": OUTPUT,
        "AcknowledgedMessageId": ID,
        "AcknowledgedMessageSequenceNumber": 7,
        "IsSequentialMessage": True,
    }
    assert acknowledged(message) == 7


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"\xff", b"{", b"[" * 100_000])
def test_json_that_is_none(payload: bytes) -> None:
    assert json_object(payload) == {}


@pytest.mark.parametrize("number", [True, "1", None, 1.0])
def test_an_acknowledgement_of_no_number(number: object) -> None:
    payload = json.dumps({"AcknowledgedMessageSequenceNumber": number}).encode()
    assert acknowledged(ChannelMessage(ACKNOWLEDGE, 0, ID, 1, payload)) is None


def test_channel_closed() -> None:
    message = decode(channel_closed("ecs-execute-command-1", "bye", ID, 1_700_000_000_500))
    assert json.loads(message.payload) == {
        "MessageType": "channel_closed",
        "MessageId": ID,
        "CreatedDate": "2023-11-14T22:13:20.500000Z",
        "DestinationId": "ecs-execute-command-1",
        "SessionId": "ecs-execute-command-1",
        "SchemaVersion": 1,
        "Output": "bye",
    }


def test_message_ids_differ_and_are_uuids() -> None:
    ids = message_ids("0123456789abcdef")
    first, second = next(ids), next(ids)
    assert first != second
    assert str(uuid.UUID(first)) == first
