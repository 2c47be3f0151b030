"""Both ends of a data channel, alone and against each other (aws/ecs-cloudmap-exec.md sections 13 and 14)."""

import json
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.channel_network import START, Network
from tsubo.core.channel_message import (
    ACKNOWLEDGE,
    CHANNEL_CLOSED,
    FIN,
    INPUT,
    OUTPUT,
    SYN,
    ChannelMessage,
    PayloadType,
    acknowledgement,
    decode,
    encode,
    size_payload,
)
from tsubo.core.channel_streams import RECEIVER_CAPACITY, WINDOW, Receiver, RetransmissionTimeout
from tsubo.core.client_channel import INPUT_BYTES, ClientChannel, opening
from tsubo.core.data_channel import (
    FLUSH_SECONDS,
    HANDSHAKE_SECONDS,
    HANDSHAKE_TIMED_OUT,
    IDLE_SECONDS,
    PENDING_INPUT_BYTES,
    AgentChannel,
    CloseChannel,
    EndProcess,
    Handshake,
    ResizeTerminal,
    SendFrame,
    StartProcess,
    WriteInput,
)

SEED = "0123456789abcdef"
ID = "00112233-4455-6677-8899-aabbccddeeff"
NOW = START


def sent(commands: Iterable[Any]) -> list[ChannelMessage]:
    return [decode(command.frame) for command in commands if isinstance(command, SendFrame)]


def others(commands: Iterable[Any]) -> list[Any]:
    return [command for command in commands if not isinstance(command, SendFrame)]


def typed(number: int, payload: bytes, kind: int = PayloadType.OUTPUT, flags: int = 0) -> bytes:
    return encode(ChannelMessage(INPUT, number, ID, 1, payload, kind, flags))


def acknowledge(message: ChannelMessage) -> bytes:
    return acknowledgement(message, ID, 1)


def connected_agent(handshake: Handshake | None = None, reports_exit: bool = False) -> AgentChannel:
    agent = AgentChannel("s", SEED, NOW, handshake, reports_exit)
    agent.connected(NOW)
    return agent


# The agent's end


def test_a_session_without_handshake_as_on_aws() -> None:
    """Section 14, "Normal interactive session without handshake"."""
    agent = AgentChannel("s", SEED, NOW)
    assert agent.connected(NOW) == [StartProcess()]
    (prompt,) = sent(agent.output(b"# ", NOW))
    assert (prompt.message_type, prompt.sequence_number, prompt.payload_type) == (OUTPUT, 0, PayloadType.OUTPUT)
    assert prompt.flags == SYN
    assert agent.receive(acknowledge(prompt), NOW) == []
    commands = agent.receive(typed(0, size_payload(100, 30), PayloadType.SIZE), NOW)
    assert [m.message_type for m in sent(commands)] == [ACKNOWLEDGE]
    assert others(commands) == [ResizeTerminal(100, 30)]
    assert others(agent.receive(typed(1, b"exit\r"), NOW)) == [WriteInput(b"exit\r")]
    (echo,) = sent(agent.output(b"exit\r\n", NOW))
    assert (echo.sequence_number, echo.flags) == (1, 0)
    assert agent.process_exited(0, NOW) == []
    closing = agent.receive(acknowledge(echo), NOW)
    assert [m.message_type for m in sent(closing)] == [CHANNEL_CLOSED]
    assert others(closing) == [EndProcess(), CloseChannel()]
    assert agent.is_closed


def test_what_is_sent_again_is_acknowledged_again_and_delivered_once() -> None:
    agent = connected_agent()
    agent.receive(typed(0, b"a"), NOW)
    again = agent.receive(typed(0, b"a"), NOW)
    assert [m.message_type for m in sent(again)] == [ACKNOWLEDGE]
    assert others(again) == []


def test_what_comes_early_is_acknowledged_and_waits() -> None:
    agent = connected_agent()
    early = agent.receive(typed(1, b"b"), NOW)
    assert ([m.message_type for m in sent(early)], others(early)) == ([ACKNOWLEDGE], [])
    assert others(agent.receive(typed(0, b"a"), NOW)) == [WriteInput(b"a"), WriteInput(b"b")]


def test_the_oldest_unacknowledged_message_is_sent_again() -> None:
    """The official client drops an output that comes before its handler is there, and waits for it for ever."""
    agent = connected_agent()
    first, second = sent([*agent.output(b"1", NOW), *agent.output(b"2", NOW)])
    agent.receive(acknowledge(second), NOW)
    assert sent(agent.tick(NOW + 0.05)) == []
    assert sent(agent.tick(agent.wake_at())) == [first]


def test_a_new_connection_gets_everything_that_was_not_acknowledged() -> None:
    agent = connected_agent()
    first, second = sent([*agent.output(b"1", NOW), *agent.output(b"2", NOW)])
    agent.receive(acknowledge(first), NOW)
    agent.disconnected()
    assert agent.output(b"3", NOW + 1) == []
    again = sent(agent.connected(NOW + 5))
    assert [m.payload for m in again] == [b"2", b"3"]
    assert again[0] == second


def test_the_process_waits_for_a_client_that_does_not_keep_up() -> None:
    agent = connected_agent()
    messages = [m for _ in range(WINDOW) for m in sent(agent.output(b"x", NOW))]
    assert not agent.takes_output
    agent.receive(acknowledge(messages[17]), NOW)
    assert agent.takes_output


def test_input_that_the_process_does_not_take_is_left_to_the_client() -> None:
    agent = connected_agent()
    agent.receive(typed(0, b"x" * PENDING_INPUT_BYTES), NOW)
    assert agent.receive(typed(1, b"y"), NOW) == []
    agent.input_taken(PENDING_INPUT_BYTES)
    assert others(agent.receive(typed(1, b"y"), NOW)) == [WriteInput(b"y")]


def test_a_command_runs_without_any_client() -> None:
    agent = AgentChannel("s", SEED, NOW)
    assert agent.tick(NOW + 0.5) == []
    assert agent.tick(agent.wake_at()) == [StartProcess()]
    assert agent.connected(NOW + 10) == []


def test_output_of_a_command_that_ended_before_the_client_came() -> None:
    agent = AgentChannel("s", SEED, NOW)
    agent.tick(NOW + 1)
    agent.output(b"done", NOW + 1)
    assert agent.process_exited(0, NOW + 2) == []
    (output,) = sent(agent.connected(NOW + 60))
    assert output.payload == b"done"
    assert others(agent.receive(acknowledge(output), NOW + 61)) == [EndProcess(), CloseChannel()]


def test_the_end_without_a_word() -> None:
    """channel_closed may be the very first message."""
    agent = connected_agent()
    (closed,) = sent(agent.process_exited(127, NOW, "Unable to start command: no"))
    assert json.loads(closed.payload)["Output"] == "Unable to start command: no"


def test_a_client_that_acknowledges_nothing_does_not_hold_up_the_end() -> None:
    agent = connected_agent()
    agent.output(b"x", NOW)
    agent.process_exited(0, NOW)
    assert not agent.is_closed
    agent.tick(NOW + FLUSH_SECONDS)
    assert agent.is_closed


def test_a_session_ends_when_nothing_happens() -> None:
    agent = connected_agent()
    agent.receive(typed(0, b"x"), NOW + 100)
    assert others(agent.tick(NOW + IDLE_SECONDS)) == []
    commands = agent.tick(NOW + 100 + IDLE_SECONDS)
    assert others(commands) == [EndProcess(), CloseChannel()]
    assert json.loads(sent(commands)[-1].payload)["Output"] == ""


def test_output_that_somebody_reads_keeps_a_session_alive() -> None:
    agent = connected_agent()
    (message,) = sent(agent.output(b"x", NOW + 1000))
    agent.receive(acknowledge(message), NOW + 1000)
    assert agent.wake_at() == NOW + 1000 + IDLE_SECONDS


def test_a_client_can_end_the_session() -> None:
    agent = connected_agent()
    commands = agent.receive(typed(0, (2).to_bytes(4), PayloadType.FLAG), NOW)
    assert others(commands) == [EndProcess(), CloseChannel()]
    assert agent.end(NOW) == agent.tick(NOW) == agent.receive(typed(1, b"x"), NOW) == []
    assert agent.connected(NOW) == [CloseChannel()]


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b'{"cols":0,"rows":1}', b'{"cols":true,"rows":9}', b'{"cols":70000,"rows":1}']
)
def test_a_size_that_is_none(payload: bytes) -> None:
    commands = connected_agent().receive(typed(0, payload, PayloadType.SIZE), NOW)
    assert ([m.message_type for m in sent(commands)], others(commands)) == ([ACKNOWLEDGE], [])


@given(st.binary(max_size=200), st.integers(0, 20))
def test_no_frame_upsets_either_end(payload: bytes, kind: int) -> None:
    for frame in (payload, typed(0, payload, kind), encode(ChannelMessage(ACKNOWLEDGE, 0, ID, 1, payload))):
        connected_agent(Handshake("InteractiveCommands")).receive(frame, NOW)
        ClientChannel(SEED).receive(frame, NOW)
        ClientChannel(SEED).receive(encode(ChannelMessage(OUTPUT, 0, ID, 1, payload, kind)), NOW)


# The handshake


def test_a_handshake_comes_before_the_process() -> None:
    agent = AgentChannel("s", SEED, NOW, Handshake("NonInteractiveCommands", {"separateOutputStream": True}))
    (request,) = sent(agent.connected(NOW))
    assert (request.sequence_number, request.payload_type) == (0, PayloadType.HANDSHAKE_REQUEST)
    action = json.loads(request.payload)["RequestedClientActions"][0]
    assert action["ActionParameters"] == {
        "SessionType": "NonInteractiveCommands",
        "Properties": {"separateOutputStream": True},
    }
    assert not agent.takes_output
    assert agent.tick(NOW + 5) == [SendFrame(encode(request))]
    response = {"ProcessedClientActions": [{"ActionType": "SessionType", "ActionStatus": 1}]}
    commands = agent.receive(typed(0, json.dumps(response).encode(), PayloadType.HANDSHAKE_RESPONSE), NOW + 5)
    assert others(commands) == [StartProcess()]
    assert sent(commands)[-1].payload_type == PayloadType.HANDSHAKE_COMPLETE
    assert json.loads(sent(commands)[-1].payload)["HandshakeTimeToComplete"] == 5_000_000_000
    assert agent.takes_output


def test_a_handshake_that_nobody_answers() -> None:
    agent = connected_agent(Handshake("InteractiveCommands"))
    commands = agent.tick(NOW + HANDSHAKE_SECONDS)
    assert json.loads(sent(commands)[-1].payload)["Output"] == HANDSHAKE_TIMED_OUT


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ({"ProcessedClientActions": [{"ActionStatus": 3, "Error": "unsupported"}]}, "unsupported"),
        ({"ProcessedClientActions": [{"ActionType": "SessionType", "ActionStatus": 2}]}, "SessionType"),
        ({"ProcessedClientActions": [7]}, "7"),
        ({}, "no action"),
    ],
)
def test_a_handshake_that_is_refused(response: object, reason: str) -> None:
    agent = connected_agent(Handshake("InteractiveCommands"))
    commands = agent.receive(typed(0, json.dumps(response).encode(), PayloadType.HANDSHAKE_RESPONSE), NOW)
    assert reason in json.loads(sent(commands)[-1].payload)["Output"]
    assert agent.is_closed


# The client's end


def test_the_opening() -> None:
    document = json.loads(opening("secret", "r", "c"))
    assert document["MessageSchemaVersion"] == "1.0"
    assert (document["TokenValue"], document["RequestId"], document["ClientId"]) == ("secret", "r", "c")


def test_the_client_waits_for_the_agent_to_speak() -> None:
    client = ClientChannel(SEED)
    assert not client.takes_input
    client.receive(encode(ChannelMessage(OUTPUT, 0, ID, 1, b"# ", PayloadType.OUTPUT)), NOW)
    assert client.takes_input


def test_the_client_refuses_encryption() -> None:
    actions = [{"ActionType": "KMSEncryption", "ActionParameters": {"KMSKeyId": "k"}}]
    payload = json.dumps({"RequestedClientActions": actions}).encode()
    request = encode(ChannelMessage(OUTPUT, 0, ID, 1, payload, PayloadType.HANDSHAKE_REQUEST))
    response = sent(ClientChannel(SEED).receive(request, NOW))[-1]
    assert json.loads(response.payload)["ProcessedClientActions"][0]["ActionStatus"] == 3


def test_the_end_of_input_is_said_with_the_last_byte() -> None:
    messages = sent(ClientChannel(SEED).typed(b"x" * (INPUT_BYTES + 7), NOW, is_last=True))
    assert [(len(m.payload), m.flags) for m in messages] == [(INPUT_BYTES, SYN), (7, FIN)]
    assert [(m.payload, m.flags) for m in sent(ClientChannel(SEED).typed(b"", NOW, is_last=True))] == [(b"", SYN | FIN)]


# Streams


def test_the_timeout_follows_the_round_trip() -> None:
    timeout = RetransmissionTimeout()
    assert timeout.seconds == 0.2
    for _ in range(100):
        timeout.measured(0.0)
    assert timeout.seconds == 0.1
    for _ in range(100):
        timeout.measured(0.4)
    assert timeout.seconds == pytest.approx(0.41, abs=0.01)
    timeout.measured(30.0)
    assert timeout.seconds == 1.0


def test_a_receiver_keeps_no_more_than_its_capacity() -> None:
    receiver = Receiver()
    for number in range(1, RECEIVER_CAPACITY + 1):
        assert receiver.receive(ChannelMessage(INPUT, number, ID, 1, b"")) == (True, [])
    assert receiver.receive(ChannelMessage(INPUT, RECEIVER_CAPACITY + 1, ID, 1, b"")) == (False, [])
    taken, in_order = receiver.receive(ChannelMessage(INPUT, 0, ID, 1, b""))
    assert (taken, len(in_order)) == (True, RECEIVER_CAPACITY + 1)


# Against each other

handshakes = st.sampled_from([None, Handshake("InteractiveCommands")])


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32).map(Random),
    handshakes,
    st.floats(0, 0.5),
    st.floats(0.01, 0.5),
    st.lists(st.binary(min_size=1, max_size=3000), max_size=25),
    st.lists(st.binary(min_size=1, max_size=3000), max_size=25),
    st.integers(0, 255),
)
def test_nothing_is_lost_doubled_or_out_of_order(
    random: Random,
    handshake: Handshake | None,
    loss: float,
    delay: float,
    output: list[bytes],
    keys: list[bytes],
    exit_code: int,
) -> None:
    """Whatever the network loses, doubles and delays, and however often the connection breaks."""
    network = Network(AgentChannel("s", SEED, NOW, handshake, True), ClientChannel(SEED), random, loss, delay)
    network.connect()
    if handshake is None:
        network.agent_does(network.agent.output(b"# ", network.now))
    network.run_until(lambda: network.is_ready)
    network.client_does(network.client.resized(120, 40, network.now))
    for index in range(max(len(output), len(keys))):
        if index < len(output):
            network.agent_does(network.agent.output(output[index], network.now, is_error=index % 3 == 2))
        if index < len(keys):
            network.client_does(network.client.typed(keys[index], network.now, is_last=index == len(keys) - 1))
        if random.random() < 0.1:
            network.disconnect()
            network.connect()
        network.step()
    network.run_until(lambda: bool(network.sizes) and (network.input_ended or not keys))
    # The end waits for acknowledgements for so long only: the network is like TCP from here.
    network.loss = 0.0
    network.agent_does(network.agent.process_exited(exit_code, network.now))
    network.run_until(lambda: network.closed_with is not None)
    errors = b"".join(data for index, data in enumerate(output) if index % 3 == 2)
    plain = b"".join(data for index, data in enumerate(output) if index % 3 != 2)
    assert network.error_output == errors
    assert network.output == (b"" if handshake else b"# ") + plain
    assert network.input == b"".join(keys)
    assert network.sizes == [(120, 40)]
    assert network.started == 1
    assert network.exit_code == exit_code
