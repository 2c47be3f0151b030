"""The actions of listeners and rules between Terraform's blocks and ELB's members.

Forms: aws/alb-vpc-terraform.md section 1.5.
"""

from typing import Any

from tsubo.terraform.resources.common import block, given
from tsubo.terraform.values import Values

_AUTHENTICATION = {
    "authenticate-cognito": (
        "authenticate_cognito",
        "AuthenticateCognitoConfig",
        ("user_pool_arn", "user_pool_client_id", "user_pool_domain"),
    ),
    "authenticate-oidc": (
        "authenticate_oidc",
        "AuthenticateOidcConfig",
        (
            "authorization_endpoint",
            "client_id",
            "client_secret",
            "issuer",
            "token_endpoint",
            "user_info_endpoint",
        ),
    ),
}
_SESSION = (
    "authentication_request_extra_params",
    "on_unauthenticated_request",
    "scope",
    "session_cookie_name",
    "session_timeout",
)
_REDIRECT = ("host", "path", "port", "protocol", "query", "status_code")


def _member(name: str) -> str:
    """Return a member's name as ELB writes it: `client_id` is `ClientId`."""
    return "".join(part.capitalize() for part in name.split("_"))


def _members(values: Values, names: tuple[str, ...]) -> dict[str, Any]:
    return {_member(name): values[name] for name in names if values.get(name) not in (None, "")}


def _names(members: dict[str, Any], names: tuple[str, ...]) -> Values:
    return {name: members[_member(name)] for name in names if _member(name) in members}


def actions_of(blocks: list[Values]) -> list[dict[str, Any]]:
    """Return action blocks as ELB takes them. An `order` that is not given is the block's place."""
    return [_action(values, place) for place, values in enumerate(blocks, 1)]


def _action(values: Values, order: int) -> dict[str, Any]:
    kind = values["type"]
    action = given(Type=kind, Order=values.get("order") or order)
    if kind == "forward":
        return action | _forward(values)
    if kind == "redirect":
        redirect = block(values, "redirect") or {}
        return action | {"RedirectConfig": _members(redirect, _REDIRECT)}
    if kind == "fixed-response":
        fixed = block(values, "fixed_response") or {}
        return action | {"FixedResponseConfig": _members(fixed, ("content_type", "message_body", "status_code"))}
    name, member, own = _AUTHENTICATION[kind]
    return action | {member: _members(block(values, name) or {}, own + _SESSION)}


def _forward(values: Values) -> dict[str, Any]:
    forward = block(values, "forward")
    if forward is None:
        return {"TargetGroupArn": values.get("target_group_arn")}
    groups = [given(TargetGroupArn=group["arn"], Weight=group.get("weight")) for group in forward["target_group"]]
    configuration: dict[str, Any] = {"TargetGroups": groups}
    stickiness = block(forward, "stickiness")
    if stickiness is not None:
        configuration["TargetGroupStickinessConfig"] = {
            "Enabled": bool(stickiness.get("enabled")),
            "DurationSeconds": stickiness["duration"],
        }
    return {"ForwardConfig": configuration}


def action_blocks(actions: list[dict[str, Any]], known: list[Values] | None) -> list[Values]:
    """Return ELB's actions as blocks. A forward is written as the configuration writes it: by `target_group_arn`,
    by a `forward` block, or both; ELB answers with both."""
    in_order = sorted(actions, key=lambda action: action.get("Order") or 0)
    knowns: list[Values | None] = [*(known or ()), *[None] * len(in_order)]
    return [
        _action_block(action, before, index + 1)
        for index, (action, before) in enumerate(zip(in_order, knowns, strict=False))
    ]


def _action_block(action: dict[str, Any], known: Values | None, place: int) -> Values:
    kind = action["Type"]
    values: Values = {"type": kind, "order": action.get("Order") or place}
    if kind == "forward":
        return values | _forward_block(action, known)
    if kind == "redirect":
        return values | {"redirect": [_names(action["RedirectConfig"], _REDIRECT)]}
    if kind == "fixed-response":
        names = ("content_type", "message_body", "status_code")
        return values | {"fixed_response": [_names(action["FixedResponseConfig"], names)]}
    name, member, own = _AUTHENTICATION[kind]
    return values | {name: [_names(action[member], own + _SESSION)]}


def _forward_block(action: dict[str, Any], known: Values | None) -> Values:
    configuration = action.get("ForwardConfig") or {"TargetGroups": [{"TargetGroupArn": action.get("TargetGroupArn")}]}
    groups = [{"arn": g["TargetGroupArn"], "weight": g.get("Weight", 1)} for g in configuration["TargetGroups"]]
    by_block = bool(known and known.get("forward"))
    by_arn = bool(known and known.get("target_group_arn")) or not by_block
    values: Values = {"forward": [], "target_group_arn": None}
    if by_arn and len(groups) == 1:
        values["target_group_arn"] = groups[0]["arn"]
    if by_block or len(groups) > 1:
        values["forward"] = [{"target_group": groups, "stickiness": _stickiness(configuration)}]
    return values


def _stickiness(configuration: dict[str, Any]) -> list[Values]:
    stickiness = configuration.get("TargetGroupStickinessConfig") or {}
    if not stickiness.get("Enabled"):
        return []
    return [{"enabled": True, "duration": stickiness.get("DurationSeconds")}]
