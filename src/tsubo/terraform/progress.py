"""Terraform's machine-readable output (`-json`), line by line, as progress events and a summary."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tsubo.terraform.runs import Diagnostic, EventKind, ProgressEvent

_HOOKS: dict[str, EventKind] = {
    "apply_start": "start",
    "apply_progress": "progress",
    "apply_complete": "complete",
    "apply_errored": "failed",
}


@dataclass
class Transcript:
    """What Terraform has said so far. `report` is called with each event as it comes."""

    report: Callable[[ProgressEvent], None]
    diagnostics: list[Diagnostic] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    plain_lines: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        """Take one line of output. A line that is not JSON is kept: Terraform's early errors are plain text."""
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            if line.strip():
                self.plain_lines.append(line.rstrip())
            return
        kind = message.get("type")
        if kind in _HOOKS:
            self.report(_hook_event(_HOOKS[kind], message))
        elif kind == "diagnostic":
            self._take_diagnostic(message["diagnostic"])
        elif kind == "change_summary":
            self._take_summary(message)
        elif kind == "outputs":
            self.outputs |= {name: output["value"] for name, output in message["outputs"].items() if "value" in output}

    def _take_diagnostic(self, diagnostic: dict[str, Any]) -> None:
        severity: Literal["error", "warning"] = "error" if diagnostic["severity"] == "error" else "warning"
        place = diagnostic.get("range") or {}
        taken = Diagnostic(
            severity=severity,
            summary=diagnostic["summary"],
            detail=diagnostic.get("detail", ""),
            address=diagnostic.get("address", ""),
            file=place.get("filename", ""),
            line=(place.get("start") or {}).get("line", 0),
        )
        self.diagnostics.append(taken)
        self.report(ProgressEvent(severity, str(taken), taken.address, file=taken.file, line=taken.line))

    def _take_summary(self, message: dict[str, Any]) -> None:
        """Both the plan and its end are summed up; the plan only says what is to come."""
        changes = message["changes"]
        if changes.get("operation") != "plan":
            self.counts = {name: changes.get(name, 0) for name in ("add", "change", "remove")}
        self.report(ProgressEvent("summary", message.get("@message", "")))

    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "error")

    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "warning")


def _hook_event(kind: EventKind, message: dict[str, Any]) -> ProgressEvent:
    hook = message["hook"]
    return ProgressEvent(
        kind=kind,
        message=message.get("@message", ""),
        address=hook["resource"]["addr"],
        action=hook.get("action", ""),
        seconds=float(hook.get("elapsed_seconds") or 0),
    )
