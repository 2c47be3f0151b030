"""NAT gateways come up, fail in AWS's words, and go."""

import dataclasses

from tests.core.machine import ENGINE, Machine
from tsubo.model.vpc import Address, InternetGateway, NatGateway, Subnet, Vpc
from tsubo.model.world import World

REGION = "ap-northeast-1"
PENDING = NatGateway("nat-1", "subnet-1", "vpc-1", REGION, 1_000.0, allocation_id="eipalloc-1")
ADDRESS = Address("eipalloc-1", "203.0.113.9", REGION)


def world(*, attached: bool = True) -> World:
    return World(ENGINE).with_records(
        Vpc("vpc-1", REGION, "10.0.0.0/16"),
        Subnet("subnet-1", "vpc-1", REGION, f"{REGION}a", "10.0.1.0/24"),
        InternetGateway("igw-1", REGION, "vpc-1" if attached else None),
        ADDRESS,
        PENDING,
    )


def test_a_gateway_gets_an_interface_with_its_elastic_address() -> None:
    machine = Machine(world())
    machine.settle()
    gateway = machine.world.nat_gateways["nat-1"]
    interface = machine.world.network_interfaces[gateway.network_interface_id or ""]
    assert gateway.state == "available"
    assert (interface.owner, interface.public_ip) == ("nat_gateway", "203.0.113.9")
    assert interface.private_ip.startswith("10.0.1.")
    assert machine.world.addresses["eipalloc-1"].network_interface_id == interface.network_interface_id


def test_a_deleted_gateway_gives_its_address_back_and_is_forgotten_after_an_hour() -> None:
    machine = Machine(world())
    machine.settle()
    machine.world = machine.world.with_records(
        dataclasses.replace(machine.world.nat_gateways["nat-1"], state="deleting")
    )
    machine.settle()
    assert machine.world.nat_gateways["nat-1"].state == "deleted"
    assert machine.world.addresses["eipalloc-1"] == ADDRESS
    assert not machine.world.network_interfaces
    machine.now += 3_601.0
    machine.settle()
    assert not machine.world.nat_gateways


def test_without_an_internet_gateway_it_fails_after_a_while() -> None:
    machine = Machine(world(attached=False))
    machine.settle(seconds_per_pass=5.0)
    gateway = machine.world.nat_gateways["nat-1"]
    assert (gateway.state, gateway.failure_code) == ("failed", "Gateway.NotAttached")


def test_it_waits_for_an_internet_gateway_that_comes_later() -> None:
    machine = Machine(world(attached=False))
    machine.run_pass()
    assert machine.world.nat_gateways["nat-1"].state == "pending"
    machine.world = machine.world.with_records(InternetGateway("igw-1", REGION, "vpc-1"))
    machine.settle()
    assert machine.world.nat_gateways["nat-1"].state == "available"


def test_an_address_that_serves_another_is_refused() -> None:
    taken = dataclasses.replace(ADDRESS, association_id="eipassoc-1", network_interface_id="eni-other")
    machine = Machine(world().with_records(taken))
    machine.settle()
    gateway = machine.world.nat_gateways["nat-1"]
    assert gateway.failure_message == "Elastic IP address [eipalloc-1] is already associated"
