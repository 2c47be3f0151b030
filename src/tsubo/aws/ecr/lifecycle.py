"""Lifecycle policies: kept, and tried without effect. The loop carries them out (`core/image_expiry.py`).

The form of a policy is checked by moto's validator, which has the words of ECR's own.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tsubo.aws.ecr.images import image_ids
from tsubo.aws.ecr.lookup import find_repository, images_of, invalid
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.ecr import Image, Repository
from tsubo.model.lifecycle_policy import expired_images

TEXT_LIMIT = 30720


def put_lifecycle_policy(call: Call, request: Request) -> Response:
    """PutLifecyclePolicy."""
    repository, text = find_repository(call, request), request["lifecyclePolicyText"]
    validate(text)
    call.put(replace(repository, lifecycle_policy=text))
    return _view(repository, text)


def get_lifecycle_policy(call: Call, request: Request) -> Response:
    """GetLifecyclePolicy. Raises LifecyclePolicyNotFoundException."""
    repository = find_repository(call, request)
    return {**_view(repository, _policy(repository)), "lastEvaluatedAt": datetime.fromtimestamp(call.now, UTC)}


def delete_lifecycle_policy(call: Call, request: Request) -> Response:
    """DeleteLifecyclePolicy. Raises LifecyclePolicyNotFoundException."""
    repository = find_repository(call, request)
    text = _policy(repository)
    call.put(replace(repository, lifecycle_policy=None))
    return {**_view(repository, text), "lastEvaluatedAt": datetime.fromtimestamp(call.now, UTC)}


def start_lifecycle_policy_preview(call: Call, request: Request) -> Response:
    """StartLifecyclePolicyPreview: of the policy given, or of the repository's own."""
    repository = find_repository(call, request)
    text = request.get("lifecyclePolicyText") or _policy(repository)
    validate(text)
    call.put(replace(repository, previewed_policy=text))
    return {**_view(repository, text), "status": "IN_PROGRESS"}


def get_lifecycle_policy_preview(call: Call, request: Request) -> Response:
    """GetLifecyclePolicyPreview: what the policy would do now."""
    repository = find_repository(call, request)
    text = repository.previewed_policy
    if text is None:
        raise AwsError(
            "LifecyclePolicyPreviewNotFoundException",
            f"Lifecycle policy preview does not exist for the repository with name '{repository.name}' in the registry "
            f"with id '{repository.registry_id}'",
        )
    expired = expired_images(text, images_of(call, repository), call.now)
    return {
        **_view(repository, text),
        "status": "COMPLETE",
        "previewResults": [_preview(image, priority) for image, priority in expired],
        "summary": {"expiringImageTotalCount": len(expired)},
    }


def _preview(image: Image, priority: int) -> Response:
    return {
        "imageTags": list(image.tags),
        "imageDigest": image_ids(image)[0]["imageDigest"],
        "imagePushedAt": datetime.fromtimestamp(image.pushed_at, UTC),
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": priority,
    }


def _policy(repository: Repository) -> str:
    if repository.lifecycle_policy is None:
        raise AwsError(
            "LifecyclePolicyNotFoundException",
            f"Lifecycle policy does not exist for the repository with name '{repository.name}' in the registry with id "
            f"'{repository.registry_id}'",
        )
    return repository.lifecycle_policy


def _view(repository: Repository, text: str) -> Response:
    return {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "lifecyclePolicyText": text,
    }


def validate(text: str) -> None:
    """Raise InvalidParameterException unless a text is a policy that can be carried out."""
    # Loaded when a policy comes: the package brings all of IAM's managed policies with it.
    from moto.core.exceptions import ServiceException  # noqa: PLC0415
    from moto.ecr.policy_validation import EcrLifecyclePolicyValidator  # noqa: PLC0415

    if len(text) > TEXT_LIMIT:
        raise _refusal(f"the policy is longer than {TEXT_LIMIT} characters")
    try:
        EcrLifecyclePolicyValidator(text).validate()
        _check_rules(json.loads(text)["rules"])
    except ServiceException as error:
        raise AwsError("InvalidParameterException", error.message) from error
    except (TypeError, AttributeError, KeyError) as error:
        raise _refusal("Could not map policyString into LifecyclePolicy.") from error


def _check_rules(rules: list[Any]) -> None:
    """Check what moto's validator leaves out: how the rules of a policy go together."""
    priorities = [rule["rulePriority"] for rule in rules]
    if len(set(priorities)) < len(priorities):
        raise _refusal("rulePriority must be unique in each rule")
    for rule in rules:
        selection = rule["selection"]
        listed = bool(selection.get("tagPrefixList")) + bool(selection.get("tagPatternList"))
        if listed != (selection["tagStatus"] == "tagged"):
            raise _refusal("tagStatus=tagged must have one of tagPrefixList and tagPatternList, any other neither")
        if (selection["countType"] == "sinceImagePushed") != bool(selection.get("countUnit")):
            raise _refusal("countUnit goes with countType sinceImagePushed, and must be given with it")
        if selection["tagStatus"] == "any" and rule["rulePriority"] != max(priorities):
            raise _refusal("the rule with tagStatus=any must have the highest rulePriority")


def _refusal(reason: str) -> AwsError:
    return invalid("LifecyclePolicyText", f"Lifecycle policy validation failure: {reason}")
