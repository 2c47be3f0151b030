"""The reference system as its users see it (`ReferenceStack`), and made by boto3 alone (`build`), without Terraform.

`ReferenceStack` finds everything by the names of examples/ecs-navi, so it looks at a stack that `tsubo up` made and
at one that `build` made alike.
"""

import contextlib
import json
import uuid
from collections.abc import Sequence
from typing import Any

from tests.lab.engine_lab import EngineLab, wait_until
from tsubo.drivers.dns_probe import query
from tsubo.drivers.http_probe import probe
from tsubo.engine.published import published_ports
from tsubo.model.identity import ACCOUNT_ID

REGION = "ap-northeast-1"
CLUSTER = "ecs-navi-cluster"
BACKEND, PROXY = "ecs-navi-backend-service", "ecs-navi-nginx-proxy-service"
BACKEND_GROUP, PROXY_GROUP, BALANCER_GROUP = "ecs-navi-backend-sg", "ecs-navi-proxy-nginx-sg", "ecs-navi-sg"
BACKEND_NAME = "backend.ecs-navi.local"
SITE, API = "https://ecs-navi.site/", "https://api.ecs-navi.site/"
RESOLVER = "10.0.0.2"
LOAD_BALANCER = "ecs-navi-lb"
LOG_GROUPS = ("/ecs/nginx", "/ecs/api", "/ecs/nginx-proxy")
INGRESS_ALL = [{"CidrIp": "0.0.0.0/0"}]


class ReferenceStack:
    """A running reference system."""

    def __init__(self, lab: EngineLab) -> None:
        self.lab = lab

    # Services and tasks

    def service(self, name: str) -> Any:
        """Return what DescribeServices says."""
        return self.lab.client("ecs").describe_services(cluster=CLUSTER, services=[name])["services"][0]

    def tasks(self, service: str, desired_status: str = "RUNNING") -> list[Any]:
        """Return what DescribeTasks says of a service's tasks."""
        ecs = self.lab.client("ecs")
        arns = ecs.list_tasks(cluster=CLUSTER, serviceName=service, desiredStatus=desired_status)["taskArns"]
        return list(ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]) if arns else []

    def running_tasks(self, service: str) -> list[Any]:
        """Return the tasks whose last status is RUNNING."""
        return [task for task in self.tasks(service) if task["lastStatus"] == "RUNNING"]

    def settled_task(self, service: str = BACKEND) -> Any:
        """Wait until a service's one task runs, is healthy and is all there is; return it."""

        def look() -> Any:
            tasks = self.tasks(service)
            steady = [d["rolloutState"] for d in self.service(service)["deployments"]] == ["COMPLETED"]
            return tasks[0] if len(tasks) == 1 and tasks[0]["lastStatus"] == "RUNNING" and steady else None

        return wait_until(look, what=f"one settled task of {service}")

    def settle(self) -> None:
        """Wait until both services are settled and both URLs answer."""
        for service in (BACKEND, PROXY):
            self.settled_task(service)
        for host in ("api.ecs-navi.site", "ecs-navi.site"):
            wait_until(lambda host=host: self.status_of(host) == 200, what=f"200 of {host}")  # type: ignore[misc]

    def status_of(self, host: str) -> int:
        """Ask `/` of a host at one of the published addresses; return the status, 0 without an answer."""
        places = list(self.published().values())
        if not places or places[0][1] is None:
            return 0
        with contextlib.suppress(OSError):
            return probe(*places[0], host, "/", host, self.lab.home / "ca" / "ca.pem").status
        return 0

    def network_interface(self, task: Any) -> str:
        """Return the id of a task's ENI."""
        return str(_detail(task, "networkInterfaceId"))

    def address(self, task: Any) -> str:
        """Return the address that DescribeTasks gives a task."""
        return str(_detail(task, "privateIPv4Address"))

    def namespace(self, task: Any) -> str:
        """Return the network namespace of a task."""
        return self.lab.namespace(self.network_interface(task))

    def container(self, task: Any, name: str) -> str:
        """Return the container engine's name of a task's container."""
        return f"tsubo-{self.lab.id}-{task_id(task)}-{name}"

    # Names

    def resolve(self, task: Any, name: str = BACKEND_NAME, server: str = RESOLVER) -> set[str]:
        """Return the addresses that a task gets for a name."""
        return set(query(self.namespace(task), server, name, "A"))

    def zone_id(self, name: str) -> str:
        """Return the id of a hosted zone by its name."""
        zones = self.lab.client("route53").list_hosted_zones()["HostedZones"]
        return next(zone["Id"].rsplit("/", 1)[-1] for zone in zones if zone["Name"].rstrip(".") == name)

    def records(self, name: str = BACKEND_NAME) -> dict[str, str]:
        """Return the A records of a Cloud Map name in Route 53: address by set identifier."""
        pages = self.lab.client("route53").get_paginator("list_resource_record_sets")
        sets = [
            s
            for page in pages.paginate(HostedZoneId=self.zone_id("ecs-navi.local"))
            for s in page["ResourceRecordSets"]
        ]
        own = [s for s in sets if s["Type"] == "A" and s["Name"].rstrip(".") == name]
        return {s["SetIdentifier"]: s["ResourceRecords"][0]["Value"] for s in own}

    # Network

    def group_id(self, name: str) -> str:
        """Return a security group's id."""
        filters = [{"Name": "group-name", "Values": [name]}]
        return str(self.lab.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])

    def target_group(self, name: str) -> str:
        """Return a target group's ARN."""
        return str(self.lab.client("elbv2").describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"])

    def load_balancer(self) -> Any:
        """Return what DescribeLoadBalancers says."""
        return self.lab.client("elbv2").describe_load_balancers(Names=[LOAD_BALANCER])["LoadBalancers"][0]

    def listener_arn(self) -> str:
        """Return the ARN of the HTTPS listener."""
        arn = self.load_balancer()["LoadBalancerArn"]
        return str(self.lab.client("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"][0]["ListenerArn"])

    def published(self) -> dict[str, tuple[str, int | None]]:
        """Return where this machine publishes the load balancer's HTTPS port: loopback place by public address."""
        return {
            port.entry.public_address: (port.entry.listen_address, port.port)
            for port in published_ports(self.lab.home)
            if port.entry.port == 443
        }

    def target_states(self, target_group: str) -> dict[str, str]:
        """Return what DescribeTargetHealth says: state by address."""
        answer = self.lab.client("elbv2").describe_target_health(TargetGroupArn=self.target_group(target_group))
        return {d["Target"]["Id"]: d["TargetHealth"]["State"] for d in answer["TargetHealthDescriptions"]}

    def allow(self, group: str, port: int, *sources: str) -> list[Any]:
        """Return IpPermissions that admit the groups `sources` to a port of `group`."""
        pairs = [{"GroupId": self.group_id(source)} for source in sources]
        return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": pairs}]


def in_subnet(address: str) -> str:
    """Return the first three numbers of an address: the example's subnets are /24."""
    return address.rpartition(".")[0]


def task_id(task: Any) -> str:
    """Return the id in a task's ARN."""
    return str(task["taskArn"].rsplit("/", 1)[-1])


def _detail(task: Any, name: str) -> str:
    details = task["attachments"][0]["details"]
    return next((detail["value"] for detail in details if detail["name"] == name), "")


def build(lab: EngineLab) -> ReferenceStack:
    """Make the reference system by boto3 and wait until it serves."""
    network = _Network(lab)
    balancer = _Balancer(lab, network)
    _services(lab, network, balancer)
    stack = ReferenceStack(lab)
    stack.settle()
    return stack


class _Network:
    """VPC, subnets, gateways, routes and security groups."""

    def __init__(self, lab: EngineLab) -> None:
        self.ec2 = lab.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.public = [self._subnet("10.0.1.0/24", "a"), self._subnet("10.0.2.0/24", "c")]
        self.private = [self._subnet("10.0.10.0/24", "a"), self._subnet("10.0.11.0/24", "c")]
        self._routes()
        self.balancer = self._group(BALANCER_GROUP, 443, IpRanges=INGRESS_ALL)
        self.proxy = self._group(PROXY_GROUP, 80, UserIdGroupPairs=[{"GroupId": self.balancer}])
        sources = [{"GroupId": self.balancer}, {"GroupId": self.proxy}]
        self.backend = self._group(BACKEND_GROUP, 80, UserIdGroupPairs=sources)

    def _subnet(self, cidr: str, zone: str) -> str:
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=f"{REGION}{zone}")
        return str(made["Subnet"]["SubnetId"])

    def _routes(self) -> None:
        internet_gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=internet_gateway, VpcId=self.vpc)
        self._route_table(self.public, GatewayId=internet_gateway)
        allocation = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = self.ec2.create_nat_gateway(SubnetId=self.public[0], AllocationId=allocation)
        nat = made["NatGateway"]["NatGatewayId"]
        wait_until(lambda: self._nat_state(nat) == "available", what="the NAT gateway")
        self._route_table(self.private, NatGatewayId=nat)

    def _nat_state(self, nat: str) -> str:
        return str(self.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"])

    def _route_table(self, subnets: Sequence[str], **target: str) -> None:
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
        for subnet in subnets:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)

    def _group(self, name: str, port: int, **sources: Any) -> str:
        group = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **sources}
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
        return str(group)


class _Balancer:
    """Zone, certificate, load balancer, listener and rules."""

    def __init__(self, lab: EngineLab, network: _Network) -> None:
        self.elb, self.route53, self.acm = lab.client("elbv2"), lab.client("route53"), lab.client("acm")
        self.network = network
        zone = self.route53.create_hosted_zone(Name="ecs-navi.site", CallerReference=str(uuid.uuid4()))
        self.zone = zone["HostedZone"]["Id"]
        certificate = self._certificate()
        made = self.elb.create_load_balancer(
            Name=LOAD_BALANCER, Subnets=network.public, SecurityGroups=[network.balancer]
        )["LoadBalancers"][0]
        self.backend, self.proxy = (
            self._target_group("ecs-navi-backend-tg", 80),
            self._target_group("ecs-navi-proxy-tg", 3000),
        )
        self._listener(made["LoadBalancerArn"], certificate)
        alias = {
            "HostedZoneId": made["CanonicalHostedZoneId"],
            "DNSName": made["DNSName"],
            "EvaluateTargetHealth": False,
        }
        for host in ("ecs-navi.site", "api.ecs-navi.site"):
            self._upsert({"Name": host, "Type": "A", "AliasTarget": alias})

    def _upsert(self, record_set: dict[str, Any]) -> None:
        changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record_set}]}
        self.route53.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch=changes)

    def _certificate(self) -> str:
        arn = self.acm.request_certificate(
            DomainName="ecs-navi.site", SubjectAlternativeNames=["api.ecs-navi.site"], ValidationMethod="DNS"
        )["CertificateArn"]
        for option in self.acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]:
            record = option["ResourceRecord"]
            values = [{"Value": record["Value"]}]
            self._upsert({"Name": record["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": values})
        wait_until(
            lambda: self.acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED",
            what="the certificate",
        )
        return str(arn)

    def _target_group(self, name: str, port: int) -> str:
        made = self.elb.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=port,
            VpcId=self.network.vpc,
            TargetType="ip",
            HealthCheckIntervalSeconds=300,
            HealthCheckTimeoutSeconds=120,
            HealthyThresholdCount=5,
            UnhealthyThresholdCount=10,
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def _listener(self, load_balancer: str, certificate: str) -> None:
        not_found = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "404 Not Found"}
        listener = self.elb.create_listener(
            LoadBalancerArn=load_balancer,
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": certificate}],
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": not_found}],
        )["Listeners"][0]["ListenerArn"]
        for priority, host, target_group in (
            (100, "ecs-navi.site", self.proxy),
            (200, "api.ecs-navi.site", self.backend),
        ):
            self.elb.create_rule(
                ListenerArn=listener,
                Priority=priority,
                Conditions=[{"Field": "host-header", "Values": [host]}],
                Actions=[{"Type": "forward", "TargetGroupArn": target_group}],
            )


def _services(lab: EngineLab, network: _Network, balancer: _Balancer) -> None:
    cloud_map, ecs = lab.client("servicediscovery"), lab.client("ecs")
    operation = cloud_map.create_private_dns_namespace(Name="ecs-navi.local", Vpc=network.vpc)["OperationId"]
    namespace = wait_until(
        lambda: cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"].get("NAMESPACE"),
        what="the Cloud Map namespace",
    )
    for group in LOG_GROUPS:
        lab.client("logs").create_log_group(logGroupName=group)
    role = create_role(lab)
    ecs.create_cluster(clusterName=CLUSTER)

    def discovery(name: str) -> str:
        records = {"NamespaceId": namespace, "DnsRecords": [{"Type": "A", "TTL": 60}]}
        check = {"FailureThreshold": 1}
        made = cloud_map.create_service(Name=name, DnsConfig=records, HealthCheckCustomConfig=check)
        return str(made["Service"]["Arn"])

    for service, family, containers, target_group, group, registry in (
        (
            BACKEND,
            "ecs-navi-backend",
            [("nginx", "ecs-navi-nginx", 80, "/ecs/nginx"), ("api", "ecs-navi-api", 9000, "/ecs/api")],
            balancer.backend,
            network.backend,
            discovery("backend"),
        ),
        (
            PROXY,
            "ecs-navi-nginx-proxy",
            [("nginx", "ecs-navi-nginx-proxy", 80, "/ecs/nginx-proxy")],
            balancer.proxy,
            network.proxy,
            discovery("proxy-nginx"),
        ),
    ):
        definition = register_task_definition(lab, family, role, [container_definition(*c) for c in containers])
        ecs.create_service(
            cluster=CLUSTER,
            serviceName=service,
            taskDefinition=definition,
            desiredCount=1,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": network.private, "securityGroups": [group]}},
            loadBalancers=[{"targetGroupArn": target_group, "containerName": "nginx", "containerPort": 80}],
            serviceRegistries=[{"registryArn": registry}],
            enableExecuteCommand=True,
        )


def container_definition(name: str, image: str, port: int, log_group: str) -> dict[str, Any]:
    """Return a container definition with an image in ECR and a log group."""
    options = {"awslogs-group": log_group, "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"}
    return {
        "name": name,
        "image": f"{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/{image}:latest",
        "essential": True,
        "portMappings": [{"containerPort": port}],
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }


def create_role(lab: EngineLab) -> str:
    """Make the one role of all tasks: what ECS needs for images and logs. Return its ARN."""
    iam = lab.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="ecs-navi", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    iam.attach_role_policy(
        RoleName="ecs-navi", PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    )
    return str(role["Arn"])


def register_task_definition(lab: EngineLab, family: str, role: str, containers: list[dict[str, Any]]) -> str:
    """Register a Fargate task definition and return its ARN."""
    made = lab.client("ecs").register_task_definition(
        family=family,
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        requiresCompatibilities=["FARGATE"],
        executionRoleArn=role,
        taskRoleArn=role,
        containerDefinitions=containers,
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])
