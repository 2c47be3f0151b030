"""Policies of repositories and of the registry: kept and shown. Who may push is not enforced by them."""

from collections.abc import Sequence
from dataclasses import replace

from tsubo.aws.ecr.lookup import find_repository, invalid, json_object
from tsubo.aws.ecr.settings import settings_of
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.ecr import Repository

REGISTRY_ACTIONS = frozenset({"ecr:CreateRepository", "ecr:ReplicateImage", "ecr:BatchImportUpstreamImage", "ecr:*"})


def set_repository_policy(call: Call, request: Request) -> Response:
    """SetRepositoryPolicy."""
    repository, text = find_repository(call, request), request["policyText"]
    # A repository's policy names no resource, may have the old version, and may use a statement id twice.
    lenient = ("_validate_resource_exist", "_validate_version", "_validate_sid_uniqueness")
    _validate(text, "Invalid repository policy provided", lenient)
    call.put(replace(repository, policy=text))
    return _view(repository, text)


def get_repository_policy(call: Call, request: Request) -> Response:
    """GetRepositoryPolicy. Raises RepositoryPolicyNotFoundException."""
    repository = find_repository(call, request)
    return _view(repository, _policy(repository))


def delete_repository_policy(call: Call, request: Request) -> Response:
    """DeleteRepositoryPolicy. Raises RepositoryPolicyNotFoundException."""
    repository = find_repository(call, request)
    text = _policy(repository)
    call.put(replace(repository, policy=None))
    return _view(repository, text)


def put_registry_policy(call: Call, request: Request) -> Response:
    """PutRegistryPolicy."""
    text = request["policyText"]
    refusal = "Invalid registry policy provided"
    _validate(text, refusal)
    statements = json_object(text, invalid("PolicyText", refusal))["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        actions = statement.get("Action", [])
        if not set([actions] if isinstance(actions, str) else actions) <= REGISTRY_ACTIONS:
            raise invalid("PolicyText", refusal)
    call.put(replace(settings_of(call), policy=text))
    return {"registryId": call.account_id, "policyText": text}


def get_registry_policy(call: Call, request: Request) -> Response:
    """GetRegistryPolicy. Raises RegistryPolicyNotFoundException."""
    return {"registryId": call.account_id, "policyText": _registry_policy(call)}


def delete_registry_policy(call: Call, request: Request) -> Response:
    """DeleteRegistryPolicy. Raises RegistryPolicyNotFoundException."""
    text = _registry_policy(call)
    call.put(replace(settings_of(call), policy=None))
    return {"registryId": call.account_id, "policyText": text}


def _registry_policy(call: Call) -> str:
    text = settings_of(call).policy
    if text is None:
        raise AwsError(
            "RegistryPolicyNotFoundException",
            f"Registry policy does not exist in the registry with id '{call.account_id}'",
        )
    return text


def _policy(repository: Repository) -> str:
    if repository.policy is None:
        raise AwsError(
            "RepositoryPolicyNotFoundException",
            f"Repository policy does not exist for the repository with name '{repository.name}' in the registry with "
            f"id '{repository.registry_id}'",
        )
    return repository.policy


def _view(repository: Repository, text: str) -> Response:
    return {"registryId": repository.registry_id, "repositoryName": repository.name, "policyText": text}


def _validate(text: str, refusal: str, left_out: Sequence[str] = ()) -> None:
    """Check a policy's form by moto's validator, without the checks in `left_out`."""
    # Loaded when a policy comes: the package brings all of IAM's managed policies with it.
    from moto.iam.exceptions import MalformedPolicyDocument  # noqa: PLC0415
    from moto.iam.policy_validation import IAMPolicyDocumentValidator  # noqa: PLC0415

    validator = IAMPolicyDocumentValidator(text)
    for check in left_out:
        setattr(validator, check, lambda: None)
    try:
        validator.validate()
    except MalformedPolicyDocument as error:
        raise invalid("PolicyText", refusal) from error
