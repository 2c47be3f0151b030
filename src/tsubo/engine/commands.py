"""The requests that the command line can make, by name. Each is a generator of events that ends in a `result`."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tsubo.engine.context import EngineContext
from tsubo.engine.errors import FAILED, USAGE, UserError
from tsubo.engine.exec_command import open_session
from tsubo.engine.finding import find_service, find_task
from tsubo.engine.flows import flows, stale_problems
from tsubo.engine.image_commands import push, registry
from tsubo.engine.logs import tail
from tsubo.engine.stack import destroy, terraform_addresses, up
from tsubo.engine.summary import task_rows
from tsubo.engine.verify import verify
from tsubo.engine.why import why
from tsubo.model.ecs import Service

Event = dict[str, Any]
Parameters = Mapping[str, Any]
Command = Callable[[EngineContext, Parameters], Iterator[Event]]

STEADY_TIMEOUT_SECONDS = 120.0
POLL_SECONDS = 0.02


def status(context: EngineContext, parameters: Parameters) -> Iterator[Event]:
    """Say who runs, where, and what is wrong, if anything."""
    world = context.store.world
    yield {
        "type": "result",
        "engine": context.home.settings.engine_id,
        "home": str(context.home.path),
        "controller": {"pid": os.getpid(), "started_at": context.started_at, "passes": context.loop.passes},
        "endpoint": context.home.endpoint,
        "region": context.home.settings.region,
        "services": sum(service.status != "INACTIVE" for service in world.services.values()),
        "tasks": sum(task.last_status != "STOPPED" for task in world.tasks.values()),
        "problems": [
            *([context.loop.last_error] if context.loop.last_error else []),
            *context.data_plane.shortfalls(),
            *stale_problems(context),
        ],
    }


def ps(context: EngineContext, parameters: Parameters) -> Iterator[Event]:
    """List the tasks that are not stopped."""
    yield {"type": "result", "tasks": task_rows(context.store.world)}


def scale(context: EngineContext, parameters: Parameters) -> Iterator[Event]:
    """Set a service's desired count by UpdateService, and wait until it is steady there."""
    count = parameters.get("count")
    if not isinstance(count, int) or count < 0:
        raise UserError("The count must be a whole number, 0 or more.", "tsubo scale SERVICE N", USAGE)
    service = find_service(context.store.world, parameters["service"], terraform_addresses(context))
    ecs = context.clients.get("ecs", service.region)
    ecs.update_service(cluster=service.cluster_arn, service=service.arn, desiredCount=count)
    if parameters.get("wait", True):
        yield from await_steady(context, service.arn)
    rows = task_rows(context.store.world, service.arn)
    yield {"type": "result", "service": service.name, "desired_count": count, "tasks": rows}


def await_steady(context: EngineContext, service_arn: str) -> Iterator[Event]:
    """Yield a service's new events until it is steady. Raises UserError when that takes too long."""
    deadline = time.monotonic() + STEADY_TIMEOUT_SECONDS
    told = {event.event_id for event in context.store.world.services[service_arn].events}
    while True:
        service = context.store.world.services[service_arn]
        for event in reversed(service.events):
            if event.event_id not in told:
                told.add(event.event_id)
                yield {"type": "progress", "text": event.message}
        if _is_steady(service):
            return
        if time.monotonic() > deadline:
            last = service.events[0].message if service.events else "no event"
            raise UserError(
                f"{service.name} ({service.arn}) is not steady after {STEADY_TIMEOUT_SECONDS:.0f} s: {last}",
                "See `tsubo logs` and the events of `aws ecs describe-services`.",
                FAILED,
            )
        time.sleep(POLL_SECONDS)


def _is_steady(service: Service) -> bool:
    return (
        service.steady
        and len(service.deployments) == 1
        and service.deployments[0].running_count == service.desired_count
        and service.deployments[0].desired_count == service.desired_count
    )


def locate(context: EngineContext, parameters: Parameters) -> Iterator[Event]:
    """Say where a task is: its namespace and VPC, and the container engine's name of one of its containers."""
    world = context.store.world
    task = find_task(world, parameters["name"], terraform_addresses(context))
    definition = world.task_definitions[task.task_definition_arn]
    names = [container.name for container in definition.containers]
    wanted = parameters.get("container") or names[0]
    if wanted not in names:
        raise UserError(f"Task {task.task_id} has no container {wanted}; it has {', '.join(names)}.", "Use -c.", USAGE)
    interface = world.network_interfaces[task.network_interface_id or ""]
    yield {
        "type": "result",
        "task": task.arn,
        "container": context.containers.container_name(task.task_id, wanted),
        "namespace": world.engine.namespace(interface.network_interface_id),
        "vpc": interface.vpc_id,
        "address": interface.private_ip,
    }


def logs(context: EngineContext, parameters: Parameters) -> Iterator[Event]:
    """Show the log events of a service's tasks, and follow them if asked."""
    service = find_service(context.store.world, parameters["service"], terraform_addresses(context))
    yield from tail(context, service, bool(parameters.get("follow")))


COMMANDS: Mapping[str, Command] = {
    "status": status,
    "ps": ps,
    "scale": scale,
    "locate": locate,
    "exec": open_session,
    "logs": logs,
    "up": up,
    "destroy": destroy,
    "verify": verify,
    "why": why,
    "flows": flows,
    "push": push,
    "registry": registry,
}
