"""The compiled load balancer. The golden files are what a reviewer reads: one feature each.

`TSUBO_UPDATE_GOLDEN=1 pytest tests/core/test_alb.py` writes them anew; tests/lab/test_alb.py shows that Envoy takes
such resources and that they do what they should.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.core import alb_world as sample
from tsubo.core import alb
from tsubo.model.elbv2 import Action, Condition, FixedResponse, HealthCheck, Redirect, WeightedTargetGroup
from tsubo.model.proxy import LoadBalancerPlan, proxy_id
from tsubo.model.world import World

GOLDEN = Path(__file__).parent / "golden" / "alb"
HOME = "/home"
HTTP = sample.listener(80, "HTTP")
HTTPS = sample.listener(443, "HTTPS", certificates=(sample.CERTIFICATE_ARN,))
TEXT = Action(type="fixed-response", fixed_response=FixedResponse("200", "text/css", "a {}"))
OIDC = Action(type="authenticate-oidc", order=1)


def compile_(*records: Any, world: World | None = None) -> LoadBalancerPlan:
    world = (world or sample.empty_world()).with_records(sample.node(1, "10.0.1.20", "203.0.113.7"), *records)
    return alb.load_balancers(world, HOME)[sample.ARN]


def check_golden(name: str, value: Any) -> None:
    path = GOLDEN / f"{name}.json"
    text = json.dumps(value, indent=1) + "\n"
    if os.environ.get("TSUBO_UPDATE_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text


def routes(plan: LoadBalancerPlan, name: str = "http-80@10.0.1.20") -> list[dict[str, Any]]:
    """Return the routes of a listener after those that refuse."""
    found = plan.route_configurations[name]["virtual_hosts"][0]["routes"]
    return [route for route in found if route["name"].startswith(("rule", "default"))]


RULES = {
    "host-header": [(1, sample.forward("one"), sample.host("ecs-navi.site", "*.ecs-navi.site"))],
    "path-pattern": [(1, sample.forward("one"), Condition("path-pattern", ("/img/*", "/?.css")))],
    "http-header": [(1, TEXT, Condition("http-header", ("*Chrome*", "a.b"), header_name="User-Agent"))],
    "http-request-method": [(1, TEXT, Condition("http-request-method", ("GET", "M-SEARCH")))],
    "query-string": [(1, TEXT, Condition("query-string", query=(("version", "v?"), (None, "a\\*b"))))],
    "source-ip": [(1, TEXT, Condition("source-ip", ("192.0.2.0/24", "198.18.4.0/22", "203.0.113.9/32")))],
    "all-conditions-hold": [(1, TEXT, sample.host("a.example.com"), Condition("path-pattern", ("/a",)))],
    "weighted-forward": [
        (1, Action("forward", target_groups=(WeightedTargetGroup(sample.group_arn("one"), 9),
                                             WeightedTargetGroup(sample.group_arn("two"), 1))),
         sample.host("a.example.com")),
    ],
    "redirect": [(1, Action("redirect", redirect=Redirect("HTTP_301", "HTTPS", port="443")), sample.host("a.example"))],
    "fixed-response": [(1, TEXT, sample.host("a.example.com"))],
}  # fmt: skip


@pytest.mark.parametrize("feature", RULES)
def test_rules_become_routes(feature: str) -> None:
    rules = [sample.rule(HTTP, priority, action, *conditions) for priority, action, *conditions in RULES[feature]]
    plan = compile_(HTTP, *rules, sample.target_group("one"), sample.target_group("two"))
    check_golden(feature, routes(plan))


def test_listeners_and_clusters() -> None:
    plan = compile_(
        HTTP, HTTPS, sample.certificate(), sample.rule(HTTP, 1, sample.forward("one")), sample.target_group("one")
    )
    listeners = {listener["name"]: dict(listener) for listener in plan.listeners}
    check_golden("http-listener", _without_script_and_replies(listeners["http-80@10.0.1.20"]))
    check_golden("https-listener", _without_script_and_replies(listeners["https-443@10.0.1.20"]))
    check_golden("cluster", plan.clusters[0])


def _without_script_and_replies(listener: dict[str, Any]) -> dict[str, Any]:
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"][0]["typed_config"]["default_source_code"] = "(see the script)"
    manager["local_reply_config"] = "(see own-replies.json)"
    return listener


def test_own_replies() -> None:
    manager = compile_(HTTP).listeners[0]["filter_chains"][0]["filters"][0]["typed_config"]
    check_golden("own-replies", manager["local_reply_config"])


def test_rules_stand_in_the_order_of_their_priorities_and_the_default_is_last() -> None:
    rules = [sample.rule(HTTP, priority, TEXT, sample.host("a.example")) for priority in (50000, 2, 10)]
    names = [route["name"] for route in routes(compile_(HTTP, *rules))]
    assert names == ["rule-2", "rule-10", "rule-50000", "default"]


def test_each_node_serves_each_listener_from_its_own_namespace_and_address() -> None:
    plan = compile_(sample.node(2, "10.0.2.20"), HTTP, sample.listener(81, "HTTP", sample.forward("one")),
                    sample.target_group("one"))  # fmt: skip
    assert [listener["name"] for listener in plan.listeners] == [
        "http-80@10.0.1.20",
        "http-81@10.0.1.20",
        "http-80@10.0.2.20",
        "http-81@10.0.2.20",
    ]
    assert {cluster["name"].partition("@")[2] for cluster in plan.clusters} == {"10.0.1.20", "10.0.2.20"}
    address = plan.listeners[2]["address"]["socket_address"]
    assert address["network_namespace_filepath"] == f"/run/netns/tsubo-0badcafe-eni-{2:017x}"
    for node in ("10.0.1.20", "10.0.2.20"):
        default = routes(plan, f"http-81@{node}")[-1]
        assert default["route"]["cluster"].endswith(f"@{node}")


def test_an_https_listener_waits_for_its_certificate_and_its_targets_are_checked_meanwhile() -> None:
    pending = replace(sample.certificate(), status="PENDING_VALIDATION", certificate_pem=None)
    listener = replace(HTTPS, default_actions=(sample.forward("one"),))
    plan = compile_(listener, pending, sample.target_group("one"), sample.target("one", "10.0.10.11"))
    assert plan.listeners == ()
    assert [shortfall.reason for shortfall in plan.shortfalls] == [
        f"Certificate {sample.CERTIFICATE_ARN} is not issued"
    ]
    assert [target.address for pool in plan.pools for target in pool.targets] == ["10.0.10.11"]


def test_another_certificate_is_another_file() -> None:
    first, second = (compile_(HTTPS, sample.certificate(pem)) for pem in ("A\n", "B\n"))
    assert first.certificates[0].path != second.certificates[0].path
    assert first.certificates[0].pem == "KEY\nA\n"
    assert first.certificates[0].path in json.dumps(first.listeners)
    assert "KEY" not in repr(first)


def test_without_nodes_there_is_no_listener_and_the_reason_is_said() -> None:
    plan = alb.load_balancers(sample.empty_world().with_records(HTTP), HOME)[sample.ARN]
    assert plan.listeners == ()
    assert [shortfall.reason for shortfall in plan.shortfalls] == ["The load balancer has no node yet"]


def test_a_load_balancer_without_state_and_nodes_is_not_compiled() -> None:
    provisioning = replace(sample.load_balancer(), state="provisioning")
    assert alb.load_balancers(sample.empty_world().with_records(provisioning), HOME) == {}


def test_an_action_that_authenticates_is_named_and_the_last_action_runs() -> None:
    rule = replace(sample.rule(HTTP, 1, OIDC, sample.host("a.example")), actions=(OIDC, replace(TEXT, order=2)))
    plan = compile_(HTTP, rule)
    assert [shortfall.reason for shortfall in plan.shortfalls] == ["Action authenticate-oidc is accepted and not run"]
    assert routes(plan)[0]["direct_response"]["status"] == 200


def test_a_forward_whose_groups_all_weigh_nothing_is_503() -> None:
    weightless = Action("forward", target_groups=tuple(WeightedTargetGroup(sample.group_arn(n), 0) for n in ("a", "b")))
    plan = compile_(sample.listener(80, "HTTP", weightless), sample.target_group("a"), sample.target_group("b"))
    assert routes(plan)[-1]["direct_response"]["status"] == 503


def test_only_target_groups_in_use_are_checked() -> None:
    plan = compile_(HTTP, sample.rule(HTTP, 1, sample.forward("one"), sample.host("a.example")),
                    sample.target_group("one"), sample.target_group("idle"))  # fmt: skip
    assert {pool.target_group_arn for pool in plan.pools} == {sample.group_arn("one")}


def test_a_pool_says_where_to_check_and_what_drains() -> None:
    group = sample.target_group("one", HealthCheck(port="8080", path="/up"))
    plan = compile_(sample.listener(80, "HTTP", sample.forward("one")), group, sample.target("one", "10.0.10.12", 3000),
                    sample.target("one", "10.0.10.11", 80, draining_since=5.0))  # fmt: skip
    (pool,) = alb.health_table({sample.ARN: plan}).pools
    assert [(t.key, t.check_port, t.draining) for t in pool.targets] == [
        ("10.0.10.11:80", 8080, True),
        ("10.0.10.12:3000", 8080, False),
    ]
    assert pool.endpoints_path == f"/home/envoy/web-50dc6c495c0c9188/eds-{pool.name}.json"
    assert pool.admin_path == "/home/run/envoy-50dc6c495c0c9188.sock"
    assert pool.namespace == f"tsubo-0badcafe-eni-{1:017x}"


def test_attributes_reach_the_resources() -> None:
    """Sections 1.6, 1.8 and 1.9."""
    balancer = replace(
        sample.load_balancer(),
        attributes={
            "idle_timeout.timeout_seconds": "7",
            "client_keep_alive.seconds": "90",
            "routing.http2.enabled": "false",
            "routing.http.preserve_host_header.enabled": "true",
            "routing.http.drop_invalid_header_fields.enabled": "true",
            "routing.http.xff_header_processing.mode": "preserve",
            "routing.http.xff_client_port.enabled": "true",
        },
    )
    group = sample.target_group("one", load__balancing_algorithm_type="")
    group = replace(group, attributes={"load_balancing.algorithm.type": "least_outstanding_requests"})
    plan = compile_(balancer, replace(HTTPS, default_actions=(sample.forward("one"),)), sample.certificate(), group)
    chain = plan.listeners[0]["filter_chains"][0]
    manager = chain["filters"][0]["typed_config"]
    assert manager["stream_idle_timeout"] == "7s"
    assert manager["strip_any_host_port"] is False
    assert manager["common_http_protocol_options"] == {
        "idle_timeout": "7s",
        "max_connection_duration": "90s",
        "headers_with_underscores_action": "DROP_HEADER",
    }
    assert chain["transport_socket"]["typed_config"]["common_tls_context"]["alpn_protocols"] == ["http/1.1"]
    script = manager["http_filters"][0]["typed_config"]["default_source_code"]["inline_string"]
    assert 'local FORWARDED_FOR = "preserve"\n' in script
    assert "local CLIENT_PORT = true\n" in script
    assert plan.clusters[0]["lb_policy"] == "LEAST_REQUEST"
    assert routes(plan, "https-443@10.0.1.20")[-1]["route"]["idle_timeout"] == "7s"


@pytest.mark.parametrize(
    ("policy", "oldest", "newest"),
    [
        ("ELBSecurityPolicy-2016-08", "TLSv1_0", "TLSv1_2"),
        ("ELBSecurityPolicy-TLS-1-2-Ext-2018-06", "TLSv1_2", "TLSv1_2"),
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", "TLSv1_2", "TLSv1_3"),
        ("ELBSecurityPolicy-TLS13-1-3-2021-06", "TLSv1_3", "TLSv1_3"),
        ("ELBSecurityPolicy-TLS13-1-0-2021-06", "TLSv1_0", "TLSv1_3"),
        ("ELBSecurityPolicy-FS-1-1-2019-08", "TLSv1_1", "TLSv1_2"),
    ],
)
def test_a_policy_sets_the_tls_versions(policy: str, oldest: str, newest: str) -> None:
    """Section 1.3."""
    plan = compile_(replace(HTTPS, ssl_policy=policy), sample.certificate())
    tls = plan.listeners[0]["filter_chains"][0]["transport_socket"]["typed_config"]["common_tls_context"]["tls_params"]
    assert (tls["tls_minimum_protocol_version"], tls["tls_maximum_protocol_version"]) == (oldest, newest)


def test_https_target_groups_are_not_verified() -> None:
    group = replace(sample.target_group("one"), protocol="HTTPS")
    plan = compile_(sample.listener(80, "HTTP", sample.forward("one")), group)
    assert set(plan.clusters[0]["transport_socket"]["typed_config"]) == {"@type"}


def test_equal_worlds_make_equal_plans_in_whatever_order_their_records_came() -> None:
    records = [HTTP, sample.node(2, "10.0.2.20"), sample.target_group("one"), sample.target("one", "10.0.10.11"),
               sample.target("one", "10.0.10.12"), sample.rule(HTTP, 1, sample.forward("one")),
               sample.rule(HTTP, 2, TEXT, sample.host("b.example"))]  # fmt: skip
    assert compile_(*records) == compile_(*reversed(records))


def test_the_bodies_have_the_lengths_of_captured_replies() -> None:
    """Section 1.10."""
    plan = compile_(HTTP)
    manager = plan.listeners[0]["filter_chains"][0]["filters"][0]["typed_config"]
    lengths = {
        mapper["status_code"]: len(mapper["body"]["inline_string"])
        for mapper in manager["local_reply_config"]["mappers"]
    }
    assert {status: lengths[status] for status in (400, 502, 503, 504)} == {400: 122, 502: 122, 503: 162, 504: 132}


def test_a_proxy_is_named_after_the_load_balancer() -> None:
    assert proxy_id(sample.ARN) == "web-50dc6c495c0c9188"
