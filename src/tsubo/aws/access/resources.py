"""Which resources a request is about, as policies name them.

Goes in: a request, what the dispatch made of it, its IAM action. Comes out: ARNs; `*` for an action that has none; None
where this code does not know (a permission is then decided by the action alone).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tsubo.aws.dispatch import Target
from tsubo.aws.message import HttpRequest

SecretArn = Callable[[str, str], str | None]
"""From a secret's name or ARN and a region to its whole ARN, or None where there is none of it."""

ANY = "*"
WITHOUT_RESOURCE = frozenset(
    {
        "cloudwatch:PutMetricData",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
        "cloudwatch:ListMetrics",
        "ecr:GetAuthorizationToken",
        "ecs:RegisterTaskDefinition",
        "servicediscovery:DiscoverInstances",
        "servicediscovery:DiscoverInstancesRevision",
        "sts:GetCallerIdentity",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
    }
)
ENUMERATIONS = ("List", "Describe")
"""Actions with these verbs that name no resource in their request are about all of them."""

ARN_FORMS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "dynamodb": (("TableName", "table/{}"),),
    "ecr": (("repositoryName", "repository/{}"),),
    "events": (("EventBusName", "event-bus/{}"), ("Name", "rule/{}")),
    "firehose": (("DeliveryStreamName", "deliverystream/{}"),),
    "kinesis": (("StreamName", "stream/{}"),),
    "sns": (("Name", "{}"),),
    "sqs": (("QueueName", "{}"),),
    "states": (("name", "stateMachine:{}"),),
}
"""By service: a request's member that names a resource, and what its ARN says after the account."""
ARN_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "sns": ("TopicArn", "TargetArn"),
    "states": ("stateMachineArn", "executionArn"),
    "kinesis": ("StreamARN",),
    "sts": ("RoleArn",),
}


@dataclass(frozen=True)
class Place:
    """The account and region in which a request's names are meant."""

    region: str
    account_id: str

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN; what is one already stays as it is."""
        return (
            resource if resource.startswith("arn:") else f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"
        )


def resources_of(
    request: HttpRequest, target: Target, action: str, place: Place, secret_arn: SecretArn
) -> tuple[str | None, ...]:
    """Return the resources that a request is about: all of them must be allowed."""
    if action in WITHOUT_RESOURCE:
        return (ANY,)
    try:
        found = tuple(_found(request, target, action, place, secret_arn))
    except (AttributeError, KeyError, TypeError):
        # A member is of another type than it must be: the service will say so.
        found = ()
    if not found and action.partition(":")[2].startswith(ENUMERATIONS):
        return (ANY,)
    return found or (None,)


def parameters_of(request: HttpRequest) -> Mapping[str, Any]:
    """Return a request's members, of a form or a JSON body; none where it is neither."""
    try:
        form = request.form_parameters()
        if request.body[:1] != b"{":
            return form
        content = json.loads(request.body)
        return {**form, **content} if isinstance(content, dict) else form
    except ValueError:
        return {}


def _found(request: HttpRequest, target: Target, action: str, place: Place, secret_arn: SecretArn) -> Iterator[str]:
    members = parameters_of(request)
    special = SPECIAL.get(target.service)
    named = list(special(request, members, action, place, secret_arn)) if special else []
    yield from named or _by_form(target.service, members, place)


def _by_form(service: str, members: Mapping[str, Any], place: Place) -> Iterator[str]:
    for member in ARN_MEMBERS.get(service, ()):
        if isinstance(members.get(member), str):
            yield members[member]
            return
    for member, form in ARN_FORMS.get(service, ()):
        if isinstance(members.get(member), str):
            name: str = members[member]
            yield name if name.startswith("arn:") else place.arn(service, form.format(name))
            return


def _s3(request: HttpRequest, _m: Mapping[str, Any], action: str, _p: Place, _s: SecretArn) -> Iterator[str]:
    bucket, _, key = unquote(request.path).lstrip("/").partition("/")
    if not bucket:
        yield ANY
    elif action == "s3:DeleteObject" and not key:
        # The names are in the body; what may delete one of a bucket's objects is taken to be able to delete these.
        yield f"arn:aws:s3:::{bucket}/*"
    else:
        yield f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def _sqs(_r: HttpRequest, members: Mapping[str, Any], _a: str, place: Place, _s: SecretArn) -> Iterator[str]:
    url = members.get("QueueUrl")
    if isinstance(url, str):
        yield place.arn("sqs", url.rstrip("/").rsplit("/", 1)[-1])


def _dynamodb(_r: HttpRequest, members: Mapping[str, Any], _a: str, place: Place, _s: SecretArn) -> Iterator[str]:
    names = list(members.get("RequestItems") or ())
    for item in members.get("TransactItems") or ():
        names += [part["TableName"] for part in item.values() if "TableName" in part]
    if not names and isinstance(members.get("TableName"), str) and members.get("IndexName"):
        names = [f"{members['TableName']}/index/{members['IndexName']}"]
    for name in dict.fromkeys(names):
        yield name if name.startswith("arn:") else place.arn("dynamodb", f"table/{name}")


def _secretsmanager(
    _r: HttpRequest, members: Mapping[str, Any], _a: str, place: Place, secret_arn: SecretArn
) -> Iterator[str]:
    asked = members.get("SecretId")
    if isinstance(asked, str):
        yield secret_arn(asked, place.region) or place.arn("secretsmanager", f"secret:{asked}")
    elif isinstance(members.get("Name"), str):
        yield place.arn("secretsmanager", f"secret:{members['Name']}")


def _ssm(_r: HttpRequest, members: Mapping[str, Any], _a: str, place: Place, _s: SecretArn) -> Iterator[str]:
    names = members.get("Names") or [members.get("Name") or members.get("Path")]
    for name in names:
        if isinstance(name, str):
            yield parameter_arn(place, name)


def _logs(_r: HttpRequest, members: Mapping[str, Any], _a: str, place: Place, _s: SecretArn) -> Iterator[str]:
    group = members.get("logGroupName") or members.get("logGroupIdentifier")
    if isinstance(group, str):
        yield log_stream_arn(place, group, members.get("logStreamName") or "")


def _ecs(_r: HttpRequest, members: Mapping[str, Any], action: str, place: Place, _s: SecretArn) -> Iterator[str]:
    cluster = str(members.get("cluster") or "default").rsplit("/", 1)[-1]
    if action in ("ecs:RunTask", "ecs:StartTask"):
        yield place.arn("ecs", _unless_arn("task-definition/{}", members["taskDefinition"]))
        return
    kinds = {"task": "task", "tasks": "task", "service": "service", "services": "service", "serviceName": "service"}
    for member, kind in kinds.items():
        named = members.get(member) or []
        for name in named if isinstance(named, list) else [named]:
            yield place.arn("ecs", _unless_arn(f"{kind}/{cluster}/{{}}", name))


def _unless_arn(form: str, name: str) -> str:
    return name if name.startswith("arn:") else form.format(name)


def _lambda(request: HttpRequest, _m: Mapping[str, Any], _a: str, place: Place, _s: SecretArn) -> Iterator[str]:
    parts = unquote(request.path).split("/")
    if len(parts) > 3 and parts[2] == "functions":
        yield place.arn("lambda", parts[3] if parts[3].startswith("arn:") else f"function:{parts[3]}")


SPECIAL: Mapping[str, Callable[[HttpRequest, Mapping[str, Any], str, Place, SecretArn], Iterator[str]]] = {
    "dynamodb": _dynamodb,
    "ecs": _ecs,
    "lambda": _lambda,
    "logs": _logs,
    "s3": _s3,
    "secretsmanager": _secretsmanager,
    "sqs": _sqs,
    "ssm": _ssm,
}


def parameter_arn(place: Place, name: str) -> str:
    """Return the ARN of a parameter by its name or ARN."""
    return place.arn("ssm", name if name.startswith("arn:") else f"parameter/{name.lstrip('/')}")


def log_stream_arn(place: Place, group: str, stream: str = "") -> str:
    """Return the ARN of a stream, or of a group, as the words of a denial write it.

    Source: aws/alb-vpc-terraform.md section 5.3.
    """
    return place.arn("logs", group if group.startswith("arn:") else f"log-group:{group}:log-stream:{stream}")
