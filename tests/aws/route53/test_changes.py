"""Batches of changes: whole or not at all. Sources: aws/alb-vpc-terraform.md section 3, aws/ecs-cloudmap-exec.md
section 11."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aws.route53.conftest import ELB_NAME, ELB_ZONE, Dns, alias, batch, record
from tsubo.aws.operations import AwsError


@pytest.fixture
def zone(dns: Dns) -> str:
    return dns.zone().removeprefix("/hostedzone/")


def own(dns: Dns, zone: str) -> list[dict[str, Any]]:
    return [each for each in dns.listed(zone) if each["Type"] not in ("NS", "SOA")]


def test_create_upsert_delete(dns: Dns, zone: str) -> None:
    first, second = record("W.a.example", "A", "192.0.2.1"), record("w.a.example.", "A", "192.0.2.2", ttl=5)
    changed = dns(
        "ChangeResourceRecordSets", HostedZoneId=zone, ChangeBatch={**batch(("CREATE", first)), "Comment": "c"}
    )
    assert (changed["ChangeInfo"]["Status"], changed["ChangeInfo"]["Comment"]) == ("PENDING", "c")
    assert own(dns, zone) == [{**first, "Name": "w.a.example."}]
    dns.change(zone, ("UPSERT", second))
    assert own(dns, zone) == [second]
    dns.change(zone, ("DELETE", second))
    assert own(dns, zone) == []
    assert dns.world.record_sets == {}


def test_creating_what_is_there_and_deleting_what_is_not(dns: Dns, zone: str) -> None:
    there = record("w.a.example")
    dns.change(zone, ("CREATE", there))
    assert dns.unchanged(zone, ("CREATE", there)) == (
        "InvalidChangeBatch",
        "[Tried to create resource record set [name='w.a.example.', type='A'] but it already exists]",
    )
    assert dns.unchanged(zone, ("DELETE", record("x.a.example"))) == (
        "InvalidChangeBatch",
        "[Tried to delete resource record set [name='x.a.example.', type='A'] but it was not found]",
    )
    assert dns.unchanged(zone, ("DELETE", record("w.a.example", ttl=61))) == (
        "InvalidChangeBatch",
        "[Tried to delete resource record set [name='w.a.example.', type='A'] but the values provided do not match the "
        "current values]",
    )


def test_deleting_takes_the_values_in_any_order(dns: Dns, zone: str) -> None:
    dns.change(zone, ("CREATE", record("w.a.example", "A", "192.0.2.1", "192.0.2.2")))
    dns.change(zone, ("DELETE", record("w.a.example", "A", "192.0.2.2", "192.0.2.1")))
    assert own(dns, zone) == []


def test_all_that_is_wrong_is_told_and_nothing_is_done(dns: Dns, zone: str) -> None:
    code, message = dns.unchanged(
        zone,
        ("CREATE", record("w.a.example")),
        ("DELETE", record("x.a.example")),
        ("CREATE", record("w.b.example")),
    )
    assert code == "InvalidChangeBatch"
    assert "but it was not found, RRSet with DNS name w.b.example. is not permitted in zone a.example." in message
    assert own(dns, zone) == []


def test_a_record_can_be_replaced_by_one_of_another_type_in_one_batch(dns: Dns, zone: str) -> None:
    old, new = record("w.a.example"), record("w.a.example", "CNAME", "b.example")
    dns.change(zone, ("CREATE", old))
    assert "conflicting RRSet of type A" in dns.unchanged(zone, ("CREATE", new))[1]
    dns.change(zone, ("DELETE", old), ("CREATE", new))
    assert own(dns, zone) == [new | {"Name": "w.a.example."}]
    assert "conflicting RRSet of type CNAME" in dns.unchanged(zone, ("CREATE", old))[1]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("A", "192.0.2", "Value is not a valid IPv4 address) encountered with '192.0.2'"),
        ("AAAA", "192.0.2.1", "Value is not a valid IPv6 address"),
        ("TXT", "x", "Value should be enclosed in quotation marks"),
        ("MX", "mail.example", "must have 2 fields"),
        ("MX", "first mail.example", "must have numbers"),
        ("SRV", "1 1 80", "must have 4 fields"),
        ("CNAME", "a..example", "not a valid domain name"),
    ],
)
def test_values_are_checked(dns: Dns, zone: str, kind: str, value: str, text: str) -> None:
    code, message = dns.unchanged(zone, ("CREATE", record("w.a.example", kind, value)))
    assert (code, text in message) == ("InvalidChangeBatch", True), message


@pytest.mark.parametrize(
    ("record_set", "text"),
    [
        (record("w.a.example", "A", "192.0.2.1", "192.0.2.1"), "Duplicate Resource Record: '192.0.2.1'"),
        (record("w.a.example", "CNAME", "b.example", "c.example"), "more than one resource record"),
        (record("a.example", "CNAME", "b.example"), "is not permitted at apex in zone a.example."),
        (record("a" * 64 + ".a.example"), "DomainLabelTooLong"),
    ],
)
def test_records_that_cannot_be(dns: Dns, zone: str, record_set: dict[str, Any], text: str) -> None:
    code, message = dns.unchanged(zone, ("CREATE", record_set))
    assert (code, text in message) == ("InvalidChangeBatch", True), message


@pytest.mark.parametrize(
    ("record_set", "text"),
    [
        (
            {"Name": "w.a.example", "Type": "A"},
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            "TrafficPolicyInstanceId], but found none in Change with [Action=CREATE, Name=w.a.example, Type=A, "
            "SetIdentifier=null]",
        ),
        (alias("w.a.example", ELB_ZONE, ELB_NAME, TTL=60), "but found more than one"),
        (record("w.a.example", Weight=1), "Missing field 'SetIdentifier'"),
        (record("w.a.example", SetIdentifier="x"), "Expected exactly one of [Weight, MultiValueAnswer]"),
        (record("w.a.example", SetIdentifier="x", Weight=256), "Weight must be between 0 and 255"),
        (record("w.a.example", SetIdentifier="x", Failover="PRIMARY"), "Failover is not supported by Tsubo"),
        (record("w.a.example", ttl=-1), "TTL must be between"),
    ],
)
def test_requests_that_make_no_sense(dns: Dns, zone: str, record_set: dict[str, Any], text: str) -> None:
    code, message = dns.unchanged(zone, ("CREATE", record_set))
    assert (code, text in message) == ("InvalidInput", True), message


def test_a_health_check_there_is_none_of(dns: Dns, zone: str) -> None:
    checked = record("w.a.example", SetIdentifier="x", Weight=1, HealthCheckId="h")
    assert dns.unchanged(zone, ("CREATE", checked))[0] == "NoSuchHealthCheck"


def test_weighted_and_simple_do_not_mix(dns: Dns, zone: str) -> None:
    dns.change(zone, ("CREATE", record("w.a.example")))
    weighted = record("w.a.example", SetIdentifier="x", Weight=1)
    code, message = dns.unchanged(zone, ("CREATE", weighted))
    assert (code, "because a simple RRSet exists" in message) == ("InvalidChangeBatch", True)
    several = [record("m.a.example", SetIdentifier=each, MultiValueAnswer=True) for each in "ab"]
    dns.change(zone, *(("CREATE", each) for each in several))
    assert [each["SetIdentifier"] for each in own(dns, zone)[:2]] == ["a", "b"]


def test_an_alias_to_a_load_balancer(dns: Dns, zone: str) -> None:
    dns.change(zone, ("CREATE", alias("a.example", ELB_ZONE, ELB_NAME)))
    dns.change(zone, ("CREATE", alias("api.a.example", ELB_ZONE, f"dualstack.{ELB_NAME}")))
    apex, api = own(dns, zone)
    assert apex == {
        "Name": "a.example.",
        "Type": "A",
        "AliasTarget": {
            "HostedZoneId": ELB_ZONE,
            "DNSName": f"{ELB_NAME.lower()}.",
            "EvaluateTargetHealth": True,
        },
    }
    assert api["AliasTarget"]["DNSName"] == f"dualstack.{ELB_NAME.lower()}."
    dns.change(zone, ("DELETE", alias("a.example", ELB_ZONE, ELB_NAME)))


def test_an_alias_to_a_record_of_the_zone_and_of_the_batch(dns: Dns, zone: str) -> None:
    dns.change(
        zone,
        ("CREATE", alias("a.example", f"/hostedzone/{zone}", "W.a.example")),
        ("CREATE", record("w.a.example")),
    )
    assert own(dns, zone)[0]["AliasTarget"]["HostedZoneId"] == zone


@pytest.mark.parametrize(
    ("hosted_zone_id", "target", "text"),
    [
        ("ZOTHER", ELB_NAME, "but the alias target name does not lie within the target zone"),
        (ELB_ZONE, "gone-1.ap-northeast-1.elb.amazonaws.com", "but that target was not found"),
        ("own", "w.a.example", "but that target was not found"),
        ("own", ELB_NAME, "but the alias target name does not lie within the target zone"),
    ],
)
def test_aliases_to_nowhere(dns: Dns, zone: str, hosted_zone_id: str, target: str, text: str) -> None:
    hosted_zone_id = zone if hosted_zone_id == "own" else hosted_zone_id
    code, message = dns.unchanged(zone, ("CREATE", alias("x.a.example", hosted_zone_id, target)))
    assert code == "InvalidChangeBatch"
    assert message == (
        f"[Tried to create an alias that targets {target.lower()}., type A in zone {hosted_zone_id}, {text}]"
    )


def test_a_zones_own_ns_and_soa(dns: Dns, zone: str) -> None:
    ns, soa = (next(each for each in dns.listed(zone) if each["Type"] == kind) for kind in ("NS", "SOA"))
    assert "already exists" in dns.unchanged(zone, ("CREATE", ns))[1]
    assert "at least one NS record" in dns.unchanged(zone, ("DELETE", ns))[1]
    assert "exactly one SOA record" in dns.unchanged(zone, ("DELETE", soa))[1]
    dns.change(zone, ("UPSERT", ns), ("UPSERT", {**soa, "TTL": 60}))
    assert next(each for each in dns.listed(zone) if each["Type"] == "SOA")["TTL"] == 60
    assert dns.unchanged(zone, ("UPSERT", {**ns, "TTL": 30}))[0] == "InvalidInput"
    below = record("sub.a.example", "NS", "ns-1.example")
    dns.change(zone, ("CREATE", below))
    assert below | {"Name": "sub.a.example."} in dns.listed(zone)


def test_a_zone_that_is_not_there_and_a_batch_that_is_too_long(dns: Dns, zone: str) -> None:
    assert dns.unchanged("Z0", ("CREATE", record("w.a.example")))[0] == "NoSuchHostedZone"
    long = [("UPSERT", record(f"w{number}.a.example")) for number in range(1001)]
    assert "limit of 1000 exceeded" in dns.unchanged(zone, *long)[1]


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["CREATE", "UPSERT", "DELETE"]),
        st.builds(
            record,
            st.sampled_from(["v.a.example", "w.a.example"]),
            st.just("A"),
            st.sampled_from(["192.0.2.1", "192.0.2.2"]),
        ),
    ),
    max_size=6,
)


@given(st.lists(CHANGES, max_size=4))
def test_batches_do_what_a_dictionary_would(batches: list[list[tuple[str, dict[str, Any]]]]) -> None:
    dns = Dns()
    zone = dns.zone()
    expected: dict[str, str] = {}
    for changes in batches:
        draft, fits = dict(expected), True
        for action, shape in changes:
            name, value = f"{shape['Name']}.", shape["ResourceRecords"][0]["Value"]
            fits &= action == "UPSERT" or (draft.get(name) == value if action == "DELETE" else name not in draft)
            if action != "DELETE":
                draft[name] = value
            elif draft.get(name) == value:
                del draft[name]
        try:
            dns.change(zone, *changes)
        except AwsError:
            assert not fits
        else:
            assert fits
            expected = draft
        assert {each["Name"]: each["ResourceRecords"][0]["Value"] for each in own(dns, zone)} == expected
