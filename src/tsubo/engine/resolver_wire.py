"""DNS messages: a query's bytes in, a response's bytes out, from one view.

A question's answer is prepared once, when it is first asked (that is when dnspython is used), and kept by the bytes of
its question; a repeated query costs a dictionary look-up and a draw. Only a choice by weight is made anew each time.
Sources: aws/ecs-cloudmap-exec.md section 12 (flags, sizes, denials), RFC 1035, RFC 6891 (EDNS).
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from tsubo.core.dns_answer import Found, find
from tsubo.model.nameserver import ResourceRecord, View

HEADER_SIZE = 12
LONGEST_NAME = 255
LONGEST_LABEL = 63
PLAIN_UDP_SIZE = 512
LARGEST_UDP_SIZE = 4096
LARGEST_STREAM_SIZE = 65535
MOST_PREPARED = 20_000
"""Questions whose answers are kept; a flood of made-up names starts the store afresh."""

ONE_QUESTION = b"\0\1\0\0\0\0"
FORMAT_ERROR, SERVER_FAILURE, NOT_IMPLEMENTED, REFUSED = 1, 2, 4, 5
ANSWER_CODES = {"NOERROR": 0, "SERVFAIL": SERVER_FAILURE, "NXDOMAIN": 3}
TRANSFER_TYPES = frozenset({251, 252})
INTERNET_CLASS = b"\0\1"
POINTER_TO_QUESTION = b"\xc0\x0c"
PLAIN_LABEL_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_*")
OPTION_TYPE = b"\0\0\x29"
OPTION_RECORD = OPTION_TYPE + LARGEST_UDP_SIZE.to_bytes(2) + b"\0\0"
BAD_VERSION_OPTION = OPTION_TYPE + LARGEST_UDP_SIZE.to_bytes(2) + b"\1\0\0\0\0\0"

log = logging.getLogger(__name__)


class Hand:
    """Draws records: each response takes `count` of them, starting one further than the last did, in an order that
    is shuffled anew after each round. So every record comes first equally often, which independent draws from a few
    prepared orders would not give."""

    def __init__(self, records: list[bytes], count: int, random: Random) -> None:
        self._records = records
        self._count = count
        self._random = random
        self._position = 0
        self._ring: list[bytes] = []

    def draw(self) -> bytes:
        """Return the next records, joined."""
        if self._position == 0:
            self._random.shuffle(self._records)
            self._ring = self._records + self._records[: self._count]
        drawn = b"".join(self._ring[self._position : self._position + self._count])
        self._position = (self._position + 1) % len(self._records)
        return drawn


@dataclass(frozen=True)
class Prepared:
    """A response without its header and question: code, counts, the records that are always the same, the draw."""

    code: int
    counts: bytes
    fixed: bytes = b""
    hand: Hand | None = None

    def body(self) -> bytes:
        """Return the bytes of the answer and authority sections."""
        return self.fixed if self.hand is None else self.fixed + self.hand.draw()


class WireView:
    """Answers the queries of one view."""

    def __init__(self, view: View, random: Random) -> None:
        self._view = view
        self._random = random
        self._prepared: dict[bytes, Prepared] = {}

    def respond(self, query: bytes, stream: bool) -> bytes | None:
        """Return the response to a query, or None where silence is due (what is too short, or is a response)."""
        if len(query) < HEADER_SIZE or query[2] & 0x80:
            return None
        if query[2] & 0x78:
            return _refusal(query, NOT_IMPLEMENTED)
        question = query[HEADER_SIZE : query.find(b"\0", HEADER_SIZE) + 5]
        prepared = self._prepared.get(question)
        if prepared is None or query[4:10] != ONE_QUESTION:
            read = _read_question(query)
            if read is None or query[4:10] != ONE_QUESTION:
                return _refusal(query, FORMAT_ERROR)
            question = read
            if question[-2:] != INTERNET_CLASS or int.from_bytes(question[-4:-2]) in TRANSFER_TYPES:
                return _refusal(query, REFUSED)
            prepared = self._prepare(question)
        return _response(query, question, prepared, stream)

    def _prepare(self, question: bytes) -> Prepared:
        """Return the answer of a question from the store, or make it."""
        key = question[:-4].lower() + question[-4:]
        if key in self._prepared:
            return self._prepared[key]
        choices = 0

        def choose(count: int) -> int:
            nonlocal choices
            choices += 1
            return self._random.randrange(count)

        question_type = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(int.from_bytes(key[-4:-2])))
        found = find(self._view, name_text(key[:-4]), question_type, choose)
        try:
            prepared = self._compile(found, HEADER_SIZE + len(question))
        except (dns.exception.DNSException, ValueError, OverflowError) as error:
            log.error("%s: no answer for %s %s: %s", self._view.name, name_text(key[:-4]), question_type, error)
            prepared = Prepared(SERVER_FAILURE, bytes(4))
        if not choices:
            if len(self._prepared) >= MOST_PREPARED:
                self._prepared.clear()
            self._prepared[key] = prepared
        return prepared

    def _compile(self, found: Found, offset: int) -> Prepared:
        """Return the prepared form of what a question led to; its records begin at `offset` in the message."""
        owner, fixed, count, hand = POINTER_TO_QUESTION, b"", len(found.aliases), None
        for alias in found.aliases:
            target = _rdata(alias.type, alias.value)
            fixed += _record(owner, alias.type, alias.ttl, target)
            owner = (0xC000 | (offset + len(fixed) - len(target))).to_bytes(2)
        if found.pool is not None:
            pool = found.pool
            records = [_record(owner, found.type, pool.ttl, _rdata(found.type, value)) for value in pool.values]
            drawn = len(records) if pool.limit is None else min(pool.limit, len(records))
            count += drawn
            if len(records) > 1:
                hand = Hand(records, drawn, self._random)
            else:
                fixed += records[0]
        if found.denial is not None:
            fixed += _denial(found.denial)
        counts = count.to_bytes(2) + int(found.denial is not None).to_bytes(2)
        return Prepared(ANSWER_CODES[found.code], counts, fixed, hand)


def name_text(name: bytes) -> str:
    """Return a name of a message as text, escaped in octal as Route 53 does (`*` alone stands as such)."""
    labels = (
        "".join(chr(byte) if byte in PLAIN_LABEL_BYTES else f"\\{byte:03o}" for byte in label)
        for label in _labels(name)
    )
    return "".join(f"{label}." for label in labels) or "."


def _labels(name: bytes) -> Iterator[bytes]:
    position = 0
    while name[position]:
        yield name[position + 1 : position + 1 + name[position]]
        position += 1 + name[position]


def _read_question(query: bytes) -> bytes | None:
    """Return the question's bytes as they stand in the query, or None where they are malformed."""
    position = HEADER_SIZE
    while position < len(query) and 0 < query[position] <= LONGEST_LABEL:
        position += 1 + query[position]
    end = position + 5
    if end > len(query) or query[position] or position + 1 - HEADER_SIZE > LONGEST_NAME:
        return None
    return query[HEADER_SIZE:end]


def _response(query: bytes, question: bytes, prepared: Prepared, stream: bool) -> bytes:
    """Return the whole response: header, the question in the case it came in, the records, EDNS where it was used."""
    limit, option = PLAIN_UDP_SIZE, b""
    if query[10:12] != b"\0\0":
        after = HEADER_SIZE + len(question)
        if query[after : after + 3] == OPTION_TYPE:
            if len(query) < after + 11:
                return _refusal(query, FORMAT_ERROR)
            if query[after + 6]:
                return _head(query, 0, b"\0\1\0\0\0\0\0\1") + question + BAD_VERSION_OPTION
            limit = min(max(int.from_bytes(query[after + 3 : after + 5]), PLAIN_UDP_SIZE), LARGEST_UDP_SIZE)
            option = OPTION_RECORD + (query[after + 7] & 0x80).to_bytes(1) + b"\0\0\0"
    body = prepared.body()
    additional = b"\0\1" if option else b"\0\0"
    size = HEADER_SIZE + len(question) + len(body) + len(option)
    if size > (LARGEST_STREAM_SIZE if stream else limit):
        return _head(query, prepared.code, b"\0\1\0\0\0\0" + additional, truncated=True) + question + option
    return _head(query, prepared.code, b"\0\1" + prepared.counts + additional) + question + body + option


def _refusal(query: bytes, code: int) -> bytes:
    return _head(query, code, bytes(8))


def _head(query: bytes, code: int, counts: bytes, truncated: bool = False) -> bytes:
    """Return a response's header: the query's id, opcode, RD and CD; QR and RA set; AA never."""
    high = 0x80 | (query[2] & 0x79) | (0x02 if truncated else 0)
    low = 0x80 | (query[3] & 0x10) | code
    return query[:2] + bytes((high, low)) + counts


def _record(owner: bytes, record_type: str, ttl: int, data: bytes) -> bytes:
    number = int(dns.rdatatype.from_text(record_type))
    return owner + number.to_bytes(2) + INTERNET_CLASS + ttl.to_bytes(4) + len(data).to_bytes(2) + data


def _rdata(record_type: str, value: str) -> bytes:
    """Return a value's bytes, names in it uncompressed; a name without a trailing dot is absolute, as in Route 53."""
    data = dns.rdata.from_text(
        dns.rdataclass.IN, dns.rdatatype.from_text(record_type), value, origin=dns.name.root, relativize=False
    )
    return data.to_wire() or b""


def _denial(denial: ResourceRecord) -> bytes:
    owner = dns.name.from_text(denial.name).to_wire() or b""
    return _record(owner, denial.type, denial.ttl, _rdata(denial.type, denial.value))
