"""What ECS does by a task's execution role before the task runs, and the words where the role does not permit it.

The order of AWS: both roles can be assumed, secrets, the registry's password, log streams, images.
Source: aws/alb-vpc-terraform.md sections 5.1 and 5.3.
"""

import re
import uuid

from tsubo.aws.access.decisions import Decisions
from tsubo.aws.access.resources import Place, log_stream_arn, parameter_arn
from tsubo.aws.caller import Caller, assumed_role
from tsubo.core.containers import ECR_REGISTRY
from tsubo.core.start_failures import unassumable_role
from tsubo.core.task_identity import execution_role_arn, task_role_arn
from tsubo.engine.task_resources import StartError
from tsubo.model.containers import ContainerSpec, TaskSpec
from tsubo.model.ecs import Task, TaskDefinition
from tsubo.model.observed import StartFailure

PULL_SECRETS = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed"
)
WRITE_LOGS = "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times"
PULL_ACTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
ACCOUNT_AND_REGION = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.")


class ExecutionRole:
    """The execution role of one task that is about to start. Each method raises StartError where it does not permit."""

    def __init__(self, decisions: Decisions, task: Task, definition: TaskDefinition) -> None:
        self._decisions = decisions
        self._task = task
        self._definition = definition
        self._caller: Caller | None = None

    def require_assumable_roles(self) -> None:
        """The task's roles exist and trust ECS's tasks."""
        for arn in (task_role_arn(self._task, self._definition), execution_role_arn(self._task, self._definition)):
            role = self._decisions.role_for_tasks(arn, self._task.arn) if arn is not None else None
            if arn is not None and role is None:
                raise StartError(StartFailure(unassumable_role(arn)))
            # The execution role is the last one; without one there is nothing that would need it.
            self._caller = assumed_role(role.arn, role.role_id, self._task.task_id) if role is not None else None

    def require_secrets(self, spec: TaskSpec) -> None:
        """The secrets of the containers may be read."""
        for reference in (reference for container in spec.containers for _, reference in container.secrets):
            if ":secretsmanager:" in reference:
                arn = ":".join(reference.split(":")[:7])
                denied = self._refusal("secretsmanager:GetSecretValue", arn)
                source = f"secret from asm: service call has been retried 1 time(s): failed to fetch secret {arn} from "
                operation = "secrets manager: operation error Secrets Manager: GetSecretValue"
            else:
                denied = self._refusal("ssm:GetParameters", parameter_arn(self._place(), reference))
                source = "secrets from ssm: service call has been retried 1 time(s): "
                operation = "operation error SSM: GetParameters"
            if denied is not None:
                raise _failure(f"{PULL_SECRETS}: unable to retrieve {source}{operation}, {_api_error(denied)}")

    def require_registry_access(self, spec: TaskSpec) -> None:
        """The password of ECR may be had, where an image is there."""
        denied = self._refusal("ecr:GetAuthorizationToken", "*")
        if denied is not None and any(_is_in_ecr(container) for container in spec.containers):
            raise _failure(
                f"{PULL_SECRETS}: unable to retrieve ecr registry auth: service call has been retried 1 time(s): "
                f"operation error ECR: GetAuthorizationToken, {_api_error(denied)}"
            )

    def require_log_streams(self, spec: TaskSpec) -> None:
        """The containers' log streams may be made, and their groups where that is asked for."""
        for container in spec.containers:
            if container.log_group is None or container.log_stream is None:
                continue
            group, stream = container.log_group, container.log_stream
            wanted = [("stream", "logs:CreateLogStream", log_stream_arn(self._place(), group, stream))]
            if container.create_log_group:
                wanted.insert(0, ("group", "logs:CreateLogGroup", log_stream_arn(self._place(), group)))
            for kind, action, arn in wanted:
                denied = self._refusal(action, arn)
                if denied is not None:
                    raise _failure(
                        f"{WRITE_LOGS}: failed to create Cloudwatch log {kind}: AccessDeniedException: {denied} "
                        f"status code: 400, request id: {uuid.uuid4()} : exit status 1",
                        container.name,
                    )

    def require_images(self, spec: TaskSpec) -> None:
        """The images that are in ECR may be fetched."""
        for container in spec.containers:
            if _is_in_ecr(container) and any(
                self._refusal(action, _repository_arn(container.images[0])) for action in PULL_ACTIONS
            ):
                reference = container.images[0]
                host, tag = reference.split("/", 1)[0], re.split(r"[:@]", reference.split("/", 1)[1], maxsplit=1)[-1]
                reason = (
                    "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
                    f"{reference}: pulling from host {host} failed with status code [manifests {tag}]: 403 Forbidden"
                )
                raise StartError(StartFailure(reason, container.name, reason))

    def _refusal(self, action: str, resource: str) -> str | None:
        if self._caller is None:
            return None
        return self._decisions.refusal(self._caller, action, resource, self._task.region)

    def _place(self) -> Place:
        return Place(self._task.region, self._task.arn.split(":")[4])


def _failure(reason: str, container_name: str | None = None) -> StartError:
    return StartError(StartFailure(reason, container_name))


def _api_error(denied: str) -> str:
    return f"https response error StatusCode: 400, RequestID: {uuid.uuid4()}, api error AccessDeniedException: {denied}"


def _is_in_ecr(container: ContainerSpec) -> bool:
    return ECR_REGISTRY.match(container.images[0]) is not None


def _repository_arn(reference: str) -> str:
    found = ACCOUNT_AND_REGION.match(reference)
    account, region = found.groups() if found else ("", "")
    name = re.split(r"[:@]", reference.split("/", 1)[1], maxsplit=1)[0]
    return Place(region, account).arn("ecr", f"repository/{name}")
