"""Operations called without a wire: a world, a clock that stands still, and a supply that counts."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.aws.conftest import CountingSupply
from tsubo.aws.image_registry import ImageRegistry
from tsubo.aws.operations import AwsError, Call, Operations
from tsubo.model.elbv2 import Action, HealthCheck, Listener, LoadBalancer, TargetGroup, WeightedTargetGroup
from tsubo.model.identity import ACCOUNT_ID, EngineIdentity
from tsubo.model.vpc import SecurityGroup, Subnet, Vpc
from tsubo.model.world import Record, World

REGION = "ap-northeast-1"
ZONE = "ap-northeast-1a"
NOW = 1_700_000_000.0
ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT_ID}"
TARGET_GROUP = f"{ELB}:targetgroup/web/1"
LONE_TARGET_GROUP = f"{ELB}:targetgroup/lone/2"
LOAD_BALANCER = f"{ELB}:loadbalancer/app/web/3"
LISTENER = f"{ELB}:listener/app/web/3/4"

NETWORK: tuple[Record, ...] = (
    Vpc("vpc-1", REGION, "10.0.0.0/16", enable_dns_hostnames=True),
    Vpc("vpc-2", REGION, "10.1.0.0/16"),
    Subnet("subnet-a", "vpc-1", REGION, ZONE, "10.0.1.0/24"),
    Subnet("subnet-c", "vpc-1", REGION, "ap-northeast-1c", "10.0.2.0/24"),
    Subnet("subnet-other", "vpc-2", REGION, ZONE, "10.1.1.0/24"),
    SecurityGroup("sg-web", "vpc-1", REGION, "web", ""),
    SecurityGroup("sg-other", "vpc-2", REGION, "other", ""),
    TargetGroup(TARGET_GROUP, "web", REGION, "HTTP", 80, "vpc-1", "ip", HealthCheck()),
    TargetGroup(LONE_TARGET_GROUP, "lone", REGION, "HTTP", 80, "vpc-1", "ip", HealthCheck()),
    TargetGroup(f"{ELB}:targetgroup/hosts/5", "hosts", REGION, "HTTP", 80, "vpc-1", "instance", HealthCheck()),
    LoadBalancer(
        LOAD_BALANCER, "web", REGION, "web.elb", "Z1", "internet-facing", "vpc-1", ("subnet-a", "subnet-c"), (), NOW
    ),
    Listener(
        LISTENER,
        LOAD_BALANCER,
        REGION,
        80,
        "HTTP",
        (Action("forward", target_groups=(WeightedTargetGroup(TARGET_GROUP),)),),
    ),
)


class Direct:
    """Calls operations on a world that the calls change, as the endpoint would, without store and wire."""

    def __init__(self, operations: Operations, *records: Record) -> None:
        self.operations = operations
        self.world = World(EngineIdentity("0011aabb")).with_records(*records)
        self.supply = CountingSupply()
        self.now = NOW
        self.region = REGION
        self.registry: ImageRegistry | None = None

    def __call__(self, operation: str, request: Mapping[str, Any] | None = None, **members: Any) -> Any:
        """Return the operation's response; keep what it wrote."""
        call = Call(self.world, self.now, self.supply, self.region, registry=self.registry)
        response = self.operations[operation](call, {**(request or {}), **members})
        self.world = call.world
        return response

    def put(self, *records: Record) -> None:
        """Write records as the loop would."""
        self.world = self.world.with_records(*records)

    def refused(self, operation: str, request: Mapping[str, Any] | None = None, **members: Any) -> AwsError:
        """Return the error that the operation raises, having checked that nothing was written."""
        before = self.world
        with pytest.raises(AwsError) as caught:
            self(operation, request, **members)
        assert self.world is before
        return caught.value
