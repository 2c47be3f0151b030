"""Hosted zones. Sources: aws/alb-vpc-terraform.md section 3, aws/ecs-cloudmap-exec.md sections 10 and 11."""

import re
from typing import Any

import pytest

from tests.aws.route53.conftest import CLOUD_MAP_ZONE, NAMESPACE_ARN, Dns, record

VPC = {"VPCId": "vpc-1", "VPCRegion": "ap-northeast-1"}


def test_a_public_zone_has_four_name_servers_of_four_domains(dns: Dns) -> None:
    made = dns("CreateHostedZone", Name="Ecs-Navi.Site", CallerReference="1", HostedZoneConfig={"Comment": "c"})
    zone = made["HostedZone"]
    assert re.fullmatch(r"/hostedzone/Z[0-9A-Z]{20}", zone["Id"])
    assert zone["Name"] == "ecs-navi.site."
    assert zone["Config"] == {"Comment": "c", "PrivateZone": False}
    assert zone["ResourceRecordSetCount"] == 2
    assert made["ChangeInfo"]["Status"] == "PENDING"
    assert made["Location"].endswith(zone["Id"])
    servers = made["DelegationSet"]["NameServers"]
    assert {re.sub(r"^ns-\d+\.awsdns-\d\d\.", "", server) for server in servers} == {"com", "net", "org", "co.uk"}
    assert dns("GetHostedZone", Id=zone["Id"]) == {"HostedZone": zone, "DelegationSet": made["DelegationSet"]}
    records = {each["Type"]: each for each in dns.listed(zone["Id"])}
    assert [each["Value"] for each in records["NS"]["ResourceRecords"]] == [f"{server}." for server in servers]
    assert (records["NS"]["TTL"], records["SOA"]["TTL"]) == (172_800, 900)


def test_a_private_zone_has_a_vpc_and_the_name_servers_of_all_private_zones(dns: Dns) -> None:
    zone_id = dns.zone("corp.example", VPC=VPC)
    answered = dns("GetHostedZone", Id=zone_id)
    assert answered["VPCs"] == [{"VPCRegion": "ap-northeast-1", "VPCId": "vpc-1"}]
    assert answered["HostedZone"]["Config"]["PrivateZone"]
    assert "DelegationSet" not in answered
    names = next(each for each in dns.listed(zone_id) if each["Type"] == "NS")["ResourceRecords"]
    assert [each["Value"] for each in names] == [
        "ns-1536.awsdns-00.co.uk.",
        "ns-0.awsdns-00.com.",
        "ns-1024.awsdns-00.org.",
        "ns-512.awsdns-00.net.",
    ]


def test_ids_are_taken_with_and_without_prefix(dns: Dns) -> None:
    zone_id = dns.zone()
    bare = zone_id.removeprefix("/hostedzone/")
    assert dns("GetHostedZone", Id=bare) == dns("GetHostedZone", Id=zone_id)
    change_id = dns.change(bare, ("CREATE", record("w.a.example")))["ChangeInfo"]["Id"]
    assert re.fullmatch(r"/change/C[0-9A-Z]{20}", change_id)
    for each in (change_id, change_id.removeprefix("/change/")):
        assert dns("GetChange", Id=each)["ChangeInfo"]["Status"] == "INSYNC"
    assert dns.refused("GetChange", Id="C0").code == "NoSuchChange"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"CallerReference": "cloud map"}, "HostedZoneAlreadyExists"),
        ({"Name": "ecs-navi.local", "VPC": VPC}, "ConflictingDomainExists"),
        ({"VPC": {"VPCId": "vpc-x", "VPCRegion": "ap-northeast-1"}}, "InvalidVPCId"),
        ({"VPC": {"VPCId": "vpc-1", "VPCRegion": "us-east-1"}}, "InvalidVPCId"),
        ({"HostedZoneConfig": {"PrivateZone": True}}, "InvalidInput"),
        ({"DelegationSetId": "N1"}, "NoSuchDelegationSet"),
        ({"Name": "a..example"}, "InvalidDomainName"),
        ({"Name": f"{'a' * 64}.example"}, "InvalidDomainName"),
    ],
)
def test_what_is_refused(dns: Dns, members: dict[str, Any], code: str) -> None:
    request = {"Name": "a.example", "CallerReference": "1", **members}
    assert dns.refused("CreateHostedZone", request).code == code


def test_two_public_zones_may_have_one_name_and_a_private_one_may_be_below_another(dns: Dns) -> None:
    assert dns.zone("b.example") != dns.zone("b.example", HostedZoneConfig={"Comment": "2"})
    assert dns.zone("sub.ecs-navi.local", VPC=VPC)


def test_the_conflicts_text(dns: Dns) -> None:
    error = dns.refused("CreateHostedZone", Name="ecs-navi.local", CallerReference="1", VPC=VPC)
    assert error.message == (
        "The VPC vpc-1 in region ap-northeast-1 has already been associated with the hosted zone ZCLOUDMAP with the "
        "same domain name."
    )


def test_the_zone_of_a_namespace_says_whose_it_is_and_refuses_changes(dns: Dns) -> None:
    zone = dns("GetHostedZone", Id=CLOUD_MAP_ZONE)["HostedZone"]
    assert zone["LinkedService"] == {
        "ServicePrincipal": "servicediscovery.amazonaws.com",
        "Description": NAMESPACE_ARN,
    }
    deleting = dns.refused("DeleteHostedZone", Id=CLOUD_MAP_ZONE)
    assert (deleting.code, deleting.status) == ("AccessDenied", 403)
    assert "can only be managed through AWS Cloud Map" in deleting.message
    assert dns.unchanged(CLOUD_MAP_ZONE, ("CREATE", record("x.ecs-navi.local")))[0] == "AccessDenied"


def test_associating_vpcs(dns: Dns) -> None:
    second = {"VPCId": "vpc-2", "VPCRegion": "ap-northeast-1"}
    dns("AssociateVPCWithHostedZone", HostedZoneId=CLOUD_MAP_ZONE, VPC=second)
    assert [each["VPCId"] for each in dns("GetHostedZone", Id=CLOUD_MAP_ZONE)["VPCs"]] == ["vpc-1", "vpc-2"]
    again = dns.refused("AssociateVPCWithHostedZone", HostedZoneId=CLOUD_MAP_ZONE, VPC=second)
    assert again.code == "ConflictingDomainExists"
    dns("DisassociateVPCFromHostedZone", HostedZoneId=CLOUD_MAP_ZONE, VPC=VPC)
    gone = dns.refused("DisassociateVPCFromHostedZone", HostedZoneId=CLOUD_MAP_ZONE, VPC=VPC)
    assert gone.code == "VPCAssociationNotFound"
    last = dns.refused("DisassociateVPCFromHostedZone", HostedZoneId=CLOUD_MAP_ZONE, VPC=second)
    assert last.code == "LastVPCAssociation"
    public = dns.refused("AssociateVPCWithHostedZone", HostedZoneId=dns.zone(), VPC=second)
    assert public.code == "PublicZoneVPCAssociation"


def test_the_zones_of_a_vpc_and_their_owners(dns: Dns) -> None:
    own = dns.zone("corp.example", VPC=VPC).removeprefix("/hostedzone/")
    dns.zone("public.example")
    summaries = dns("ListHostedZonesByVPC", VPCId="vpc-1", VPCRegion="ap-northeast-1")["HostedZoneSummaries"]
    assert {each["HostedZoneId"]: each["Owner"] for each in summaries} == {
        own: {"OwningAccount": "123456789012"},
        CLOUD_MAP_ZONE: {"OwningService": "servicediscovery.amazonaws.com"},
    }
    assert dns("ListVPCAssociationAuthorizations", HostedZoneId=own)["VPCs"] == []


def test_listing_zones_page_by_page(dns: Dns) -> None:
    ids = sorted([dns.zone(f"{number}.example") for number in range(3)] + [f"/hostedzone/{CLOUD_MAP_ZONE}"])
    first = dns("ListHostedZones", MaxItems="3")
    assert (first["IsTruncated"], first["MaxItems"]) == (True, "3")
    second = dns("ListHostedZones", MaxItems="3", Marker=first["NextMarker"])
    assert [zone["Id"] for zone in first["HostedZones"] + second["HostedZones"]] == ids
    assert not second["IsTruncated"]
    private = dns("ListHostedZones", HostedZoneType="PrivateHostedZone")["HostedZones"]
    assert [zone["Name"] for zone in private] == ["ecs-navi.local."]
    assert dns("GetHostedZoneCount") == {"HostedZoneCount": 4}
    assert dns.refused("ListHostedZones", MaxItems="0").code == "InvalidInput"


def test_listing_zones_by_name_begins_at_a_name(dns: Dns) -> None:
    for name in ("b.example", "a.example", "x.a.example", "b.another"):
        dns.zone(name)
    everything = dns("ListHostedZonesByName")
    names = [zone["Name"] for zone in everything["HostedZones"]]
    assert names == ["b.another.", "a.example.", "x.a.example.", "b.example.", "ecs-navi.local."]
    some = dns("ListHostedZonesByName", DNSName="a.example", MaxItems="2")
    assert [zone["Name"] for zone in some["HostedZones"]] == ["a.example.", "x.a.example."]
    assert (some["IsTruncated"], some["NextDNSName"], some["DNSName"]) == (True, "b.example.", "a.example")
    following = {"DNSName": some["NextDNSName"], "HostedZoneId": some["NextHostedZoneId"]}
    rest = dns("ListHostedZonesByName", following)
    assert [zone["Name"] for zone in rest["HostedZones"]] == ["b.example.", "ecs-navi.local."]


def test_a_zone_with_records_is_not_deleted(dns: Dns) -> None:
    zone_id, wanted = dns.zone(), record("a.example")
    dns.change(zone_id, ("CREATE", wanted))
    assert dns.refused("DeleteHostedZone", Id=zone_id).code == "HostedZoneNotEmpty"
    dns.change(zone_id, ("DELETE", wanted))
    assert dns("DeleteHostedZone", Id=zone_id)["ChangeInfo"]["Status"] == "PENDING"
    assert dns.refused("GetHostedZone", Id=zone_id).code == "NoSuchHostedZone"


def test_comment_tags_and_what_is_only_read(dns: Dns) -> None:
    zone_id = dns.zone(HostedZoneConfig={"Comment": "old"})
    bare = zone_id.removeprefix("/hostedzone/")
    updated = dns("UpdateHostedZoneComment", Id=zone_id, Comment="new")["HostedZone"]
    assert updated["Config"]["Comment"] == "new"
    of_zone = {"ResourceType": "hostedzone", "ResourceId": bare}
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    dns("ChangeTagsForResource", of_zone, AddTags=tags)
    dns("ChangeTagsForResource", of_zone, RemoveTagKeys=["a"])
    tag_set = {**of_zone, "Tags": tags[1:]}
    assert dns("ListTagsForResource", of_zone) == {"ResourceTagSet": tag_set}
    listed = dns("ListTagsForResources", ResourceType="hostedzone", ResourceIds=[bare])
    assert listed == {"ResourceTagSets": [tag_set]}
    assert dns("GetDNSSEC", HostedZoneId=bare)["Status"] == {"ServeSignature": "NOT_SIGNING"}
    assert dns("ListQueryLoggingConfigs", HostedZoneId=bare) == {"QueryLoggingConfigs": []}
    limit = dns("GetHostedZoneLimit", HostedZoneId=bare, Type="MAX_RRSETS_BY_ZONE")
    assert limit == {"Limit": {"Type": "MAX_RRSETS_BY_ZONE", "Value": 10_000}, "Count": 2}
    vpcs = dns.refused("GetHostedZoneLimit", HostedZoneId=bare, Type="MAX_VPCS_ASSOCIATED_BY_ZONE")
    assert vpcs.code == "HostedZoneNotPrivate"


def test_health_checks_are_refused(dns: Dns) -> None:
    config = {"Type": "HTTP", "FullyQualifiedDomainName": "a.example"}
    error = dns.refused("CreateHealthCheck", CallerReference="1", HealthCheckConfig=config)
    assert (error.code, "not supported by Tsubo" in error.message) == ("InvalidInput", True)
    assert dns.refused("GetHealthCheck", HealthCheckId="h").code == "NoSuchHealthCheck"
    assert dns.refused("ListTagsForResource", ResourceType="healthcheck", ResourceId="h").code == "NoSuchHealthCheck"
    assert dns("ListHealthChecks")["HealthChecks"] == []
    assert dns("GetHealthCheckCount") == {"HealthCheckCount": 0}
