"""What a running stack offers: addresses to open, names and their answers, tasks."""

from collections.abc import Mapping
from typing import Any

from tsubo.core import dns
from tsubo.core.dns_answer import answer
from tsubo.core.registry_names import REFERENCE
from tsubo.model.ecs import Task
from tsubo.model.elbv2 import Listener
from tsubo.model.world import World


def task_rows(world: World, service_arn: str | None = None) -> list[dict[str, Any]]:
    """Return a row for each task that is not stopped, of all or of one service, sorted by ARN."""
    tasks = [task for _, task in sorted(world.tasks.items()) if task.last_status != "STOPPED"]
    return [_task_row(world, task) for task in tasks if service_arn in (None, task.service_arn)]


def _task_row(world: World, task: Task) -> dict[str, Any]:
    service = world.services.get(task.service_arn or "")
    return {
        "taskArn": task.arn,
        "service": service.name if service else None,
        "address": task.private_ip,
        "startedAt": task.started_at,
        "lastStatus": task.last_status,
    }


def image_rows(world: World, used: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Return for each image of the tasks that shall run where it came from; `used` is `ContainerEngine.images_used`."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for task in world.tasks.values():
        for container in task.containers:
            reference = used.get((task.task_id, container.name))
            if reference is None or task.desired_status == "STOPPED":
                continue
            pushed = REFERENCE.fullmatch(reference.partition("/")[2])
            rows[container.image, reference] = {
                "image": container.image,
                "source": "ecr" if pushed else "local",
                "used": pushed["digest"] if pushed else reference,
            }
    return [row for _, row in sorted(rows.items())]


def urls(world: World) -> list[str]:
    """Return the URLs that listeners answer: one for each host of a rule, or the load balancer's own name."""
    found = []
    for listener in sorted(world.listeners.values(), key=lambda listener: listener.arn):
        balancer = world.load_balancers.get(listener.load_balancer_arn)
        if balancer is None or balancer.scheme != "internet-facing":
            continue
        for host in _hosts(world, listener) or [balancer.dns_name]:
            found.append(_url(listener, host))
    return sorted(set(found))


def _hosts(world: World, listener: Listener) -> list[str]:
    rules = [rule for rule in world.rules.values() if rule.listener_arn == listener.arn]
    conditions = [condition for rule in rules for condition in rule.conditions if condition.field == "host-header"]
    return [host for condition in conditions for host in condition.values if "*" not in host and "?" not in host]


def _url(listener: Listener, host: str) -> str:
    standard = {"HTTP": 80, "HTTPS": 443}.get(listener.protocol)
    port = "" if listener.port == standard else f":{listener.port}"
    return f"{listener.protocol.lower()}://{host}{port}/"


def names(world: World) -> list[dict[str, Any]]:
    """Return each Cloud Map DNS name with its present answers, as the first VPC that resolves it sees it."""
    table = dns.dns_table(world)
    rows = []
    for service in world.discovery_services.values():
        namespace = world.namespaces.get(service.namespace_id)
        zone = world.hosted_zones.get((namespace.hosted_zone_id or "") if namespace else "")
        if namespace is None or zone is None or not service.dns_records:
            continue
        name = f"{service.name}.{namespace.name}"
        view = next((table.view(vpc.vpc_id) for vpc in zone.vpcs if table.view(vpc.vpc_id)), None)
        if view is not None:
            records = answer(view, name, service.dns_records[0].type, lambda _: 0).records
            rows.append({"name": name, "answers": sorted(record.value for record in records)})
    return sorted(rows, key=lambda row: str(row["name"]))
