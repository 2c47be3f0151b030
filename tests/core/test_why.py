"""`why`: what it says, as golden text, and whom it names. Sources: aws/alb-vpc-terraform.md sections 1 and 2.

Golden files are written anew where TSUBO_WRITE_GOLDEN is set; a diff of them is then to be read.
"""

import ast
import dataclasses
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core import why_world
from tests.core.random_vpc import RandomVpc
from tests.core.ruleset_simulator import Packet, Simulator
from tests.core.vpc_world import associated, egress, group, ingress, table
from tests.core.why_world import (
    BACKEND_NAME,
    INTERNET,
    OBSERVATIONS,
    PROXY,
    SITE,
    STRANGER,
    TO_BACKEND,
    TO_SITE,
    WORLD,
    acl,
    without_rule,
)
from tsubo.core import alb_patterns, why_acls, why_groups
from tsubo.core.router import network
from tsubo.core.why import explain
from tsubo.core.why_requests import first_failing
from tsubo.core.why_text import render
from tsubo.model.cloudmap import Namespace
from tsubo.model.elbv2 import Condition, Rule
from tsubo.model.explanation import (
    Destination,
    Endpoint,
    Explanation,
    ListeningSocket,
    Observations,
    Request,
    Source,
)
from tsubo.model.linux import Network
from tsubo.model.vpc import NetworkAclEntry, Route
from tsubo.model.world import World

GOLDEN = Path(__file__).parent / "golden" / "why"


def ask(
    world: World = WORLD,
    start: Endpoint = PROXY,
    destination: Destination = TO_BACKEND,
    observations: Observations = OBSERVATIONS,
) -> Explanation:
    return explain(world, start, destination, observations)


def to_address(address: str, port: int = 80) -> Destination:
    return Destination(address, port, address=address)


def target_state(state: str, reason: str | None = None, description: str | None = None) -> World:
    return WORLD.with_records(why_world.target(state, reason, description))


def listening(*sockets: ListeningSocket) -> Observations:
    return dataclasses.replace(OBSERVATIONS, listening={"eni-backend1": sockets})


ALLOW_ALL_IN = NetworkAclEntry(100, False, "-1", True, "0.0.0.0/0")
ALLOW_ALL_OUT = NetworkAclEntry(100, True, "-1", True, "0.0.0.0/0")
NO_ROUTE = table("a", "private", (), associated("a", "private"))
TO_WEB = to_address("198.51.100.10", 443)
TIMED_OUT = target_state("unhealthy", "Target.Timeout", "Request timed out")
STOPPED = WORLD.without(WORLD.network_interfaces["eni-backend1"]).with_records(
    dataclasses.replace(WORLD.tasks[why_world.task_arn("backend1")], last_status="STOPPED")
)

EXPLANATIONS = {
    "proxy-backend": ask(),
    "group-revoked": ask(without_rule(WORLD, "sg-backend", "sg-proxy")),
    "group-revoked-separate-rules": ask(
        without_rule(WORLD, "sg-backend", "sg-proxy"),
        observations=dataclasses.replace(
            OBSERVATIONS,
            sources={
                **OBSERVATIONS.sources,
                "sgr-in-sg-backend-tcp-80-sg-web": Source("aws_vpc_security_group_ingress_rule.web"),
            },
        ),
    ),
    "egress-left-out": ask(WORLD.without(egress("sg-proxy"))),
    "site-from-internet": ask(start=INTERNET, destination=TO_SITE),
    "site-from-proxy-by-nat": ask(destination=TO_SITE),
    "site-group-revoked": ask(without_rule(TIMED_OUT, "sg-backend", "sg-web"), INTERNET, TO_SITE),
    "site-wrong-health-path": ask(
        target_state("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]"),
        INTERNET,
        TO_SITE,
    ),
    "site-without-targets": ask(WORLD.without(why_world.target("healthy")), INTERNET, TO_SITE),
    "no-listener": ask(
        WORLD.with_records(ingress("sg-web", ports=(80, 80), cidr="0.0.0.0/0")),
        INTERNET,
        Destination(f"http://{SITE}/", 80, name=SITE, request=Request(SITE)),
    ),
    "listener-port-closed": ask(start=INTERNET, destination=Destination(f"http://{SITE}/", 80, name=SITE)),
    "no-nat": ask(WORLD.with_records(NO_ROUTE), destination=TO_WEB),
    "nat-gateway-gone": ask(WORLD.without(WORLD.nat_gateways["nat-a"]), destination=TO_WEB),
    "public-subnet-without-public-address": ask(
        WORLD.with_records(
            table("a", "private", (Route("0.0.0.0/0", gateway_id="igw-a"),), associated("a", "private"))
        ),
        destination=TO_WEB,
    ),
    "namespace-of-another-vpc": ask(start=STRANGER),
    "no-such-name": ask(destination=Destination("x", 80, name=f"x.{BACKEND_NAME.partition('.')[2]}")),
    "no-task-registered": ask(WORLD.without(WORLD.instances["srv-backend/backend1"])),
    "stale-dns": ask(STOPPED),
    "address-of-a-stopped-task": ask(
        STOPPED.without(WORLD.instances["srv-backend/backend1"]), destination=to_address("10.0.11.10")
    ),
    "acl-denies": ask(WORLD.with_records(acl("other", ALLOW_ALL_OUT))),
    "acl-denies-replies": ask(
        WORLD.with_records(
            acl("other", ALLOW_ALL_IN, NetworkAclEntry(100, True, "tcp", True, "0.0.0.0/0", 1024, 40000))
        )
    ),
    "acl-narrower-than-aws": ask(
        WORLD.with_records(
            acl("public", ALLOW_ALL_IN, NetworkAclEntry(100, True, "tcp", True, "0.0.0.0/0", 32768, 61000))
        ),
        INTERNET,
        Destination("node", 443, address="203.0.113.20", request=Request("none.example.com")),
    ),
    "port-not-listening": ask(observations=listening(ListeningSocket("tcp", "0.0.0.0", 8080))),
    "port-on-loopback": ask(observations=listening(ListeningSocket("tcp", "127.0.0.1", 80))),
    "reference-by-public-address": ask(
        WORLD.with_records(*group("sg-web", "a"), ingress("sg-web", ports=(443, 443), source="sg-proxy")).without(
            ingress("sg-web", ports=(443, 443), cidr="0.0.0.0/0")
        ),
        destination=TO_SITE,
    ),
}


@pytest.mark.parametrize("name", EXPLANATIONS)
def test_the_text_is_the_golden_one(name: str) -> None:
    text = render(EXPLANATIONS[name]) + "\n"
    if os.environ.get("TSUBO_WRITE_GOLDEN"):
        (GOLDEN / f"{name}.txt").write_text(text)
    assert text == (GOLDEN / f"{name}.txt").read_text()


def test_every_golden_file_has_its_question() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(EXPLANATIONS)


def test_hops_name_what_decides_and_where_it_is_written() -> None:
    denied = EXPLANATIONS["group-revoked"].hops[-1]
    assert (denied.step, denied.verdict, denied.ids) == ("security group ingress", "denied", ("sg-backend",))
    assert denied.source == Source("aws_security_group.backend", "groups.tf", 40)


@pytest.mark.parametrize(
    ("name", "symptom", "status"),
    [
        ("proxy-backend", "connected", None),
        ("group-revoked", "timeout", None),
        ("port-not-listening", "refused", None),
        ("no-listener", "refused", None),
        ("namespace-of-another-vpc", "unresolved", None),
        ("site-group-revoked", "connected", 504),
        ("site-without-targets", "connected", 503),
    ],
)
def test_the_ending_is_what_the_client_sees(name: str, symptom: str, status: int | None) -> None:
    """Source: aws/alb-vpc-terraform.md section 2.10."""
    ending = EXPLANATIONS[name].ending
    assert (ending.symptom, ending.status) == (symptom, status)


def test_a_target_that_refuses_is_502() -> None:
    """Source: aws/alb-vpc-terraform.md section 1.10."""
    ending = ask(start=INTERNET, destination=TO_SITE, observations=listening()).ending
    assert (ending.symptom, ending.status) == ("connected", 502)


def test_a_healthy_target_is_asked_and_an_unhealthy_one_beside_it_is_not() -> None:
    other = dataclasses.replace(why_world.target("unhealthy", "Target.Timeout", "Request timed out"), port=8080)
    explanation = ask(WORLD.with_records(other), INTERNET, TO_SITE)
    assert explanation.allowed
    assert any("10.0.11.10:8080 is unhealthy" in hop.text for hop in explanation.hops)


def test_new_targets_alone_are_503() -> None:
    explanation = ask(target_state("initial"), INTERNET, TO_SITE)
    assert explanation.ending.status == 503


def test_of_several_addresses_the_denied_one_is_explained() -> None:
    world = WORLD.with_records(
        *why_world.discovery("backend", ("backend0", "10.0.10.20")),
        *why_world.running_task("backend0", "backend", "10.0.10.20"),
        dataclasses.replace(WORLD.network_interfaces["eni-backend1"], security_group_ids=("sg-none",)),
    )
    explanation = ask(world)
    assert (explanation.address, explanation.allowed) == ("10.0.11.10", False)
    assert any("10.0.10.20 can be reached" in hop.text for hop in explanation.hops)


def test_a_vpc_without_dns_resolves_nothing() -> None:
    vpc = dataclasses.replace(WORLD.vpcs["vpc-a"], enable_dns_support=False)
    explanation = ask(WORLD.with_records(vpc))
    assert explanation.hops[-1].text == "vpc-a resolves no names: its DNS support is off."
    assert explanation.remedy is not None
    assert explanation.remedy.terraform == "enable_dns_support = true"


def test_private_zones_need_dns_host_names() -> None:
    vpc = dataclasses.replace(WORLD.vpcs["vpc-a"], enable_dns_hostnames=False)
    explanation = ask(WORLD.with_records(vpc))
    assert "private zones need DNS host names, which vpc-a has off" in explanation.hops[-1].text


def test_a_namespace_for_api_calls_has_no_dns() -> None:
    namespace = Namespace("ns-2", "arn:ns-2", "calls.local", "HTTP", "ap-northeast-1", 0.0, "calls.local")
    explanation = ask(WORLD.with_records(namespace), destination=Destination("x", 80, name="x.calls.local"))
    assert "ns-2" in explanation.hops[-1].ids
    assert explanation.ending.symptom == "unresolved"


def test_a_start_that_is_nowhere_is_an_error() -> None:
    with pytest.raises(ValueError, match="eni-gone"):
        ask(start=Endpoint("gone", "10.0.10.99", "eni-gone"))


# Conditions of rules


@given(
    pattern=st.text("aB.*?/", min_size=1, max_size=6),
    text=st.text("abB./x", max_size=8),
)
def test_patterns_mean_what_the_proxy_makes_of_them(pattern: str, text: str) -> None:
    for field, expression, request, asked in (
        ("host-header", alb_patterns.host(pattern), Request(text), text),
        ("path-pattern", alb_patterns.path(pattern), Request("", f"/{text}"), f"/{text}"),
    ):
        rule = Rule("rule", "listener", "r", 1, (Condition(field, (pattern,)),), ())
        holds = first_failing(rule, request, "198.18.0.1") is None
        assert holds == (re.fullmatch(expression, asked) is not None)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Condition("http-request-method", ("GET",)), True),
        (Condition("http-request-method", ("POST",)), False),
        (Condition("source-ip", ("198.18.0.0/15",)), True),
        (Condition("source-ip", ("10.0.0.0/8",)), False),
        (Condition("query-string", query=(("a", "1*"),)), True),
        (Condition("query-string", query=((None, "zz"),)), False),
        (Condition("query-string", query=(("b", r"\*"),)), True),
        (Condition("http-header", ("x",), "user-agent"), False),
    ],
)
def test_conditions(condition: Condition, holds: bool) -> None:
    """Source: aws/alb-vpc-terraform.md section 1.4."""
    rule = Rule("rule", "listener", "r", 1, (condition,), ())
    assert (first_failing(rule, Request("h", "/", "a=12&b=*"), "198.18.0.1") is None) == holds


# The second opinion

SOURCE_FILES = sorted((Path(__file__).parents[2] / "src" / "tsubo" / "core").glob("why*.py"))
FIRST_OPINION = {
    "firewall",
    "router",
    "route_tables",
    "packet_match",
    "network_acls",
    "alb",
    "alb_routes",
    "alb_patterns",
}


@pytest.mark.parametrize("path", SOURCE_FILES, ids=lambda path: path.stem)
def test_it_shares_no_code_with_the_first(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            imported |= {*(alias.name for alias in node.names), str(node.module).rpartition(".")[2]}
    assert not imported & FIRST_OPINION


QUESTIONS_PER_WORLD = 30
Verdicts = tuple[bool, bool]


def verdicts(worlds: int, spoil: Callable[[Network], Network] = lambda network: network) -> Iterator[Verdicts]:
    """Yield what `why` says of random questions, and what the simulated rules say."""
    for seed in range(worlds):
        vpc = RandomVpc(seed)
        simulator = Simulator(spoil(network(vpc.world)))
        for question in vpc.questions(QUESTIONS_PER_WORLD):
            start, to = question.start, question.destination
            ports = (0, 0) if to.protocol == "icmp" else (40000, to.port)
            packet = Packet(start.address, to.address or "", to.protocol, *ports)
            said = explain(vpc.world, start, to, Observations()).allowed
            yield said, simulator.arrives(start.network_interface_id, packet)


def differ(both: Verdicts) -> bool:
    return both[0] != both[1]


def test_why_and_the_compiled_rules_agree() -> None:
    found = list(verdicts(40))
    assert not any(map(differ, found))
    assert 200 < sum(said for said, _ in found) < len(found) - 200


def with_rules(network: Network, pattern: str, replacement: str) -> Network:
    """Return a network in whose rulesets a text is replaced."""
    routers = (
        dataclasses.replace(r, ruleset=re.sub(pattern, replacement, r.ruleset, flags=re.MULTILINE))
        for r in network.routers
    )
    return dataclasses.replace(network, routers=tuple(routers))


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"tcp dport 80 accept", "tcp dport 8080 accept"),
        (r"goto e_set\d+", "goto c_to"),
        (r"goto c_acl_deny_(in|out)", "return"),
        (r"ip saddr @s_public accept", "accept"),
        (r"^ +oifname vmap @m_acl_in\n", ""),
        (r"snat ip to ip saddr map @m_public_out", "snat ip to ip saddr map @m_public_in"),
    ],
)
def test_a_fault_planted_in_the_rules_is_found(pattern: str, replacement: str) -> None:
    assert any(map(differ, verdicts(60, lambda network: with_rules(network, pattern, replacement))))


@pytest.mark.parametrize(
    "function",
    ["pass_egress", "pass_ingress"],
)
def test_a_fault_planted_in_the_groups_of_why_is_found(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why_groups, function, lambda *_: None)
    assert any(map(differ, verdicts(60)))


@pytest.mark.parametrize("function", ["pass_out", "pass_in", "pass_replies"])
def test_a_fault_planted_in_the_acls_of_why_is_found(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why_acls, function, lambda *_, **__: None)
    assert any(map(differ, verdicts(60)))
