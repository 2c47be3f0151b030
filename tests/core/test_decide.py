"""What the engine decides, on a simulated machine: tasks, services, registration, load balancer nodes."""

import dataclasses
import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.machine import Machine
from tests.core.service_world import SERVICE, TARGET_GROUP, deployment, task_definition, world
from tsubo.model.ecs import Service, Task
from tsubo.model.world import World


def tasks_of(current: World, status: str | None = None) -> list[Task]:
    """Return the service's tasks that are not stopped, or those of one status."""
    return [t for t in current.tasks.values() if t.last_status == status or (status is None and t.stopped_at is None)]


def service_of(current: World) -> Service:
    return current.services[SERVICE]


def scaled(current: World, count: int) -> World:
    return current.with_records(dataclasses.replace(service_of(current), desired_count=count))


def deployed(current: World, number: int, image: str = "web") -> World:
    """Return the world after UpdateService with a new task definition."""
    definition = task_definition(number, image)
    service = service_of(current)
    older = tuple(dataclasses.replace(d, status="ACTIVE") for d in service.deployments)
    return current.with_records(
        definition, dataclasses.replace(service, deployments=(deployment(number, definition), *older))
    )


def test_a_service_starts_its_task_and_becomes_steady() -> None:
    machine = Machine(world())
    machine.settle()
    (task,) = tasks_of(machine.world)
    assert task.last_status == "RUNNING"
    assert service_of(machine.world).steady
    assert service_of(machine.world).deployments[0].rollout_state == "COMPLETED"
    texts = [event.message for event in service_of(machine.world).events]
    assert texts[0] == "(service web) has reached a steady state."
    assert texts[-1] == f"(service web) has started 1 tasks: (task {task.task_id})."


def test_at_rest_nothing_is_decided() -> None:
    machine = Machine(world(3))
    machine.settle()
    machine.now += 11.0
    machine.settle()
    plan = machine.decide()
    assert (plan.steps, plan.changes) == ((), ())


def test_the_interface_is_committed_before_the_task_is_started() -> None:
    machine = Machine(world())
    for _ in range(20):
        before = machine.world
        plan = machine.run_pass()
        for step in plan.steps:
            if step.key.startswith("start-task/"):
                task = before.tasks[step.task_arn]
                assert task.network_interface_id in before.network_interfaces


def test_a_task_is_registered_before_it_is_running() -> None:
    """Source: aws/ecs-cloudmap-exec.md section 7."""
    machine = Machine(world())
    for _ in range(20):
        before = machine.world
        machine.run_pass()
        for arn, task in machine.world.tasks.items():
            if task.last_status == "RUNNING" and before.tasks[arn].last_status == "ACTIVATING":
                assert f"srv-web/{task.task_id}" in before.instances
                assert f"{TARGET_GROUP}/{task.private_ip}:80" in before.targets
                return
    raise AssertionError("no task became RUNNING")


def test_the_instance_carries_what_ecs_sets() -> None:
    machine = Machine(world())
    machine.settle()
    (task,) = tasks_of(machine.world)
    assert machine.world.instances[f"srv-web/{task.task_id}"].attributes == {
        "AWS_INSTANCE_IPV4": task.private_ip,
        "AVAILABILITY_ZONE": task.availability_zone,
        "REGION": "ap-northeast-1",
        "ECS_SERVICE_NAME": "web",
        "ECS_CLUSTER_NAME": "main",
        "ECS_TASK_DEFINITION_FAMILY": "web",
        "AWS_INIT_HEALTH_STATUS": "HEALTHY",
    }


def test_tasks_are_spread_over_the_zones() -> None:
    machine = Machine(world(4))
    machine.settle()
    zones = sorted(str(task.availability_zone) for task in tasks_of(machine.world))
    assert zones == ["ap-northeast-1a"] * 2 + ["ap-northeast-1c"] * 2


def test_a_stopping_task_leaves_names_and_targets_before_its_containers_are_stopped() -> None:
    machine = Machine(world(2))
    machine.settle()
    machine.world = scaled(machine.world, 1)
    for _ in range(30):
        plan = machine.run_pass()
        for step in plan.steps:
            if step.key.startswith("stop-task/"):
                assert f"srv-web/{step.task_id}" not in machine.world.instances
                address = machine.world.tasks[step.task_arn].private_ip
                assert f"{TARGET_GROUP}/{address}:80" not in machine.world.targets
                return
    raise AssertionError("no task was stopped")


def test_a_drain_with_a_request_in_flight_lasts_its_deregistration_delay() -> None:
    machine = Machine(world(2), active_requests=1)
    machine.settle()
    machine.world = scaled(machine.world, 1)
    for _ in range(10):
        machine.run_pass()
        machine.now += 1.0
    assert [t.last_status for t in tasks_of(machine.world) if t.desired_status == "STOPPED"] == ["DEACTIVATING"]
    machine.now += 300.0
    machine.settle()
    assert len(tasks_of(machine.world)) == 1


def test_a_killed_task_is_replaced() -> None:
    machine = Machine(world())
    machine.settle()
    (killed,) = tasks_of(machine.world)
    machine.now += 60.0
    machine.kill(killed.task_id, "web")
    machine.settle()
    (task,) = tasks_of(machine.world)
    assert task.task_id != killed.task_id
    stopped = machine.world.tasks[killed.arn]
    assert (stopped.stop_code, stopped.stopped_reason) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert stopped.containers[0].exit_code == 137


def test_a_missing_image_stops_the_task_with_the_reason_and_pauses_the_starts() -> None:
    machine = Machine(world(), broken={"web"})
    for _ in range(10):
        machine.run_pass()
    failed = [task for task in machine.world.tasks.values() if task.last_status == "STOPPED"]
    assert len(failed) == 1, "the second try comes after a pause"
    assert failed[0].stop_code == "TaskFailedToStart"
    assert failed[0].stopped_reason == "CannotPullContainerError: failed to resolve ref web: not found"
    assert "was unable to place a task. Reason: CannotPullContainerError" in service_of(machine.world).events[0].message
    machine.broken.clear()
    machine.now += 1.0
    machine.settle()
    assert len(tasks_of(machine.world, "RUNNING")) == 1


def test_pauses_between_failed_starts_double() -> None:
    machine = Machine(world(), broken={"web"})
    starts = []
    for _ in range(2_000):
        count = len(machine.world.tasks)
        machine.run_pass()
        if len(machine.world.tasks) > count:
            starts.append(machine.now)
        machine.now += 0.1
    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert all(1.5 < later / earlier < 2.5 for earlier, later in itertools.pairwise(pauses))


def test_a_full_subnet_is_told_in_the_events() -> None:
    current = world(20)
    for subnet in list(current.subnets.values()):
        current = current.with_records(dataclasses.replace(subnet, cidr=subnet.cidr.replace("/24", "/28")))
    machine = Machine(current)
    for _ in range(10):
        machine.run_pass()
    placed = [task for task in machine.world.tasks.values() if task.private_ip is not None]
    assert len(placed) == 2 * 11 - 2, "two /28 hold 22 addresses, of which the load balancer's nodes took two"
    assert len({task.private_ip for task in placed}) == len(placed)


def test_dependencies_are_started_in_their_order() -> None:
    machine = Machine(world(with_sidecar=True))
    for _ in range(10):
        machine.run_pass()
    ((task_id, containers),) = machine.tasks.items()
    assert {name: c.status for name, c in containers.items()} == {"init": "running", "web": "created"}
    machine.kill(task_id, "init", exit_code=0)
    machine.settle()
    assert machine.tasks[task_id]["web"].status == "running"
    assert len(tasks_of(machine.world, "RUNNING")) == 1


def test_an_unhealthy_target_costs_the_task_its_place() -> None:
    machine = Machine(world())
    machine.settle()
    (task,) = tasks_of(machine.world)
    machine.deaf.add(str(task.private_ip))
    machine.settle()
    (replacement,) = tasks_of(machine.world)
    assert replacement.arn != task.arn
    assert (
        machine.world.tasks[task.arn].stopped_reason
        == f"Task failed ELB health checks in (target-group {TARGET_GROUP})"
    )


def test_a_deleted_service_is_inactive_when_its_tasks_are_gone() -> None:
    machine = Machine(world(2))
    machine.settle()
    machine.world = machine.world.with_records(
        dataclasses.replace(service_of(machine.world), status="DRAINING", desired_count=0)
    )
    machine.settle()
    assert service_of(machine.world).status == "INACTIVE"
    assert not machine.world.instances
    assert not machine.world.targets
    assert not machine.tasks


def test_load_balancer_nodes_follow_its_subnets() -> None:
    machine = Machine(world())
    machine.settle()
    nodes = [i for i in machine.world.network_interfaces.values() if i.owner == "load_balancer"]
    assert sorted(node.subnet_id for node in nodes) == ["subnet-a", "subnet-c"]
    assert len({node.public_ip for node in nodes}) == 2
    (balancer,) = machine.world.load_balancers.values()
    assert balancer.state == "active"
    machine.world = machine.world.without(balancer)
    machine.settle()
    assert not [i for i in machine.world.network_interfaces.values() if i.owner == "load_balancer"]


def test_a_failing_deployment_with_a_circuit_breaker_ends() -> None:
    machine = Machine(world())
    machine.settle()
    machine.world = deployed(machine.world, 2, image="broken")
    machine.world = machine.world.with_records(
        dataclasses.replace(service_of(machine.world), circuit_breaker_enable=True)
    )
    machine.broken.add("broken")
    for _ in range(200):
        machine.run_pass()
        machine.now += 0.5
    primary = service_of(machine.world).deployments[0]
    assert (primary.rollout_state, primary.failed_tasks) == ("FAILED", 3)
    assert len(tasks_of(machine.world, "RUNNING")) == 1, "the old task goes on serving"


def test_a_circuit_breaker_with_rollback_deploys_what_ran_before() -> None:
    machine = Machine(world())
    machine.settle()
    machine.world = deployed(machine.world, 2, image="broken")
    service = dataclasses.replace(service_of(machine.world), circuit_breaker_enable=True, circuit_breaker_rollback=True)
    machine.world = machine.world.with_records(service)
    machine.broken.add("broken")
    machine.settle(passes=400, seconds_per_pass=0.5)
    after = service_of(machine.world)
    assert after.task_definition_arn == task_definition(1).arn
    assert [d.rollout_state for d in after.deployments] == ["COMPLETED"]
    assert {t.task_definition_arn for t in tasks_of(machine.world)} == {task_definition(1).arn}
    assert any("rolling back to deployment" in event.message for event in after.events)


@settings(max_examples=60, deadline=None)
@given(
    desired=st.integers(1, 6),
    minimum=st.sampled_from([0, 50, 100]),
    maximum=st.sampled_from([150, 200]),
    passes_between=st.integers(0, 6),
)
def test_a_rolling_deployment_keeps_its_bounds(desired: int, minimum: int, maximum: int, passes_between: int) -> None:
    """Never fewer healthy tasks than the minimum, never more live ones than the maximum, and it converges."""
    machine = Machine(world(desired))
    machine.world = machine.world.with_records(
        dataclasses.replace(service_of(machine.world), minimum_healthy_percent=minimum, maximum_percent=maximum)
    )
    if math.floor(desired * maximum / 100) <= desired and math.ceil(desired * minimum / 100) >= desired:
        return  # such a deployment cannot move, on AWS neither
    machine.settle()
    machine.world = deployed(machine.world, 2)
    for number in range(300):
        if number == passes_between:
            machine.world = deployed(machine.world, 3)
        plan = machine.run_pass()
        live = [t for t in tasks_of(machine.world) if t.desired_status == "RUNNING"]
        running = [t for t in live if t.last_status == "RUNNING"]
        assert len(live) <= math.floor(desired * maximum / 100)
        assert len(running) >= math.ceil(desired * minimum / 100)
        machine.now += 0.1
        if number > passes_between and not plan.steps and not plan.changes and len(running) == desired:
            break
    machine.settle()
    assert {t.task_definition_arn for t in tasks_of(machine.world)} == {task_definition(3).arn}
    assert len(service_of(machine.world).deployments) == 1


@settings(max_examples=60, deadline=None)
@given(data=st.data(), desired=st.integers(1, 4))
def test_a_controller_that_dies_anywhere_converges_all_the_same(data: st.DataObject, desired: int) -> None:
    """Steps not carried out, carried out twice, decisions never committed: the end is the same."""
    machine = Machine(world(desired))
    for number in range(25):
        if number == 12:
            machine.world = deployed(machine.world, 2)
        committed = data.draw(st.booleans(), label="committed")
        machine.run_pass(lambda: data.draw(st.integers(0, 2), label="times"), committed=committed)
        machine.now += 0.3
    machine.settle(passes=400, seconds_per_pass=0.3)
    running = tasks_of(machine.world)
    assert [t.last_status for t in running] == ["RUNNING"] * desired
    assert {t.task_definition_arn for t in running} == {task_definition(2).arn}
    assert set(machine.tasks) == {t.task_id for t in running}
    assert machine.plugged == {t.network_interface_id for t in running}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["scale", "kill", "deploy", "wait"]), st.integers(0, 5)), max_size=12))
def test_whatever_happens_it_converges(happenings: list[tuple[str, int]]) -> None:
    """After any course of scaling, crashes and deployments, what runs is what was asked, and nothing else is left."""
    machine = Machine(world(2))
    number = 1
    for happening, amount in happenings:
        if happening == "scale":
            machine.world = scaled(machine.world, amount)
        elif happening == "deploy":
            number += 1
            machine.world = deployed(machine.world, number)
        elif happening == "kill" and machine.tasks:
            task_id = sorted(machine.tasks)[amount % len(machine.tasks)]
            if machine.tasks[task_id]["web"].status == "running":
                machine.kill(task_id, "web")
        for _ in range(amount):
            machine.run_pass()
            machine.now += 0.3
    machine.settle(passes=600, seconds_per_pass=0.3)
    running = tasks_of(machine.world)
    assert [t.last_status for t in running] == ["RUNNING"] * service_of(machine.world).desired_count
    assert set(machine.tasks) == {t.task_id for t in running}
    assert {i.instance_id for i in machine.world.instances.values()} == {t.task_id for t in running}
    assert {t.address for t in machine.world.targets.values()} == {t.private_ip for t in running}
    assert machine.plugged == {t.network_interface_id for t in running}
