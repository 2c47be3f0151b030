"""What a run of Terraform over a directory is asked, tells on its way, and comes to."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tsubo.terraform.provider import Provider

Action = Literal["apply", "destroy"]
EventKind = Literal["phase", "start", "progress", "complete", "failed", "warning", "error", "summary"]
Refusal = Literal["no-directory", "no-configuration", "no-terraform", "busy", "refused", "sandbox"]


class RunError(Exception):
    """A run that could not begin. `kind` says why, the message what to do."""

    def __init__(self, kind: Refusal, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class RunRequest:
    """One run.

    `home` is the engine's state directory. `variables` are `name=value`; `variable_files` absolute paths. Terraform
    runs with `environment` as `user_id` and `group_id` (None: as this process). Setting `cancel` ends the run in order.
    """

    directory: Path
    home: Path
    provider: Provider
    action: Action = "apply"
    variables: tuple[str, ...] = ()
    variable_files: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    user_id: int | None = None
    group_id: int | None = None
    cancel: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class ProgressEvent:
    """One thing that happened in a run. `action` is Terraform's word: create, read, update, delete, replace, noop."""

    kind: EventKind
    message: str
    address: str = ""
    action: str = ""
    seconds: float = 0.0
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Diagnostic:
    """An error or a warning, in Terraform's words, with the place in the configuration where it has one."""

    severity: Literal["error", "warning"]
    summary: str
    detail: str = ""
    address: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else f"{self.address}: " if self.address else ""
        return f"{place}{self.summary}" + (f"\n{self.detail}" if self.detail else "")


@dataclass(frozen=True)
class AcceptedResource:
    """A resource that was accepted and kept but is not run."""

    address: str
    type: str


@dataclass(frozen=True)
class RunResult:
    """What a run came to. `addresses` maps each ARN and id to the Terraform address of its resource."""

    ok: bool
    added: int = 0
    changed: int = 0
    destroyed: int = 0
    outputs: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[Diagnostic, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    accepted: tuple[AcceptedResource, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    interrupted: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Duration of each phase: init, apply, destroy."""
