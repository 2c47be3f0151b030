"""Where a task goes: the subnet whose zone has the fewest of its kind, and an address there.

Source: aws/ecs-cloudmap-exec.md section 6 (spread over zones).
"""

from collections import Counter

from tsubo.core import ipam
from tsubo.core.draft import Draft
from tsubo.core.interfaces import default_security_group, new_interface
from tsubo.model.ecs import Task
from tsubo.model.supply import Supply
from tsubo.model.vpc import NetworkInterface, Subnet
from tsubo.model.world import World


def place(draft: Draft, task: Task, now: float, supply: Supply) -> NetworkInterface | None:
    """Put a task's ENI into one of its subnets; None if none of them has a free address."""
    for subnet in _by_preference(draft.world, task):
        groups = task.network.security_groups or default_security_group(draft, subnet.vpc_id)
        public_ip = ipam.free_public_address(draft.world) if task.network.assign_public_ip else None
        interface = new_interface(
            draft,
            subnet,
            "task",
            task.arn,
            now,
            supply,
            security_group_ids=groups,
            public_ip=public_ip,
            description=f"arn:aws:ecs:{task.region}:{draft.world.engine.account_id}:attachment/{task.attachment_id}",
        )
        if interface is not None:
            return interface
    return None


def _by_preference(world: World, task: Task) -> list[Subnet]:
    """Return the task's subnets, those of the emptiest zone first, then the emptiest subnet, then as configured."""
    kin = [t for t in world.tasks.values() if t.group == task.group and t.desired_status == "RUNNING"]
    in_zone = Counter(t.availability_zone for t in kin)
    in_subnet = Counter(t.subnet_id for t in kin)
    subnets = [world.subnets[subnet_id] for subnet_id in task.network.subnets if subnet_id in world.subnets]
    return sorted(subnets, key=lambda subnet: (in_zone[subnet.availability_zone], in_subnet[subnet.subnet_id]))
