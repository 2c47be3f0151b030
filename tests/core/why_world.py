"""The reference system in small, to ask `why` about: a proxy and a backend in Cloud Map, a load balancer in front.

`vpc-a` of `vpc_world` with two private subnets; `vpc-b` has nothing but a task and the same addresses.
"""

import dataclasses

from tests.core.vpc_world import (
    REGION,
    associated,
    egress,
    empty_world,
    group,
    ingress,
    interface,
    subnet,
    table,
    vpc_records,
)
from tsubo.core.router import DEFAULT_CLIENT
from tsubo.model.acm import Certificate
from tsubo.model.cloudmap import DiscoveryService, DnsRecord, Instance, Namespace
from tsubo.model.ecs import (
    AwsvpcConfiguration,
    ContainerDefinition,
    PortMapping,
    Service,
    ServiceLoadBalancer,
    ServiceRegistry,
    Task,
    TaskDefinition,
)
from tsubo.model.elbv2 import (
    Action,
    Condition,
    FixedResponse,
    HealthCheck,
    Listener,
    LoadBalancer,
    Rule,
    Target,
    TargetGroup,
    WeightedTargetGroup,
)
from tsubo.model.explanation import Destination, Endpoint, ListeningSocket, Observations, Request, Source
from tsubo.model.route53 import AliasTarget, HostedZone, RecordSet, ZoneVpc
from tsubo.model.vpc import (
    NetworkAcl,
    NetworkAclAssociation,
    NetworkAclEntry,
    Route,
    Vpc,
)
from tsubo.model.world import Record, World

ACCOUNT = f"{REGION}:123456789012"
BALANCER = f"arn:aws:elasticloadbalancing:{ACCOUNT}:loadbalancer/app/web/50dc6c495c0c9188"
LISTENER = f"arn:aws:elasticloadbalancing:{ACCOUNT}:listener/app/web/50dc6c495c0c9188/1"
RULE = f"arn:aws:elasticloadbalancing:{ACCOUNT}:listener-rule/app/web/50dc6c495c0c9188/1/2"
TARGET_GROUP = f"arn:aws:elasticloadbalancing:{ACCOUNT}:targetgroup/backend-tg/0123456789abcdef"
CERTIFICATE = f"arn:aws:acm:{ACCOUNT}:certificate/1"
CLUSTER = f"arn:aws:ecs:{ACCOUNT}:cluster/main"
BACKEND_NAME = "backend.navi.local"
SITE = "api.navi.site"


def service_arn(name: str) -> str:
    return f"arn:aws:ecs:{ACCOUNT}:service/main/{name}"


def task_arn(name: str) -> str:
    return f"arn:aws:ecs:{ACCOUNT}:task/main/{name}"


def service(name: str, *, desired_count: int = 1, target_group: str | None = None) -> Service:
    balancers = (ServiceLoadBalancer(target_group, "nginx", 80),) if target_group else ()
    return Service(
        service_arn(name), name, CLUSTER, REGION, 0.0, definition(name).arn, desired_count,
        AwsvpcConfiguration(("subnet-private-a",)), load_balancers=balancers,
        registries=(ServiceRegistry(f"arn:srv-{name}"),),
    )  # fmt: skip


def definition(name: str) -> TaskDefinition:
    nginx = ContainerDefinition("nginx", "nginx", port_mappings=(PortMapping(80),))
    arn = f"arn:aws:ecs:{ACCOUNT}:task-definition/{name}:1"
    return TaskDefinition(arn, name, 1, REGION, 0.0, (nginx,), {})


def running_task(name: str, of: str, private_ip: str, subnet_kind: str = "private", vpc: str = "a") -> list[Record]:
    """Return a task of a service with its interface, which carries the service's group."""
    task = Task(
        task_arn(name), name, CLUSTER, REGION, definition(of).arn, f"service:{of}", 0.0, AwsvpcConfiguration(()), (),
        service_arn=service_arn(of), last_status="RUNNING", network_interface_id=f"eni-{name}", private_ip=private_ip,
    )  # fmt: skip
    carrier = interface(name, vpc, subnet_kind, private_ip, (f"sg-{of}",))
    return [task, dataclasses.replace(carrier, owner_id=task.arn)]


def discovery(name: str, *instances: tuple[str, str]) -> list[Record]:
    """Return a Cloud Map service of namespace ns-1 and its instances (id, address)."""
    entry = DiscoveryService(
        f"srv-{name}", f"arn:srv-{name}", name, "ns-1", REGION, 0.0, dns_records=(DnsRecord("A", 60),)
    )
    return [entry, *(Instance(f"srv-{name}", key, 0.0, {"AWS_INSTANCE_IPV4": ip}) for key, ip in instances)]


def _network() -> list[Record]:
    vpc = Vpc("vpc-a", REGION, "10.0.0.0/16", enable_dns_hostnames=True)
    node = interface("node", "a", "public", "10.0.1.20", ("sg-web",), owner="load_balancer", public_ip="203.0.113.20")
    nat = Route("0.0.0.0/0", nat_gateway_id="nat-a")
    return [
        *vpc_records("a", "203.0.113.5"),
        *vpc_records("b", "203.0.113.6"),
        vpc,
        dataclasses.replace(vpc, vpc_id="vpc-b"),
        subnet("a", "other", "10.0.11.0/24"),
        table("a", "other", (nat,), associated("a", "other")),
        *group("sg-web", "a", egress("sg-web"), ingress("sg-web", ports=(443, 443), cidr="0.0.0.0/0")),
        *group("sg-proxy", "a", egress("sg-proxy"), ingress("sg-proxy", source="sg-web")),
        *group("sg-backend", "a", egress("sg-backend")),
        ingress("sg-backend", source="sg-web"),
        ingress("sg-backend", source="sg-proxy"),
        dataclasses.replace(node, owner_id=BALANCER),
    ]


def _names() -> list[Record]:
    private = HostedZone(
        "ZPRIVATE", "navi.local.", True, "r1", 0.0, ("ns-1.",), vpcs=(ZoneVpc("vpc-a", REGION),),
        linked_service_description="arn:ns-1",
    )  # fmt: skip
    public = HostedZone("ZPUBLIC", "navi.site.", False, "r2", 0.0, ("ns-2.",))
    alias = AliasTarget("Z14GRHDCWA56QT", f"web-1.{REGION}.elb.amazonaws.com.")
    return [
        Namespace("ns-1", "arn:ns-1", "navi.local", "DNS_PRIVATE", REGION, 0.0, "navi.local", "ZPRIVATE"),
        private,
        public,
        RecordSet("ZPUBLIC", f"{SITE}.", "A", alias=alias),
        *discovery("backend", ("backend1", "10.0.11.10")),
        *discovery("proxy", ("proxy1", "10.0.10.10")),
    ]


def _balancer() -> list[Record]:
    not_found = Action("fixed-response", fixed_response=FixedResponse("404"))
    forward = Action("forward", target_groups=(WeightedTargetGroup(TARGET_GROUP),))
    host = Condition("host-header", (SITE,))
    return [
        LoadBalancer(
            BALANCER, "web", REGION, f"web-1.{REGION}.elb.amazonaws.com", "Z14GRHDCWA56QT", "internet-facing", "vpc-a",
            ("subnet-public-a",), ("sg-web",), 0.0, state="active",
        ),
        Listener(LISTENER, BALANCER, REGION, 443, "HTTPS", (not_found,), certificate_arns=(CERTIFICATE,)),
        Certificate(CERTIFICATE, REGION, "navi.site", 0.0, ("*.navi.site",), status="ISSUED"),
        Rule(RULE, LISTENER, REGION, 100, (host,), (forward,)),
        TargetGroup(TARGET_GROUP, "backend-tg", REGION, "HTTP", 80, "vpc-a", "ip", HealthCheck(path="/health")),
        target("healthy"),
    ]  # fmt: skip


def target(state: str, reason: str | None = None, description: str | None = None) -> Target:
    """Return the backend as a target."""
    return Target(TARGET_GROUP, "10.0.11.10", 80, 0.0, state=state, reason=reason, description=description)  # type: ignore[arg-type]


WORLD = empty_world().with_records(
    *_network(),
    *_names(),
    *_balancer(),
    definition("proxy"),
    definition("backend"),
    service("proxy"),
    service("backend", target_group=TARGET_GROUP),
    *running_task("proxy1", "proxy", "10.0.10.10"),
    *running_task("backend1", "backend", "10.0.11.10", "other"),
    *running_task("other1", "other", "10.0.10.10", vpc="b"),
)

SOURCES = {
    "sg-web": Source("aws_security_group.web", "groups.tf", 1),
    "sg-proxy": Source("aws_security_group.proxy", "groups.tf", 20),
    "sg-backend": Source("aws_security_group.backend", "groups.tf", 40),
    "rtb-private-a": Source("aws_route_table.private", "network.tf", 30),
    "rtb-isolated-a": Source("aws_route_table.isolated", "network.tf", 50),
    "vpc-b": Source("aws_vpc.other", "network.tf", 1),
    "nat-a": Source("aws_nat_gateway.main", "network.tf", 20),
    "ns-1": Source("aws_service_discovery_private_dns_namespace.main", "names.tf", 1),
    "srv-backend": Source("aws_service_discovery_service.backend", "names.tf", 6),
    LISTENER: Source("aws_lb_listener.https", "balancer.tf", 12),
    RULE: Source("aws_lb_listener_rule.backend", "balancer.tf", 30),
    TARGET_GROUP: Source("aws_lb_target_group.backend", "balancer.tf", 50),
    BALANCER: Source("aws_lb.main", "balancer.tf", 1),
    service_arn("backend"): Source("aws_ecs_service.backend", "services.tf", 10),
}
LISTENING = {f"eni-{name}": (ListeningSocket("tcp", "0.0.0.0", 80),) for name in ("proxy1", "backend1")}
OBSERVATIONS = Observations(LISTENING, SOURCES)

INTERNET = Endpoint("internet", DEFAULT_CLIENT)
PROXY = Endpoint("proxy", "10.0.10.10", "eni-proxy1")
STRANGER = Endpoint("other", "10.0.10.10", "eni-other1")
TO_BACKEND = Destination("backend", 80, name=BACKEND_NAME)
TO_SITE = Destination(f"https://{SITE}/", 443, name=SITE, request=Request(SITE))


def acl(kind: str, *entries: NetworkAclEntry) -> NetworkAcl:
    """Return a network ACL of a subnet of vpc-a."""
    association = NetworkAclAssociation(f"aclassoc-{kind}", f"subnet-{kind}-a")
    return NetworkAcl(f"acl-{kind}", "vpc-a", REGION, False, entries, (association,))


def without_rule(world: World, group_id: str, source: str) -> World:
    """Return a world in which a group admits another one no longer."""
    return world.without(ingress(group_id, source=source))
