"""A world with one service behind a load balancer and in Cloud Map, for tests of what happens to tasks."""

from tests.core.machine import ENGINE
from tsubo.model.cloudmap import DiscoveryService, DnsRecord, Namespace
from tsubo.model.ecs import (
    AwsvpcConfiguration,
    Cluster,
    ContainerDefinition,
    ContainerDependency,
    Deployment,
    Service,
    ServiceLoadBalancer,
    ServiceRegistry,
    TaskDefinition,
)
from tsubo.model.elbv2 import Action, HealthCheck, Listener, LoadBalancer, TargetGroup, WeightedTargetGroup
from tsubo.model.vpc import SecurityGroup, Subnet, Vpc
from tsubo.model.world import World

REGION = "ap-northeast-1"
CLUSTER = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/main"
SERVICE = "arn:aws:ecs:ap-northeast-1:123456789012:service/main/web"
TARGET_GROUP = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/web/0123456789abcdef"
BALANCER = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:loadbalancer/app/web/0123456789abcdef"
REGISTRY = "arn:aws:servicediscovery:ap-northeast-1:123456789012:service/srv-web"
NETWORK = AwsvpcConfiguration(subnets=("subnet-a", "subnet-c"))


def task_definition(revision: int = 1, image: str = "web", *, with_sidecar: bool = False) -> TaskDefinition:
    """Return a revision of the definition: one container, or an essential one that waits for another."""
    containers = [ContainerDefinition("web", image)]
    if with_sidecar:
        containers[0] = ContainerDefinition("web", image, depends_on=(ContainerDependency("init", "SUCCESS"),))
        containers.append(ContainerDefinition("init", "init", essential=False))
    arn = f"arn:aws:ecs:{REGION}:123456789012:task-definition/web:{revision}"
    return TaskDefinition(arn, "web", revision, REGION, 0.0, tuple(containers), {}, cpu=256, memory=512)


def deployment(number: int, definition: TaskDefinition, *, load_balanced: bool = True) -> Deployment:
    """Return a PRIMARY deployment of the service."""
    return Deployment(
        deployment_id=f"ecs-svc/{number:019d}",
        status="PRIMARY",
        task_definition_arn=definition.arn,
        network=NETWORK,
        created_at=float(number),
        updated_at=float(number),
        load_balancers=(ServiceLoadBalancer(TARGET_GROUP, "web", 80),) if load_balanced else (),
        registries=(ServiceRegistry(REGISTRY),),
    )


def world(desired_count: int = 1, *, load_balanced: bool = True, with_sidecar: bool = False) -> World:
    """Return a world in which the service has just been created."""
    definition = task_definition(with_sidecar=with_sidecar)
    first = deployment(1, definition, load_balanced=load_balanced)
    service = Service(
        arn=SERVICE,
        name="web",
        cluster_arn=CLUSTER,
        region=REGION,
        created_at=0.0,
        task_definition_arn=definition.arn,
        desired_count=desired_count,
        network=NETWORK,
        load_balancers=first.load_balancers,
        registries=first.registries,
        deployments=(first,),
    )
    forward = Action("forward", target_groups=(WeightedTargetGroup(TARGET_GROUP),))
    return World(ENGINE).with_records(
        Vpc("vpc-1", REGION, "10.0.0.0/16"),
        Subnet("subnet-a", "vpc-1", REGION, f"{REGION}a", "10.0.10.0/24"),
        Subnet("subnet-c", "vpc-1", REGION, f"{REGION}c", "10.0.11.0/24"),
        SecurityGroup("sg-default", "vpc-1", REGION, "default", "default VPC security group"),
        LoadBalancer(
            BALANCER, "web", REGION, "web-1.elb.amazonaws.com", "Z1", "internet-facing", "vpc-1",
            ("subnet-a", "subnet-c"), ("sg-default",), 0.0,
        ),
        TargetGroup(TARGET_GROUP, "web", REGION, "HTTP", 80, "vpc-1", "ip", HealthCheck()),
        Listener("listener-1", BALANCER, REGION, 80, "HTTP", (forward,)),
        Namespace("ns-1", "arn:ns-1", "local", "DNS_PRIVATE", REGION, 0.0, "local"),
        DiscoveryService(
            "srv-web", REGISTRY, "web", "ns-1", REGION, 0.0, dns_records=(DnsRecord("A", 60),), custom_health_check=True
        ),
        Cluster(CLUSTER, "main", REGION),
        definition,
        service,
    )  # fmt: skip
