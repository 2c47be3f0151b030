"""Account settings: fixed to what is in force; setting one to that succeeds, to anything else is refused."""

from tsubo.aws.ecs.listing import listed
from tsubo.aws.ecs.lookup import invalid_parameter
from tsubo.aws.operations import Call, Operation, Request, Response

IN_FORCE = {
    "awsvpcTrunking": "disabled",
    "containerInsights": "disabled",
    "containerInstanceLongArnFormat": "enabled",
    "defaultLogDriverMode": "non-blocking",
    "fargateFIPSMode": "disabled",
    "fargateTaskRetirementWaitPeriod": "7",
    "guardDutyActivate": "off",
    "serviceLongArnFormat": "enabled",
    "tagResourceAuthorization": "disabled",
    "taskLongArnFormat": "enabled",
}


def list_account_settings(call: Call, request: Request) -> Response:
    """List the settings in force, by name and value; there are none but the `effectiveSettings`."""
    if not request.get("effectiveSettings"):
        return {"settings": []}
    name, value = request.get("name"), request.get("value")
    chosen = [_setting(call, n, v) for n, v in IN_FORCE.items() if name in (None, n) and value in (None, v)]
    return listed("settings", chosen, request, default_size=100)


def put_account_setting(call: Call, request: Request) -> Response:
    """Accept the value that is in force. Raises InvalidParameterException for any other."""
    name, value = request["name"], request["value"]
    if name not in IN_FORCE:
        raise invalid_parameter(f"Invalid setting name: {name}")
    if value != IN_FORCE[name]:
        raise invalid_parameter(
            f"Tsubo runs with the account setting {name} at {IN_FORCE[name]}; it cannot be {value}."
        )
    return {"setting": _setting(call, name, value)}


def _setting(call: Call, name: str, value: str) -> Response:
    return {"name": name, "value": value, "principalArn": f"arn:aws:iam::{call.account_id}:root"}


OPERATIONS: dict[str, Operation] = {
    "ListAccountSettings": list_account_settings,
    "PutAccountSetting": put_account_setting,
    "PutAccountSettingDefault": put_account_setting,
}
