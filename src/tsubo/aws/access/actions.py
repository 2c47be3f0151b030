"""Which IAM action a request is: `sqs:SendMessage` of a JSON body, `s3:GetObject` of a path.

Goes in: a request and what the dispatch made of it. Comes out: the action's name. Most services' actions are their
operations; S3 has its own, told from method, path and query; of other REST services the operation is found in
botocore's model by method and path.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader

from tsubo.aws.dispatch import Target
from tsubo.aws.message import HttpRequest

IAM_PREFIXES: Mapping[str, str] = {
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "monitoring": "cloudwatch",
    "email": "ses",
    "tagging": "tag",
}
"""What IAM calls a service, where that is not the name it is signed with."""
MODELS: Mapping[str, str] = {"execute-api": "apigatewaymanagementapi", "email": "sesv2"}
"""Botocore's name of a REST service, where that is not the name it is signed with."""
ACTIONS: Mapping[tuple[str, str], str] = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeAsync"): "InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "InvokeFunction",
    ("dynamodb", "TransactGetItems"): "GetItem",
}
"""What IAM calls an operation, where that is not its name."""
CBOR_PATH = re.compile(r"/service/[^/]+/operation/([^/]+)")
UNKNOWN = "UnknownOperation"

SUBRESOURCES: Mapping[str, str] = {
    "accelerate": "AccelerateConfiguration",
    "acl": "BucketAcl",
    "analytics": "AnalyticsConfiguration",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "inventory": "InventoryConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "metrics": "MetricsConfiguration",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
"""What S3's actions call the parts of a bucket's configuration, by the query parameter that asks for one."""
OBJECT_SUBRESOURCES: Mapping[str, str] = {
    "acl": "ObjectAcl",
    "attributes": "ObjectAttributes",
    "legal-hold": "ObjectLegalHold",
    "retention": "ObjectRetention",
    "tagging": "ObjectTagging",
    "torrent": "ObjectTorrent",
}
VERBS: Mapping[str, str] = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete", "POST": "Put"}
DELETED_BY_ITS_OWN_ACTION = frozenset({"policy", "website"})


def action_of(request: HttpRequest, target: Target) -> str:
    """Return the IAM action of a request: prefix, colon, name."""
    if target.service == "s3":
        return f"s3:{s3_action(request)}"
    prefix = IAM_PREFIXES.get(target.service, target.service)
    name = target.operation or _operation_by_path(request, target.service) or UNKNOWN
    return f"{prefix}:{ACTIONS.get((target.service, name), name)}"


def s3_action(request: HttpRequest) -> str:
    """Return the name of S3's action."""
    bucket, _, key = request.path.lstrip("/").partition("/")
    parameters = request.query_parameters()
    if not bucket:
        return "ListAllMyBuckets"
    return _object_action(request.method, parameters) if key else _bucket_action(request.method, parameters)


def _bucket_action(method: str, parameters: Mapping[str, str]) -> str:
    part = next((name for name in SUBRESOURCES if name in parameters), None)
    if part is not None:
        kept = method == "DELETE" and part not in DELETED_BY_ITS_OWN_ACTION
        return f"{'Put' if kept else VERBS.get(method, method)}{SUBRESOURCES[part]}"
    if "delete" in parameters:
        return "DeleteObject"
    if method in ("GET", "HEAD"):
        special = {"uploads": "ListBucketMultipartUploads", "versions": "ListBucketVersions"}
        return next((action for name, action in special.items() if name in parameters), "ListBucket")
    return {"PUT": "CreateBucket", "DELETE": "DeleteBucket"}.get(method, "PutObject")


def _object_action(method: str, parameters: Mapping[str, str]) -> str:
    verb, version = VERBS.get(method, method), "Version" if "versionId" in parameters else ""
    part = next((name for name in OBJECT_SUBRESOURCES if name in parameters), None)
    if part is not None:
        return f"{verb}{OBJECT_SUBRESOURCES[part].replace('Object', f'Object{version}')}"
    if "uploadId" in parameters and method in ("GET", "DELETE"):
        return "ListMultipartUploadParts" if method == "GET" else "AbortMultipartUpload"
    return f"{verb}Object{version if verb != 'Put' else ''}"


def _operation_by_path(request: HttpRequest, service: str) -> str | None:
    named = CBOR_PATH.fullmatch(request.path)
    if named:
        return named[1]
    path = request.path.rstrip("/") or "/"
    for method, template, name in _templates(MODELS.get(service, service)):
        if method == request.method and template.fullmatch(path):
            return name
    return None


@cache
def _templates(model_name: str) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """Return method, path pattern and name of a service's operations, those with fewer parameters first."""
    try:
        model: Mapping[str, Any] = Loader().load_service_model(model_name, "service-2")
    except (DataNotFoundError, ValueError):
        return ()
    templates = []
    for name, operation in model["operations"].items():
        uri = operation.get("http", {}).get("requestUri", "/").partition("?")[0].rstrip("/") or "/"
        parts = re.split(r"\{([^}]+)\}", uri)
        pattern = "".join(
            (".+" if part.endswith("+") else "[^/]+") if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
        templates.append((len(parts), operation["http"]["method"], re.compile(pattern), name))
    templates.sort(key=lambda template: template[0])
    return tuple((method, pattern, name) for _, method, pattern, name in templates)
