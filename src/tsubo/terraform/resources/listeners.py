"""Listeners, their rules, their further certificates. Source: aws/alb-vpc-terraform.md sections 1.2, 1.4, 6.2, 6.8."""

from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.resources.common import block, changed, first, given, tag_list
from tsubo.terraform.resources.listener_actions import action_blocks, actions_of
from tsubo.terraform.resources.load_balancers import attribute_list, attribute_text, retag_elbv2, tags_of
from tsubo.terraform.resources.rule_conditions import condition_blocks, conditions_of
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

LOWEST_PRIORITY = 50_000
_RESPONSE_HEADERS = (
    "access_control_allow_credentials",
    "access_control_allow_headers",
    "access_control_allow_methods",
    "access_control_allow_origin",
    "access_control_expose_headers",
    "access_control_max_age",
    "content_security_policy",
    "strict_transport_security",
    "x_content_type_options",
    "x_frame_options",
)
_ATTRIBUTES = {"routing_http_response_server_enabled": "routing.http.response.server.enabled"} | {
    f"routing_http_response_{name}_header_value": f"routing.http.response.{name}.header_value"
    for name in _RESPONSE_HEADERS
}


def _listener_parameters(values: Values) -> dict[str, Any]:
    secure = values.get("protocol") in ("HTTPS", "TLS")
    certificate = values.get("certificate_arn")
    return given(
        Port=values.get("port"),
        Protocol=values.get("protocol"),
        SslPolicy=(values.get("ssl_policy") or None) if secure else None,
        Certificates=[{"CertificateArn": certificate}] if certificate else None,
        AlpnPolicy=[values["alpn_policy"]] if values.get("alpn_policy") else None,
        DefaultActions=actions_of(values["default_action"]),
    )


def _create(aws: Aws, values: Values) -> Values:
    if not values.get("protocol"):
        values["protocol"] = "HTTPS" if values.get("certificate_arn") else "HTTP"
    answer = aws.call(
        "elbv2",
        "create_listener",
        LoadBalancerArn=values["load_balancer_arn"],
        Tags=tag_list(values),
        **_listener_parameters(values),
    )
    return {"id": answer["Listeners"][0]["ListenerArn"]}


def _complete(aws: Aws, values: Values) -> None:
    _set_attributes(aws, {}, values)


def _set_attributes(aws: Aws, before: Values, values: Values) -> None:
    wanted = {
        attribute: attribute_text(values[name])
        for name, attribute in _ATTRIBUTES.items()
        if values.get(name) is not None and values[name] != before.get(name)
    }
    if wanted:
        attributes = attribute_list(wanted)
        aws.call("elbv2", "modify_listener_attributes", ListenerArn=values["id"], Attributes=attributes)


def _read(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("elbv2", "describe_listeners", ListenerArns=[values["id"]]) or {}
    listener = first(answer.get("Listeners"))
    if listener is None:
        return None
    answer = aws.find("elbv2", "describe_listener_attributes", ListenerArn=values["id"]) or {}
    attributes = {attribute["Key"]: attribute["Value"] for attribute in answer.get("Attributes") or ()}
    certificate = first(c for c in listener.get("Certificates") or () if c.get("IsDefault", True)) or {}
    actual: Values = {name: attributes[key] for name, key in _ATTRIBUTES.items() if key in attributes}
    return actual | {
        "arn": listener["ListenerArn"],
        "load_balancer_arn": listener["LoadBalancerArn"],
        "port": listener.get("Port"),
        "protocol": listener.get("Protocol"),
        "ssl_policy": listener.get("SslPolicy", ""),
        "certificate_arn": certificate.get("CertificateArn", ""),
        "alpn_policy": first(listener.get("AlpnPolicy")) or "",
        "default_action": action_blocks(listener["DefaultActions"], values.get("default_action")),
        "tags": tags_of(aws, values["id"]),
    }


def _update(aws: Aws, before: Values, values: Values) -> None:
    names = ("port", "protocol", "ssl_policy", "certificate_arn", "alpn_policy", "default_action")
    if changed(before, values, *names):
        aws.call("elbv2", "modify_listener", ListenerArn=values["id"], **_listener_parameters(values))
    _set_attributes(aws, before, values)


def _delete(aws: Aws, values: Values) -> None:
    aws.call("elbv2", "delete_listener", ListenerArn=values["id"])


def _create_rule(aws: Aws, values: Values) -> Values:
    """A rule without a priority comes after all others; another may take the place at the same moment."""
    while True:
        priority = values.get("priority")
        try:
            answer = aws.call(
                "elbv2",
                "create_rule",
                ListenerArn=values["listener_arn"],
                Priority=priority or _next_priority(aws, values["listener_arn"]),
                Conditions=conditions_of(values["condition"]),
                Actions=actions_of(values["action"]),
                Transforms=_transforms(values),
                Tags=tag_list(values),
            )
        except CallError as error:
            if priority or error.code != "PriorityInUse":
                raise
        else:
            return {"id": answer["Rules"][0]["RuleArn"]}


def _next_priority(aws: Aws, listener_arn: str) -> int:
    rules = aws.call("elbv2", "describe_rules", ListenerArn=listener_arn)["Rules"]
    taken = [int(rule["Priority"]) for rule in rules if rule["Priority"] != "default"]
    return min(max(taken, default=0) + 1, LOWEST_PRIORITY)


def _transforms(values: Values) -> list[dict[str, Any]] | None:
    members = {"host_header_rewrite_config": "HostHeaderRewriteConfig", "url_rewrite_config": "UrlRewriteConfig"}
    transforms: list[dict[str, Any]] = []
    for transform in values.get("transform") or ():
        rewritten: dict[str, Any] = {"Type": transform["type"]}
        for name, member in members.items():
            configuration = block(transform, name)
            if configuration is not None:
                rewrites = [{"Regex": r["regex"], "Replace": r["replace"]} for r in configuration["rewrite"]]
                rewritten[member] = {"Rewrites": rewrites}
        transforms.append(rewritten)
    return transforms or None


def _read_rule(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("elbv2", "describe_rules", RuleArns=[values["id"]]) or {}
    rule = first(answer.get("Rules"))
    if rule is None:
        return None
    actual: Values = {
        "arn": rule["RuleArn"],
        "priority": int(rule["Priority"]),
        "action": action_blocks(rule["Actions"], values.get("action")),
        "condition": condition_blocks(rule["Conditions"]),
        "tags": tags_of(aws, values["id"]),
    }
    if not values.get("listener_arn"):
        actual["listener_arn"] = values["id"].replace(":listener-rule/", ":listener/").rpartition("/")[0]
    return actual


def _update_rule(aws: Aws, before: Values, values: Values) -> None:
    arn = values["id"]
    if changed(before, values, "priority"):
        priorities = [{"RuleArn": arn, "Priority": values["priority"]}]
        aws.call("elbv2", "set_rule_priorities", RulePriorities=priorities)
    if changed(before, values, "action", "condition", "transform"):
        aws.call(
            "elbv2",
            "modify_rule",
            RuleArn=arn,
            Conditions=conditions_of(values["condition"]),
            Actions=actions_of(values["action"]),
            Transforms=_transforms(values),
        )


def _delete_rule(aws: Aws, values: Values) -> None:
    aws.call("elbv2", "delete_rule", RuleArn=values["id"])


def _create_certificate(aws: Aws, values: Values) -> Values:
    listener, certificate = values["listener_arn"], values["certificate_arn"]
    certificates = [{"CertificateArn": certificate}]
    aws.call("elbv2", "add_listener_certificates", ListenerArn=listener, Certificates=certificates)
    return {"id": f"{listener}_{certificate}"}


def _read_certificate(aws: Aws, values: Values) -> Values | None:
    listener, _, certificate = values["id"].rpartition("_")
    answer = aws.find("elbv2", "describe_listener_certificates", ListenerArn=listener) or {}
    for entry in answer.get("Certificates") or ():
        if entry["CertificateArn"] == certificate and not entry.get("IsDefault"):
            return {"listener_arn": listener, "certificate_arn": certificate}
    return None


def _delete_certificate(aws: Aws, values: Values) -> None:
    certificates = [{"CertificateArn": values["certificate_arn"]}]
    aws.call("elbv2", "remove_listener_certificates", ListenerArn=values["listener_arn"], Certificates=certificates)


_LISTENER = ResourceType(
    create=_create, complete=_complete, read=_read, update=_update, delete=_delete, retag=retag_elbv2
)
_RULE = ResourceType(create=_create_rule, read=_read_rule, update=_update_rule, delete=_delete_rule, retag=retag_elbv2)
_CERTIFICATE = ResourceType(create=_create_certificate, read=_read_certificate, delete=_delete_certificate)
RESOURCES = {
    f"aws_{prefix}_{name}": resource_type
    for prefix in ("lb", "alb")
    for name, resource_type in (
        ("listener", _LISTENER),
        ("listener_rule", _RULE),
        ("listener_certificate", _CERTIFICATE),
    )
}
