"""The wire path: what it says is what `answer` means, and no bytes make it fail."""

from collections import Counter
from random import Random

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsubo.core.dns_answer import answer
from tsubo.engine import resolver_wire
from tsubo.engine.resolver_wire import WireView, name_text
from tsubo.model.nameserver import RecordGroup, RecordPool, ResourceRecord, View, Zone


def soa(zone: str) -> ResourceRecord:
    return ResourceRecord(zone, "SOA", 900, "ns-1.example. hostmaster.example. 1 7200 900 1209600 86400")


def group(name: str, kind: str, *values: str, limit: int | None = None) -> RecordGroup:
    return RecordGroup(name, kind, (RecordPool(60, values, limit),))


ADDRESSES = tuple(f"10.0.10.{number}" for number in range(1, 21))
PRIVATE = Zone(
    "navi.local.",
    (
        group("backend.navi.local.", "A", "10.0.10.1"),
        group("many.navi.local.", "A", *ADDRESSES, limit=8),
        group("all.navi.local.", "A", *ADDRESSES[:3]),
        group("alias.navi.local.", "CNAME", "many.navi.local"),
        group("far.navi.local.", "CNAME", "www.navi.site."),
        group("nowhere.navi.local.", "CNAME", "missing.example."),
        group("circle.navi.local.", "CNAME", "circle.navi.local."),
        group("*.wild.navi.local.", "A", "10.0.10.7"),
        group("mail.navi.local.", "MX", "10 mx1.navi.local.", "20 mx2"),
        group("srv.navi.local.", "SRV", "1 1 80 backend.navi.local."),
        group("text.navi.local.", "TXT", '"one" "two"'),
        group("long.navi.local.", "TXT", *(f'"{number:0250}"' for number in range(30))),
        group("broken.navi.local.", "A", "not an address"),
        RecordGroup("weighted.navi.local.", "A", tuple(RecordPool(5, (f"10.0.0.{n}",), weight=n) for n in (1, 3))),
        RecordGroup("empty.navi.local.", "A", ()),
    ),
    soa("navi.local."),
)
PUBLIC = Zone("navi.site.", (group("www.navi.site.", "A", *ADDRESSES[:2]),), soa("navi.site."))
DOMAIN = "ap-northeast-1.compute.internal."
ADDRESS_NAMES = tuple(Zone(name, (), soa(name), DOMAIN) for name in (DOMAIN, "10.in-addr.arpa."))
VIEW = View("vpc-1", "ns", ("10.0.0.2",), (PRIVATE, *ADDRESS_NAMES), (PUBLIC,))
NAMES = [
    *(g.name for zone in (PRIVATE, PUBLIC) for g in zone.groups if "long" not in g.name and "broken" not in g.name),
    "x.wild.navi.local.", "y.x.wild.navi.local.", "wild.navi.local.", "navi.local.", "missing.navi.local.", "example.",
    f"ip-10-0-1-5.{DOMAIN}", f"ip-1.{DOMAIN}", "5.1.0.10.in-addr.arpa.", ".", "a b.navi.local.",
]  # fmt: skip


def wire(random: int = 0) -> WireView:
    return WireView(VIEW, Random(random))


def ask(served: WireView, name: str, kind: str = "A", stream: bool = False, **options: object) -> dns.message.Message:
    query = dns.message.make_query(name, kind, **options)  # type: ignore[arg-type]
    response = served.respond(query.to_wire(), stream)
    assert response is not None
    parsed = dns.message.from_wire(response)
    assert query.is_response(parsed)
    return parsed


def records(message: dns.message.Message) -> list[tuple[str, str, int, str]]:
    return [
        (found.name.to_text().lower(), dns.rdatatype.to_text(found.rdtype), found.ttl, data.to_text())
        for found in message.answer
        for data in found
    ]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.sampled_from(["A", "AAAA", "CNAME", "MX", "SRV", "TXT", "PTR", "SOA", "TYPE4711"]),
    st.booleans(),
    st.integers(0, 1 << 32),
)
def test_the_wire_path_says_what_answer_means(name: str, kind: str, upper: bool, seed: int) -> None:
    served = wire(seed)
    for _ in range(2):
        message = ask(served, name.upper() if upper else name, kind, stream=True)
        meant = answer(VIEW, name, kind, Random(seed).randrange)
        assert dns.rcode.to_text(message.rcode()) == meant.code
        assert len(records(message)) == len(meant.records)
        assert {record[:3] for record in records(message)} == {(r.name, r.type, r.ttl) for r in meant.records}
        assert [(s.name.to_text(), s.ttl) for s in message.authority] == (
            [(meant.authority.name, meant.authority.ttl)] if meant.authority else []
        )


@pytest.mark.parametrize(("name", "offered", "drawn"), [("many", 20, 8), ("all", 3, 3), ("alias", 20, 8)])
def test_each_value_comes_as_often_and_as_often_first(name: str, offered: int, drawn: int) -> None:
    served = wire()
    answers = [
        [value for _, kind, _, value in records(ask(served, f"{name}.navi.local", stream=True)) if kind == "A"]
        for _ in range(offered * 10)
    ]
    assert {len(set(found)) for found in answers} == {drawn}
    assert Counter(found[0] for found in answers) == dict.fromkeys(ADDRESSES[:offered], 10)
    assert Counter(value for found in answers for value in found) == dict.fromkeys(ADDRESSES[:offered], 10 * drawn)


def test_weights_hold_over_many_queries() -> None:
    served = wire()
    found = Counter(records(ask(served, "weighted.navi.local"))[0][3] for _ in range(400))
    assert 250 < found["10.0.0.3"] < 350
    assert found["10.0.0.1"] + found["10.0.0.3"] == 400


def test_a_chain_of_names_is_answered_in_order() -> None:
    assert [record[:2] for record in records(ask(wire(), "far.navi.local"))][:2] == [
        ("far.navi.local.", "CNAME"), ("www.navi.site.", "A"),
    ]  # fmt: skip
    assert records(ask(wire(), "alias.navi.local"))[0][3] == "many.navi.local."


def test_the_flags_are_those_of_a_recursive_resolver() -> None:
    message = ask(wire(), "backend.navi.local")
    assert message.flags == dns.flags.QR | dns.flags.RD | dns.flags.RA
    assert (len(message.authority), len(message.additional), message.edns) == (0, 0, -1)


def test_the_question_comes_back_in_the_case_it_was_asked_in() -> None:
    query = dns.message.make_query("BaCkEnD.navi.LOCAL", "A").to_wire()
    served = wire()
    for _ in range(2):
        response = served.respond(query, False)
        assert response is not None
        assert response[12 : len(query)] == query[12:]


def test_a_type_whose_number_looks_like_a_letter_is_not_changed_by_case() -> None:
    served = wire()
    assert ask(served, "BACKEND.navi.local", "HTTPS").answer == []
    assert dns.rdatatype.to_text(ask(served, "backend.navi.local", "HTTPS").question[0].rdtype) == "HTTPS"
    assert ask(served, "BACKEND.navi.local", "A").answer


@pytest.mark.parametrize(
    ("payload", "stream", "truncated"),
    [(None, False, True), (1232, False, True), (65535, False, True), (None, True, False)],
)
def test_a_response_that_does_not_fit_is_truncated(payload: int | None, stream: bool, truncated: bool) -> None:
    options = {} if payload is None else {"use_edns": 0, "payload": payload}
    message = ask(wire(), "long.navi.local", "TXT", stream, **options)
    assert bool(message.flags & dns.flags.TC) is truncated
    assert len(records(message)) == (0 if truncated else 30)


def test_a_larger_datagram_is_used_where_the_client_says_it_can() -> None:
    served = WireView(View("v", "ns", (), (Zone("z.", (group("n.z.", "A", *(f"10.0.1.{n}" for n in range(60))),),
                                             soa("z.")),), ()), Random(0))  # fmt: skip
    assert ask(served, "n.z").flags & dns.flags.TC
    message = ask(served, "n.z", use_edns=0, payload=1232)
    assert len(records(message)) == 60
    assert message.payload == 4096


def test_an_unknown_edns_version_is_refused() -> None:
    query = dns.message.make_query("backend.navi.local", "A", use_edns=1)
    response = wire().respond(query.to_wire(), False)
    assert response is not None
    assert dns.message.from_wire(response).rcode() == dns.rcode.BADVERS


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("A", {2: 0x20}, dns.rcode.NOTIMP),
        ("AXFR", {}, dns.rcode.REFUSED),
        ("A", {5: 0}, dns.rcode.FORMERR),
        ("A", {5: 2}, dns.rcode.FORMERR),
        ("A", {7: 1}, dns.rcode.FORMERR),
        ("A", {12: 0xC0}, dns.rcode.FORMERR),
        ("A", {12: 63}, dns.rcode.FORMERR),
        ("A", {-1: 3}, dns.rcode.REFUSED),
    ],
)
def test_what_is_not_a_plain_question_is_refused(kind: str, change: dict[int, int], code: dns.rcode.Rcode) -> None:
    query = bytearray(dns.message.make_query("backend.navi.local", kind).to_wire())
    for position, byte in change.items():
        query[position] = byte
    response = wire().respond(bytes(query), False)
    assert response is not None
    assert (response[:2], response[3] & 0x0F) == (query[:2], code)


def test_what_is_too_short_or_a_response_is_met_with_silence() -> None:
    query = dns.message.make_query("backend.navi.local", "A").to_wire()
    assert wire().respond(query[:11], False) is None
    assert wire().respond(query[:2] + b"\x80" + query[3:], False) is None


def test_a_value_that_cannot_be_sent_is_a_failure_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert ask(wire(), "broken.navi.local").rcode() == dns.rcode.SERVFAIL
    assert "broken.navi.local" in caplog.text


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=64), st.booleans())
def test_no_bytes_make_it_fail(query: bytes, stream: bool) -> None:
    served = wire()
    for message in (query, b"\0\0\1\0\0\1\0\0\0\0\0\0" + query, b"\0\0\1\0\0\1\0\0\0\0\0\1" + query):
        response = served.respond(message, stream)
        assert response is None or response[:2] == message[:2]


@settings(max_examples=300, deadline=None)
@given(st.integers(12, 60), st.integers(0, 255))
def test_no_changed_byte_makes_it_fail(position: int, byte: int) -> None:
    query = bytearray(dns.message.make_query("alias.navi.local", "A", use_edns=0).to_wire())
    query[min(position, len(query) - 1)] = byte
    assert wire().respond(bytes(query), False) is not None


def test_a_flood_of_names_does_not_grow_the_store_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver_wire, "MOST_PREPARED", 100)
    served = wire()
    header = b"\0\0\1\0\0\1\0\0\0\0\0\0"
    for number in range(250):
        served.respond(header + dns.name.from_text(f"n{number}.navi.local.").to_wire() + b"\0\1\0\1", False)
    assert len(served._prepared) == 50


def test_odd_bytes_in_a_name_are_written_as_route_53_does() -> None:
    assert name_text(b"\x03a.b\x01*\x02\x00\xff\x00") == "a\\056b.*.\\000\\377."
