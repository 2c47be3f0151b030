"""Who is who in the flow table, and which flow logs it carries."""

import dataclasses

from tests.core.machine import Machine
from tests.core.service_world import BALANCER, REGION, world
from tests.core.test_decide import tasks_of
from tests.core.test_flow_log import VPC
from tsubo.core.flow_log import name_of
from tsubo.core.flow_table import flow_table
from tsubo.model.flows import Passage
from tsubo.model.vpc import FlowLog
from tsubo.model.world import World


def settled() -> Machine:
    machine = Machine(world())
    machine.settle()
    return machine


def test_interfaces_have_the_names_of_what_is_behind_them() -> None:
    machine = settled()
    (task,) = tasks_of(machine.world)
    [vpc] = flow_table(machine.world).vpcs
    [own] = [i for i in vpc.interfaces if i.address == task.private_ip]
    assert (own.name, own.cluster, own.service) == (f"web/{task.task_id[:8]}", "main", "web")
    assert {i.name for i in vpc.interfaces if i is not own} == {f"load balancer {BALANCER.split('/')[-2]}"}
    assert vpc.services == ("10.0.0.2", "10.0.10.1", "10.0.11.1")


def test_a_stopped_tasks_address_keeps_its_name_until_somebody_gets_it() -> None:
    machine = settled()
    (task,) = tasks_of(machine.world)
    machine.kill(task.task_id, "web")
    machine.settle()
    [vpc] = flow_table(machine.world).vpcs
    assert name_of(vpc, str(task.private_ip)) == f"web/{task.task_id[:8]} (stopped)"
    interface = vpc.interfaces[0]
    reused = dataclasses.replace(
        machine.world.network_interfaces[interface.interface_id], private_ip=str(task.private_ip)
    )
    [vpc] = flow_table(machine.world.with_records(reused)).vpcs
    assert name_of(vpc, str(task.private_ip)) == interface.name


def test_ways_out_of_the_vpc_with_the_longest_prefix_first() -> None:
    by_name = {i.interface_id: i.passages for i in VPC.interfaces}
    assert by_name["eni-client"] == (Passage("0.0.0.0/0", "eni-nat-a"),)
    assert by_name["eni-node"] == (Passage("0.0.0.0/0", None),)


def flow_log(key: str, resource_id: str, destination_type: str = "cloud-watch-logs") -> FlowLog:
    return FlowLog(key, resource_id, REGION, 0.0, "ALL", destination_type, "arn:somewhere", "${action}", 60)


def targets(current: World) -> list[str]:
    return [target.flow_log_id for vpc in flow_table(current).vpcs for target in vpc.targets]


def test_flow_logs_of_the_vpc_its_subnets_and_its_interfaces_are_delivered() -> None:
    machine = settled()
    interface = next(iter(machine.world.network_interfaces))
    current = machine.world.with_records(
        flow_log("fl-1", "vpc-1"),
        flow_log("fl-2", "subnet-a"),
        flow_log("fl-3", interface),
        flow_log("fl-4", "vpc-other"),
        flow_log("fl-5", "vpc-1", "s3"),
    )
    assert targets(current) == ["fl-1", "fl-2", "fl-3"]
