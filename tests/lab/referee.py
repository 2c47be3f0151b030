"""The same configuration by the real AWS provider and by ours: what each leaves in the control plane, made comparable.

A view holds every record of the store and what the API tells of the other services, with ids replaced by the Terraform
address of what they name, and with times, random names and addresses from AWS's pools blotted out.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.terraform.control_plane import ControlPlane
from tests.terraform.real_provider import plugin_directory
from tsubo.model.world import KIND_NAMES
from tsubo.terraform import runner
from tsubo.terraform.runs import RunRequest
from tsubo.terraform.state_file import State, managed_resources, read_state
from tsubo.terraform.workspace import Workspace

View = dict[str, Any]

GENERATED = re.compile(
    r"""
      \b(?:vpc|subnet|igw|rtb|rtbassoc|sg|sgr|acl|aclassoc|eipalloc|eipassoc|nat|eni|eni-attach|dopt|vpce|fl)-[0-9a-f]{8,17}\b
    | \b(?:ns|srv)-[0-9a-z]{16}\b                               # Cloud Map
    | \b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b
    | \b[0-9a-f]{16,64}\b                                       # ELB, names of validation records
    | \bZ[0-9A-Z]{12,32}\b                                      # hosted zones
    | \bterraform-[0-9a-f]{20,}\b                               # names that the provider makes up
    | (?<=[a-z]-)[0-9]{20,26}\b
    | \bns-[0-9]+\.awsdns-[0-9]+\.(?:com|net|org|co\.uk)
    | (?<=-)[0-9]{8,10}(?=\.[a-z]{2}-[a-z]+-[0-9]\.elb\.)       # load balancers' DNS names
    | \bterraform-[0-9A-Z]{10,}\b
    """,
    re.VERBOSE,
)
TIMES = re.compile(r"(_at|_since|Date|Time|Timestamp|createdAt|ARNLastUpdated)$", re.IGNORECASE)
RANDOM_MEMBERS = frozenset(
    {
        "request_id", "creator_request_id", "client_token", "caller_reference", "idempotency_token",
        "public_ip", "mac", "dns_name",
        "RoleId", "PolicyId", "SecretVersionsToStages", "VersionId", "VersionIdsToStages", "DefaultVersionId",
    }
)  # fmt: skip
ORDERED = frozenset(
    {"command", "entryPoint", "entry_point", "containers", "containerDefinitions", "container_definitions"}
)
"""Lists whose order says something; where it does not, the real provider's order is that of its sets."""
NOTHING: tuple[Any, ...] = (None, [], {}, "")
HISTORY = ("operations", "changes", "tasks", "network_interfaces")
"""Kinds that say how it came about, or what the engine does with it."""


def apply_with_the_real_provider(plane: ControlPlane, directory: Path) -> State:
    """Apply a directory with provider 5.100.0 and return the state."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
    environment |= plane.provider.environment() | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    for command in (
        ["init", f"-plugin-dir={plugin_directory()}"],
        ["apply", "-auto-approve", "-parallelism=256"],
        ["plan", "-detailed-exitcode"],
    ):
        done = subprocess.run(
            ["terraform", *command, "-no-color"],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"terraform {command[0]}: {done.stdout[-6000:]}\n{done.stderr}"
    return read_state(directory / "terraform.tfstate")


def apply_with_ours(plane: ControlPlane, directory: Path, home: Path) -> State:
    """Apply a directory as `tsubo up` does and return the state."""
    result = runner.run(RunRequest(directory, home, plane.provider), lambda _event: None)
    assert result.ok, [str(error) for error in result.errors]
    return read_state(Workspace.of(directory, home, {}).state)


def control_plane_view(plane: ControlPlane, state: State) -> View:
    """Return all that a control plane holds, by kind."""
    neutral = _Neutral(state)
    world = plane.store.world
    kinds = {name: getattr(world, name).values() for name in KIND_NAMES.values() if name not in HISTORY}
    everything: dict[str, Any] = {name: [msgspec.to_builtins(r) for r in records] for name, records in kinds.items()}
    for name, look in BREADTH.items():
        everything[name] = list(look(plane.client))
    return {name: neutral.of(records) for name, records in everything.items() if records}


def differences(real: Any, ours: Any, path: str = "") -> Iterator[str]:
    """Yield where two views differ."""
    if isinstance(real, dict) and isinstance(ours, dict):
        for name in sorted(real.keys() | ours.keys()):
            yield from differences(real.get(name), ours.get(name), f"{path}.{name}")
    elif isinstance(real, list) and isinstance(ours, list) and len(real) == len(ours):
        for index, (one, other) in enumerate(zip(real, ours, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif isinstance(real, list) and isinstance(ours, list):
        yield from (f"{path}: only the real provider: {_text(one)}" for one in real if one not in ours)
        yield from (f"{path}: only ours: {_text(one)}" for one in ours if one not in real)
    elif real != ours:
        yield f"{path}: the real provider {_text(real)}, ours {_text(ours)}"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


class _Neutral:
    """Rewrites values so that two runs of one configuration give the same."""

    def __init__(self, state: State) -> None:
        self.names = {
            attributes["id"]: f"<{address}>"
            for address, _type, attributes in managed_resources(state)
            if GENERATED.search(str(attributes.get("id"))) or ":secret:" in str(attributes.get("id"))
        }
        longest_first = sorted(map(re.escape, self.names), key=len, reverse=True)
        self.known = re.compile("|".join(longest_first) or r"(?!)")

    def of(self, value: Any, name: str = "") -> Any:
        if isinstance(value, Mapping):
            members = {self.text(member): self.of(content, member) for member, content in value.items()}
            return {
                member: content
                for member, content in members.items()
                if member not in RANDOM_MEMBERS and not TIMES.search(member) and content not in NOTHING
            }
        if isinstance(value, list | tuple):
            elements = [self.of(element, name) for element in value]
            return elements if name in ORDERED else sorted(elements, key=_text)
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        if text[:1] in ("{", "["):
            try:
                return json.dumps(self.of(json.loads(text)), sort_keys=True)
            except ValueError:
                pass
        return GENERATED.sub("<generated>", self.known.sub(lambda match: self.names[match[0]], text))


Client = Callable[[str], Any]


def _roles(client: Client) -> Iterator[Any]:
    details = client("iam").get_account_authorization_details(Filter=["Role", "LocalManagedPolicy"])
    yield from details["RoleDetailList"]
    yield from details["Policies"]


def _log_groups(client: Client) -> Iterator[Any]:
    logs = client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        yield {**group, "tags": logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]}


def _secrets(client: Client) -> Iterator[Any]:
    secrets = client("secretsmanager")
    for secret in secrets.list_secrets()["SecretList"]:
        value = secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"]
        yield {**secret, "ARN": "", "value": value}


def _parameters(client: Client) -> Iterator[Any]:
    ssm = client("ssm")
    for parameter in ssm.describe_parameters()["Parameters"]:
        name = parameter["Name"]
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
        yield {**parameter, "Value": ssm.get_parameter(Name=name)["Parameter"]["Value"], "Tags": tags}


def _alarms(client: Client) -> Iterator[Any]:
    yield from client("cloudwatch").describe_alarms()["MetricAlarms"]


BREADTH: Mapping[str, Callable[[Client], Iterator[Any]]] = {
    "iam": _roles,
    "logs": _log_groups,
    "secretsmanager": _secrets,
    "ssm": _parameters,
    "cloudwatch": _alarms,
}
