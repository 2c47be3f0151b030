"""What a service's containers wrote, from CloudWatch Logs."""

import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from tsubo.engine.context import EngineContext
from tsubo.model.ecs import Service
from tsubo.model.world import World

FOLLOW_SECONDS = 0.5
MILLISECONDS = 1000
OVERLAP_MS = 5_000
"""Lines of several streams do not arrive in the order of their times: each look reaches back this far."""


def log_destinations(world: World, service: Service, *, running: bool = False) -> dict[str, set[str]]:
    """Return the stream names of a service's known tasks (or only its running ones) by log group."""
    destinations: dict[str, set[str]] = {}
    for task in world.tasks.values():
        if task.service_arn != service.arn or (running and task.last_status != "RUNNING"):
            continue
        for container in world.task_definitions[task.task_definition_arn].containers:
            group = container.log_options.get("awslogs-group")
            if container.log_driver == "awslogs" and group:
                prefix = container.log_options.get("awslogs-stream-prefix")
                parts = [*([prefix] if prefix else []), container.name, task.task_id]
                destinations.setdefault(group, set()).add("/".join(parts))
    return destinations


def tail(context: EngineContext, service: Service, follow: bool) -> Iterator[dict[str, Any]]:
    """Yield the log events of a service in the order of their times; with `follow`, go on for ever."""
    told: set[str] = set()
    since_ms = 0
    while True:
        events = sorted(_events(context, service, since_ms), key=lambda event: event["timestamp"])
        for event in events:
            if event["eventId"] not in told:
                told.add(event["eventId"])
                stream = event["logStreamName"]
                yield {"type": "log", "time": event["timestamp"], "stream": stream, "message": event["message"]}
        if not follow:
            yield {"type": "result", "events": len(told)}
            return
        since_ms = max([since_ms, *(event["timestamp"] - OVERLAP_MS for event in events)])
        # An event that says nothing lets the server notice a client that has gone.
        yield {"type": "alive"}
        time.sleep(FOLLOW_SECONDS)


def _events(context: EngineContext, service: Service, since_ms: int) -> Iterator[dict[str, Any]]:
    client = context.clients.get("logs", service.region)
    for group, streams in log_destinations(context.store.world, service).items():
        request: dict[str, Any] = {"logGroupName": group, "startTime": max(0, since_ms)}
        while True:
            try:
                answer = client.filter_log_events(**request)
            except ClientError:
                break
            yield from (event for event in answer["events"] if event["logStreamName"] in streams)
            if not answer.get("nextToken"):
                break
            request["nextToken"] = answer["nextToken"]
