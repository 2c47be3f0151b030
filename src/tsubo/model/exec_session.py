"""A session of ECS Exec, as the API knows it; the process and its channel are the engine's."""

from dataclasses import dataclass

SESSION_PREFIX = "ecs-execute-command-"


@dataclass(frozen=True)
class ExecSession:
    """ExecuteCommand makes it, ResumeSession gives it another token, the engine deletes it when the session is over.

    `token_digest` is the SHA-256, in hexadecimal digits, of the token that opens the data channel the next time, and
    None once that was used. `terminated` is set by TerminateSession. `exec_id` is the container engine's id of the
    process, by which the next controller ends what this one could not. Times are seconds since the epoch.
    """

    session_id: str
    region: str
    task_arn: str
    container_name: str
    command: str
    created_at: float
    token_digest: str | None
    terminated: bool = False
    exec_id: str | None = None

    @property
    def key(self) -> str:
        return self.session_id
