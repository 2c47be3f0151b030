"""Load balancers get their nodes: one ENI in each of their subnets, guarded by the load balancer's groups.

Source: aws/alb-vpc-terraform.md section 1.1.
"""

from tsubo.core import ipam
from tsubo.core.draft import Draft
from tsubo.core.interfaces import new_interface
from tsubo.model.elbv2 import LoadBalancer
from tsubo.model.supply import Supply
from tsubo.model.vpc import NetworkInterface


def decide(draft: Draft, now: float, supply: Supply) -> None:
    """Make and remove nodes until each load balancer has one in each of its subnets, and say `active` then."""
    nodes: dict[str, list[NetworkInterface]] = {}
    for interface in draft.world.network_interfaces.values():
        if interface.owner == "load_balancer":
            nodes.setdefault(interface.owner_id, []).append(interface)
    for load_balancer in list(draft.world.load_balancers.values()):
        _decide_nodes(draft, load_balancer, nodes.pop(load_balancer.arn, []), now, supply)
    for left_over in nodes.values():
        for interface in left_over:
            draft.delete(interface)


def _decide_nodes(
    draft: Draft, load_balancer: LoadBalancer, nodes: list[NetworkInterface], now: float, supply: Supply
) -> None:
    standing = {node.subnet_id: node for node in nodes if node.subnet_id in load_balancer.subnet_ids}
    for node in nodes:
        if node.subnet_id in standing:
            draft.update(node, security_group_ids=load_balancer.security_group_ids)
        else:
            draft.delete(node)
    missing = [subnet_id for subnet_id in load_balancer.subnet_ids if subnet_id not in standing]
    for subnet_id in missing:
        if not _make_node(draft, load_balancer, subnet_id, now, supply):
            reason = f"Not enough free addresses in subnet {subnet_id}"
            draft.update(load_balancer, state="failed", state_reason=reason)
            return
    if not missing:
        draft.update(load_balancer, state="active", state_reason=None)


def _make_node(draft: Draft, load_balancer: LoadBalancer, subnet_id: str, now: float, supply: Supply) -> bool:
    subnet = draft.world.subnets.get(subnet_id)
    public_ip = None
    if load_balancer.scheme == "internet-facing":
        public_ip = ipam.free_public_address(draft.world)
        if public_ip is None:
            return False
    node = subnet and new_interface(
        draft,
        subnet,
        "load_balancer",
        load_balancer.arn,
        now,
        supply,
        security_group_ids=load_balancer.security_group_ids,
        public_ip=public_ip,
        description=f"ELB {load_balancer.arn.split(':loadbalancer/')[1]}",
    )
    return node is not None
