"""Why an image of ECR could not be fetched, in ECS's words: aws/alb-vpc-terraform.md section 5.3."""

from tsubo.core.registry_road import Service
from tsubo.engine.task_resources import StartError
from tsubo.model.containers import ContainerSpec
from tsubo.model.observed import StartFailure

UNREACHABLE_ADDRESS = "198.51.100.10"
"""What the messages call an address of AWS's: one of a range reserved for documentation."""
TIMEOUT = f"dial tcp {UNREACHABLE_ADDRESS}:443: i/o timeout"
NO_REGISTRY_AUTH = (
    "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from "
    "Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration. "
    "operation error ECR: GetAuthorizationToken, exceeded maximum number of attempts, 3, https response error "
    "StatusCode: 0, RequestID: , request send failed, Post "
)


def no_road(container: ContainerSpec, service: Service) -> StartError:
    """Return the failure to reach a service on the way to an image. AWS tries for minutes; here it is known at once."""
    reference = container.images[0]
    host, _, name = reference.partition("/")
    region = host.split(".")[3]
    if service == "ecr.api":
        return StartError(StartFailure(f'{NO_REGISTRY_AUTH}"https://api.ecr.{region}.amazonaws.com/": {TIMEOUT}'))
    if service == "ecr.dkr":
        repository, _, tag = name.partition("@") if "@" in name else name.rpartition(":")
        request = f'Head "https://{host}/v2/{repository}/manifests/{tag}"'
        what = f"pull image manifest has been retried 1 time(s): failed to resolve ref {reference}"
    else:
        request = f'Get "https://prod-{region}-starport-layer-bucket.s3.{region}.amazonaws.com/"'
        what = "ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open"
    return _cannot_pull(container, f"{what}: failed to do request: {request}: {TIMEOUT}")


def cannot_pull(container: ContainerSpec, reason: str) -> StartError:
    """Return the failure of a transfer; `reason` is the container engine's."""
    if "no matching manifest" in reason:
        what = "pull image manifest has been retried 7 time(s)"
        reason = "image Manifest does not contain descriptor matching platform 'linux/amd64'"
    else:
        what = f"ref pull has been retried 1 time(s): failed to copy: {container.images[0]}"
    return _cannot_pull(container, f"{what}: {reason}")


def _cannot_pull(container: ContainerSpec, text: str) -> StartError:
    reason = f"CannotPullContainerError: {text}"
    return StartError(StartFailure(reason, container.name, reason))
