"""The two ends of one direction of a data channel: what is sent is kept until it is acknowledged, what is received is
put in order.

`Sender` numbers messages, measures how long acknowledgements take and sends the oldest message again that has none.
`Receiver` delivers each message once and in order. `Conversation` is one of each, at one end of a channel. None of
them knows what the messages mean. Times are seconds since the epoch, on a clock that does not jump. Source:
aws/ecs-cloudmap-exec.md section 14 (sequence and reliability rules).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tsubo.core.channel_message import (
    ACKNOWLEDGE,
    SYN,
    ChannelMessage,
    acknowledged,
    acknowledgement,
    encode,
    message_ids,
)

INITIAL_TIMEOUT = 0.2
INITIAL_ROUND_TRIP = 0.1
SHORTEST_TIMEOUT = 0.1
"""The agent looks for what to send again every 100 ms."""
LONGEST_TIMEOUT = 1.0
ROUND_TRIP_WEIGHT, VARIATION_WEIGHT = 1 / 8, 1 / 4
CLOCK_GRANULARITY = 0.01
WINDOW = 256
"""Messages that may be without acknowledgement; a process whose output nobody takes waits, as at a full pipe."""
RECEIVER_CAPACITY = 10_000
"""Messages kept that came too early: as many as the official client keeps."""


class RetransmissionTimeout:
    """How long to wait for an acknowledgement before sending again: TCP's estimate, with the agent's constants."""

    def __init__(self) -> None:
        self.seconds = INITIAL_TIMEOUT
        self._round_trip = INITIAL_ROUND_TRIP
        self._variation = 0.0

    def measured(self, round_trip: float) -> None:
        """Take over the time that one message took to be acknowledged."""
        self._variation += VARIATION_WEIGHT * (abs(self._round_trip - round_trip) - self._variation)
        self._round_trip += ROUND_TRIP_WEIGHT * (round_trip - self._round_trip)
        estimate = self._round_trip + max(CLOCK_GRANULARITY, 4 * self._variation)
        self.seconds = min(LONGEST_TIMEOUT, max(SHORTEST_TIMEOUT, estimate))


@dataclass
class _Sent:
    frame: bytes
    sent_at: float
    times: int


class Sender:
    """The sending end of a stream of messages of one type."""

    def __init__(self, message_type: str, ids: Iterator[str]) -> None:
        self._message_type = message_type
        self._ids = ids
        self._next = 0
        self._sent: dict[int, _Sent] = {}
        self.timeout = RetransmissionTimeout()

    @property
    def has_room(self) -> bool:
        """Whether another message may be sent before an older one is acknowledged."""
        return len(self._sent) < WINDOW

    @property
    def is_empty(self) -> bool:
        """Whether everything is acknowledged."""
        return not self._sent

    def send(self, payload_type: int, payload: bytes, now: float, flags: int = 0) -> bytes:
        """Return the frame of a new message, and keep it until it is acknowledged."""
        flags |= SYN if self._next == 0 else 0
        message = ChannelMessage(
            self._message_type, self._next, next(self._ids), int(now * 1000), payload, payload_type, flags
        )
        frame = encode(message)
        self._sent[self._next] = _Sent(frame, now, 1)
        self._next += 1
        return frame

    def acknowledge(self, sequence_number: int, now: float) -> bool:
        """Forget a message that has arrived. Return whether that was news."""
        sent = self._sent.pop(sequence_number, None)
        if sent is None:
            return False
        # Of a message that was sent more than once nobody knows which copy was acknowledged.
        if sent.times == 1:
            self.timeout.measured(now - sent.sent_at)
        return True

    def resend_at(self) -> float | None:
        """Return when the oldest message without acknowledgement is due again."""
        for sent in self._sent.values():
            return sent.sent_at + self.timeout.seconds
        return None

    def due(self, now: float) -> bytes | None:
        """Return the oldest message without acknowledgement if it is due again.

        Only the oldest: a receiver that keeps what came too early needs nothing else to go on.
        """
        due_at = self.resend_at()
        if due_at is None or now < due_at:
            return None
        oldest = next(iter(self._sent.values()))
        oldest.sent_at = now
        oldest.times += 1
        return oldest.frame

    def everything_again(self, now: float) -> list[bytes]:
        """Return all messages without acknowledgement, for a connection in place of one that broke."""
        for sent in self._sent.values():
            sent.sent_at = now
            sent.times += 1
        return [sent.frame for sent in self._sent.values()]


class Receiver:
    """The receiving end of a stream of messages."""

    def __init__(self) -> None:
        self._expected = 0
        self._early: dict[int, ChannelMessage] = {}

    def receive(self, message: ChannelMessage, ready: bool = True) -> tuple[bool, list[ChannelMessage]]:
        """Take a message in. Return whether to acknowledge it, and the messages that are now in order.

        A message that comes in order while its consumer is not `ready` is not taken: the sender will send it again.
        """
        number = message.sequence_number
        if number < self._expected:
            return True, []
        if number > self._expected:
            if len(self._early) >= RECEIVER_CAPACITY and number not in self._early:
                return False, []
            self._early[number] = message
            return True, []
        if not ready:
            return False, []
        self._expected += 1
        in_order = [message]
        while (following := self._early.pop(self._expected, None)) is not None:
            in_order.append(following)
            self._expected += 1
        return True, in_order


class Conversation:
    """Both directions at one end of a channel: what it sends, what it receives, and the acknowledgements of both."""

    def __init__(self, sends: str, receives: str, seed: str) -> None:
        """`sends` and `receives` are message types; `seed` is 16 random hexadecimal digits."""
        self._receives = receives
        self._ids = message_ids(seed)
        self._receiver = Receiver()
        self.sender = Sender(sends, self._ids)
        self.progress_at = 0.0
        """When the other end last acknowledged something new."""

    def next_id(self) -> str:
        """Return the id for a message that no stream numbers."""
        return next(self._ids)

    def receive(
        self, message: ChannelMessage, now: float, ready: bool = True
    ) -> tuple[list[bytes], list[ChannelMessage]]:
        """Take a message in. Return the frames to send for it, and the stream messages that are now in order."""
        if message.message_type == ACKNOWLEDGE:
            number = acknowledged(message)
            if number is not None and self.sender.acknowledge(number, now):
                self.progress_at = now
            return self.due(now), []
        if message.message_type != self._receives:
            return [], []
        taken, in_order = self._receiver.receive(message, ready)
        return ([acknowledgement(message, self.next_id(), int(now * 1000))] if taken else []), in_order

    def due(self, now: float) -> list[bytes]:
        """Return what is to be sent again now."""
        frame = self.sender.due(now)
        return [] if frame is None else [frame]
