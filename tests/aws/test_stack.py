"""A whole stack through every service of ours: the calls follow one on another, and its records survive a restart."""

import itertools
from pathlib import Path
from typing import Any

from tests.aws.conftest import ENGINE, ENGINE_KEY, CountingSupply
from tsubo.aws.breadth import Breadth
from tsubo.aws.endpoint import Endpoint
from tsubo.aws.inner_client import make_client
from tsubo.aws.registry import OPERATIONS
from tsubo.aws.signature import Verifier
from tsubo.aws.store import Store

REGION = "ap-northeast-1"


def make_network(ec2: Any) -> tuple[str, list[str], str]:
    """Make a VPC with two subnets and a group; return their ids."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = zip(itertools.count(1), ("a", "c"))
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=REGION + zone)["Subnet"][
            "SubnetId"
        ]
        for number, zone in zones
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[0])
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)
    return vpc, subnets, group


def make_load_balancer(elbv2: Any, vpc: str, subnets: list[str], group: str) -> tuple[dict[str, Any], str]:
    """Make a load balancer whose listener forwards one host; return it and its target group's ARN."""
    balancer: dict[str, Any] = elbv2.create_load_balancer(Name="web", Subnets=subnets, SecurityGroups=[group])
    balancer = balancer["LoadBalancers"][0]
    target_group = elbv2.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    arn = target_group["TargetGroups"][0]["TargetGroupArn"]
    not_found = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "MessageBody": "404"}}
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[not_found]
    )["Listeners"][0]["ListenerArn"]
    elbv2.create_rule(
        ListenerArn=listener,
        Priority=100,
        Conditions=[{"Field": "host-header", "Values": ["a.example"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    return balancer, arn


def test_a_stack_is_made_and_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = Store(path, ENGINE)
    endpoint = Endpoint(
        store=store, supply=CountingSupply(), verifier=Verifier(ENGINE_KEY, auth="none"), breadth=Breadth(tmp_path)
    )
    client = {service: make_client(service, REGION, endpoint.handle) for service in OPERATIONS}
    vpc, subnets, group = make_network(client["ec2"])
    balancer, target_group = make_load_balancer(client["elbv2"], vpc, subnets, group)
    zone = client["route53"].create_hosted_zone(Name="a.example", CallerReference="1")["HostedZone"]["Id"]
    alias = {
        "HostedZoneId": balancer["CanonicalHostedZoneId"],
        "DNSName": balancer["DNSName"],
        "EvaluateTargetHealth": False,
    }
    change = {"Action": "CREATE", "ResourceRecordSet": {"Name": "a.example", "Type": "A", "AliasTarget": alias}}
    client["route53"].change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
    client["acm"].request_certificate(DomainName="a.example", ValidationMethod="DNS")
    cloud_map = client["servicediscovery"]
    operation = cloud_map.create_private_dns_namespace(Name="a.local", Vpc=vpc)["OperationId"]
    namespace = cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    dns = {"DnsRecords": [{"Type": "A", "TTL": 60}]}
    registry = cloud_map.create_service(Name="backend", NamespaceId=namespace, DnsConfig=dns)["Service"]["Arn"]
    ecs = client["ecs"]
    ecs.create_cluster(clusterName="a")
    container = {"name": "nginx", "image": "nginx", "portMappings": [{"containerPort": 80}]}
    ecs.register_task_definition(
        family="web",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container],
    )
    ecs.create_service(
        cluster="a",
        serviceName="web",
        taskDefinition="web",
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}},
        loadBalancers=[{"targetGroupArn": target_group, "containerName": "nginx", "containerPort": 80}],
        serviceRegistries=[{"registryArn": registry}],
    )
    world = store.world
    assert (len(world.subnets), len(world.services), len(world.certificates), len(world.rules)) == (2, 1, 1, 1)
    store.close()
    assert Store(path, ENGINE).world == world
