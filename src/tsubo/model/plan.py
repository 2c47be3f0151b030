"""What should change: steps for things with a life, records for what the API says.

The data plane, which is replaced as a whole, is compiled from the world that the plan makes (`Plan.world`).
"""

from dataclasses import dataclass

from tsubo.model.world import Record, World


@dataclass(frozen=True)
class StartTask:
    """Make the task's containers, plug its interface, and start `containers` (those that wait for no other)."""

    task_arn: str
    task_id: str
    containers: tuple[str, ...]
    reason: str

    @property
    def key(self) -> str:
        return f"start-task/{self.task_id}"


@dataclass(frozen=True)
class StartContainers:
    """Start containers of a running task whose dependencies are met."""

    task_arn: str
    task_id: str
    containers: tuple[str, ...]
    reason: str

    @property
    def key(self) -> str:
        return f"start-containers/{self.task_id}"


@dataclass(frozen=True)
class StopTask:
    """Stop the task's containers, dependents first: STOPSIGNAL, then SIGKILL after each one's stop timeout."""

    task_arn: str
    task_id: str
    reason: str

    @property
    def key(self) -> str:
        return f"stop-task/{self.task_id}"


@dataclass(frozen=True)
class RemoveTask:
    """Remove the task's containers and unplug its interface, after its output has been shipped."""

    task_id: str
    network_interface_id: str | None
    vpc_id: str | None
    reason: str

    @property
    def key(self) -> str:
        return f"remove-task/{self.task_id}"


@dataclass(frozen=True)
class IssueCertificate:
    """Issue a certificate from the local certificate authority."""

    certificate_arn: str
    reason: str

    @property
    def key(self) -> str:
        return f"issue-certificate/{self.certificate_arn}"


Step = StartTask | StartContainers | StopTask | RemoveTask | IssueCertificate


@dataclass(frozen=True)
class RecordChange:
    """One record as it was when the decision was made (None: it is new) and as it shall be (None: it goes).

    The store takes all changes of a plan or none: if a record is no longer what it was, the next pass decides again.
    """

    before: Record | None
    after: Record | None


@dataclass(frozen=True)
class Plan:
    """`world` is the world after `changes`. `wake_at` is when time alone will ask for another decision."""

    world: World
    changes: tuple[RecordChange, ...] = ()
    steps: tuple[Step, ...] = ()
    wake_at: float | None = None
