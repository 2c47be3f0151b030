"""Scheduled actions. They are kept and never come due."""

import re
from datetime import datetime
from typing import Any

from tsubo.aws.applicationautoscaling.lookup import (
    find_target,
    listed,
    moment,
    not_found,
    of_target,
    target_key,
    target_members,
    validation_error,
)
from tsubo.aws.operations import Call, Operation, Request, Response
from tsubo.model.scaling import ScheduledAction
from tsubo.model.supply import uuid_text

SCHEDULE = re.compile(
    r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)|rate\([1-9]\d* (?:minute|hour|day)s?\)|cron\((?:\S+ ){5}\S+\)"
)


def put_scheduled_action(call: Call, request: Request) -> Response:
    """Make a scheduled action, or change the one of that name; what is not named stays."""
    target = find_target(call, request)
    name = request["ScheduledActionName"]
    present = call.world.scheduled_actions.get(f"{target.key}/{name}")
    schedule = request.get("Schedule") or (present.schedule if present else "")
    if not SCHEDULE.fullmatch(schedule):
        raise validation_error(f"Invalid schedule expression: {schedule}")
    capacity = request.get("ScalableTargetAction") or (present.capacity if present else {})
    if not capacity:
        raise validation_error("ScalableTargetAction must name MinCapacity, MaxCapacity or both.")
    place = f"resource/{target.namespace}/{target.resource_id}:scheduledActionName/{name}"
    call.put(
        ScheduledAction(
            arn=present.arn
            if present
            else call.arn("autoscaling", f"scheduledAction:{uuid_text(call.supply)}:{place}"),
            target_key=target.key,
            name=name,
            schedule=schedule,
            created_at=present.created_at if present else call.now,
            timezone=request.get("Timezone") or (present.timezone if present else None),
            starts_at=_seconds(request.get("StartTime"), present.starts_at if present else None),
            ends_at=_seconds(request.get("EndTime"), present.ends_at if present else None),
            capacity={member: int(count) for member, count in capacity.items()},
        )
    )
    return {}


def _seconds(given: datetime | float | None, standing: float | None) -> float | None:
    if given is None:
        return standing
    return given.timestamp() if isinstance(given, datetime) else float(given)


def delete_scheduled_action(call: Call, request: Request) -> Response:
    """Delete a scheduled action. Raises ObjectNotFoundException."""
    name = request["ScheduledActionName"]
    action = call.world.scheduled_actions.get(f"{target_key(call, request)}/{name}")
    if action is None:
        raise not_found("No scheduled action found for", request, f"scheduled action name: {name}")
    call.delete(action)
    return {}


def describe_scheduled_actions(call: Call, request: Request) -> Response:
    """Return the scheduled actions of a service namespace, or of one target."""
    names = request.get("ScheduledActionNames")
    views = [
        _view(call, action)
        for action in call.world.scheduled_actions.values()
        if of_target(action.target_key, call, request) and (not names or action.name in names)
    ]
    return listed("ScheduledActions", views, request)


def _view(call: Call, action: ScheduledAction) -> dict[str, Any]:
    view: dict[str, Any] = {
        **target_members(call.world.scalable_targets[action.target_key]),
        "ScheduledActionName": action.name,
        "ScheduledActionARN": action.arn,
        "Schedule": action.schedule,
        "ScalableTargetAction": dict(action.capacity),
        "CreationTime": moment(action.created_at),
    }
    if action.timezone:
        view["Timezone"] = action.timezone
    for member, seconds in (("StartTime", action.starts_at), ("EndTime", action.ends_at)):
        if seconds is not None:
            view[member] = moment(seconds)
    return view


OPERATIONS: dict[str, Operation] = {
    "PutScheduledAction": put_scheduled_action,
    "DeleteScheduledAction": delete_scheduled_action,
    "DescribeScheduledActions": describe_scheduled_actions,
}
