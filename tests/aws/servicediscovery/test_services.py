"""Cloud Map services (aws/ecs-cloudmap-exec.md section 8)."""

from typing import Any

import pytest

from tests.aws.direct import Direct
from tests.aws.servicediscovery.conftest import create_service, namespace_id

CUSTOM = {"FailureThreshold": 1}
ROUTE53 = {"Type": "HTTP", "ResourcePath": "/"}


def test_the_namespace_may_stand_at_the_top_or_in_dns_config(cloud_map: Direct) -> None:
    identifier = namespace_id(cloud_map)
    inner = create_service(cloud_map, HealthCheckCustomConfig=CUSTOM, Description="d", CreatorRequestId="c")
    records = {"DnsRecords": [{"Type": "A", "TTL": 10}]}
    top = cloud_map("CreateService", Name="top", NamespaceId=identifier, DnsConfig=records)["Service"]
    for service in (inner, top):
        assert service["NamespaceId"] == service["DnsConfig"]["NamespaceId"] == identifier
        assert service["DnsConfig"]["RoutingPolicy"] == "MULTIVALUE"
    assert inner["Arn"].endswith(f":service/{inner['Id']}")
    assert (inner["Type"], inner["InstanceCount"], inner["Description"]) == ("DNS_HTTP", 0, "d")
    assert inner["HealthCheckCustomConfig"] == {"FailureThreshold": 1}
    assert "HealthCheckCustomConfig" not in top
    assert cloud_map("GetService", Id=inner["Arn"])["Service"] == inner
    assert cloud_map("GetNamespace", Id=identifier)["Namespace"]["ServiceCount"] == 2


def test_a_service_without_records_is_for_discovery_only(cloud_map: Direct) -> None:
    identifier = namespace_id(cloud_map)
    service = cloud_map("CreateService", Name="calls", NamespaceId=identifier, Type="HTTP")["Service"]
    assert service["Type"] == "HTTP"
    assert "DnsConfig" not in service


@pytest.mark.parametrize(
    ("types", "policy", "legal"),
    [
        (("A",), "MULTIVALUE", True),
        (("A", "AAAA"), "WEIGHTED", True),
        (("SRV",), "MULTIVALUE", True),
        (("A", "SRV"), "MULTIVALUE", True),
        (("CNAME",), "WEIGHTED", True),
        (("CNAME",), "MULTIVALUE", False),
        (("A", "CNAME"), "WEIGHTED", False),
        (("A", "A"), "MULTIVALUE", False),
        (("A",), "LATENCY", False),
    ],
)
def test_records_and_routing(cloud_map: Direct, types: tuple[str, ...], policy: str, legal: bool) -> None:
    records = [{"Type": record, "TTL": 60} for record in types]
    dns = {"NamespaceId": namespace_id(cloud_map), "RoutingPolicy": policy, "DnsRecords": records}
    if legal:
        assert cloud_map("CreateService", Name="web", DnsConfig=dns)["Service"]["DnsConfig"] == dns
    else:
        assert cloud_map.refused("CreateService", Name="web", DnsConfig=dns).code == "InvalidInput"


@pytest.mark.parametrize(
    "members",
    [
        {"Name": "a b"},
        {"Name": ""},
        {"NamespaceId": "ns-other"},
        {"HealthCheckConfig": ROUTE53},
        {"HealthCheckConfig": ROUTE53, "HealthCheckCustomConfig": CUSTOM},
        {"Type": "HTTP"},
        {"DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 60}]}},
    ],
)
def test_what_creation_refuses(cloud_map: Direct, members: dict[str, Any]) -> None:
    dns = {"NamespaceId": namespace_id(cloud_map), "DnsRecords": [{"Type": "A", "TTL": 60}]}
    assert cloud_map.refused("CreateService", {"Name": "web", "DnsConfig": dns, **members}).code == "InvalidInput"


def test_an_unknown_namespace_and_a_negative_ttl(cloud_map: Direct) -> None:
    refused = cloud_map.refused("CreateService", Name="web", NamespaceId="ns-0")
    assert (refused.code, refused.status) == ("NamespaceNotFound", 404)
    dns = {"NamespaceId": namespace_id(cloud_map), "DnsRecords": [{"Type": "A", "TTL": -1}]}
    assert cloud_map.refused("CreateService", Name="web", DnsConfig=dns).code == "InvalidInput"


def test_an_http_namespace_takes_route53_checks_but_no_records(empty: Direct) -> None:
    empty("CreateHttpNamespace", Name="calls")
    identifier = namespace_id(empty, "calls")
    service = empty("CreateService", Name="web", NamespaceId=identifier, HealthCheckConfig=ROUTE53)["Service"]
    assert service["HealthCheckConfig"] == ROUTE53
    assert empty("CreateService", Name="WEB", NamespaceId=identifier)["Service"]["Id"] != service["Id"]
    dns = {"DnsRecords": [{"Type": "A", "TTL": 60}]}
    assert empty.refused("CreateService", Name="x", NamespaceId=identifier, DnsConfig=dns).code == "InvalidInput"


def test_names_that_dns_serves_are_unique_in_any_case(cloud_map: Direct) -> None:
    service = create_service(cloud_map, CreatorRequestId="c")
    assert create_service(cloud_map, CreatorRequestId="c")["Id"] == service["Id"]
    dns = {"NamespaceId": namespace_id(cloud_map), "DnsRecords": [{"Type": "A", "TTL": 60}]}
    for members in ({"Name": "web"}, {"Name": "WEB"}, {"Name": "web", "CreatorRequestId": "c", "Description": "x"}):
        refused = cloud_map.refused("CreateService", {"DnsConfig": dns, **members})
        assert (refused.code, refused.status) == ("ServiceAlreadyExists", 400)
        assert refused.members["ServiceId"] == service["Id"]


def test_an_update_changes_ttls_and_drops_what_it_leaves_out(cloud_map: Direct) -> None:
    service = create_service(cloud_map, "A", "AAAA")

    def update(change: dict[str, Any]) -> dict[str, Any]:
        cloud_map("UpdateService", Id=service["Id"], Service=change)
        found: dict[str, Any] = cloud_map("GetService", Id=service["Id"])["Service"]
        return found

    records = [{"Type": "A", "TTL": 5}]
    assert update({"DnsConfig": {"DnsRecords": records}})["DnsConfig"]["DnsRecords"] == records
    added = {"DnsConfig": {"DnsRecords": [{"Type": "SRV", "TTL": 5}]}}
    assert cloud_map.refused("UpdateService", Id=service["Id"], Service=added).code == "InvalidInput"
    changed = update({"Description": "x"})
    assert (changed["Description"], changed["DnsConfig"]["DnsRecords"]) == ("x", [])


def test_deleting_needs_no_instances(cloud_map: Direct) -> None:
    service = create_service(cloud_map)
    instance = {"ServiceId": service["Id"], "InstanceId": "i"}
    cloud_map("RegisterInstance", instance, Attributes={"AWS_INSTANCE_IPV4": "10.0.1.5"})
    assert cloud_map("GetService", Id=service["Id"])["Service"]["InstanceCount"] == 1
    refused = cloud_map.refused("DeleteService", Id=service["Id"])
    assert (refused.code, refused.status) == ("ResourceInUse", 409)
    cloud_map("DeregisterInstance", instance)
    assert cloud_map("DeleteService", Id=service["Id"]) == {}
    refused = cloud_map.refused("GetService", Id=service["Id"])
    assert (refused.code, refused.status) == ("ServiceNotFound", 404)


def test_listing(cloud_map: Direct) -> None:
    create_service(cloud_map)
    cloud_map("CreateHttpNamespace", Name="calls")
    cloud_map("CreateService", Name="api", NamespaceId=namespace_id(cloud_map, "calls"))
    assert [s["Name"] for s in cloud_map("ListServices")["Services"]] == ["api", "web"]
    filters = [{"Name": "NAMESPACE_ID", "Values": [namespace_id(cloud_map)], "Condition": "EQ"}]
    (web,) = cloud_map("ListServices", Filters=filters)["Services"]
    assert web["Name"] == "web"
    first = cloud_map("ListServices", MaxResults=1)
    assert cloud_map("ListServices", MaxResults=1, NextToken=first["NextToken"])["Services"] == [web]
    assert cloud_map.refused("ListServices", NextToken="made up").code == "InvalidInput"


def test_attributes(cloud_map: Direct) -> None:
    service = create_service(cloud_map)
    cloud_map("UpdateServiceAttributes", ServiceId=service["Id"], Attributes={"a": "1", "b": "2"})
    cloud_map("DeleteServiceAttributes", ServiceId=service["Id"], Attributes=["a"])
    shown = cloud_map("GetServiceAttributes", ServiceId=service["Id"])["ServiceAttributes"]
    assert (shown["ServiceArn"], shown["Attributes"]) == (service["Arn"], {"b": "2"})
    many = {str(number): "" for number in range(30)}
    refused = cloud_map.refused("UpdateServiceAttributes", ServiceId=service["Id"], Attributes=many)
    assert refused.code == "ServiceAttributesLimitExceededException"
