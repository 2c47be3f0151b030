"""Namespaces and their hosted zones (aws/ecs-cloudmap-exec.md sections 8 and 10)."""

import dataclasses

import pytest

from tests.aws.direct import NOW, REGION, Direct
from tests.aws.servicediscovery.conftest import create_service, namespace_id, operation
from tsubo.model.derived import apex_record_sets
from tsubo.model.identity import ACCOUNT_ID
from tsubo.model.route53 import HostedZone, ZoneVpc


def only_zone(cloud_map: Direct) -> HostedZone:
    (zone,) = cloud_map.world.hosted_zones.values()
    return zone


def test_a_private_namespace_is_a_zone_of_its_vpc(empty: Direct) -> None:
    answer = empty("CreatePrivateDnsNamespace", Name="Navi.local", Vpc="vpc-1", Description="d")
    done = operation(empty, answer)
    assert (done["Type"], done["Status"], done["CreateDate"]) == ("CREATE_NAMESPACE", "SUCCESS", NOW)
    identifier = done["Targets"]["NAMESPACE"]
    assert (identifier[:3], len(identifier)) == ("ns-", 19)
    namespace = empty("GetNamespace", Id=identifier)["Namespace"]
    zone = only_zone(empty)
    assert (zone.name, zone.private, zone.vpcs) == ("navi.local.", True, (ZoneVpc("vpc-1", REGION),))
    assert zone.linked_service_principal == "servicediscovery.amazonaws.com"
    assert zone.linked_service_description == namespace["Arn"]
    assert namespace["Arn"] == f"arn:aws:servicediscovery:{REGION}:{ACCOUNT_ID}:namespace/{identifier}"
    assert (namespace["Name"], namespace["Type"], namespace["Description"]) == ("Navi.local", "DNS_PRIVATE", "d")
    assert namespace["Properties"] == {
        "DnsProperties": {"HostedZoneId": zone.zone_id, "SOA": {"TTL": 900}},
        "HttpProperties": {"HttpName": "Navi.local"},
    }
    assert namespace["ServiceCount"] == 0


def test_a_private_zones_apex_is_aws_own(cloud_map: Direct) -> None:
    """The values are those of aws/ecs-cloudmap-exec.md section 10."""
    name_servers, authority = apex_record_sets(only_zone(cloud_map))
    assert name_servers.values == (
        "ns-1536.awsdns-00.co.uk.",
        "ns-0.awsdns-00.com.",
        "ns-1024.awsdns-00.org.",
        "ns-512.awsdns-00.net.",
    )
    assert authority.values == ("ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",)


def test_the_same_name_in_the_same_vpc_fails_as_an_operation(cloud_map: Direct) -> None:
    zone = only_zone(cloud_map)
    failed = operation(cloud_map, cloud_map("CreatePrivateDnsNamespace", Name="NAVI.local", Vpc="vpc-1"))
    assert (failed["Status"], failed["ErrorCode"]) == ("FAIL", "CANNOT_CREATE_HOSTED_ZONE")
    assert "ConflictingDomainExists" in failed["ErrorMessage"]
    assert zone.zone_id in failed["ErrorMessage"]
    assert len(cloud_map.world.namespaces) == 1


def test_other_names_and_other_vpcs_are_no_conflict(cloud_map: Direct) -> None:
    for name, vpc in (("other.local", "vpc-1"), ("sub.navi.local", "vpc-1"), ("navi.local", "vpc-2")):
        answer = cloud_map("CreatePrivateDnsNamespace", Name=name, Vpc=vpc)
        assert operation(cloud_map, answer)["Status"] == "SUCCESS"
    http_names = [n.http_name for n in cloud_map.world.namespaces.values()]
    assert len(set(http_names)) == 4


def test_a_vpc_that_is_not_there_fails_as_an_operation(empty: Direct) -> None:
    failed = operation(empty, empty("CreatePrivateDnsNamespace", Name="a.local", Vpc="vpc-0"))
    assert (failed["Status"], failed["ErrorCode"]) == ("FAIL", "CANNOT_CREATE_HOSTED_ZONE")
    assert not empty.world.namespaces
    assert not empty.world.hosted_zones


def test_the_same_request_again_is_the_same_operation(cloud_map: Direct) -> None:
    request = {"Name": "navi.local", "Vpc": "vpc-1", "CreatorRequestId": "first"}
    before = set(cloud_map.world.operations)
    again = cloud_map("CreatePrivateDnsNamespace", request)
    assert {again["OperationId"]} == before
    refused = cloud_map.refused("CreatePrivateDnsNamespace", request, Description="other")
    assert (refused.code, refused.status) == ("NamespaceAlreadyExists", 400)
    assert refused.members["NamespaceId"] == namespace_id(cloud_map)


def test_http_and_public_namespaces(empty: Direct) -> None:
    empty("CreateHttpNamespace", Name="calls")
    assert not empty.world.hosted_zones
    assert empty.refused("CreateHttpNamespace", Name="calls").code == "NamespaceAlreadyExists"
    properties = {"DnsProperties": {"SOA": {"TTL": 60}}}
    empty("CreatePublicDnsNamespace", Name="navi.site", Properties=properties)
    zone = only_zone(empty)
    assert (zone.private, zone.vpcs, zone.soa_ttl, len(set(zone.name_servers))) == (False, (), 60, 4)
    calls = empty("GetNamespace", Id=namespace_id(empty, "calls"))["Namespace"]
    assert calls["Type"] == "HTTP"
    assert calls["Properties"] == {"DnsProperties": {"SOA": {}}, "HttpProperties": {"HttpName": "calls"}}


@pytest.mark.parametrize("name", ["", "a..b", "a" * 64 + ".local", "a b.local", "x." * 127 + "x"])
def test_bad_names(empty: Direct, name: str) -> None:
    assert empty.refused("CreatePrivateDnsNamespace", Name=name, Vpc="vpc-1").code == "InvalidInput"


def test_updating(cloud_map: Direct) -> None:
    change = {"Description": "new", "Properties": {"DnsProperties": {"SOA": {"TTL": 15}}}}
    answer = cloud_map("UpdatePrivateDnsNamespace", Id=namespace_id(cloud_map), Namespace=change)
    assert operation(cloud_map, answer)["Type"] == "UPDATE_NAMESPACE"
    namespace = cloud_map("GetNamespace", Id=namespace_id(cloud_map))["Namespace"]
    assert (namespace["Description"], only_zone(cloud_map).soa_ttl) == ("new", 15)
    refused = cloud_map.refused("UpdateHttpNamespace", Id=namespace_id(cloud_map), Namespace={"Description": "x"})
    assert refused.code == "InvalidInput"


def test_deleting_takes_the_zone_along_but_not_services(cloud_map: Direct) -> None:
    service = create_service(cloud_map)
    identifier = namespace_id(cloud_map)
    refused = cloud_map.refused("DeleteNamespace", Id=identifier)
    assert (refused.code, refused.status) == ("ResourceInUse", 409)
    cloud_map("DeleteService", Id=service["Id"])
    answer = cloud_map("DeleteNamespace", Id=cloud_map.world.namespaces[identifier].arn)
    assert operation(cloud_map, answer)["Targets"] == {"NAMESPACE": identifier}
    assert not cloud_map.world.hosted_zones
    refused = cloud_map.refused("GetNamespace", Id=identifier)
    assert (refused.code, refused.status) == ("NamespaceNotFound", 404)


def test_listing_filters(cloud_map: Direct) -> None:
    cloud_map("CreateHttpNamespace", Name="calls")
    elsewhere = dataclasses.replace(next(iter(cloud_map.world.namespaces.values())), namespace_id="ns-x", region="x")
    cloud_map.put(elsewhere)

    def listed(name: str, condition: str, *values: str) -> list[str]:
        filters = [{"Name": name, "Condition": condition, "Values": list(values)}]
        return [n["Name"] for n in cloud_map("ListNamespaces", Filters=filters)["Namespaces"]]

    assert [n["Name"] for n in cloud_map("ListNamespaces")["Namespaces"]] == ["calls", "navi.local"]
    assert listed("TYPE", "EQ", "DNS_PRIVATE") == ["navi.local"]
    assert listed("NAME", "EQ", "calls") == ["calls"]
    assert listed("HTTP_NAME", "BEGINS_WITH", "navi") == ["navi.local"]
    assert listed("RESOURCE_OWNER", "EQ", "OTHER_ACCOUNTS") == []
    refused = cloud_map.refused("ListNamespaces", Filters=[{"Name": "COLOUR", "Values": ["red"]}])
    assert refused.code == "InvalidInput"


def test_operations_are_listed(cloud_map: Direct) -> None:
    cloud_map.now += 10
    identifier = namespace_id(cloud_map)
    cloud_map("UpdatePrivateDnsNamespace", Id=identifier, Namespace={"Description": "x"})
    cloud_map("CreatePrivateDnsNamespace", Name="navi.local", Vpc="vpc-1")

    def listed(name: str, *values: str) -> list[str]:
        answer = cloud_map("ListOperations", Filters=[{"Name": name, "Values": list(values)}])
        return [cloud_map.world.operations[o["Id"]].type for o in answer["Operations"]]

    assert listed("NAMESPACE_ID", identifier) == ["UPDATE_NAMESPACE", "CREATE_NAMESPACE"]
    assert listed("STATUS", "FAIL") == ["CREATE_NAMESPACE"]
    assert listed("TYPE", "UPDATE_NAMESPACE") == ["UPDATE_NAMESPACE"]
    assert listed("UPDATE_DATE", str(NOW - 1), str(NOW + 1)) == ["CREATE_NAMESPACE"]
    for values in (["yesterday", "today"], ["1"]):
        refused = cloud_map.refused("ListOperations", Filters=[{"Name": "UPDATE_DATE", "Values": values}])
        assert refused.code == "InvalidInput"
    refused = cloud_map.refused("GetOperation", OperationId="no")
    assert (refused.code, refused.status) == ("OperationNotFound", 404)


def test_a_namespaces_operations_go_with_it_but_for_who_knows_their_ids(cloud_map: Direct) -> None:
    deletion = cloud_map("DeleteNamespace", Id=namespace_id(cloud_map))
    assert cloud_map("ListOperations")["Operations"] == []
    assert operation(cloud_map, deletion)["Status"] == "SUCCESS"


def test_tags(cloud_map: Direct) -> None:
    for arn in (next(iter(cloud_map.world.namespaces.values())).arn, create_service(cloud_map)["Arn"]):
        cloud_map("TagResource", ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        cloud_map("UntagResource", ResourceARN=arn, TagKeys=["a"])
        assert cloud_map("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
        many = [{"Key": str(i), "Value": ""} for i in range(50)]
        assert cloud_map.refused("TagResource", ResourceARN=arn, Tags=many).code == "TooManyTagsException"
    refused = cloud_map.refused("ListTagsForResource", ResourceARN="arn:aws:servicediscovery:::namespace/ns-0")
    assert (refused.code, refused.status) == ("ResourceNotFoundException", 404)
