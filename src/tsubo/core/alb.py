"""Load balancers, listeners, rules and target groups become what the proxy and the health checker run.

In: the world. Out: one `LoadBalancerPlan` per load balancer, complete and comparable, so that equal worlds make equal
plans. Sources: aws/alb-vpc-terraform.md section 1 and dataplane.md section 4.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tsubo.core import alb_clusters, alb_listeners, alb_routes
from tsubo.model.acm import Certificate
from tsubo.model.elbv2 import Action, Listener, LoadBalancer, Rule
from tsubo.model.proxy import (
    CertificateFile,
    HealthTable,
    LoadBalancerPlan,
    ProxyNode,
    Shortfall,
    admin_path,
    proxy_directory,
)
from tsubo.model.world import World


def load_balancers(world: World, home: str) -> Mapping[str, LoadBalancerPlan]:
    """Compile every load balancer that is active or has nodes, by ARN.

    `home` is the engine's state directory as an absolute path: the resources refer to files in it.
    """
    nodes = _nodes(world)
    return {
        arn: _compile(world, load_balancer, nodes.get(arn, ()), home)
        for arn, load_balancer in sorted(world.load_balancers.items())
        if load_balancer.state == "active" or arn in nodes
    }


def health_table(plans: Mapping[str, LoadBalancerPlan]) -> HealthTable:
    """Return everything that the health checker checks for these load balancers."""
    return HealthTable(tuple(pool for _, plan in sorted(plans.items()) for pool in plan.pools))


def certificate_file(certificate: Certificate, home: str) -> CertificateFile | None:
    """Return key and chain of an issued certificate as one file, or None while it is not issued."""
    if certificate.status != "ISSUED" or not certificate.certificate_pem or not certificate.private_key_pem:
        return None
    parts = (certificate.private_key_pem, certificate.certificate_pem, certificate.chain_pem or "")
    pem = "".join(part if part.endswith("\n") or not part else f"{part}\n" for part in parts)
    digest = hashlib.sha256(pem.encode()).hexdigest()[:12]
    return CertificateFile(f"{home}/certificates/{certificate.arn.rpartition('/')[2]}-{digest}.pem", pem)


@dataclass(frozen=True)
class _FrontDoor:
    """A listener with its rules and, if it can be served, its certificates."""

    listener: Listener
    rules: tuple[Rule, ...]
    certificates: tuple[CertificateFile, ...]
    shortfalls: tuple[Shortfall, ...]
    served: bool


def _nodes(world: World) -> dict[str, tuple[ProxyNode, ...]]:
    nodes: dict[str, tuple[ProxyNode, ...]] = {}
    for _, interface in sorted(world.network_interfaces.items()):
        if interface.owner == "load_balancer":
            node = ProxyNode(
                network_interface_id=interface.network_interface_id,
                namespace=world.engine.namespace(interface.network_interface_id),
                address=interface.private_ip,
                availability_zone=interface.availability_zone,
                public_address=interface.public_ip,
            )
            nodes[interface.owner_id] = (*nodes.get(interface.owner_id, ()), node)
    return nodes


def _compile(world: World, load_balancer: LoadBalancer, nodes: tuple[ProxyNode, ...], home: str) -> LoadBalancerPlan:
    doors = [_front_door(world, listener, home) for listener in _listeners(world, load_balancer)]
    plan = LoadBalancerPlan(
        arn=load_balancer.arn,
        nodes=nodes,
        certificates=_each_once(certificate for door in doors if door.served for certificate in door.certificates),
        shortfalls=tuple(shortfall for door in doors for shortfall in door.shortfalls)
        + tuple(Shortfall(door.listener.arn, "The load balancer has no node yet") for door in doors if not nodes),
    )
    plan = _with_clusters(world, plan, load_balancer, doors, home)
    for node in nodes:
        plan = _with_listeners(plan, load_balancer, node, [door for door in doors if door.served], home)
    return plan


def _listeners(world: World, load_balancer: LoadBalancer) -> list[Listener]:
    listeners = [entry for entry in world.listeners.values() if entry.load_balancer_arn == load_balancer.arn]
    return sorted(listeners, key=lambda listener: listener.port)


def _front_door(world: World, listener: Listener, home: str) -> _FrontDoor:
    rules = sorted((r for r in world.rules.values() if r.listener_arn == listener.arn), key=lambda r: r.priority)
    files = [_file_of(world, arn, home) for arn in listener.certificate_arns]
    certificates = tuple(file for file in files if file is not None)
    shortfalls = [
        Shortfall(listener.arn, f"Certificate {arn} is not issued")
        for arn, file in zip(listener.certificate_arns, files, strict=True)
        if file is None
    ]
    # Without its default certificate a listener would answer with another name's.
    served = listener.protocol != "HTTPS" or bool(files and files[0])
    if not served and not files:
        shortfalls.append(Shortfall(listener.arn, "The HTTPS listener has no certificate"))
    for kind in alb_routes.actions_not_run(_actions([listener], rules)):
        shortfalls.append(Shortfall(listener.arn, f"Action {kind} is accepted and not run"))
    return _FrontDoor(listener, tuple(rules), certificates, tuple(shortfalls), served)


def _file_of(world: World, certificate_arn: str, home: str) -> CertificateFile | None:
    certificate = world.certificates.get(certificate_arn)
    return certificate_file(certificate, home) if certificate else None


def _actions(listeners: Iterable[Listener], rules: Iterable[Rule]) -> list[Action]:
    return [a for listener in listeners for a in listener.default_actions] + [a for rule in rules for a in rule.actions]


def _with_clusters(
    world: World, plan: LoadBalancerPlan, load_balancer: LoadBalancer, doors: list[_FrontDoor], home: str
) -> LoadBalancerPlan:
    """Add clusters and pools. The targets of a listener that waits for its certificate are checked already."""
    actions = _actions([door.listener for door in doors], [rule for door in doors for rule in door.rules])
    used = {group.target_group_arn for action in actions for group in action.target_groups}
    groups = [world.target_groups[arn] for arn in sorted(used) if arn in world.target_groups]
    directory, admin = proxy_directory(home, plan.arn), admin_path(home, plan.arn)
    pools, clusters = [], []
    for group in groups:
        targets = [target for target in world.targets.values() if target.target_group_arn == group.arn]
        for node in plan.nodes:
            pool = alb_clusters.target_pool(group, node, targets, directory, admin)
            pools.append(pool)
            clusters.append(alb_clusters.cluster_resource(group, pool, load_balancer.attributes))
    return replace(plan, pools=tuple(pools), clusters=tuple(clusters))


def _with_listeners(
    plan: LoadBalancerPlan, load_balancer: LoadBalancer, node: ProxyNode, doors: list[_FrontDoor], home: str
) -> LoadBalancerPlan:
    attributes = load_balancer.attributes
    idle_timeout = float(attributes.get("idle_timeout.timeout_seconds", "60"))
    cluster_names = {pool.target_group_arn: pool.name for pool in plan.pools if pool.node_address == node.address}
    listeners: list[Mapping[str, Any]] = []
    routes: dict[str, Mapping[str, Any]] = {}
    for door in doors:
        name = alb_listeners.route_configuration_name(door.listener, node)
        routes[name] = alb_routes.route_configuration(name, door.listener, door.rules, cluster_names, idle_timeout)
        by_source = alb_routes.needs_source_address(door.rules)
        path = f"{proxy_directory(home, plan.arn)}/rds-{name}.json"
        listeners.append(
            alb_listeners.listener_resource(
                door.listener,
                node,
                attributes,
                certificates=door.certificates,
                routes_path=path,
                by_source_address=by_source,
            )
        )
    return replace(
        plan,
        listeners=(*plan.listeners, *listeners),
        route_configurations={**plan.route_configurations, **routes},
    )


def _each_once(certificates: Iterable[CertificateFile]) -> tuple[CertificateFile, ...]:
    return tuple({certificate.path: certificate for certificate in certificates}.values())
