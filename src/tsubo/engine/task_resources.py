"""What a task needs of other AWS services before its containers are made: log streams and secrets.

A missing one stops the task before it starts, with ECS's words (aws/alb-vpc-terraform.md section 5.3).
"""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tsubo.aws.breadth import Breadth
from tsubo.model.containers import TaskSpec
from tsubo.model.observed import StartFailure


class StartError(Exception):
    """A task cannot be started; `failure` says why in ECS's words."""

    def __init__(self, failure: StartFailure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def ensure_log_streams(breadth: Breadth, region: str, spec: TaskSpec) -> None:
    """Make the log streams of a task's containers. Raises StartError where a log group is missing."""
    for container in spec.containers:
        if container.log_group is None or container.log_stream is None:
            continue
        try:
            if container.create_log_group:
                _tolerating(breadth, "create_log_group", region, logGroupName=container.log_group)
            _tolerating(
                breadth,
                "create_log_stream",
                region,
                logGroupName=container.log_group,
                logStreamName=container.log_stream,
            )
        except ClientError as error:
            details = error.response["Error"]
            raise StartError(
                StartFailure(
                    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 "
                    f"times: failed to create Cloudwatch log stream: {details['Code']}: {details['Message']} "
                    ": exit status 1",
                    container.name,
                )
            ) from error


def _tolerating(breadth: Breadth, operation: str, region: str, **request: str) -> None:
    try:
        breadth.call("logs", operation, request, region)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise


def resolve_environments(breadth: Breadth, region: str, spec: TaskSpec) -> dict[str, dict[str, str]]:
    """Return each container's environment with its secrets filled in. Raises StartError where one is not to be had."""
    return {
        container.name: {
            **container.environment,
            **{name: _secret(breadth, region, reference) for name, reference in container.secrets},
        }
        for container in spec.containers
    }


def _secret(breadth: Breadth, region: str, reference: str) -> str:
    """Return the value behind a `valueFrom`: a parameter's name or ARN, or a secret's ARN with an optional JSON key."""
    try:
        if ":secretsmanager:" in reference:
            return _from_secrets_manager(breadth, reference)
        name = reference.split(":parameter", 1)[1] if ":parameter" in reference else reference
        answer = breadth.call("ssm", "get_parameter", {"Name": name, "WithDecryption": True}, region)
        return str(answer["Parameter"]["Value"])
    except ClientError as error:
        details = error.response["Error"]
        source = "secret from asm" if ":secretsmanager:" in reference else "secrets from ssm"
        raise StartError(
            StartFailure(
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
                f"failed: unable to retrieve {source}: service call has been retried 1 time(s): failed to fetch secret "
                f"{reference}: {details['Code']}: {details['Message']}"
            )
        ) from error


def _from_secrets_manager(breadth: Breadth, reference: str) -> str:
    parts = reference.split(":")
    secret_id, selectors = ":".join(parts[:7]), [*parts[7:], "", "", ""]
    request = {"SecretId": secret_id}
    request |= {"VersionStage": selectors[1]} if selectors[1] else {}
    request |= {"VersionId": selectors[2]} if selectors[2] else {}
    value = str(breadth.call("secretsmanager", "get_secret_value", request, parts[3])["SecretString"])
    return _json_key(value, selectors[0], secret_id) if selectors[0] else value


def _json_key(value: str, key: str, secret_id: str) -> str:
    try:
        content: Mapping[str, Any] = json.loads(value)
        return str(content[key])
    except (ValueError, KeyError, TypeError) as error:
        raise StartError(
            StartFailure(
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
                f"failed: unable to retrieve secret from asm: retrieved secret from Secrets Manager did not contain "
                f"json key {key} ({secret_id})"
            )
        ) from error
