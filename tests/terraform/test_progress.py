"""Terraform's `-json` output as events and a summary."""

import json
from typing import Any

from tsubo.terraform.progress import Transcript
from tsubo.terraform.runs import ProgressEvent


def take(*messages: dict[str, Any] | str) -> tuple[Transcript, list[ProgressEvent]]:
    events: list[ProgressEvent] = []
    transcript = Transcript(events.append)
    for message in messages:
        transcript.take(message if isinstance(message, str) else json.dumps(message) + "\n")
    return transcript, events


def hook(kind: str, **more: Any) -> dict[str, Any]:
    return {"@message": kind, "type": kind, "hook": {"resource": {"addr": "aws_vpc.main"}, "action": "create"} | more}


def test_the_life_of_a_resource() -> None:
    _transcript, events = take(hook("apply_start"), hook("apply_complete", elapsed_seconds=2))
    assert [(event.kind, event.address, event.action, event.seconds) for event in events] == [
        ("start", "aws_vpc.main", "create", 0.0),
        ("complete", "aws_vpc.main", "create", 2.0),
    ]


def test_an_error_has_its_place() -> None:
    diagnostic = {
        "severity": "error",
        "summary": "Unsupported argument",
        "detail": 'An argument named "x" is not expected here.',
        "address": "aws_vpc.main",
        "range": {"filename": "main.tf", "start": {"line": 3, "column": 1}},
    }
    transcript, events = take({"@message": "", "type": "diagnostic", "diagnostic": diagnostic})
    (error,) = transcript.errors()
    assert (error.file, error.line) == ("main.tf", 3)
    assert events[0].message.startswith("main.tf:3: Unsupported argument\n")
    assert transcript.warnings() == ()


def test_the_plan_is_not_the_end() -> None:
    planned = {"add": 2, "change": 0, "remove": 0, "operation": "plan"}
    applied = {"add": 1, "change": 1, "remove": 0, "operation": "apply"}
    transcript, _events = take({"type": "change_summary", "changes": planned})
    assert transcript.counts == {}
    transcript, _events = take({"type": "change_summary", "changes": applied})
    assert transcript.counts == {"add": 1, "change": 1, "remove": 0}


def test_outputs_and_plain_lines_are_kept() -> None:
    planned = {"outputs": {"url": {"sensitive": False, "action": "create"}}, "type": "outputs"}
    applied = {"outputs": {"url": {"sensitive": False, "type": "string", "value": "https://x/"}}, "type": "outputs"}
    transcript, _events = take(planned, applied, "Error: something early\n", "\n", "[1]\n")
    assert transcript.outputs == {"url": "https://x/"}
    assert transcript.plain_lines == ["Error: something early", "[1]"]
