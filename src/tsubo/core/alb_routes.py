"""Listener rules become the routes of one virtual host, in the order in which a load balancer tries them.

Every condition is a matcher on a header of the one virtual host `*`, because the proxy would otherwise choose by the
most specific host before it looks at priorities. Source: aws/alb-vpc-terraform.md sections 1.4 and 1.5.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tsubo.core import alb_patterns, alb_replies, alb_requests
from tsubo.model.elbv2 import Action, Condition, Listener, Redirect, Rule

SOURCE_ADDRESS_HEADER = "x-tsubo-source-address"
"""Set by the proxy before routing, where a rule asks for the client's address; taken off before forwarding."""
_PROXY_HEADERS = ("x-envoy-external-address", "x-envoy-internal", SOURCE_ADDRESS_HEADER)
_MORE_THAN_THIRTY_ADDRESSES = "([^,]*,){30,}[^,]*"
_REFUSALS: tuple[tuple[str, str, str, int], ...] = (
    ("trace-is-refused", ":method", "TRACE", 405),
    ("too-many-forwarders", "x-forwarded-for", _MORE_THAN_THIRTY_ADDRESSES, 463),
)

ClusterNames = Mapping[str, str]
"""The proxy's cluster of each target group, by the target group's ARN."""


def route_configuration(
    name: str, listener: Listener, rules: Iterable[Rule], clusters: ClusterNames, idle_timeout_seconds: float
) -> dict[str, Any]:
    """Return the route configuration of one listener on one node: refusals, rules by priority, default action."""
    routes = [_route(refusal, [_matcher(header, text)], alb_replies.html_response(status), idle_timeout_seconds)
              for refusal, header, text, status in _REFUSALS]  # fmt: skip
    for rule in sorted(rules, key=lambda rule: rule.priority):
        matchers = [_condition(condition) for condition in rule.conditions]
        routes.append(_route(f"rule-{rule.priority}", matchers, _act(rule.actions, clusters), idle_timeout_seconds))
    routes.append(_route("default", [], _act(listener.default_actions, clusters), idle_timeout_seconds))
    return {
        "name": name,
        "virtual_hosts": [{"name": "listener", "domains": ["*"], "routes": routes}],
        "request_headers_to_remove": list(_PROXY_HEADERS),
        "validate_clusters": False,
    }


def needs_source_address(rules: Iterable[Rule]) -> bool:
    """Return whether a rule asks for the client's address."""
    return any(condition.field == "source-ip" for rule in rules for condition in rule.conditions)


def actions_not_run(actions: Iterable[Action]) -> list[str]:
    """Return the types of actions that are kept and not run."""
    return [action.type for action in actions if action.type not in ("forward", "redirect", "fixed-response")]


def _route(
    name: str, matchers: list[dict[str, Any]], act: dict[str, Any], idle_timeout_seconds: float
) -> dict[str, Any]:
    match: dict[str, Any] = {"prefix": "/"}
    if matchers:
        match["headers"] = matchers
    route = {"name": name, "match": match, **act}
    if "route" in route:
        # A load balancer limits silence, not the length of a request, and never tries another target.
        route["route"] = {**route["route"], "timeout": "0s", "idle_timeout": f"{idle_timeout_seconds:g}s"}
    return route


def _matcher(header: str, expression: str) -> dict[str, Any]:
    return {"name": header, "string_match": {"safe_regex": {"regex": expression}}}


def _condition(condition: Condition) -> dict[str, Any]:
    if condition.field == "query-string":
        return _matcher(":path", alb_patterns.query(condition.query))
    if condition.field == "http-header":
        expression = alb_patterns.any_of([alb_patterns.wildcard(value) for value in condition.values])
        return _matcher((condition.header_name or "").lower(), f"(?i){expression}")
    header, pattern = _PATTERNS[condition.field]
    return _matcher(header, alb_patterns.any_of([pattern(value) for value in condition.values]))


def _exactly(method: str) -> str:
    return method


_PATTERNS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "host-header": (":authority", alb_patterns.host),
    "path-pattern": (":path", alb_patterns.path),
    "http-request-method": (":method", _exactly),
    "source-ip": (SOURCE_ADDRESS_HEADER, alb_patterns.network),
}


def _act(actions: tuple[Action, ...], clusters: ClusterNames) -> dict[str, Any]:
    """Return the part of a route that does what the last action says; those before it only authenticate."""
    action = max(actions, key=lambda action: action.order or 0)
    if action.redirect is not None:
        return _redirect(action.redirect)
    if action.fixed_response is not None:
        response = action.fixed_response
        return alb_replies.direct_response(int(response.status_code), response.content_type, response.message_body)
    return _forward(action, clusters)


def _forward(action: Action, clusters: ClusterNames) -> dict[str, Any]:
    weighted = [group for group in action.target_groups if group.weight and group.target_group_arn in clusters]
    if len(action.target_groups) == 1 and action.target_groups[0].target_group_arn in clusters:
        return {"route": {"cluster": clusters[action.target_groups[0].target_group_arn]}}
    if not weighted:
        return alb_replies.html_response(503)
    shares = [{"name": clusters[group.target_group_arn], "weight": group.weight} for group in weighted]
    return {"route": {"weighted_clusters": {"clusters": shares}}}


def _redirect(redirect: Redirect) -> dict[str, Any]:
    status = int(redirect.status_code.removeprefix("HTTP_"))
    template = {
        "status": str(status),
        "protocol": redirect.protocol,
        "host": redirect.host,
        "port": redirect.port,
        "path": redirect.path,
        "query": redirect.query,
        "body": alb_replies.html(status),
    }
    return {
        # The script answers before this response would; it stands here because a route must have an action.
        "direct_response": {"status": status},
        "metadata": {"filter_metadata": {alb_requests.REDIRECT_METADATA: {"redirect": template}}},
    }
