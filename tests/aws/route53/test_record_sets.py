"""Listing record sets. Source: aws/ecs-cloudmap-exec.md sections 10 and 11."""

from tests.aws.route53.conftest import CLOUD_MAP_ZONE, Dns, record


def names_and_types(found: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(each["Name"], each["Type"]) for each in found]


def test_what_cloud_map_keeps_in_its_zone_is_listed(dns: Dns) -> None:
    ns, soa, first, second = dns.listed(CLOUD_MAP_ZONE)
    assert (ns["Type"], soa["Type"]) == ("NS", "SOA")
    assert soa["ResourceRecords"] == [
        {"Value": "ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}
    ]
    assert first == {
        "Name": "backend.ecs-navi.local.",
        "Type": "A",
        "SetIdentifier": "task1",
        "MultiValueAnswer": True,
        "TTL": 60,
        "ResourceRecords": [{"Value": "10.0.10.4"}],
    }
    assert (second["SetIdentifier"], second["ResourceRecords"]) == ("task2", [{"Value": "10.0.11.4"}])
    assert dns("GetHostedZone", Id=CLOUD_MAP_ZONE)["HostedZone"]["ResourceRecordSetCount"] == 4


def test_the_order_is_that_of_reversed_labels_then_type(dns: Dns) -> None:
    zone_id = dns.zone()
    for name, kind, value in (
        ("z.a.example", "A", "192.0.2.1"),
        ("b.m.a.example", "A", "192.0.2.1"),
        ("m.a.example", "TXT", '"x"'),
        ("m.a.example", "A", "192.0.2.1"),
        ("a.example", "MX", "10 mail.example"),
        ("*.a.example", "A", "192.0.2.1"),
    ):
        dns.change(zone_id, ("CREATE", record(name, kind, value)))
    assert names_and_types(dns.listed(zone_id)) == [
        ("a.example.", "MX"),
        ("a.example.", "NS"),
        ("a.example.", "SOA"),
        ("\\052.a.example.", "A"),
        ("m.a.example.", "A"),
        ("m.a.example.", "TXT"),
        ("b.m.a.example.", "A"),
        ("z.a.example.", "A"),
    ]


def test_a_page_names_where_the_next_one_begins(dns: Dns) -> None:
    zone_id = dns.zone()
    for number in range(3):
        weighted = record("w.a.example", SetIdentifier=f"s{number}", Weight=number)
        dns.change(zone_id, ("CREATE", weighted))
    first = dns("ListResourceRecordSets", HostedZoneId=zone_id, MaxItems="3")
    assert (first["IsTruncated"], first["MaxItems"]) == (True, "3")
    following = {
        "StartRecordName": first["NextRecordName"],
        "StartRecordType": first["NextRecordType"],
        "StartRecordIdentifier": first["NextRecordIdentifier"],
    }
    assert following == {
        "StartRecordName": "w.a.example.",
        "StartRecordType": "A",
        "StartRecordIdentifier": "s1",
    }
    second = dns("ListResourceRecordSets", HostedZoneId=zone_id, **following)
    assert [each["SetIdentifier"] for each in second["ResourceRecordSets"]] == ["s1", "s2"]
    assert "NextRecordName" not in second


def test_listing_begins_at_a_name_in_any_spelling_and_at_a_type(dns: Dns) -> None:
    zone_id = dns.zone()
    dns.change(zone_id, ("CREATE", record("m.a.example")), ("CREATE", record("M.a.example", "TXT", '"x"')))
    at_name = dns.listed(zone_id, StartRecordName="M.A.example")
    assert names_and_types(at_name) == [("m.a.example.", "A"), ("m.a.example.", "TXT")]
    at_type = dns.listed(zone_id, StartRecordName="m.a.example.", StartRecordType="TXT")
    assert names_and_types(at_type) == [("m.a.example.", "TXT")]
    assert dns.listed(zone_id, StartRecordName="n.a.example") == []


def test_starts_that_make_no_sense(dns: Dns) -> None:
    zone_id = dns.zone()
    assert dns.refused("ListResourceRecordSets", HostedZoneId=zone_id, StartRecordType="A").code == "InvalidInput"
    without_type = {"HostedZoneId": zone_id, "StartRecordName": "a.example", "StartRecordIdentifier": "x"}
    assert dns.refused("ListResourceRecordSets", without_type).code == "InvalidInput"
    bad_name = dns.refused("ListResourceRecordSets", HostedZoneId=zone_id, StartRecordName="a..example")
    assert bad_name.code == "InvalidInput"
    assert dns.refused("ListResourceRecordSets", HostedZoneId="Z0").code == "NoSuchHostedZone"
