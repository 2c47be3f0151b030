"""A load balancer on the wire: the compiled proxy, the health checker and the relay, with real packets.

Sources of the expected behaviour: aws/alb-vpc-terraform.md sections 1.4 to 1.10.
"""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec
import pytest

from tests.core import alb_world as sample
from tests.lab.alb_lab import CLIENT, HERE, Lab, until
from tests.lab.authority import issue
from tsubo.core import alb, relay
from tsubo.drivers.envoy import EnvoyDriver
from tsubo.drivers.envoy_admin import get_json
from tsubo.drivers.reload import request_reload
from tsubo.engine.health_state import read_state
from tsubo.engine.published import published_ports
from tsubo.model.elbv2 import Action, Condition, FixedResponse, HealthCheck, Redirect
from tsubo.model.observed import TargetReport
from tsubo.model.proxy import PublishedPort, RelayEntry
from tsubo.model.world import World

pytestmark = pytest.mark.lab

ONE, TWO, LATE, DROPPED = "10.0.10.11", "10.0.10.12", "10.0.11.13", "10.0.11.14"
HTTP = sample.listener(80, "HTTP")
HTTPS = sample.listener(443, "HTTPS", certificates=(sample.CERTIFICATE_ARN,))
RULES = sample.listener(8081, "HTTP")
"""A listener whose rules answer with their own names."""
CONDITIONS = {
    "path": Condition("path-pattern", ("/img/*", "/?.css")),
    "header": Condition("http-header", ("*Special*",), header_name="X-Kind"),
    "method": Condition("http-request-method", ("DELETE", "PUT")),
    "query": Condition("query-string", query=(("version", "v?"), (None, "any"))),
    "source": Condition("source-ip", ("198.18.9.0/24",)),
}
QUICK = HealthCheck(interval_seconds=1, timeout_seconds=1, unhealthy_threshold=2, healthy_threshold=2)


class Site:
    """A lab with a proxy and a health checker in front of targets; `apply` is what a controller would do."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.home = lab.directory
        self.taken_port = 0
        self.envoy = EnvoyDriver(self.home)
        (self.home / "health").mkdir()
        (self.home / "relay").mkdir()
        self.namespaces = {
            name: lab.plug(name, f"{address}/24")
            for name, address in (("one", ONE), ("two", TWO), ("late", LATE), ("dropped", DROPPED))
        }
        lab.serve("one", self.namespaces["one"], ONE)
        lab.serve("two", self.namespaces["two"], TWO)
        pem, key, self.authority = issue(["ecs-navi.site", "api.ecs-navi.site"], self.home)
        self.world = replace(sample.empty_world(), engine=lab.engine).with_records(
            sample.node(1, "10.0.1.20", "203.0.113.7"),
            sample.node(2, "10.0.2.20", "203.0.113.8"),
            sample.certificate(pem, key),
            HTTP,
            HTTPS,
            RULES,
        )
        for priority, (name, condition) in enumerate(CONDITIONS.items(), 1):
            fixed = Action("fixed-response", fixed_response=FixedResponse("503", "application/json", name))
            self.put(sample.rule(RULES, priority, fixed, condition))
        for port in (HTTP, HTTPS):
            self.put(
                sample.rule(port, 1, sample.forward("one"), sample.host("ecs-navi.site", "*.one.example")),
                sample.rule(port, 2, sample.forward("two"), sample.host("api.ecs-navi.site")),
                sample.rule(port, 3, sample.forward("changing"), sample.host("changing.example")),
                sample.rule(port, 4, sample.forward("empty"), sample.host("empty.example")),
                sample.rule(port, 5, sample.forward("draining"), sample.host("draining.example")),
                sample.rule(
                    port,
                    6,
                    Action("redirect", redirect=Redirect("HTTP_301", protocol="HTTPS", port="443", path="/to/#{path}")),
                    sample.host("old.example"),
                ),
            )
        self.put(
            sample.target_group("one"),
            sample.target_group("two"),
            sample.target_group("changing", QUICK),
            sample.target_group("empty"),
            sample.target_group("draining"),
            sample.target("one", ONE),
            sample.target("two", TWO),
        )
        self.apply()
        self.lab.start("envoy", self.envoy.argv(sample.ARN))
        self.start_health_checker()
        until(lambda: self.envoy.ready(sample.ARN))
        until(lambda: self.states() == {f"{ONE}:80": "healthy", f"{TWO}:80": "healthy"})

    def put(self, *records: object) -> None:
        """Write records."""
        self.world = self.world.with_records(*records)  # type: ignore[arg-type]

    def apply(self, world: World | None = None) -> None:
        """Make the data plane what the world says."""
        self.world = world or self.world
        plans = alb.load_balancers(self.world, str(self.home))
        self.envoy.apply(plans[sample.ARN])
        (self.home / "health" / "table.json").write_bytes(msgspec.json.encode(alb.health_table(plans)))
        request_reload(self.home / "run" / "health.sock")

    def start_health_checker(self) -> None:
        """Start the health checker's process."""
        self.lab.start("health", [sys.executable, "-m", "tsubo.engine.health_process", "--home", str(self.home)])

    def reports(self) -> Mapping[str, TargetReport]:
        """Return what the API would say of each target, by address and port."""
        return {key.rpartition("/")[2]: report for key, report in read_state(self.home).items()}

    def states(self) -> Mapping[str, str]:
        """Return the state of each target."""
        return {key: report.state for key, report in self.reports().items()}

    def get(self, host: str, path: str = "/", *options: str) -> tuple[int, dict[str, str], str]:
        """Return status, headers (names as sent) and body of GET http://host/path."""
        done = self.lab.curl("-i", "-H", f"Host: {host}", *options, f"http://203.0.113.7{path}")
        assert done.returncode == 0, done.stderr
        head, _, body = done.stdout.partition("\n\n")
        lines = head.splitlines()
        return int(lines[0].split()[1]), dict(line.split(": ", 1) for line in lines[1:]), body

    def status(self, host: str, path: str = "/") -> int:
        """Return the status of GET http://host/path."""
        return self.get(host, path)[0]

    def answering(self, host: str, requests: int = 6) -> set[str]:
        """Return the names of the targets that answer some requests."""
        return {json.loads(self.get(host)[2])["name"] for _ in range(requests)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    lab = Lab(tmp_path_factory.mktemp("alb"))
    try:
        yield Site(lab)
    finally:
        lab.close()


@pytest.fixture
def changing(site: Site) -> Iterator[Site]:
    """The site, with the target group `changing` at the test's disposal; afterwards it is empty again."""
    before = site.world
    try:
        yield site
    finally:
        site.lab.pass_all()
        for name in site.lab.processes.keys() & {"late", "dropped"}:
            site.lab.end(name)
        site.apply(before)
        until(lambda: len(site.states()) == 2)


def html(title: str) -> str:
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "</body>\r\n</html>\r\n"
    ).replace("\r\n", "\n")


def test_envoy_accepts_every_resource(site: Site) -> None:
    assert site.envoy.read_rejections(sample.ARN) == ()


def test_a_rule_forwards_by_host_and_the_default_is_the_fixed_response(site: Site) -> None:
    assert json.loads(site.get("ECS-navi.site:80")[2])["name"] == "one"
    assert json.loads(site.get("api.ecs-navi.site")[2])["name"] == "two"
    assert site.status("x.one.example") == 200
    assert site.status("one.example") == 404
    status, headers, body = site.get("unknown.example")
    assert (status, body) == (404, "404 Not Found")
    assert headers["server"] == "awselb/2.0"
    assert headers["content-type"] == "text/plain"
    assert headers["content-length"] == "13"


@pytest.mark.parametrize(
    ("path", "options", "rule"),
    [
        ("/img/a?b", (), "path"),
        ("/x.css", (), "path"),
        ("/IMG/a", (), None),
        ("/", ("-H", "X-Kind: a SPECIAL one"), "header"),
        ("/", ("-X", "DELETE"), "method"),
        ("/", ("-X", "POST"), None),
        ("/?a=b&VERSION=v1", (), "query"),
        ("/?x=any", (), "query"),
        ("/?version=v12", (), None),
        ("/", ("--interface", "198.18.9.9"), "source"),
        ("/", ("--interface", "198.18.8.9"), None),
        ("/", ("-H", "X-Tsubo-Source-Address: 198.18.9.9"), None),
    ],
)
def test_each_kind_of_condition_decides(site: Site, path: str, options: tuple[str, ...], rule: str | None) -> None:
    """Section 1.4. A fixed response of 503 keeps its own content, which is not that of a load balancer in trouble."""
    done = site.lab.curl("-w", " %{http_code} %{content_type}", *options, f"http://203.0.113.7:8081{path}")
    assert done.stdout == (f"{rule} 503 application/json" if rule else "404 Not Found 404 text/plain")


def test_trace_is_405(site: Site) -> None:
    assert site.get("ecs-navi.site", "/", "-X", "TRACE")[0] == 405


def test_the_host_of_another_port_names_it(site: Site) -> None:
    """Section 1.8: on ports other than 80 and 443 the listener's port is appended if it is missing."""
    site.apply(site.world.with_records(sample.listener(8082, "HTTP", sample.forward("one"))))
    try:
        until(lambda: site.lab.curl("http://203.0.113.7:8082/").returncode == 0)
        done = site.lab.curl("-H", "Host: ecs-navi.site", "http://203.0.113.7:8082/")
        assert "Host: ecs-navi.site:8082" in json.loads(done.stdout)["headers"]
    finally:
        site.apply(site.world.without(sample.listener(8082, "HTTP")))


def test_a_target_sees_the_headers_of_a_load_balancer_and_no_others(site: Site) -> None:
    """Section 1.8."""
    sent = ("-H", "X-Forwarded-For: 1.2.3.4", "-H", "X-Request-Id: mine", "-H", "X-MiXed: in")
    answer = json.loads(site.get("ecs-navi.site:80", "/a?b=c", *sent)[2])
    assert answer["line"] == "GET /a?b=c HTTP/1.1"
    seen = dict(line.split(": ", 1) for line in answer["headers"])
    trace_id = seen.pop("X-Amzn-Trace-Id")
    assert re.fullmatch("Root=1-[0-9a-f]{8}-[0-9a-f]{24}", trace_id)
    assert seen.pop("User-Agent").startswith("curl/")
    assert seen == {
        "Host": "ecs-navi.site",
        "Accept": "*/*",
        "X-Forwarded-For": f"1.2.3.4, {CLIENT}",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Port": "80",
        "X-Request-Id": "mine",
        "X-MiXed": "in",
    }


def test_a_trace_id_that_comes_in_is_kept_behind_an_own_one(site: Site) -> None:
    sent = ("-H", "X-Amzn-Trace-Id: Self=1-a-b;Root=1-2-3;App=x")
    answer = json.loads(site.get("ecs-navi.site", "/", *sent)[2])
    header = next(line for line in answer["headers"] if line.startswith("X-Amzn-Trace-Id"))
    assert re.fullmatch("X-Amzn-Trace-Id: Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-2-3;App=x", header)


def test_an_answer_of_the_target_passes_as_it_is(site: Site) -> None:
    status, headers, _ = site.get("ecs-navi.site", "/status/418")
    assert status == 418
    assert headers.pop("Content-Length")
    assert headers.pop("Date")
    assert headers == {"Server": "target/1", "X-MiXed": "yes"}


def test_redirect_fills_the_placeholders(site: Site) -> None:
    """Section 1.5; the length is that of captured replies."""
    status, headers, body = site.get("old.example", "/a/b?c=d")
    assert status == 301
    assert headers["location"] == "https://old.example:443/to/a/b?c=d"
    assert headers["content-length"] == "134"
    assert body == html("301 Moved Permanently")


def test_tls_serves_the_issued_certificate_with_http_2(site: Site) -> None:
    options = ("--cacert", str(site.authority), "--resolve", "api.ecs-navi.site:443:203.0.113.8")
    done = site.lab.curl(*options, "-w", " %{http_version}", "https://api.ecs-navi.site/")
    assert done.returncode == 0, done.stderr
    body, version = done.stdout.rsplit(" ", 1)
    assert json.loads(body)["name"] == "two"
    assert "x-forwarded-proto: https" in json.loads(body)["headers"]
    assert version == "2"


def test_a_connection_that_the_target_breaks_is_502(site: Site) -> None:
    for path in ("/close", "/garbage"):
        status, headers, body = site.get("ecs-navi.site", path)
        assert (status, body) == (502, html("502 Bad Gateway"))
        assert headers["content-length"] == "122"
        assert headers["content-type"] == "text/html"
        assert headers["server"] == "awselb/2.0"


def test_a_target_group_without_targets_is_503(site: Site) -> None:
    status, headers, body = site.get("empty.example")
    assert (status, body) == (503, html("503 Service Temporarily Unavailable"))
    assert headers["content-length"] == "162"


def test_a_malformed_request_is_400(site: Site) -> None:
    status, _, body = site.get("ecs-navi.site", "/", "-H", "Content-Length: x")
    assert (status, body) == (400, html("400 Bad Request"))


def test_a_target_that_listens_late_is_healthy_soon_and_gets_nothing_before(changing: Site) -> None:
    """The trap of dataplane.md section 4: with an interval of 30 s the second check must not wait for it."""
    changing.put(sample.target_group("changing", HealthCheck()), sample.target("changing", LATE))
    changing.apply()
    until(lambda: changing.reports()[f"{LATE}:80"].reason == "Elb.InitialHealthChecking")
    assert changing.status("changing.example") == 503
    changing.lab.serve("late", changing.namespaces["late"], LATE)
    until(lambda: changing.states()[f"{LATE}:80"] == "healthy", patience_seconds=3.0)
    assert changing.status("changing.example") == 200


def test_a_refused_target_is_502_once_every_target_is_unhealthy(changing: Site) -> None:
    """Section 1.7: a load balancer fails open to its unhealthy targets."""
    changing.put(sample.target("changing", LATE))
    changing.apply()
    until(lambda: changing.states()[f"{LATE}:80"] == "unhealthy")
    report = changing.reports()[f"{LATE}:80"]
    assert (report.reason, report.description) == ("Target.FailedHealthChecks", "Health checks failed")
    assert changing.status("changing.example") == 502


def test_an_unhealthy_target_gets_nothing_while_another_is_healthy_and_comes_back(changing: Site) -> None:
    changing.lab.serve("late", changing.namespaces["late"], LATE)
    changing.put(sample.target("changing", LATE), sample.target("changing", TWO))
    changing.apply()
    until(lambda: changing.states()[f"{LATE}:80"] == "healthy")
    changing.lab.end("late")
    until(lambda: changing.states()[f"{LATE}:80"] == "unhealthy")
    # The proxy takes its new endpoints a moment after they are written.
    until(lambda: changing.answering("changing.example") == {"two"})
    changing.lab.serve("late", changing.namespaces["late"], LATE)
    until(lambda: changing.states()[f"{LATE}:80"] == "healthy")
    until(lambda: changing.answering("changing.example") == {"late", "two"})


def test_a_wrong_status_is_named(changing: Site) -> None:
    check = replace(QUICK, path="/status/404", matcher="200-299")
    changing.put(sample.target_group("changing", check), sample.target("changing", ONE, 80))
    changing.apply()
    key = f"{sample.group_arn('changing')}/{ONE}:80"
    until(lambda: read_state(changing.home)[key].state == "unhealthy")
    report = read_state(changing.home)[key]
    assert report.reason == "Target.ResponseCodeMismatch"
    assert report.description == "Health checks failed with these codes: [404]"


def test_dropped_packets_are_504_after_ten_seconds(changing: Site) -> None:
    """Section 1.9: the time to connect is 10 s and fixed. With packets dropped a target is Target.Timeout."""
    changing.lab.serve("dropped", changing.namespaces["dropped"], DROPPED)
    changing.put(sample.target("changing", DROPPED))
    changing.apply()
    until(lambda: changing.states()[f"{DROPPED}:80"] == "healthy")
    changing.lab.drop(DROPPED)
    until(lambda: changing.states()[f"{DROPPED}:80"] == "unhealthy")
    assert changing.reports()[f"{DROPPED}:80"].reason == "Target.Timeout"
    began = time.monotonic()
    status, headers, body = changing.get("changing.example")
    assert (status, body) == (504, html("504 Gateway Time-out"))
    assert headers["content-length"] == "132"
    assert 9.5 < time.monotonic() - began < 12


def test_a_target_that_is_silent_for_the_idle_timeout_is_504(changing: Site) -> None:
    balancer = replace(sample.load_balancer(), attributes={"idle_timeout.timeout_seconds": "1"})
    changing.put(balancer)
    changing.apply()
    assert changing.status("ecs-navi.site", "/slow/0.2") == 200
    assert changing.status("ecs-navi.site", "/slow/5") == 504


def test_a_drain_under_load_loses_no_request_and_reports_when_it_is_idle(changing: Site) -> None:
    changing.lab.serve("late", changing.namespaces["late"], LATE)
    changing.put(sample.target("changing", LATE), sample.target("changing", TWO))
    changing.apply()
    until(lambda: changing.states()[f"{LATE}:80"] == "healthy" and _healthy_everywhere(changing, LATE))
    statuses: list[int] = []
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            statuses.append(changing.status("changing.example", "/slow/0.05"))

    slow: list[int] = []
    waiting = [threading.Thread(target=lambda: slow.append(changing.status("changing.example", "/slow/2")))
               for _ in range(2)]  # fmt: skip
    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in (*waiting, *threads):
        thread.start()
    until(lambda: len(statuses) > 10)
    changing.put(sample.target("changing", LATE, draining_since=1.0))
    changing.apply()
    until(lambda: (changing.reports()[f"{LATE}:80"].active_requests or 0) > 0)
    assert changing.reports()[f"{LATE}:80"].state == "draining"
    until(lambda: changing.reports()[f"{LATE}:80"].active_requests == 0)
    changing.apply(changing.world.without(changing.world.targets[f"{sample.group_arn('changing')}/{LATE}:80"]))
    changing.lab.end("late")
    seen = len(statuses)
    until(lambda: len(statuses) > seen + 10)
    stop.set()
    for thread in (*waiting, *threads):
        thread.join()
    assert set(statuses) == {200}
    assert slow == [200, 200]


def _healthy_everywhere(site: Site, address: str) -> bool:
    clusters = get_json(site.home / "run" / "envoy-50dc6c495c0c9188.sock", "/clusters?format=json")["cluster_statuses"]
    hosts = [host for cluster in clusters for host in cluster.get("host_statuses", ())]
    found = [h for h in hosts if h["address"]["socket_address"]["address"] == address]
    return bool(found) and all(host["health_status"].get("eds_health_status") == "HEALTHY" for host in found)


def test_checks_and_requests_go_on_without_a_health_checker_and_a_new_one_goes_on_from_there(changing: Site) -> None:
    changing.lab.end("health")
    assert changing.status("ecs-navi.site") == 200
    before = changing.states()
    assert before[f"{ONE}:80"] == "healthy"
    changing.start_health_checker()
    until(lambda: request_reload(changing.home / "run" / "health.sock"))
    assert changing.states() == before
    assert changing.status("ecs-navi.site") == 200


def test_a_listener_whose_namespace_is_not_there_is_named_and_disturbs_no_other(changing: Site) -> None:
    changing.put(sample.node(3, "10.0.3.20"))
    changing.apply()
    rejections = changing.envoy.read_rejections(sample.ARN)
    listeners = {f"{name}@10.0.3.20" for name in ("http-80", "http-8081", "https-443")}
    assert {rejection.resource for rejection in rejections} == listeners
    assert all("netns" in rejection.reason for rejection in rejections)
    assert changing.status("ecs-navi.site") == 200


@pytest.fixture(scope="module")
def relayed(site: Site) -> Iterator[Site]:
    """The site with a relay that publishes it, and ports of its first node that only the relay's tests use."""
    with socket.create_server(("0.0.0.0", 0)) as taken:
        site.taken_port = taken.getsockname()[1]
        table = relay.relay_table(site.world)
        loopback = site.lab.engine.loopback(7)
        extra = [RelayEntry(sample.ARN, "203.0.113.7", port, loopback) for port in (9000, 9001, site.taken_port)]
        table = replace(table, entries=(*table.entries, *extra))
        (site.home / "relay" / "table.json").write_bytes(msgspec.json.encode(table))
        node = site.lab.engine.namespace(site.lab.node_names["10.0.1.20"])
        site.lab.start("count", [sys.executable, str(HERE / "count_server.py"), "10.0.1.20", "9000"], node)
        site.lab.start("relay", [sys.executable, "-m", "tsubo.engine.relay_process", "--home", str(site.home)])
        until(lambda: published_ports(site.home))
        yield site
        site.lab.end("relay")


def _published(site: Site, port: int) -> PublishedPort:
    return next(
        found for found in published_ports(site.home)
        if (found.entry.public_address, found.entry.port) == ("203.0.113.7", port)
    )  # fmt: skip


def test_the_relay_publishes_the_load_balancer_on_loopback(relayed: Site) -> None:
    port = _published(relayed, 80)
    assert port.entry.listen_address == relayed.lab.engine.loopback(7)
    assert port.reason is None or "taken by" in port.reason
    done = _host_curl("-H", "Host: ecs-navi.site", f"http://{port.entry.listen_address}:{port.port}/")
    assert "X-Forwarded-For: 198.18.0.1" in json.loads(done.stdout)["headers"]


def test_a_port_that_is_taken_is_published_on_another_and_the_holder_is_named(relayed: Site) -> None:
    port = _published(relayed, relayed.taken_port)
    assert port.port not in (None, relayed.taken_port)
    assert port.reason is not None
    assert f"(process {os.getpid()})" in port.reason


def test_a_refused_connection_is_reset(relayed: Site) -> None:
    port = _published(relayed, 9001)
    done = _host_curl(f"http://{port.entry.listen_address}:{port.port}/")
    assert done.returncode == 56
    assert "reset" in done.stderr


def test_a_half_closed_connection_still_answers(relayed: Site) -> None:
    port = _published(relayed, 9000)
    assert port.port is not None
    sent = b"x" * 3_000_000
    with socket.create_connection((port.entry.listen_address, port.port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            assert answer.read() == b"3000000"


def test_what_the_network_denies_the_relay_does_not_open(relayed: Site) -> None:
    port = _published(relayed, 80)
    relayed.lab.drop("10.0.1.20")
    try:
        done = _host_curl("--max-time", "1", f"http://{port.entry.listen_address}:{port.port}/")
    finally:
        relayed.lab.pass_all()
    assert done.returncode == 28


def _host_curl(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = ["curl", "-sS", "--max-time", "10", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)
