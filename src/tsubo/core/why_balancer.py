"""What a load balancer does with a connection: listener, rule, target group, targets and their health, and the way on.

The way from the node to a target is explained as any other. Where no target is healthy the load balancer asks all that
are unhealthy. Source: aws/alb-vpc-terraform.md sections 1.2 to 1.10.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from tsubo.core import why_network, why_task, why_terraform
from tsubo.core.why_match import Flow
from tsubo.core.why_requests import condition_text, first_failing, last_action, listeners_of, rules_of
from tsubo.core.why_trail import Branch, Stopped, Trail, join_worst
from tsubo.model.elbv2 import Action, Listener, LoadBalancer, Rule, Target, TargetGroup
from tsubo.model.explanation import Ending, Request
from tsubo.model.vpc import NetworkInterface
from tsubo.model.world import World

NO_TARGETS, REFUSED, TIMED_OUT = 503, 502, 504


def arrive(trail: Trail, node: NetworkInterface, client: str, flow: Flow, request: Request) -> None:
    """Follow a connection that has reached a node. Stops where it is not served."""
    world = trail.world
    balancer = world.load_balancers.get(node.owner_id)
    if balancer is None or flow.protocol != "tcp":
        return
    listener = _listener(trail, balancer, node, flow)
    _note_certificate(trail, listener, request)
    rule, action = _rule(trail, listener, request, client)
    rule_id = rule.arn if rule else listener.arn
    if action.fixed_response is not None:
        status = int(action.fixed_response.status_code)
        trail.allow("action", f"The load balancer answers {status} itself; nothing behind it is asked.", rule_id)
        trail.ending = Ending("connected", status)
        return
    if action.redirect is not None:
        status = int(action.redirect.status_code.removeprefix("HTTP_"))
        trail.allow("action", f"The load balancer answers {status}, a redirect; nothing behind it is asked.", rule_id)
        trail.ending = Ending("connected", status)
        return
    _forward(trail, node, action, rule_id)


def _listener(trail: Trail, balancer: LoadBalancer, node: NetworkInterface, flow: Flow) -> Listener:
    listeners = listeners_of(trail.world, balancer.arn)
    listener = next((entry for entry in listeners if entry.port == flow.ports[0]), None)
    if balancer.state != "active":
        reason = f": {balancer.state_reason}" if balancer.state_reason else ""
        trail.note("listener", f"Load balancer {balancer.name} is {balancer.state}{reason}.", balancer.arn)
    if listener is None:
        known = ", ".join(f"{entry.port} ({entry.protocol})" for entry in listeners) or "none"
        groups = [g for entry in listeners for g in _target_groups(trail.world, entry)]
        remedy = why_terraform.listener(trail, balancer, flow.ports[0], next(iter(groups), None))
        text = (
            f"Load balancer {balancer.name} has no listener on {flow.ports[0]}: {node.private_ip} refuses the "
            f"connection. Listeners: {known}."
        )
        trail.deny("listener", text, balancer.arn, remedy=remedy, ending="refused")
    text = f"Load balancer {balancer.name} listens on {listener.port} ({listener.protocol})."
    trail.allow("listener", text, listener.arn, balancer.arn)
    return listener


def _note_certificate(trail: Trail, listener: Listener, request: Request) -> None:
    """Note a name that no certificate of an HTTPS listener is for: clients that verify it give up."""
    certificates = [c for arn in listener.certificate_arns if (c := trail.world.certificates.get(arn)) is not None]
    names = [name for c in certificates for name in (c.domain_name, *c.subject_alternative_names)]
    if names and not any(_covers(name, request.host) for name in names):
        text = f"No certificate of the listener is for {request.host}: they are for {', '.join(dict.fromkeys(names))}."
        trail.note("certificate", text, *listener.certificate_arns)


def _covers(name: str, host: str) -> bool:
    return fnmatchcase(host.lower(), name.lower()) and host.count(".") == name.count(".")


def _rule(trail: Trail, listener: Listener, request: Request, client: str) -> tuple[Rule | None, Action]:
    passed_over: list[str] = []
    asked = f"{request.host}{request.path}"
    for rule in rules_of(trail.world, listener):
        failing = first_failing(rule, request, client)
        if failing is None:
            conditions = " and ".join(condition_text(c) for c in rule.conditions)
            trail.allow("rule", f"Rule {rule.priority} takes {asked}: {conditions}.", rule.arn, details=passed_over)
            return rule, last_action(rule.actions)
        passed_over.append(f"rule {rule.priority} is for {condition_text(failing)}")
    text = f"No rule takes {asked}: the listener's default action does."
    trail.allow("rule", text, listener.arn, details=passed_over)
    return None, last_action(listener.default_actions)


def _target_groups(world: World, listener: Listener) -> list[TargetGroup]:
    actions = [*listener.default_actions, *(a for rule in rules_of(world, listener) for a in rule.actions)]
    arns = [weighted.target_group_arn for action in actions for weighted in action.target_groups]
    return [world.target_groups[arn] for arn in arns if arn in world.target_groups]


def _forward(trail: Trail, node: NetworkInterface, action: Action, rule_id: str) -> None:
    weighted = [group for group in action.target_groups if group.weight or len(action.target_groups) == 1]
    groups = [g for w in weighted if (g := trail.world.target_groups.get(w.target_group_arn)) is not None]
    if not groups:
        trail.deny("rule", "The action forwards to no target group.", rule_id, ending=Ending("connected", NO_TARGETS))
    branches = []
    for group in groups:
        branch = Branch(group.name, trail.branch())
        branches.append(branch)
        try:
            _to_target_group(branch.trail, node, group)
        except Stopped:
            continue
    join_worst(trail, "target group", branches)


def _to_target_group(trail: Trail, node: NetworkInterface, group: TargetGroup) -> None:
    targets = sorted((t for t in trail.world.targets.values() if t.target_group_arn == group.arn), key=lambda t: t.key)
    staying = [target for target in targets if target.draining_since is None]
    if not staying:
        _deny_empty(trail, group, draining=len(targets))
    count = f"{len(staying)} target{'s' if len(staying) > 1 else ''}"
    trail.allow("target group", f"Target group {group.name} has {count}.", group.arn)
    asked = _asked_targets(trail, node, group, staying)
    branches = []
    for target in asked:
        branch = Branch(f"{target.address}:{target.port}", trail.branch())
        branches.append(branch)
        try:
            _to_target(branch.trail, node, target)
        except Stopped:
            continue
    join_worst(trail, "target", branches)


def _deny_empty(trail: Trail, group: TargetGroup, draining: int) -> None:
    """Stop at a target group without targets, and say who should register some."""
    world = trail.world
    services = [
        s
        for s in world.services.values()
        if s.status == "ACTIVE" and any(b.target_group_arn == group.arn for b in s.load_balancers)
    ]
    details = [f"{draining} of its targets drain, and get no new requests"] if draining else []
    remedy = None
    for service in services:
        running = sum(t.service_arn == service.arn and t.last_status == "RUNNING" for t in world.tasks.values())
        details.append(f"{service.name} registers its tasks there: {running} of {service.desired_count} run")
        if service.desired_count == 0:
            remedy = why_terraform.more_tasks(trail, service.arn)
    if not services:
        details.append("no ECS service registers its tasks there")
        remedy = why_terraform.registration(trail, group)
    text = f"Target group {group.name} has no target: the load balancer answers {NO_TARGETS}."
    ids = (group.arn, *(s.arn for s in services))
    trail.deny("target group", text, *ids, details=details, remedy=remedy, ending=Ending("connected", NO_TARGETS))


def _asked_targets(
    trail: Trail, node: NetworkInterface, group: TargetGroup, targets: Sequence[Target]
) -> Sequence[Target]:
    """Say how each target is, and return those that get requests. Stops where none does."""
    healthy = [target for target in targets if target.state == "healthy"]
    asked = healthy or [target for target in targets if target.state == "unhealthy"]
    for target in targets:
        where = f"Target {target.address}:{target.port}"
        if target.state == "healthy":
            trail.allow("target", f"{where} is healthy.", group.arn)
        else:
            reason = f" ({target.reason}: {target.description})" if target.reason else ""
            details = _why_unhealthy(trail, node, group, target)
            trail.note("target", f"{where} is {target.state}{reason}.", group.arn, details=details)
    if not healthy and asked:
        trail.note("target", "No target is healthy, so the load balancer asks all of them (it fails open).", group.arn)
    if not asked:
        text = f"No target of {group.name} has passed a health check yet: the load balancer answers {NO_TARGETS}."
        trail.deny("target", text, group.arn, ending=Ending("connected", NO_TARGETS))
    return asked


def _why_unhealthy(trail: Trail, node: NetworkInterface, group: TargetGroup, target: Target) -> list[str]:
    """Return what is known of why a target is not healthy: what the check asks, and where its way ends."""
    check = group.health_check
    port = target.port if check.port == "traffic-port" else int(check.port)
    details = [
        f"the check asks {check.protocol} GET {check.path} of {target.address}:{port} and wants {check.matcher}, every "
        f"{check.interval_seconds} s, within {check.timeout_seconds} s"
    ]
    way = trail.branch()
    try:
        flow = Flow(node.private_ip, target.address, "tcp", (port, port))
        arrival = why_network.from_interface(way, node, flow)
        if arrival.interface is not None:
            why_task.arrive(way, arrival.interface, flow, Ending("refused"))
    except Stopped:
        details.append(f"on the way to it: {way.hops[-1].text}")
    return details


def _to_target(trail: Trail, node: NetworkInterface, target: Target) -> None:
    flow = Flow(node.private_ip, target.address, "tcp", (target.port, target.port))
    try:
        arrival = why_network.from_interface(trail, node, flow)
    except Stopped:
        trail.ending = Ending("connected", TIMED_OUT)
        raise
    if arrival.interface is not None:
        why_task.arrive(trail, arrival.interface, flow, Ending("connected", REFUSED))
