"""A region with a network, a load balancer, a Cloud Map service, and an ECS cluster with a task definition."""

from typing import Any

import pytest

from tests.aws.direct import NETWORK, NOW, REGION, Direct
from tsubo.aws.ecs import OPERATIONS
from tsubo.model.cloudmap import DiscoveryService, DnsRecord, Namespace
from tsubo.model.identity import ACCOUNT_ID

DISCOVERY = f"arn:aws:servicediscovery:{REGION}:{ACCOUNT_ID}:service"
ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/task"
WEB: dict[str, Any] = {
    "family": "web",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "512",
    "taskRoleArn": ROLE,
    "executionRoleArn": ROLE,
    "containerDefinitions": [
        {"name": "nginx", "image": "nginx:stable", "portMappings": [{"containerPort": 80}]},
        {"name": "api", "image": "php:8.2-fpm", "cpu": 64, "memory": 128, "memoryReservation": 64},
    ],
}
SERVICE: dict[str, Any] = {
    "cluster": "navi",
    "serviceName": "web",
    "taskDefinition": "web",
    "desiredCount": 2,
    "launchType": "FARGATE",
    "networkConfiguration": {
        "awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-c"], "securityGroups": ["sg-web"]}
    },
}
RUN: dict[str, Any] = {k: v for k, v in SERVICE.items() if k not in ("serviceName", "desiredCount")}


@pytest.fixture
def empty() -> Direct:
    """A region with a network and nothing of ECS."""
    namespace = Namespace("ns-1", "arn:ns-1", "navi.local", "DNS_PRIVATE", REGION, NOW, "navi.local")
    a_records, srv_records = (DnsRecord("A", 60),), (DnsRecord("SRV", 60),)
    return Direct(
        OPERATIONS,
        *NETWORK,
        namespace,
        DiscoveryService("srv-a", f"{DISCOVERY}/srv-a", "web", "ns-1", REGION, NOW, dns_records=a_records),
        DiscoveryService("srv-srv", f"{DISCOVERY}/srv-srv", "ports", "ns-1", REGION, NOW, dns_records=srv_records),
    )


@pytest.fixture
def ecs(empty: Direct) -> Direct:
    """The same region with the cluster `navi` and the task definition `web:1`."""
    empty("CreateCluster", clusterName="navi")
    empty("RegisterTaskDefinition", WEB)
    return empty
