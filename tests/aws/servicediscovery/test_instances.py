"""Instances, their health, and discovery (aws/ecs-cloudmap-exec.md sections 8, 9 and 10)."""

import dataclasses
from typing import Any

import pytest

from tests.aws.direct import NOW, Direct
from tests.aws.servicediscovery.conftest import create_service, operation
from tsubo.model.cloudmap import Instance
from tsubo.model.derived import discovery_record_sets

CUSTOM = {"FailureThreshold": 1}


def register(cloud_map: Direct, service: dict[str, Any], instance_id: str, **attributes: str) -> dict[str, Any]:
    answer: dict[str, Any] = cloud_map(
        "RegisterInstance",
        ServiceId=service["Id"],
        InstanceId=instance_id,
        Attributes={"AWS_INSTANCE_IPV4": "10.0.1.5", **attributes},
    )
    return answer


def instance(cloud_map: Direct, service: dict[str, Any], instance_id: str) -> Instance:
    return cloud_map.world.instances[f"{service['Id']}/{instance_id}"]


def report(cloud_map: Direct, service: dict[str, Any], instance_id: str, status: str) -> None:
    answer = cloud_map(
        "UpdateInstanceCustomHealthStatus", ServiceId=service["Id"], InstanceId=instance_id, Status=status
    )
    assert answer is None


def discovered(cloud_map: Direct, **members: Any) -> list[str]:
    answer = cloud_map("DiscoverInstances", NamespaceName="navi.local", ServiceName="web", **members)
    return [found["InstanceId"] for found in answer["Instances"]]


def test_registering_makes_a_record_and_counts_as_a_revision(cloud_map: Direct) -> None:
    service = create_service(cloud_map)
    done = operation(cloud_map, register(cloud_map, service, "one", colour="red"))
    assert (done["Type"], done["Status"]) == ("REGISTER_INSTANCE", "SUCCESS")
    assert done["Targets"] == {"INSTANCE": "one", "SERVICE": service["Id"]}
    (zone,) = cloud_map.world.hosted_zones.values()
    (derived,) = discovery_record_sets(cloud_map.world, zone)
    record = derived.record_set
    assert (record.name, record.type, record.ttl, record.values) == ("web.navi.local.", "A", 60, ("10.0.1.5",))
    assert record.set_identifier == "one"
    shown = cloud_map("GetInstance", ServiceId=service["Id"], InstanceId="one")["Instance"]
    assert shown["Attributes"] == {"AWS_INSTANCE_IPV4": "10.0.1.5", "colour": "red"}
    names = {"NamespaceName": "navi.local", "ServiceName": "web"}
    assert cloud_map("DiscoverInstancesRevision", names)["InstancesRevision"] == 2


def test_registering_again_replaces(cloud_map: Direct) -> None:
    service = create_service(cloud_map)
    register(cloud_map, service, "one", colour="red")
    register(cloud_map, service, "one", AWS_INSTANCE_IPV4="10.0.1.6")
    (shown,) = cloud_map("ListInstances", ServiceId=service["Id"])["Instances"]
    assert shown["Attributes"] == {"AWS_INSTANCE_IPV4": "10.0.1.6"}


def test_deregistering(cloud_map: Direct) -> None:
    service = create_service(cloud_map)
    register(cloud_map, service, "one")
    answer = cloud_map("DeregisterInstance", ServiceId=service["Id"], InstanceId="one")
    assert operation(cloud_map, answer)["Type"] == "DEREGISTER_INSTANCE"
    assert not cloud_map.world.instances
    refused = cloud_map.refused("DeregisterInstance", ServiceId=service["Id"], InstanceId="one")
    assert (refused.code, refused.status) == ("InstanceNotFound", 404)
    refused = cloud_map.refused("DeregisterInstance", ServiceId="srv-0", InstanceId="one")
    assert (refused.code, refused.status) == ("ServiceNotFound", 404)


@pytest.mark.parametrize(
    ("types", "instance_id", "attributes"),
    [
        (("A",), "i", {}),
        (("A",), "i", {"AWS_INSTANCE_IPV4": "10.0.1.500"}),
        (("A",), "i", {"AWS_INSTANCE_IPV4": "fd00::1"}),
        (("AAAA",), "i", {"AWS_INSTANCE_IPV4": "10.0.1.5"}),
        (("AAAA",), "i", {"AWS_INSTANCE_IPV6": "10.0.1.5"}),
        (("SRV",), "i", {"AWS_INSTANCE_IPV4": "10.0.1.5"}),
        (("SRV",), "i", {"AWS_INSTANCE_PORT": "70000"}),
        (("SRV",), "i", {"AWS_INSTANCE_PORT": "http"}),
        (("A",), "i i", {"AWS_INSTANCE_IPV4": "10.0.1.5"}),
        (("A",), "i" * 65, {"AWS_INSTANCE_IPV4": "10.0.1.5"}),
        (("A",), "i", {"AWS_INSTANCE_IPV4": "10.0.1.5", "AWS_INIT_HEALTH_STATUS": "HEALTHY"}),
        (("A",), "i", {"AWS_ALIAS_DNS_NAME": "web.elb"}),
        (("A",), "i", {"AWS_INSTANCE_IPV4": "10.0.1.5", **{str(n): "" for n in range(31)}}),
        (("A",), "i", {"AWS_INSTANCE_IPV4": "10.0.1.5", "long": "x" * 1025}),
        (("A",), "i", {"AWS_INSTANCE_IPV4": "10.0.1.5", **{str(n): "x" * 1000 for n in range(6)}}),
    ],
)
def test_what_registering_refuses(
    cloud_map: Direct, types: tuple[str, ...], instance_id: str, attributes: dict[str, str]
) -> None:
    service = create_service(cloud_map, *types)
    refused = cloud_map.refused(
        "RegisterInstance", ServiceId=service["Id"], InstanceId=instance_id, Attributes=attributes
    )
    assert refused.code == "InvalidInput"


def test_the_first_health_is_an_attribute(cloud_map: Direct) -> None:
    service = create_service(cloud_map, HealthCheckCustomConfig=CUSTOM)
    register(cloud_map, service, "well")
    register(cloud_map, service, "ill", AWS_INIT_HEALTH_STATUS="UNHEALTHY")
    status = cloud_map("GetInstancesHealthStatus", ServiceId=service["Id"])["Status"]
    assert status == {"well": "HEALTHY", "ill": "UNHEALTHY"}
    only = cloud_map("GetInstancesHealthStatus", ServiceId=service["Id"], Instances=["ill"])["Status"]
    assert only == {"ill": "UNHEALTHY"}
    refused = cloud_map.refused("GetInstancesHealthStatus", ServiceId=service["Id"], Instances=["no"])
    assert refused.code == "InstanceNotFound"


def test_a_reported_status_waits_and_can_be_taken_back(cloud_map: Direct) -> None:
    service = create_service(cloud_map, HealthCheckCustomConfig=CUSTOM)
    register(cloud_map, service, "one")
    report(cloud_map, service, "one", "UNHEALTHY")
    waiting = instance(cloud_map, service, "one")
    assert (waiting.health, waiting.requested_health, waiting.requested_at) == ("HEALTHY", "UNHEALTHY", NOW)
    cloud_map.now += 20
    report(cloud_map, service, "one", "UNHEALTHY")
    assert instance(cloud_map, service, "one").requested_at == NOW
    report(cloud_map, service, "one", "HEALTHY")
    assert instance(cloud_map, service, "one").requested_health is None


def test_a_status_needs_a_custom_check(cloud_map: Direct) -> None:
    service = create_service(cloud_map)
    register(cloud_map, service, "one")
    request = {"ServiceId": service["Id"], "InstanceId": "one", "Status": "UNHEALTHY"}
    refused = cloud_map.refused("UpdateInstanceCustomHealthStatus", request)
    assert (refused.code, refused.status) == ("CustomHealthNotFound", 404)
    assert cloud_map("GetInstancesHealthStatus", ServiceId=service["Id"])["Status"] == {"one": "UNKNOWN"}


def test_discovery_by_health(cloud_map: Direct) -> None:
    service = create_service(cloud_map, HealthCheckCustomConfig=CUSTOM)
    register(cloud_map, service, "well")
    register(cloud_map, service, "ill", AWS_INIT_HEALTH_STATUS="UNHEALTHY")
    assert discovered(cloud_map) == ["well"]
    assert discovered(cloud_map, HealthStatus="UNHEALTHY") == ["ill"]
    assert discovered(cloud_map, HealthStatus="ALL") == ["ill", "well"]
    cloud_map.put(dataclasses.replace(instance(cloud_map, service, "well"), health="UNHEALTHY"))
    assert discovered(cloud_map) == ["ill", "well"]
    assert discovered(cloud_map, HealthStatus="HEALTHY") == []


def test_without_a_check_the_filter_is_ignored(cloud_map: Direct) -> None:
    register(cloud_map, create_service(cloud_map), "one")
    assert discovered(cloud_map, HealthStatus="UNHEALTHY") == ["one"]


def test_discovery_by_attributes(cloud_map: Direct) -> None:
    service = create_service(cloud_map)
    register(cloud_map, service, "a", colour="red", size="big")
    register(cloud_map, service, "b", colour="red")
    register(cloud_map, service, "c", colour="blue")
    assert discovered(cloud_map, QueryParameters={"colour": "red"}) == ["a", "b"]
    assert discovered(cloud_map, QueryParameters={"colour": "red"}, OptionalParameters={"size": "big"}) == ["a"]
    assert discovered(cloud_map, QueryParameters={"colour": "blue"}, OptionalParameters={"size": "big"}) == ["c"]
    assert discovered(cloud_map, MaxResults=2) == ["a", "b"]


@pytest.mark.parametrize(
    ("members", "code", "status"),
    [
        ({"NamespaceName": "no"}, "NamespaceNotFound", 404),
        ({"ServiceName": "no"}, "ServiceNotFound", 404),
        ({"MaxResults": 1001}, "InvalidInput", 400),
        ({"HealthStatus": "FINE"}, "InvalidInput", 400),
    ],
)
def test_what_discovery_refuses(cloud_map: Direct, members: dict[str, Any], code: str, status: int) -> None:
    create_service(cloud_map)
    refused = cloud_map.refused("DiscoverInstances", {"NamespaceName": "navi.local", "ServiceName": "web", **members})
    assert (refused.code, refused.status) == (code, status)


def test_what_is_discovered_carries_names_and_attributes(cloud_map: Direct) -> None:
    register(cloud_map, create_service(cloud_map), "one", colour="red")
    answer = cloud_map("DiscoverInstances", NamespaceName="navi.local", ServiceName="web")
    assert answer["Instances"] == [
        {
            "InstanceId": "one",
            "NamespaceName": "navi.local",
            "ServiceName": "web",
            "HealthStatus": "UNKNOWN",
            "Attributes": {"AWS_INSTANCE_IPV4": "10.0.1.5", "colour": "red"},
        }
    ]
    assert answer["InstancesRevision"] == 2
