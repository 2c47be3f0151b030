"""A region with a VPC of three zones, in which load balancers can be made."""

from typing import Any

import pytest

from tests.aws.checked import Checked
from tests.aws.direct import NOW, REGION
from tsubo.aws.elbv2 import OPERATIONS
from tsubo.model.acm import Certificate
from tsubo.model.identity import ACCOUNT_ID
from tsubo.model.vpc import InternetGateway, SecurityGroup, Subnet, Vpc
from tsubo.model.world import Record

CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT_ID}:certificate/issued"
OTHER_CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT_ID}:certificate/other"
PENDING_CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT_ID}:certificate/pending"

RECORDS: tuple[Record, ...] = (
    Vpc("vpc-1", REGION, "10.0.0.0/16"),
    Vpc("vpc-2", REGION, "10.1.0.0/16"),
    Subnet("subnet-a", "vpc-1", REGION, "ap-northeast-1a", "10.0.1.0/24"),
    Subnet("subnet-a2", "vpc-1", REGION, "ap-northeast-1a", "10.0.4.0/24"),
    Subnet("subnet-c", "vpc-1", REGION, "ap-northeast-1c", "10.0.2.0/24"),
    Subnet("subnet-d", "vpc-1", REGION, "ap-northeast-1d", "10.0.3.0/24"),
    Subnet("subnet-small", "vpc-1", REGION, "ap-northeast-1d", "10.0.5.0/28"),
    Subnet("subnet-other-a", "vpc-2", REGION, "ap-northeast-1a", "10.1.1.0/24"),
    Subnet("subnet-other-c", "vpc-2", REGION, "ap-northeast-1c", "10.1.2.0/24"),
    Subnet("subnet-us", "vpc-us", "us-east-1", "us-east-1a", "10.0.1.0/24"),
    SecurityGroup("sg-default", "vpc-1", REGION, "default", ""),
    SecurityGroup("sg-web", "vpc-1", REGION, "web", ""),
    SecurityGroup("sg-other", "vpc-2", REGION, "default", ""),
    InternetGateway("igw-1", REGION, "vpc-1"),
    Certificate(CERTIFICATE, REGION, "a.example", NOW, status="ISSUED"),
    Certificate(OTHER_CERTIFICATE, REGION, "b.example", NOW, status="ISSUED"),
    Certificate(PENDING_CERTIFICATE, REGION, "c.example", NOW),
)


class LoadBalancing(Checked):
    """ELBv2's operations, and short ways to what most tests begin with."""

    def __init__(self) -> None:
        super().__init__("elbv2", OPERATIONS, *RECORDS)

    def load_balancer(self, name: str = "web", **members: Any) -> Any:
        request = {"Name": name, "Subnets": ["subnet-a", "subnet-c"], **members}
        return self("CreateLoadBalancer", request)["LoadBalancers"][0]

    def target_group(self, name: str = "web", **members: Any) -> str:
        request = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip", **members}
        return str(self("CreateTargetGroup", request)["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, load_balancer_arn: str, target_group_arn: str, port: int = 80, **members: Any) -> str:
        request = {
            "LoadBalancerArn": load_balancer_arn,
            "Protocol": "HTTP",
            "Port": port,
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": target_group_arn}],
            **members,
        }
        return str(self("CreateListener", request)["Listeners"][0]["ListenerArn"])


@pytest.fixture
def elb() -> LoadBalancing:
    return LoadBalancing()
