"""Bringing a Terraform directory up and taking it down: Terraform over our provider, then wait until all is settled."""

import os
import queue
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from tsubo.engine.context import EngineContext
from tsubo.engine.errors import BUSY, FAILED, MACHINE, USAGE, UserError
from tsubo.engine.published import published_ports
from tsubo.engine.settling import await_settled
from tsubo.engine.summary import image_rows, names, task_rows, urls
from tsubo.terraform.runner import run
from tsubo.terraform.runs import Action, ProgressEvent, RunError, RunRequest, RunResult
from tsubo.terraform.state_file import addresses, read_state

Event = dict[str, Any]
Parameters = Mapping[str, Any]

REFUSAL_CODES = {"no-terraform": MACHINE, "busy": BUSY, "no-directory": USAGE, "no-configuration": USAGE}
ALIVE_SECONDS = 0.5
DONE = {"create": "created", "update": "changed", "delete": "destroyed", "replace": "replaced"}


def up(context: EngineContext, parameters: Parameters) -> Iterator[Event]:
    """Apply a directory and wait until what it describes runs. Raises UserError."""
    began, since = time.monotonic(), time.time()
    result = yield from _run(context, parameters, "apply")
    applied = time.monotonic()
    known = terraform_addresses(context)
    if parameters.get("wait", True):
        yield from await_settled(context, known, since)
    world = context.store.world
    yield {
        "type": "result",
        "seconds": time.monotonic() - began,
        "phases": {**result.seconds, "settled": time.monotonic() - applied},
        "changes": {"added": result.added, "changed": result.changed, "destroyed": result.destroyed},
        "urls": urls(world),
        "names": names(world),
        "tasks": task_rows(world),
        "images": image_rows(world, context.containers.images_used()),
        "published": _moved_ports(context),
        "accepted": [resource.address for resource in result.accepted],
        "outputs": dict(result.outputs),
    }


def destroy(context: EngineContext, parameters: Parameters) -> Iterator[Event]:
    """Destroy what a directory's state holds. Raises UserError."""
    began = time.monotonic()
    result = yield from _run(context, parameters, "destroy")
    yield {"type": "result", "destroyed": result.destroyed, "seconds": time.monotonic() - began}


def terraform_addresses(context: EngineContext) -> dict[str, str]:
    """Return the Terraform addresses of everything in the states of this engine, by ARN and id."""
    found: dict[str, str] = {}
    for state in sorted((context.home.path / "terraform").glob("*/upper/.tsubo/**/terraform.tfstate")):
        found |= addresses(read_state(state))
    return found


def _run(context: EngineContext, parameters: Parameters, action: Action) -> Generator[Event, None, RunResult]:
    """Run Terraform in a thread and yield its progress; return its result. Closing the generator cancels the run."""
    environment = dict(parameters.get("environment") or os.environ)
    request = RunRequest(
        directory=Path(parameters["directory"]),
        home=context.home.path,
        provider=context.provider,
        action=action,
        variables=tuple(parameters.get("variables", ())),
        variable_files=tuple(parameters.get("variable_files", ())),
        environment=environment,
        user_id=_number(environment.get("SUDO_UID")),
        group_id=_number(environment.get("SUDO_GID")),
    )
    events: queue.SimpleQueue[ProgressEvent | RunResult | BaseException] = queue.SimpleQueue()
    thread = threading.Thread(target=_work, args=(request, events), name=f"terraform {action}")
    thread.start()
    try:
        while True:
            try:
                event = events.get(timeout=ALIVE_SECONDS)
            except queue.Empty:
                # Sending something is how a client that has gone is noticed.
                yield {"type": "alive"}
                continue
            if isinstance(event, ProgressEvent):
                yield from _told(event)
            elif isinstance(event, RunResult):
                return _checked(event, action)
            else:
                raise event
    except GeneratorExit:
        request.cancel.set()
        raise
    finally:
        thread.join()


def _work(request: RunRequest, events: queue.SimpleQueue[ProgressEvent | RunResult | BaseException]) -> None:
    try:
        events.put(run(request, events.put))
    except RunError as error:
        events.put(UserError(str(error), "", REFUSAL_CODES.get(error.kind, FAILED)))
    except BaseException as error:
        events.put(error)


def _told(event: ProgressEvent) -> Iterator[Event]:
    """Yield what a user wants to see of Terraform's progress: what is made, what is awaited, what went wrong."""
    if event.kind == "complete" and event.action in DONE:
        yield {"type": "progress", "text": f"{event.address}: {DONE[event.action]}", "address": event.address}
    elif event.kind in ("failed", "warning"):
        yield {"type": "progress", "text": event.message, "address": event.address}
    elif event.kind in ("start", "progress", "phase"):
        yield {"type": "waiting", "text": event.message, "address": event.address}


def _checked(result: RunResult, action: Action) -> RunResult:
    if result.interrupted:
        remedy = "Run it again, or take it down: tsubo down"
        raise UserError("Interrupted. What was made so far stays.", remedy, FAILED)
    if not result.ok:
        text = "\n".join(str(error) for error in result.errors) or f"terraform {action} failed"
        raise UserError(text, "What was made so far stays; correct the files and run it again.", FAILED)
    return result


def _moved_ports(context: EngineContext) -> list[str]:
    """Say which ports could not be published as they are, where they are instead, and who holds them."""
    return [
        f"{entry.entry.public_address}:{entry.entry.port} is at {entry.entry.listen_address}:{entry.port or '-'} "
        f"({entry.reason})"
        for entry in published_ports(context.home.path)
        if entry.reason
    ]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
