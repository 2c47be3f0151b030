"""The reference system on the wire: what examples/ecs-navi promises, seen by requests, packets, names and AWS clients.

Behaviour is AWS's as aws/ecs-cloudmap-exec.md and aws/alb-vpc-terraform.md tell it.
"""

import re
import socket
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from tests.lab.engine_lab import EngineLab, wait_until
from tests.lab.packets import Server, attempt
from tests.lab.reference_stack import (
    API,
    BACKEND,
    BACKEND_GROUP,
    BACKEND_NAME,
    BALANCER_GROUP,
    CLUSTER,
    INGRESS_ALL,
    PROXY,
    RESOLVER,
    SITE,
    ReferenceStack,
    in_subnet,
    task_id,
)
from tsubo.drivers.netns import socket_in

pytestmark = pytest.mark.lab

LINK_LOCAL_RESOLVER = "169.254.169.253"
PRIVATE_SUBNETS = ("10.0.10.", "10.0.11.")
PUBLIC_SUBNETS = ("10.0.1.", "10.0.2.")
WEB_HOST, WEB_PORT = "198.51.100.10", 8080


def php_variable(page: str, name: str) -> str | None:
    """Return a server variable as phpinfo shows it."""
    found = re.search(rf"\$_SERVER\['{name}'\]</td><td class=\"v\">([^<]*)<", page)
    return found[1].strip() if found else None


# URLs


def test_both_urls_answer_phpinfo_and_an_unknown_host_gets_the_fixed_404(stack: ReferenceStack) -> None:
    for url in (API, SITE):
        reply = stack.lab.curl(url)
        assert (reply.status, "phpinfo()" in reply.body, "PHP Version 8.2" in reply.body) == (200, True, True)
    unknown = stack.lab.curl(API, "-H", "Host: unknown.example")
    assert (unknown.status, unknown.body) == (404, "404 Not Found")
    assert unknown.headers["content-type"].startswith("text/plain")
    assert unknown.headers["server"] == "awselb/2.0"


def test_the_proxys_request_reaches_the_backend_from_the_proxys_address(stack: ReferenceStack) -> None:
    proxy = stack.address(stack.settled_task(PROXY))
    page = stack.lab.curl(SITE).body
    assert php_variable(page, "REMOTE_ADDR") == proxy
    assert php_variable(page, "HTTP_HOST") == "ecs-navi.site"
    client, balancer = (php_variable(page, "HTTP_X_FORWARDED_FOR") or "").split(", ")
    assert client.startswith("198.18.")
    assert balancer.startswith(PUBLIC_SUBNETS)
    # Without the proxy the backend sees a node of the load balancer.
    assert (php_variable(stack.lab.curl(API).body, "REMOTE_ADDR") or "").startswith(PUBLIC_SUBNETS)


def test_the_proxys_request_is_in_the_logs_of_both_under_the_awslogs_names(stack: ReferenceStack) -> None:
    marker = uuid.uuid4().hex
    assert stack.lab.curl(f"{SITE}?{marker}").status == 200
    proxy, backend = stack.settled_task(PROXY), stack.settled_task(BACKEND)
    for group, task in (("/ecs/nginx-proxy", proxy), ("/ecs/nginx", backend)):
        stream = f"ecs/nginx/{task_id(task)}"
        line = wait_until(lambda g=group, s=stream: _log_line(stack.lab, g, s, marker), what=f"a line in {group}")
        assert f"GET /?{marker} HTTP/1." in line
    assert line.startswith(f"{stack.address(proxy)} - ")
    assert wait_until(lambda: _log_line(stack.lab, "/ecs/api", f"ecs/api/{task_id(backend)}", "index.php"))


def _log_line(lab: EngineLab, group: str, stream: str, text: str) -> str:
    events = lab.client("logs").get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
    return next((event["message"] for event in events if text in event["message"]), "")


# Names


def test_route_53_shows_the_a_record_of_the_running_backend_task(stack: ReferenceStack) -> None:
    backend = stack.settled_task(BACKEND)
    zones = stack.lab.aws("route53", "list-hosted-zones-by-name", "--dns-name", "ecs-navi.local.")["HostedZones"]
    assert (zones[0]["Name"], zones[0]["Config"]["PrivateZone"]) == ("ecs-navi.local.", True)
    answer = stack.lab.aws("route53", "list-resource-record-sets", "--hosted-zone-id", zones[0]["Id"])
    (record,) = [s for s in answer["ResourceRecordSets"] if s["Name"] == f"{BACKEND_NAME}." and s["Type"] == "A"]
    assert record["SetIdentifier"] == task_id(backend)
    assert record["ResourceRecords"] == [{"Value": stack.address(backend)}]
    assert (record["TTL"], record["MultiValueAnswer"]) == (60, True)


def test_nslookup_inside_the_proxys_container_prints_the_backends_private_address(stack: ReferenceStack) -> None:
    backend = stack.address(stack.settled_task(BACKEND))
    answer = stack.lab.tsubo("exec", "proxy-nginx", "--", "nslookup", BACKEND_NAME)
    assert RESOLVER in answer.split("Name:")[0]
    assert re.findall(r"Address(?: 1)?:\s*(\S+)", answer.split("Name:")[1]) == [backend]
    assert backend.startswith(PRIVATE_SUBNETS)


@pytest.mark.parametrize("server", [RESOLVER, LINK_LOCAL_RESOLVER])
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_the_resolver_answers_over_udp_and_tcp_on_both_its_addresses(
    stack: ReferenceStack, server: str, protocol: str
) -> None:
    proxy = stack.settled_task(PROXY)
    found = ask(stack, proxy, server, BACKEND_NAME, "A", protocol)
    assert found.rcode() == dns.rcode.NOERROR
    assert [item.to_text() for rrset in found.answer for item in rrset] == [stack.address(stack.settled_task(BACKEND))]
    assert found.answer[0].ttl == 60
    # The load balancer's public name and the zone's aliases are public addresses inside the VPC, too.
    dns_name = stack.load_balancer()["DNSName"]
    public = {i.to_text() for rrset in ask(stack, proxy, server, dns_name, "A", protocol).answer for i in rrset}
    alias = {
        i.to_text() for rrset in ask(stack, proxy, server, "api.ecs-navi.site", "A", protocol).answer for i in rrset
    }
    assert (len(public), alias) == (2, public)
    assert not any(address.startswith("10.") for address in public)


@pytest.mark.parametrize(
    ("name", "record_type", "code", "zone"),
    [
        ("nobody.ecs-navi.local", "A", dns.rcode.NXDOMAIN, "ecs-navi.local."),
        (BACKEND_NAME, "AAAA", dns.rcode.NOERROR, "ecs-navi.local."),
        ("nobody.ecs-navi.site", "A", dns.rcode.NXDOMAIN, "ecs-navi.site."),
        ("api.ecs-navi.site", "TXT", dns.rcode.NOERROR, "ecs-navi.site."),
    ],
)
def test_a_name_or_type_that_is_not_there_is_denied_with_its_zones_soa(
    stack: ReferenceStack, name: str, record_type: str, code: int, zone: str
) -> None:
    found = ask(stack, stack.settled_task(PROXY), RESOLVER, name, record_type, "udp")
    assert (found.rcode(), found.answer) == (code, [])
    assert [rrset.name.to_text() for rrset in found.authority] == [zone]
    assert found.authority[0].rdtype == dns.rdatatype.SOA


def test_names_outside_are_nxdomain(stack: ReferenceStack) -> None:
    found = ask(stack, stack.settled_task(PROXY), RESOLVER, "example.com", "A", "udp")
    assert (found.rcode(), found.answer) == (dns.rcode.NXDOMAIN, [])


def ask(
    stack: ReferenceStack, task: Any, server: str, name: str, record_type: str, protocol: str
) -> dns.message.Message:
    """Ask a resolver from inside a task."""
    question = dns.message.make_query(name, record_type)
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket_in(stack.namespace(task), socket.AF_INET, kind) as client:
        client.settimeout(3.0)
        client.connect((server, 53))
        # dnspython takes a socket that does not block.
        client.setblocking(False)
        if protocol == "udp":
            return dns.query.udp(question, server, timeout=3.0, sock=client)
        return dns.query.tcp(question, server, timeout=3.0, sock=client)


def test_the_instance_carries_the_attributes_that_ecs_sets(stack: ReferenceStack) -> None:
    backend = stack.settled_task(BACKEND)
    found = stack.lab.client("servicediscovery").discover_instances(
        NamespaceName="ecs-navi.local", ServiceName="backend", HealthStatus="ALL"
    )["Instances"]
    (instance,) = found
    assert instance["InstanceId"] == task_id(backend)
    assert instance["HealthStatus"] == "HEALTHY"
    assert (
        instance["Attributes"]
        | {
            "AWS_INSTANCE_IPV4": stack.address(backend),
            "AVAILABILITY_ZONE": backend["availabilityZone"],
            "REGION": "ap-northeast-1",
            "ECS_CLUSTER_NAME": CLUSTER,
            "ECS_SERVICE_NAME": BACKEND,
            "ECS_TASK_DEFINITION_FAMILY": "ecs-navi-backend",
            "AWS_INIT_HEALTH_STATUS": "HEALTHY",
        }
        == instance["Attributes"]
    )


# Tasks


def test_a_tasks_containers_share_one_namespace_with_the_address_that_describe_tasks_reports(
    stack: ReferenceStack,
) -> None:
    backend = stack.settled_task(BACKEND)
    processes = [_process(stack.container(backend, name)) for name in ("nginx", "api")]
    namespaces = {Path(f"/proc/{process}/ns/net").stat().st_ino for process in processes}
    assert namespaces == {Path(f"/run/netns/{stack.namespace(backend)}").stat().st_ino}
    shown = subprocess.run(
        ["ip", "-netns", stack.namespace(backend), "-brief", "-4", "address", "show", "dev", "eth0"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.split()[-1] == f"{stack.address(backend)}/24"
    assert stack.address(backend).startswith(PRIVATE_SUBNETS)
    ec2 = stack.lab.client("ec2")
    interface = ec2.describe_network_interfaces(NetworkInterfaceIds=[stack.network_interface(backend)])
    assert interface["NetworkInterfaces"][0]["PrivateIpAddress"] == stack.address(backend)


def test_loopback_is_the_tasks_own(stack: ReferenceStack) -> None:
    backend, proxy = stack.settled_task(BACKEND), stack.settled_task(PROXY)
    # php-fpm says nothing before it is asked: an empty greeting is a connection.
    assert wait_until(lambda: attempt(stack.namespace(proxy), "127.0.0.1", 9000)) == "refused"
    with socket_in(stack.namespace(backend), socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(3.0)
        client.connect(("127.0.0.1", 9000))


def test_resolv_conf_hosts_and_hostname_are_as_aws_makes_them(stack: ReferenceStack) -> None:
    backend = stack.settled_task(BACKEND)
    address = stack.address(backend)
    hostname = f"ip-{address.replace('.', '-')}.ap-northeast-1.compute.internal"
    for container in ("nginx", "api"):

        def read(command: str, container: str = container) -> str:
            return stack.lab.tsubo("exec", "backend", "-c", container, "--", *command.split())

        resolv_conf = [line.split() for line in read("cat /etc/resolv.conf").splitlines()]
        assert ["nameserver", RESOLVER] in resolv_conf
        assert ["search", "ap-northeast-1.compute.internal"] in resolv_conf
        assert [line for line in resolv_conf if line[0] == "nameserver"] == [["nameserver", RESOLVER]]
        hosts = [line.split() for line in read("cat /etc/hosts").splitlines()]
        assert ["127.0.0.1", "localhost"] in hosts
        assert [line for line in hosts if line[0] == address] == [[address, hostname]]
        assert read("hostname").strip() == hostname


def _process(container: str) -> int:
    command = ["docker", "inspect", "-f", "{{.State.Pid}}", container]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


# Security groups


def test_a_connection_that_no_group_admits_times_out(stack: ReferenceStack) -> None:
    proxy, backend = stack.settled_task(PROXY), stack.settled_task(BACKEND)
    assert attempt(stack.namespace(proxy), stack.address(backend), 9000) == "timeout"
    # The backend's group admits the proxy's, and not the other way round.
    assert attempt(stack.namespace(backend), stack.address(proxy), 80) == "timeout"
    assert stack.lab.curl(f"http://{stack.address(backend)}/", source="proxy-nginx").status == 200


def test_a_rule_by_cidr_admits_and_its_end_denies(stack: ReferenceStack) -> None:
    proxy, backend = stack.settled_task(PROXY), stack.settled_task(BACKEND)
    ec2 = stack.lab.client("ec2")
    rule = {
        "GroupId": stack.group_id(BACKEND_GROUP),
        "IpPermissions": [
            {
                "IpProtocol": "tcp",
                "FromPort": 81,
                "ToPort": 81,
                "IpRanges": [{"CidrIp": f"{stack.address(proxy)}/32"}],
            }
        ],
    }
    ec2.authorize_security_group_ingress(**rule)
    try:
        wait_until(lambda: attempt(stack.namespace(proxy), stack.address(backend), 81) == "refused")
    finally:
        ec2.revoke_security_group_ingress(**rule)
    wait_until(lambda: attempt(stack.namespace(proxy), stack.address(backend), 81) == "timeout")


# Three backends


@pytest.fixture(scope="class")
def three_backends(reference_lab: EngineLab) -> Iterator[ReferenceStack]:
    """Three backend tasks, asked for by the AWS CLI; one again afterwards, by `tsubo scale`."""
    stack = ReferenceStack(reference_lab)
    stack.settle()
    reference_lab.aws("ecs", "update-service", "--cluster", CLUSTER, "--service", BACKEND, "--desired-count", "3")
    wait_until(lambda: len(stack.running_tasks(BACKEND)) == 3, what="three running tasks")
    yield stack
    reference_lab.tsubo("scale", "backend", "1")
    task = stack.settled_task(BACKEND)
    assert list(stack.records().values()) == [stack.address(task)]
    wait_until(lambda: stack.resolve(stack.settled_task(PROXY)) == {stack.address(task)}, what="one answer again")


@pytest.mark.usefixtures("three_backends")
class TestThreeBackends:
    def test_there_are_three_records_in_route_53_and_three_addresses_in_the_answer(
        self, three_backends: ReferenceStack
    ) -> None:
        addresses = {three_backends.address(task) for task in three_backends.running_tasks(BACKEND)}
        assert len(addresses) == 3
        assert set(three_backends.records().values()) == addresses
        proxy = three_backends.settled_task(PROXY)
        wait_until(lambda: three_backends.resolve(proxy) == addresses, what="three addresses in the answer")
        answer = three_backends.lab.tsubo("exec", "proxy-nginx", "--", "nslookup", BACKEND_NAME)
        assert set(re.findall(r"10\.0\.1[01]\.\d+", answer)) == addresses

    def test_they_are_on_both_subnets(self, three_backends: ReferenceStack) -> None:
        tasks = three_backends.running_tasks(BACKEND)
        assert {three_backends.address(task).rsplit(".", 1)[0] for task in tasks} == {"10.0.10", "10.0.11"}

    def test_a_group_that_does_not_admit_itself_separates_tasks_of_one_subnet(
        self, three_backends: ReferenceStack
    ) -> None:
        addresses = [(three_backends.address(t), t) for t in three_backends.running_tasks(BACKEND)]
        first, second = next(
            (one, other)
            for one in addresses
            for other in addresses
            if one[0] != other[0] and in_subnet(one[0]) == in_subnet(other[0])
        )
        assert attempt(three_backends.namespace(first[1]), second[0], 80) == "timeout"

    def test_all_three_get_requests_and_are_healthy_in_describe_target_health(
        self, three_backends: ReferenceStack
    ) -> None:
        addresses = {three_backends.address(task) for task in three_backends.running_tasks(BACKEND)}
        healthy = dict.fromkeys(addresses, "healthy")
        wait_until(lambda: three_backends.target_states("ecs-navi-backend-tg") == healthy)
        served: set[str | None] = set()

        def all_served() -> bool:
            served.add(php_variable(three_backends.lab.curl(API).body, "SERVER_ADDR"))
            return served == addresses

        wait_until(all_served, what="requests on all three")


# The load balancer's own answers


def page(title: str) -> str:
    """Return the body of an ALB's own answer (aws/alb-vpc-terraform.md section 1.10)."""
    lines = ("<html>", f"<head><title>{title}</title></head>", "<body>", f"<center><h1>{title}</h1></center>")
    return "\r\n".join((*lines, "</body>", "</html>", ""))


@pytest.fixture
def broken_target_groups(stack: ReferenceStack) -> Iterator[ReferenceStack]:
    """Behind host names of their own: nobody, a port that refuses, a port that no group admits."""
    elb, ec2 = stack.lab.client("elbv2"), stack.lab.client("ec2")
    backend = stack.address(stack.settled_task(BACKEND))
    admitted = stack.allow(BACKEND_GROUP, 81, BALANCER_GROUP)
    ec2.authorize_security_group_ingress(GroupId=stack.group_id(BACKEND_GROUP), IpPermissions=admitted)
    rules, groups = [], []
    vpc = stack.load_balancer()["VpcId"]
    for priority, (host, port) in enumerate((("nobody", None), ("refused", 81), ("silent", 82)), 300):
        made = elb.create_target_group(
            Name=f"lab-{host}", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip",
            HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, UnhealthyThresholdCount=2,
        )  # fmt: skip
        groups.append(made["TargetGroups"][0]["TargetGroupArn"])
        if port is not None:
            elb.register_targets(TargetGroupArn=groups[-1], Targets=[{"Id": backend, "Port": port}])
        rule = elb.create_rule(
            ListenerArn=stack.listener_arn(),
            Priority=priority,
            Conditions=[{"Field": "host-header", "Values": [f"{host}.ecs-navi.site"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": groups[-1]}],
        )
        rules.append(rule["Rules"][0]["RuleArn"])
    yield stack
    for rule in rules:
        elb.delete_rule(RuleArn=rule)
    for group in groups:
        elb.delete_target_group(TargetGroupArn=group)
    ec2.revoke_security_group_ingress(GroupId=stack.group_id(BACKEND_GROUP), IpPermissions=admitted)


def test_the_load_balancers_own_answers_are_502_refused_503_no_target_504_timeout(
    broken_target_groups: ReferenceStack,
) -> None:
    stack = broken_target_groups
    # A target that waits for its first checks gets nothing; when all are unhealthy, the load balancer fails open.
    for group in ("lab-refused", "lab-silent"):
        wait_until(lambda g=group: set(stack.target_states(g).values()) == {"unhealthy"}, what=f"{group} unhealthy")

    def get(host: str) -> Any:
        return stack.lab.curl(API, "-H", f"Host: {host}.ecs-navi.site")

    with ThreadPoolExecutor() as pool:
        replies = dict(zip(titles := ("nobody", "refused", "silent"), pool.map(get, titles), strict=True))
    assert {host: (reply.status, reply.headers["server"]) for host, reply in replies.items()} == {
        "nobody": (503, "awselb/2.0"),
        "refused": (502, "awselb/2.0"),
        "silent": (504, "awselb/2.0"),
    }
    assert replies["nobody"].body == page("503 Service Temporarily Unavailable")
    assert replies["refused"].body == page("502 Bad Gateway")
    assert replies["silent"].body == page("504 Gateway Time-out")
    assert all(reply.headers["content-type"] == "text/html" for reply in replies.values())
    # Connecting to a target takes ten seconds at most (section 1.9).
    assert 9.5 < replies["silent"].seconds < 12


# The edge


@pytest.fixture
def web_server(stack: ReferenceStack) -> Iterator[ReferenceStack]:
    """A server on the internet that greets its client with the client's address."""
    server = Server(stack.lab.namespace("internet"), WEB_PORT, "web", WEB_HOST)
    yield stack
    server.close()


def test_a_private_task_is_seen_on_the_internet_with_the_nat_gateways_address(web_server: ReferenceStack) -> None:
    stack = web_server
    gateway = stack.lab.client("ec2").describe_nat_gateways()["NatGateways"][0]
    elastic_ip = gateway["NatGatewayAddresses"][0]["PublicIp"]
    for service in (BACKEND, PROXY):
        assert attempt(stack.namespace(stack.settled_task(service)), WEB_HOST, WEB_PORT) == f"web {elastic_ip}"


def test_without_a_route_to_the_nat_gateway_it_reaches_nobody(web_server: ReferenceStack) -> None:
    stack = web_server
    ec2 = stack.lab.client("ec2")
    namespace = stack.namespace(stack.settled_task(BACKEND))
    tables = ec2.describe_route_tables()["RouteTables"]
    ((table, gateway),) = [
        (table["RouteTableId"], route["NatGatewayId"])
        for table in tables
        for route in table["Routes"]
        if "NatGatewayId" in route
    ]
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    try:
        wait_until(lambda: attempt(namespace, WEB_HOST, WEB_PORT) == "timeout")
    finally:
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
    wait_until(lambda: attempt(namespace, WEB_HOST, WEB_PORT).startswith("web "))


def test_nothing_from_outside_reaches_the_tasks(stack: ReferenceStack) -> None:
    internet = stack.lab.namespace("internet")
    gateway = stack.lab.client("ec2").describe_nat_gateways()["NatGateways"][0]
    backend = stack.settled_task(BACKEND)
    for address in (stack.address(backend), gateway["NatGatewayAddresses"][0]["PublicIp"]):
        assert attempt(internet, address, 80, source="198.18.7.7") in ("timeout", "No route to host")


def test_the_site_asked_from_inside_goes_out_by_the_nat_gateway_and_comes_back(stack: ReferenceStack) -> None:
    reply = stack.lab.curl(API, source="backend")
    assert reply.status == 200
    gateway = stack.lab.client("ec2").describe_nat_gateways()["NatGateways"][0]
    seen = php_variable(reply.body, "HTTP_X_FORWARDED_FOR")
    assert seen == gateway["NatGatewayAddresses"][0]["PublicIp"]


def test_the_host_reaches_the_public_addresses_as_loopback_addresses_and_the_group_still_decides(
    stack: ReferenceStack,
) -> None:
    public = stack.lab.tsubo("dig", "api.ecs-navi.site", "--short").split()
    assert len(public) == 2
    places = stack.published()
    assert set(places) == set(public)
    authority = stack.lab.tsubo("ca").strip()
    for address, port in places.values():
        assert address.startswith("127.")
        assert address != "127.0.0.1"
        command = ["curl", "-sS", "--max-time", "10", "--cacert", authority, "-o", "/dev/null", "-w", "%{http_code}"]
        resolved = ["--connect-to", f"api.ecs-navi.site:443:{address}:{port}", API]
        done = subprocess.run([*command, *resolved], capture_output=True, text=True, check=False)
        assert done.stdout == "200", done.stderr
    ec2, group = stack.lab.client("ec2"), stack.group_id(BALANCER_GROUP)
    rule = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": INGRESS_ALL}]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule)
    try:
        reply = wait_until(lambda: (r := stack.lab.curl(API, seconds=2)).status != 200 and r)
        assert reply.exit_code == 28
    finally:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
    wait_until(lambda: stack.lab.curl(API, seconds=2).status == 200)
