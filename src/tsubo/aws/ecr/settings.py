"""A region's settings of the registry: replication and scanning. Kept and shown; nothing is replicated or scanned."""

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from tsubo.aws.ecr.lookup import invalid, repository_arn
from tsubo.aws.operations import Call, Request, Response
from tsubo.model.ecr import RegistrySettings, Repository


def settings_of(call: Call) -> RegistrySettings:
    """Return the settings of the call's region."""
    return call.world.registry_settings.get(call.region) or RegistrySettings(call.region)


def describe_registry(call: Call, request: Request) -> Response:
    """DescribeRegistry."""
    rules = [dict(rule) for rule in settings_of(call).replication_rules]
    return {"registryId": call.account_id, "replicationConfiguration": {"rules": rules}}


def put_replication_configuration(call: Call, request: Request) -> Response:
    """PutReplicationConfiguration."""
    rules = tuple(request["replicationConfiguration"]["rules"])
    own = {"region": call.region, "registryId": call.account_id}
    if any(own == dict(destination) for rule in rules for destination in rule["destinations"]):
        raise invalid("replicationConfiguration", "Replication destination cannot be the same as the source registry")
    call.put(replace(settings_of(call), replication_rules=rules))
    return {"replicationConfiguration": {"rules": list(rules)}}


def get_registry_scanning_configuration(call: Call, request: Request) -> Response:
    """GetRegistryScanningConfiguration."""
    return {"registryId": call.account_id, "scanningConfiguration": _scanning(settings_of(call))}


def put_registry_scanning_configuration(call: Call, request: Request) -> Response:
    """PutRegistryScanningConfiguration: what the request leaves out becomes basic scanning without rules."""
    scan_type = request.get("scanType", "BASIC")
    if scan_type not in ("BASIC", "ENHANCED"):
        raise invalid("scanType", "Member must satisfy enum value set: [BASIC, ENHANCED]")
    settings = replace(settings_of(call), scan_type=scan_type, scan_rules=tuple(request.get("rules") or ()))
    call.put(settings)
    return {"registryScanningConfiguration": _scanning(settings)}


def batch_get_repository_scanning_configuration(call: Call, request: Request) -> Response:
    """BatchGetRepositoryScanningConfiguration: the last rule that names a repository decides."""
    found, failures = [], []
    for name in request["repositoryNames"]:
        repository = call.world.repositories.get(repository_arn(call, call.account_id, name))
        if repository is None:
            code = "REPOSITORY_NOT_FOUND"
            failures.append({"repositoryName": name, "failureCode": code, "failureReason": code})
        else:
            found.append(_repository_scanning(settings_of(call), repository))
    return {"scanningConfigurations": found, "failures": failures}


def _scanning(settings: RegistrySettings) -> Response:
    return {"scanType": settings.scan_type, "rules": [dict(rule) for rule in settings.scan_rules]}


def _repository_scanning(settings: RegistrySettings, repository: Repository) -> Response:
    frequency, applied = "MANUAL", list[Mapping[str, Any]]()
    for rule in settings.scan_rules:
        for each in rule["repositoryFilters"]:
            if fnmatchcase(repository.name, _pattern(each["filter"])):
                frequency, applied = rule["scanFrequency"], [each]
    return {
        "repositoryArn": repository.arn,
        "repositoryName": repository.name,
        "scanOnPush": repository.scan_on_push,
        "scanFrequency": frequency,
        "appliedScanFilters": applied,
    }


def _pattern(text: str) -> str:
    """Return a filter as a pattern: one without a wildcard asks for a part of the name."""
    return text if "*" in text else f"*{text}*"
