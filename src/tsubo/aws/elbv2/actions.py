"""The actions of listeners and rules: every form AWS takes, made into our records, and those in the form AWS answers.

Source: aws/alb-vpc-terraform.md section 1.5. Authentication actions are kept and answered, but not run.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from tsubo.aws.elbv2.lookup import invalid
from tsubo.aws.operations import AwsError
from tsubo.model.elbv2 import Action, FixedResponse, Redirect, WeightedTargetGroup

FINAL_TYPES = ("forward", "redirect", "fixed-response")
AUTHENTICATION_MEMBERS = {
    "authenticate-oidc": "AuthenticateOidcConfig",
    "authenticate-cognito": "AuthenticateCognitoConfig",
}
CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
LONGEST_MESSAGE = 1024
MOST_TARGET_GROUPS = 5
HEAVIEST_WEIGHT = 999
_UNCHANGED = Redirect("")

Shape = dict[str, Any]


def parse_actions(actions: Iterable[Shape]) -> tuple[Action, ...]:
    """Return the actions of a listener or rule in their order. Raises ValidationError, InvalidLoadBalancerAction."""
    parsed = sorted((_parse(action) for action in actions), key=lambda action: action.order or 0)
    final = [action for action in parsed if action.type in FINAL_TYPES]
    if len(final) != 1:
        raise _bad_action("You must specify exactly one action of type 'forward', 'redirect' or 'fixed-response'")
    if parsed[-1] is not final[0]:
        raise _bad_action(f"An action of type '{final[0].type}' must be the last one")
    return tuple(parsed)


def action_shape(action: Action) -> Shape:
    """Return an action as AWS answers it: a forward always with its ForwardConfig, one target group also beside it."""
    shape: Shape = {"Type": action.type}
    if action.order is not None:
        shape["Order"] = action.order
    if action.type == "forward":
        shape |= _forward_shape(action)
    elif action.redirect is not None:
        shape["RedirectConfig"] = _redirect_shape(action.redirect)
    elif action.fixed_response is not None:
        shape["FixedResponseConfig"] = _fixed_response_shape(action.fixed_response)
    else:
        # The client secret goes in and never comes out.
        config = {name: json.loads(value) for name, value in action.authentication.items() if name != "ClientSecret"}
        shape[AUTHENTICATION_MEMBERS[action.type]] = config
    return shape


def _bad_action(message: str) -> AwsError:
    return AwsError("InvalidLoadBalancerAction", message)


def _parse(action: Shape) -> Action:
    order = action.get("Order")
    match action.get("Type"):
        case "forward":
            return _parse_forward(action, order)
        case "redirect":
            return Action("redirect", order, redirect=_parse_redirect(_required(action, "RedirectConfig")))
        case "fixed-response":
            config = _required(action, "FixedResponseConfig")
            return Action("fixed-response", order, fixed_response=_parse_fixed_response(config))
        case "authenticate-oidc" | "authenticate-cognito" as kind:
            config = _required(action, AUTHENTICATION_MEMBERS[kind])
            return Action(kind, order, authentication={name: json.dumps(value) for name, value in config.items()})
        case kind:
            raise invalid(
                f"Action type '{kind}' must be one of '[{','.join((*FINAL_TYPES, *AUTHENTICATION_MEMBERS))}]'"
            )


def _required(action: Shape, member: str) -> Shape:
    config: Shape | None = action.get(member)
    if not config:
        raise _bad_action(f"A '{member}' must be specified for an action of type '{action['Type']}'")
    return config


def _parse_forward(action: Shape, order: int | None) -> Action:
    single = action.get("TargetGroupArn")
    config = action.get("ForwardConfig") or {}
    groups = tuple(_weighted(group) for group in config.get("TargetGroups") or ())
    if not groups and single:
        groups = (WeightedTargetGroup(single),)
    if not groups:
        raise _bad_action("A target group must be specified for an action of type 'forward'")
    if single and [group.target_group_arn for group in groups] != [single]:
        raise invalid("You cannot specify a target group ARN that differs from the one in the forward config")
    arns = {group.target_group_arn for group in groups}
    if len(arns) < len(groups):
        raise invalid("A target group can be specified only once in an action")
    if len(groups) > MOST_TARGET_GROUPS:
        raise AwsError("TooManyTargetGroups", f"An action can have at most '{MOST_TARGET_GROUPS}' target groups")
    stickiness = config.get("TargetGroupStickinessConfig") or {}
    return Action(
        "forward",
        order,
        target_groups=groups,
        stickiness_enabled=bool(stickiness.get("Enabled")),
        stickiness_seconds=stickiness.get("DurationSeconds"),
    )


def _weighted(group: Shape) -> WeightedTargetGroup:
    weight = group.get("Weight")
    weight = 1 if weight is None else int(weight)
    if not 0 <= weight <= HEAVIEST_WEIGHT:
        raise invalid(f"Target group weight '{weight}' must be between '0' and '{HEAVIEST_WEIGHT}'")
    return WeightedTargetGroup(group["TargetGroupArn"], weight)


def _parse_redirect(config: Shape) -> Redirect:
    if config.get("StatusCode") not in ("HTTP_301", "HTTP_302"):
        raise invalid(f"Redirect status code '{config.get('StatusCode')}' must be one of '[HTTP_301,HTTP_302]'")
    parts = {name.lower(): config[name] for name in ("Protocol", "Host", "Port", "Path", "Query") if config.get(name)}
    redirect = Redirect(config["StatusCode"], **parts)
    # A redirect that changes at most the query comes back to the same rule.
    if _place(redirect) == _place(_UNCHANGED):
        raise _bad_action("The redirect configuration is not valid because it creates a loop.")
    return redirect


def _place(redirect: Redirect) -> tuple[str, ...]:
    return redirect.protocol, redirect.host, redirect.port, redirect.path


def _parse_fixed_response(config: Shape) -> FixedResponse:
    status = str(config.get("StatusCode") or "")
    if not re.fullmatch(r"[245]\d\d", status):
        raise invalid(
            f"1 validation error detected: Value '{status}' at 'actions.member.fixedResponseConfig.statusCode' failed "
            "to satisfy constraint: Member must satisfy regular expression pattern: ^(2|4|5)\\d\\d$"
        )
    content_type = config.get("ContentType") or "text/plain"
    if content_type not in CONTENT_TYPES:
        raise _bad_action(f"The ContentType must be one of:{', '.join(repr(name) for name in CONTENT_TYPES)}")
    message = config.get("MessageBody") or ""
    if len(message) > LONGEST_MESSAGE:
        raise invalid(f"The message body is too long; the limit is '{LONGEST_MESSAGE}'")
    return FixedResponse(status, content_type, message)


def _forward_shape(action: Action) -> Shape:
    stickiness: Shape = {"Enabled": action.stickiness_enabled}
    if action.stickiness_seconds is not None:
        stickiness["DurationSeconds"] = action.stickiness_seconds
    groups = [{"TargetGroupArn": group.target_group_arn, "Weight": group.weight} for group in action.target_groups]
    shape: Shape = {"ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}}
    if len(groups) == 1:
        shape["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    return shape


def _redirect_shape(redirect: Redirect) -> Shape:
    return {
        "Protocol": redirect.protocol,
        "Port": redirect.port,
        "Host": redirect.host,
        "Path": redirect.path,
        "Query": redirect.query,
        "StatusCode": redirect.status_code,
    }


def _fixed_response_shape(response: FixedResponse) -> Shape:
    shape = {"StatusCode": response.status_code, "ContentType": response.content_type}
    return shape | ({"MessageBody": response.message_body} if response.message_body else {})
