"""Route 53's operations, checked, beside two VPCs, a load balancer and a Cloud Map namespace."""

from typing import Any

import pytest

from tests.aws.checked import Checked
from tests.aws.direct import NOW, REGION
from tsubo.aws.route53 import OPERATIONS
from tsubo.aws.route53.name_servers import PRIVATE_NAME_SERVERS
from tsubo.model.cloudmap import DiscoveryService, DnsRecord, Instance, Namespace
from tsubo.model.elbv2 import LoadBalancer
from tsubo.model.route53 import HostedZone, ZoneVpc
from tsubo.model.vpc import Vpc
from tsubo.model.world import Record

ELB_ZONE = "Z14GRHDCWA56QT"
ELB_NAME = "Web-0000000001.ap-northeast-1.elb.amazonaws.com"
CLOUD_MAP_ZONE = "ZCLOUDMAP"
NAMESPACE_ARN = "arn:aws:servicediscovery:ap-northeast-1:123456789012:namespace/ns-1"

RECORDS: tuple[Record, ...] = (
    Vpc("vpc-1", REGION, "10.0.0.0/16"),
    Vpc("vpc-2", REGION, "10.1.0.0/16"),
    LoadBalancer("arn:lb", "Web", REGION, ELB_NAME, ELB_ZONE, "internet-facing", "vpc-1", (), (), NOW),
    HostedZone(
        CLOUD_MAP_ZONE,
        "ecs-navi.local.",
        True,
        "cloud map",
        NOW,
        PRIVATE_NAME_SERVERS,
        vpcs=(ZoneVpc("vpc-1", REGION),),
        linked_service_principal="servicediscovery.amazonaws.com",
        linked_service_description=NAMESPACE_ARN,
    ),
    Namespace("ns-1", NAMESPACE_ARN, "ecs-navi.local", "DNS_PRIVATE", REGION, NOW, "ecs-navi.local", CLOUD_MAP_ZONE),
    DiscoveryService("srv-1", "arn:srv-1", "backend", "ns-1", REGION, NOW, dns_records=(DnsRecord("A", 60),)),
    Instance("srv-1", "task2", NOW, {"AWS_INSTANCE_IPV4": "10.0.11.4"}, "UNHEALTHY"),
    Instance("srv-1", "task1", NOW, {"AWS_INSTANCE_IPV4": "10.0.10.4"}),
)


class Dns(Checked):
    """Route 53's operations, and short ways to what most tests do."""

    def __init__(self) -> None:
        super().__init__("route53", OPERATIONS, *RECORDS)

    def zone(self, name: str = "a.example", **members: Any) -> str:
        made = self("CreateHostedZone", Name=name, CallerReference=f"{name} {members}", **members)
        return str(made["HostedZone"]["Id"])

    def change(self, zone_id: str, *changes: tuple[str, dict[str, Any]]) -> Any:
        return self("ChangeResourceRecordSets", HostedZoneId=zone_id, ChangeBatch=batch(*changes))

    def unchanged(self, zone_id: str, *changes: tuple[str, dict[str, Any]]) -> tuple[str, str]:
        """Return the code and text of the error that a batch ends in."""
        error = self.refused("ChangeResourceRecordSets", HostedZoneId=zone_id, ChangeBatch=batch(*changes))
        return error.code, error.message

    def listed(self, zone_id: str, **members: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self("ListResourceRecordSets", HostedZoneId=zone_id, **members)[
            "ResourceRecordSets"
        ]
        return found


def batch(*changes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"Changes": [{"Action": action, "ResourceRecordSet": record_set} for action, record_set in changes]}


def record(name: str, kind: str = "A", *values: str, ttl: int = 60, **members: Any) -> dict[str, Any]:
    records = [{"Value": value} for value in values or ("192.0.2.1",)]
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": records, **members}


def alias(name: str, zone_id: str, target: str, kind: str = "A", **members: Any) -> dict[str, Any]:
    target_shape = {"HostedZoneId": zone_id, "DNSName": target, "EvaluateTargetHealth": True}
    return {"Name": name, "Type": kind, "AliasTarget": target_shape, **members}


@pytest.fixture
def dns() -> Dns:
    return Dns()
