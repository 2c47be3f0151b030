"""The stale-DNS watch, on tasks that the simulated machine replaces: who still calls the old address."""

import dataclasses

import pytest

from tests.core.machine import Machine
from tests.core.service_world import world
from tests.core.test_decide import deployed, tasks_of
from tsubo.core.flow_table import flow_table
from tsubo.core.stale_names import (
    Attempt,
    Watch,
    connection_attempt,
    departures,
    describe,
    packet_attempt,
    remedy,
    stale_connections,
    standing,
)
from tsubo.model.ecs import Task
from tsubo.model.flows import Flow, FlowVpc, LoggedPacket, TrackedConnection

TTL = 60


class Replaced:
    """The service's first task has been replaced by a second one, which plays the client that calls the first."""

    def __init__(self) -> None:
        self.machine = Machine(world())
        self.machine.settle()
        (self.old,) = tasks_of(self.machine.world)
        self.machine.world = deployed(self.machine.world, 2)
        self.machine.settle()
        (self.new,) = tasks_of(self.machine.world)

    @property
    def vpc(self) -> FlowVpc:
        return flow_table(self.machine.world).vpcs[0]

    @property
    def left_at(self) -> float:
        [departure] = departures(self.machine.world, "vpc-1")
        return departure.left_at

    def attempt(self, seconds_after_ttl: float, port: int = 40000) -> Attempt:
        at = self.left_at + TTL + seconds_after_ttl
        return Attempt(str(self.new.private_ip), port, str(self.old.private_ip), 80, at)


@pytest.fixture
def replaced() -> Replaced:
    return Replaced()


def stopped(machine: Machine, task: Task) -> Task:
    return machine.world.tasks[task.arn]


def test_a_replaced_task_has_left_its_name_before_it_was_stopped(replaced: Replaced) -> None:
    [departure] = departures(replaced.machine.world, "vpc-1")
    task = stopped(replaced.machine, replaced.old)
    assert (departure.name, departure.address, departure.ttl_seconds) == ("web.local", task.private_ip, TTL)
    assert departure.successors == (replaced.new.private_ip,)
    assert task.deregistered_at == departure.left_at
    assert departure.left_at <= (task.stopping_at or 0.0) < (task.stopped_at or 0.0)


def test_a_crashed_task_has_left_its_name_too() -> None:
    machine = Machine(world())
    machine.settle()
    (task,) = tasks_of(machine.world)
    machine.kill(task.task_id, "web")
    machine.settle()
    assert [d.task_id for d in departures(machine.world, "vpc-1")] == [task.task_id]


def test_a_task_that_runs_has_left_nothing() -> None:
    machine = Machine(world(3))
    machine.settle()
    assert departures(machine.world, "vpc-1") == ()


def test_a_task_that_drains_has_left_though_its_interface_is_there() -> None:
    machine = Machine(world(), active_requests=1)
    machine.settle()
    (old,) = tasks_of(machine.world)
    machine.world = deployed(machine.world, 2)
    for _ in range(100):
        machine.run_pass()
        machine.now += 0.1
    assert stopped(machine, old).last_status == "DEACTIVATING"
    assert [d.task_id for d in departures(machine.world, "vpc-1")] == [old.task_id]


def test_an_address_that_somebody_else_has_got_is_no_departure(replaced: Replaced) -> None:
    interface = next(i for i in replaced.machine.world.network_interfaces.values() if i.owner == "task")
    taken = dataclasses.replace(interface, private_ip=str(replaced.old.private_ip))
    assert departures(replaced.machine.world.with_records(taken), "vpc-1") == ()


def test_calls_within_the_ttl_are_nobodys_fault(replaced: Replaced) -> None:
    assert stale_connections(replaced.vpc, [replaced.attempt(-1.0), replaced.attempt(0.0)]) == []


def test_calls_after_the_ttl_are_stale(replaced: Replaced) -> None:
    [stale] = stale_connections(replaced.vpc, [replaced.attempt(-5.0), replaced.attempt(2.0), replaced.attempt(12.0)])
    assert stale.client == f"web/{replaced.new.task_id[:8]}"
    assert stale.departure.task_id == replaced.old.task_id
    assert stale.connections == 2
    assert stale.overdue_seconds == pytest.approx(12.0)


def test_a_call_to_another_address_is_not_stale(replaced: Replaced) -> None:
    other = dataclasses.replace(replaced.attempt(5.0), address=str(replaced.new.private_ip))
    assert stale_connections(replaced.vpc, [other]) == []


def test_what_is_said_and_what_to_change(replaced: Replaced) -> None:
    [stale] = stale_connections(replaced.vpc, [replaced.attempt(42.0)])
    new, old = replaced.new, replaced.old
    assert describe(stale) == (
        f"web/{new.task_id[:8]} ({new.private_ip}) still calls {old.private_ip}:80, the address of "
        f"web/{old.task_id[:8]}, which has left web.local: 1 connection, the last one 42 s after the name's TTL (60 s) "
        f"had run out; it is {new.private_ip} now."
    )
    assert "resolver 10.0.0.2 valid=60s; set $upstream web.local; proxy_pass http://$upstream:80;" in remedy(stale)[1]
    assert remedy(stale)[-1].endswith("--force-new-deployment --cluster main --service web")


def test_a_first_packet_sent_again_is_the_same_connection(replaced: Replaced) -> None:
    watch, vpc = Watch(), replaced.vpc
    first, again, another = replaced.attempt(1.0), replaced.attempt(2.0), replaced.attempt(3.0, port=40001)
    assert [s.connections for s in watch.note(vpc, [first], first.at)] == [1]
    assert watch.note(vpc, [again], again.at) == []
    [stale] = watch.note(vpc, [another], another.at)
    assert (stale.connections, stale.first_at, stale.last_at) == (2, first.at, another.at)
    assert [s.connections for s in watch.note(vpc, [first], first.at + 500.0)] == [3]


def test_the_watch_goes_on_from_what_was_known(replaced: Replaced) -> None:
    [known] = Watch().note(replaced.vpc, [replaced.attempt(1.0)], 0.0)
    [stale] = Watch([known]).note(replaced.vpc, [replaced.attempt(9.0)], 0.0)
    assert stale.connections == 2


def test_a_stale_client_is_a_problem_until_it_is_gone_or_has_stopped_calling(replaced: Replaced) -> None:
    [stale] = stale_connections(replaced.vpc, [replaced.attempt(1.0)])
    current = replaced.machine.world
    assert list(standing(current, [stale], stale.last_at + 599.0)) == [stale]
    assert list(standing(current, [stale], stale.last_at + 601.0)) == []
    client = current.network_interfaces[stale.client_interface_id]
    assert list(standing(current.without(client), [stale], stale.last_at)) == []


def test_attempts_are_first_packets_without_a_way_and_connections_by_their_beginning() -> None:
    flow, reply = Flow(6, "10.0.10.4", 40000, "10.0.10.9", 80), Flow(6, "10.0.10.9", 80, "10.0.10.4", 40000)
    expected = Attempt("10.0.10.4", 40000, "10.0.10.9", 80, 7.0)
    assert packet_attempt(LoggedPacket(7.0, "no-route", flow, 60)) == expected
    assert packet_attempt(LoggedPacket(7.0, "deny-in", flow, 60)) is None
    assert connection_attempt(TrackedConnection(flow, reply, 1, 60, 1, 60, started_at=7.0)) == expected
    assert connection_attempt(TrackedConnection(flow, reply, 1, 60, 1, 60)) is None
