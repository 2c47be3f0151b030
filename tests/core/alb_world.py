"""A world with one load balancer, to build on: its nodes, listeners, rules, target groups and targets."""

from tsubo.model.acm import Certificate
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
from tsubo.model.identity import EngineIdentity
from tsubo.model.vpc import NetworkInterface
from tsubo.model.world import World

REGION = "ap-northeast-1"
PREFIX = f"arn:aws:elasticloadbalancing:{REGION}:123456789012"
ARN = f"{PREFIX}:loadbalancer/app/web/50dc6c495c0c9188"
CERTIFICATE_ARN = f"arn:aws:acm:{REGION}:123456789012:certificate/11111111-2222-3333-4444-555555555555"
NOT_FOUND = Action(type="fixed-response", fixed_response=FixedResponse("404", "text/plain", "404 Not Found"))


def group_arn(name: str) -> str:
    """Return the ARN of a target group of these tests."""
    return f"{PREFIX}:targetgroup/{name}/{name.encode().hex():0<16.16}"


def forward(*names: str) -> Action:
    """Return an action that forwards to target groups, in equal shares."""
    return Action(type="forward", target_groups=tuple(WeightedTargetGroup(group_arn(name)) for name in names))


def node(number: int, address: str, public_address: str | None = None) -> NetworkInterface:
    """Return a node's interface."""
    return NetworkInterface(
        network_interface_id=f"eni-{number:017x}",
        subnet_id=f"subnet-{number:017x}",
        vpc_id="vpc-1",
        region=REGION,
        availability_zone=f"{REGION}{'acd'[number - 1]}",
        private_ip=address,
        mac="02:00:00:00:00:01",
        owner="load_balancer",
        owner_id=ARN,
        attachment_id=f"ela-attach-{number}",
        created_at=0.0,
        public_ip=public_address,
    )


def listener(port: int, protocol: str, *actions: Action, certificates: tuple[str, ...] = ()) -> Listener:
    """Return a listener of the load balancer."""
    return Listener(
        arn=f"{ARN.replace(':loadbalancer/', ':listener/')}/{port:016x}",
        load_balancer_arn=ARN,
        region=REGION,
        port=port,
        protocol=protocol,
        default_actions=actions or (NOT_FOUND,),
        ssl_policy="ELBSecurityPolicy-2016-08" if protocol == "HTTPS" else None,
        certificate_arns=certificates,
    )


def rule(of: Listener, priority: int, action: Action, *conditions: Condition) -> Rule:
    """Return a rule of a listener."""
    return Rule(f"{of.arn.replace(':listener/', ':listener-rule/')}/{priority:016x}", of.arn, REGION, priority,
                conditions, (action,))  # fmt: skip


def host(*names: str) -> Condition:
    """Return a condition on the host."""
    return Condition("host-header", names)


def target_group(name: str, health_check: HealthCheck | None = None, **attributes: str) -> TargetGroup:
    """Return a target group; its attributes' dots are written as underscores."""
    return TargetGroup(
        arn=group_arn(name),
        name=name,
        region=REGION,
        protocol="HTTP",
        port=80,
        vpc_id="vpc-1",
        target_type="ip",
        health_check=health_check or HealthCheck(),
        attributes={key.replace("_", "."): value for key, value in attributes.items()},
    )


def target(name: str, address: str, port: int = 80, **changes: float) -> Target:
    """Return a registered target."""
    return Target(group_arn(name), address, port, registered_at=changes.pop("registered_at", 100.0), **changes)  # type: ignore[arg-type]


def certificate(pem: str = "CERTIFICATE\n", key: str = "KEY\n", chain: str = "") -> Certificate:
    """Return an issued certificate."""
    return Certificate(
        CERTIFICATE_ARN,
        REGION,
        "ecs-navi.site",
        0.0,
        status="ISSUED",
        certificate_pem=pem,
        private_key_pem=key,
        chain_pem=chain,
    )


def load_balancer(**attributes: str) -> LoadBalancer:
    """Return the load balancer; its attributes are given by the last part of their names after `routing.http.`."""
    return LoadBalancer(
        arn=ARN,
        name="web",
        region=REGION,
        dns_name=f"web-1.{REGION}.elb.amazonaws.com",
        canonical_hosted_zone_id="Z14GRHDCWA56QT",
        scheme="internet-facing",
        vpc_id="vpc-1",
        subnet_ids=(f"subnet-{1:017x}", f"subnet-{2:017x}"),
        security_group_ids=(),
        created_at=0.0,
        state="active",
        attributes=attributes,
    )


def empty_world(engine_id: str = "0badcafe") -> World:
    """Return a world with the load balancer and nothing else."""
    return World(EngineIdentity(engine_id)).with_records(load_balancer())
