"""Proving that a running stack is what its configuration promises: one line a check, each with real traffic.

listener rules   each answers through public DNS and TLS
names            each Cloud Map name resolves, inside a task, to exactly the healthy tasks' addresses
services         each is at its desired count
log groups       each has received what its containers wrote
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tsubo.core.dns import resolver_addresses
from tsubo.drivers.dns_probe import query
from tsubo.drivers.http_probe import ProbeAnswer, probe
from tsubo.engine.context import EngineContext
from tsubo.engine.errors import FAILED, UserError
from tsubo.engine.logs import log_destinations
from tsubo.engine.lookup import lookup
from tsubo.engine.published import published
from tsubo.model.cloudmap import DiscoveryService
from tsubo.model.elbv2 import Action, Condition, Listener, LoadBalancer
from tsubo.model.vpc import NetworkInterface
from tsubo.model.world import World

LOG_PATIENCE_SECONDS = 5.0
ANSWER_LIMIT = 8
"""A multivalue name answers at most eight addresses."""


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    detail: str


def verify(context: EngineContext, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a line for each check. Raises UserError if one fails, and if there is nothing to check."""
    checks = []
    for check in _checks(context):
        checks.append(check)
        yield {"type": "check", "name": check.name, "ok": check.ok, "detail": check.detail}
    failed = [check.name for check in checks if not check.ok]
    if failed:
        raise UserError(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}.", "", FAILED)
    if not checks:
        raise UserError("Nothing runs here, so there is nothing to verify.", "Bring a stack up: tsubo up DIR", FAILED)
    yield {"type": "result", "checks": len(checks), "failed": 0}


def _checks(context: EngineContext) -> Iterator[Check]:
    world = context.store.world
    for service in world.services.values():
        if service.status == "ACTIVE":
            running = sum(d.running_count for d in service.deployments)
            ok = running == service.desired_count
            yield Check(f"service {service.name}", ok, f"{running} of {service.desired_count} tasks run")
    for discovery_service in world.discovery_services.values():
        if any(record.type == "A" for record in discovery_service.dns_records):
            yield from _check_name(world, discovery_service)
    for listener in sorted(world.listeners.values(), key=lambda listener: listener.arn):
        yield from _check_listener(context, world, listener)
    yield from _check_logs(context, world)


# Names


def _check_name(world: World, service: DiscoveryService) -> Iterator[Check]:
    namespace = world.namespaces[service.namespace_id]
    zone = world.hosted_zones.get(namespace.hosted_zone_id or "")
    name = f"{service.name}.{namespace.name}"
    for associated in zone.vpcs if zone else ():
        client = _a_task(world, associated.vpc_id)
        if client is None:
            continue
        vpc = world.vpcs[associated.vpc_id]
        try:
            answers = query(world.engine.namespace(client.network_interface_id), resolver_addresses(vpc)[0], name, "A")
        except OSError as error:
            yield Check(f"name {name}", False, f"inside {client.private_ip}: {error}")
            continue
        expected = _healthy_addresses(world, service)
        ok = len(answers) == min(len(expected), ANSWER_LIMIT) and set(answers) <= expected
        detail = f"inside {client.private_ip} it is {', '.join(sorted(answers)) or 'no address'}"
        yield Check(
            f"name {name}", ok, detail if ok else f"{detail}; healthy are {', '.join(sorted(expected)) or 'none'}"
        )


def _a_task(world: World, vpc_id: str) -> NetworkInterface | None:
    running = {task.network_interface_id for task in world.tasks.values() if task.last_status == "RUNNING"}
    interfaces = world.network_interfaces.values()
    return next((i for i in interfaces if i.vpc_id == vpc_id and i.network_interface_id in running), None)


def _healthy_addresses(world: World, service: DiscoveryService) -> set[str]:
    own = [i for i in world.instances.values() if i.service_id == service.service_id]
    # All unhealthy is answered as all healthy (aws/ecs-cloudmap-exec.md section 10).
    chosen = [i for i in own if i.health == "HEALTHY"] or own
    return {i.attributes["AWS_INSTANCE_IPV4"] for i in chosen if "AWS_INSTANCE_IPV4" in i.attributes}


# Listeners


def _check_listener(context: EngineContext, world: World, listener: Listener) -> Iterator[Check]:
    balancer = world.load_balancers.get(listener.load_balancer_arn)
    if balancer is None or balancer.scheme != "internet-facing":
        return
    rules = sorted((r for r in world.rules.values() if r.listener_arn == listener.arn), key=lambda r: r.priority)
    for rule in rules:
        name = f"{balancer.name}:{listener.port} rule {rule.priority}"
        yield _check_rule(context, balancer, listener, name, rule.conditions, rule.actions)
    yield _check_rule(
        context, balancer, listener, f"{balancer.name}:{listener.port} default", (), listener.default_actions
    )


def _check_rule(
    context: EngineContext,
    balancer: LoadBalancer,
    listener: Listener,
    name: str,
    conditions: tuple[Condition, ...],
    actions: tuple[Action, ...],
) -> Check:
    other = [c.field for c in conditions if c.field not in ("host-header", "path-pattern")]
    if other:
        return Check(name, True, f"not asked: it depends on {', '.join(other)}")
    host = _first(conditions, "host-header", "verify")
    path = _first(conditions, "path-pattern", "") or "/"
    # A rule without a host is asked for under the load balancer's own name, which no host rule matches.
    asked = host or balancer.dns_name
    try:
        answer = _ask(context, listener, asked, path, _tls_name(context.store.world, listener, host))
    except OSError as error:
        return Check(name, False, f"{asked}{path}: {error}")
    expected = _expected(actions[-1], answer)
    return Check(name, expected is None, f"{asked}{path} answers {answer.status}{expected or ''}")


def _tls_name(world: World, listener: Listener, host: str | None) -> str | None:
    """Return the name to ask TLS for: the host, or for the load balancer's own name the certificate's."""
    if listener.protocol != "HTTPS":
        return None
    certificate = world.certificates.get(next(iter(listener.certificate_arns), ""))
    return host or (certificate.domain_name.replace("*", "verify") if certificate else None)


def _first(conditions: tuple[Condition, ...], field: str, wildcard: str) -> str | None:
    values = [value for c in conditions if c.field == field for value in c.values]
    return values[0].replace("*", wildcard).replace("?", "x") if values else None


def _ask(context: EngineContext, listener: Listener, host: str, path: str, tls_name: str | None) -> ProbeAnswer:
    home = context.home.path
    addresses = [record.value for record in lookup(home, "internet", host, "A").records if record.type == "A"]
    if not addresses:
        raise OSError(f"public DNS has no address for {host}")
    place = published(home, addresses[0], listener.port)
    if place is None:
        raise OSError(f"{addresses[0]}:{listener.port} is not published on this machine")
    return probe(place[0], place[1], host, path, tls_name, home / "ca" / "ca.pem")


def _expected(action: Action, answer: ProbeAnswer) -> str | None:
    """Return what is wrong with an answer, or None."""
    if action.fixed_response is not None:
        wanted = int(action.fixed_response.status_code)
        return None if answer.status == wanted else f", and its fixed response is {wanted}"
    if action.redirect is not None:
        wanted = int(action.redirect.status_code.removeprefix("HTTP_"))
        return None if answer.status == wanted else f", and its redirect is {wanted}"
    return None if answer.status < 500 else ", and no target stands behind it"


# Logs


def _check_logs(context: EngineContext, world: World) -> Iterator[Check]:
    for service in world.services.values():
        if service.status != "ACTIVE" or service.desired_count == 0:
            continue
        client = context.clients.get("logs", service.region)
        for group, streams in sorted(log_destinations(world, service, running=True).items()):
            yield _check_log_group(client, group, streams)


def _check_log_group(client: Any, group: str, streams: set[str]) -> Check:
    deadline = time.monotonic() + LOG_PATIENCE_SECONDS
    while True:
        try:
            events = client.filter_log_events(logGroupName=group, limit=1)["events"]
            found = client.describe_log_streams(logGroupName=group)["logStreams"]
        except ClientError as error:
            return Check(f"log group {group}", False, str(error))
        if events:
            return Check(
                f"log group {group}", True, f"{len(found)} streams, the first line: {events[0]['message'][:60]}"
            )
        if time.monotonic() > deadline:
            missing = streams - {stream["logStreamName"] for stream in found}
            detail = f"no stream for {', '.join(sorted(missing))}" if missing else "the containers have written nothing"
            return Check(f"log group {group}", not missing, detail)
        time.sleep(0.1)
