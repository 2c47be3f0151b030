"""The DNS table and its answers, on the world of the reference stack."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from tsubo.core.dns import INTERNET, answer, dns_table, names, resolver_addresses
from tsubo.model.cloudmap import DiscoveryService, DnsRecord, Instance, Namespace
from tsubo.model.elbv2 import LoadBalancer
from tsubo.model.identity import EngineIdentity
from tsubo.model.nameserver import Answer, View
from tsubo.model.route53 import AliasTarget, HostedZone, RecordSet, ZoneVpc
from tsubo.model.vpc import NetworkInterface, Vpc
from tsubo.model.world import World

REGION = "ap-northeast-1"
VPC = Vpc("vpc-1", REGION, "10.0.0.0/16", enable_dns_hostnames=True)
OTHER_VPC = Vpc("vpc-2", REGION, "10.1.0.0/16", enable_dns_hostnames=True)
NAME_SERVERS = ("ns-1.awsdns-00.com.", "ns-2.awsdns-00.net.")
PRIVATE = HostedZone("ZPRIVATE", "ecs-navi.local.", True, "", 1.0, NAME_SERVERS, vpcs=(ZoneVpc("vpc-1", REGION),))
PUBLIC = HostedZone("ZPUBLIC", "ecs-navi.site.", False, "", 2.0, NAME_SERVERS)
NAMESPACE = Namespace("ns-1", "arn:ns-1", "ecs-navi.local", "DNS_PRIVATE", REGION, 1.0, "ecs-navi.local", "ZPRIVATE")
BACKEND = DiscoveryService(
    "srv-1", "arn:srv-1", "backend", "ns-1", REGION, 1.0, dns_records=(DnsRecord("A", 60),), custom_health_check=True
)
BALANCER = LoadBalancer(
    "arn:lb/app/site", "site", REGION, f"site-123.{REGION}.elb.amazonaws.com", "Z14GRHDCWA56QT", "internet-facing",
    "vpc-1", ("subnet-1",), (), 1.0,
)  # fmt: skip
ALIAS = RecordSet(
    "ZPUBLIC", "ecs-navi.site.", "A", alias=AliasTarget("Z14GRHDCWA56QT", f"dualstack.{BALANCER.dns_name}.")
)
WORLD = World(EngineIdentity("0a1b2c3d")).with_records(
    VPC, OTHER_VPC, PRIVATE, PUBLIC, NAMESPACE, BACKEND, BALANCER, ALIAS
)


def first(_: int) -> int:
    return 0


def instance(number: int, health: str = "HEALTHY") -> Instance:
    attributes = {"AWS_INSTANCE_IPV4": f"10.0.10.{number}"}
    return Instance("srv-1", f"task{number}", 1.0, attributes, health)  # type: ignore[arg-type]


def node(number: int, public_ip: str | None) -> NetworkInterface:
    return NetworkInterface(
        f"eni-{number}", "subnet-1", "vpc-1", REGION, f"{REGION}a", f"10.0.1.{number}", "02:00", "load_balancer",
        BALANCER.arn, "attach", 1.0, public_ip=public_ip,
    )  # fmt: skip


def view(world: World, name: str = "vpc-1") -> View:
    found = dns_table(world).view(name)
    assert found is not None
    return found


def ask(world: World, name: str, kind: str = "A", where: str = "vpc-1", choose: Callable[[int], int] = first) -> Answer:
    return answer(view(world, where), name, kind, choose)


def values(found: Answer) -> list[str]:
    return sorted(record.value for record in found.records)


def with_sets(*record_sets: RecordSet) -> World:
    return WORLD.with_records(*record_sets)


def a(name: str, *addresses: str, zone: str = "ZPUBLIC", **more: object) -> RecordSet:
    return RecordSet(zone, name, "A", 60, addresses, **more)  # type: ignore[arg-type]


def test_a_view_for_each_vpc_with_dns_support_and_one_for_the_internet() -> None:
    world = WORLD.with_records(replace(OTHER_VPC, enable_dns_support=False))
    assert [found.name for found in dns_table(world).views] == ["vpc-1", INTERNET]
    assert view(world).addresses == ("10.0.0.2", "169.254.169.253")
    assert view(world).namespace == "tsubo-0a1b2c3d-vpc-1"
    assert view(world, INTERNET).addresses == ()
    assert resolver_addresses(OTHER_VPC) == ("10.1.0.2", "169.254.169.253")


def test_a_cloud_map_name_answers_with_its_instances_in_the_associated_vpc_only() -> None:
    world = WORLD.with_records(instance(1), instance(2))
    found = ask(world, "Backend.ECS-navi.local")
    assert (found.code, values(found), found.records[0].ttl) == ("NOERROR", ["10.0.10.1", "10.0.10.2"], 60)
    assert found.authority is None
    for elsewhere in ("vpc-2", INTERNET):
        assert ask(world, "backend.ecs-navi.local", where=elsewhere).code == "NXDOMAIN"


def test_at_most_eight_healthy_instances_and_over_time_all_of_them() -> None:
    world = WORLD.with_records(*(instance(number) for number in range(1, 21)), instance(99, "UNHEALTHY"))
    seen: set[str] = set()
    for start in range(20):
        found = values(ask(world, "backend.ecs-navi.local", choose=lambda n, start=start: start % n))
        assert len(found) == len(set(found)) == 8
        seen |= set(found)
    assert seen == {f"10.0.10.{number}" for number in range(1, 21)}


def test_where_no_instance_is_healthy_all_are_answered() -> None:
    world = WORLD.with_records(instance(1, "UNHEALTHY"), instance(2, "UNHEALTHY"))
    assert values(ask(world, "backend.ecs-navi.local")) == ["10.0.10.1", "10.0.10.2"]


def test_a_weighted_cloud_map_service_answers_with_one_instance() -> None:
    world = WORLD.with_records(replace(BACKEND, routing_policy="WEIGHTED"), instance(1), instance(2))
    answers = {
        tuple(values(ask(world, "backend.ecs-navi.local", choose=lambda n, turn=turn: turn % n))) for turn in range(4)
    }
    assert answers == {("10.0.10.1",), ("10.0.10.2",)}


def test_denials_carry_the_zones_start_of_authority_with_the_negative_ttl() -> None:
    world = WORLD.with_records(instance(1))
    no_data = ask(world, "backend.ecs-navi.local", "AAAA")
    missing = ask(world, "nothing.ecs-navi.local")
    apex = ask(world, "ecs-navi.local")
    assert (no_data.code, missing.code, apex.code) == ("NOERROR", "NXDOMAIN", "NOERROR")
    for found in (no_data, missing, apex):
        assert found.records == ()
        assert found.authority is not None
        assert (found.authority.name, found.authority.type, found.authority.ttl) == ("ecs-navi.local.", "SOA", 900)
    outside = ask(world, "nothing.example")
    assert (outside.code, outside.authority and outside.authority.name) == ("NXDOMAIN", ".")


def test_a_service_without_instances_has_no_name() -> None:
    assert ask(WORLD, "backend.ecs-navi.local").code == "NXDOMAIN"


def test_a_name_that_only_has_names_below_it_exists_without_data() -> None:
    assert ask(with_sets(a("a.b.ecs-navi.site.", "192.0.2.1")), "b.ecs-navi.site").code == "NOERROR"


def test_an_alias_to_a_load_balancer_answers_with_its_nodes_under_its_own_name() -> None:
    world = WORLD.with_records(node(1, "203.0.113.1"), node(2, "203.0.113.2"))
    for where in ("vpc-1", "vpc-2", INTERNET):
        found = ask(world, "ecs-navi.site", where=where)
        assert values(found) == ["203.0.113.1", "203.0.113.2"]
        assert {(record.name, record.ttl) for record in found.records} == {("ecs-navi.site.", 60)}
    assert ask(world, "ecs-navi.site", "AAAA").records == ()
    assert values(ask(world, f"dualstack.{BALANCER.dns_name}")) == ["203.0.113.1", "203.0.113.2"]


def test_an_alias_to_a_load_balancer_without_nodes_has_no_data() -> None:
    found = ask(WORLD, "ecs-navi.site")
    assert (found.code, found.records) == ("NOERROR", ())


def test_an_internal_load_balancer_answers_with_private_addresses() -> None:
    world = WORLD.with_records(replace(BALANCER, scheme="internal"), node(1, None))
    assert values(ask(world, BALANCER.dns_name, where=INTERNET)) == ["10.0.1.1"]


def test_an_alias_to_a_record_of_the_zone_answers_as_that_record_does() -> None:
    target = [
        a("pool.ecs-navi.site.", f"192.0.2.{n}", set_identifier=str(n), multivalue_answer=True) for n in range(12)
    ]
    alias = RecordSet("ZPUBLIC", "www.ecs-navi.site.", "A", alias=AliasTarget("ZPUBLIC", "pool.ecs-navi.site"))
    found = ask(with_sets(*target, alias), "www.ecs-navi.site")
    assert len(found.records) == 8
    assert {record.name for record in found.records} == {"www.ecs-navi.site."}


def test_aliases_in_a_circle_have_no_data() -> None:
    circle = [
        RecordSet("ZPUBLIC", f"{name}.ecs-navi.site.", "A", alias=AliasTarget("ZPUBLIC", f"{target}.ecs-navi.site."))
        for name, target in (("one", "two"), ("two", "one"))
    ]
    assert ask(with_sets(*circle), "one.ecs-navi.site").records == ()


@pytest.mark.parametrize(("weights", "expected"), [((3, 1), [0, 0, 0, 1]), ((0, 1), [1]), ((0, 0), [0, 1])])
def test_weights_say_how_often_each_record_is_answered(weights: tuple[int, ...], expected: list[int]) -> None:
    sets = [
        a("w.ecs-navi.site.", f"192.0.2.{number}", set_identifier=str(number), weight=weight)
        for number, weight in enumerate(weights)
    ]
    found = []
    for turn in range(len(expected)):
        bounds = []
        result = ask(
            with_sets(*sets), "w.ecs-navi.site", choose=lambda n, t=turn, b=bounds: b.append(n) or min(t, n - 1)
        )
        assert bounds[0] == len(expected)
        found.append(int(result.records[0].value[-1]))
    assert found == expected


def test_the_longest_private_zone_answers_and_nothing_falls_through() -> None:
    inner = replace(PRIVATE, zone_id="ZINNER", name="inner.ecs-navi.local.")
    hiding = replace(PRIVATE, zone_id="ZHIDING", name="ecs-navi.site.")
    world = with_sets(
        a("x.inner.ecs-navi.local.", "10.9.9.9", zone="ZPRIVATE"), a("x.ecs-navi.site.", "192.0.2.1")
    ).with_records(inner, hiding)
    assert ask(world, "x.inner.ecs-navi.local").code == "NXDOMAIN"
    assert ask(world, "x.ecs-navi.site").code == "NXDOMAIN"
    assert values(ask(world, "x.ecs-navi.site", where=INTERNET)) == ["192.0.2.1"]


def test_a_private_zone_hides_a_longer_public_one() -> None:
    world = with_sets(a("ecs-navi.site.", "192.0.2.1")).with_records(replace(PRIVATE, zone_id="ZSITE", name="site."))
    assert ask(world, "ecs-navi.site").code == "NXDOMAIN"


def test_private_zones_and_names_of_addresses_need_dns_host_names() -> None:
    world = WORLD.with_records(instance(1), replace(VPC, enable_dns_hostnames=False))
    assert ask(world, "backend.ecs-navi.local").code == "NXDOMAIN"
    assert ask(world, f"ip-10-0-1-5.{REGION}.compute.internal").code == "NXDOMAIN"


def test_a_wildcard_covers_deeper_names_but_no_existing_one() -> None:
    world = with_sets(a("\\052.ecs-navi.site.", "192.0.2.7"), a("a.b.ecs-navi.site.", "192.0.2.1"))
    for name in ("x.ecs-navi.site", "y.x.ecs-navi.site"):
        found = ask(world, name)
        assert (values(found), found.records[0].name) == (["192.0.2.7"], f"{name}.")
    assert ask(world, "b.ecs-navi.site").records == ()
    assert ask(world, "c.b.ecs-navi.site").code == "NXDOMAIN"


def test_cnames_are_followed_from_a_private_zone_into_a_public_one() -> None:
    cname = RecordSet("ZPRIVATE", "www.ecs-navi.local.", "CNAME", 30, ("x.ecs-navi.site",))
    world = with_sets(cname, a("x.ecs-navi.site.", "192.0.2.1"))
    found = ask(world, "www.ecs-navi.local")
    assert [(record.type, record.name) for record in found.records] == [
        ("CNAME", "www.ecs-navi.local."), ("A", "x.ecs-navi.site."),
    ]  # fmt: skip
    assert [record.type for record in ask(world, "www.ecs-navi.local", "CNAME").records] == ["CNAME"]
    denied = ask(world.without(a("x.ecs-navi.site.")), "www.ecs-navi.local")
    assert (denied.code, len(denied.records), denied.authority and denied.authority.name) == (
        "NXDOMAIN", 1, "ecs-navi.site.",
    )  # fmt: skip


def test_cnames_in_a_circle_are_a_failure() -> None:
    circle = [
        RecordSet("ZPUBLIC", f"{name}.ecs-navi.site.", "CNAME", 60, (f"{target}.ecs-navi.site.",))
        for name, target in (("one", "two"), ("two", "one"))
    ]
    assert ask(with_sets(*circle), "one.ecs-navi.site").code == "SERVFAIL"


def test_service_records_lead_to_the_instances_names() -> None:
    attributes = {"AWS_INSTANCE_IPV4": "10.0.10.1", "AWS_INSTANCE_PORT": "8080"}
    world = WORLD.with_records(
        replace(BACKEND, dns_records=(DnsRecord("SRV", 10),)), Instance("srv-1", "task1", 1.0, attributes)
    )
    assert values(ask(world, "backend.ecs-navi.local", "SRV")) == ["1 1 8080 task1.backend.ecs-navi.local."]
    assert values(ask(world, "task1.backend.ecs-navi.local")) == ["10.0.10.1"]
    assert ask(world, "backend.ecs-navi.local").code == "NOERROR"


def test_addresses_have_names_and_names_addresses_inside_a_vpc() -> None:
    assert values(ask(WORLD, f"ip-10-0-1-5.{REGION}.compute.internal")) == ["10.0.1.5"]
    assert values(ask(WORLD, "5.1.0.10.in-addr.arpa", "PTR")) == [f"ip-10-0-1-5.{REGION}.compute.internal."]
    assert ask(WORLD, "5.1.0.10.in-addr.arpa", "PTR").records[0].ttl == 60
    for name in ("ip-10-0-1-256", "ip-10-0-1", "ip-010-0-1-5", "other", "x.ip-10-0-1-5"):
        assert ask(WORLD, f"{name}.{REGION}.compute.internal").code == "NXDOMAIN"
    assert ask(WORLD, "4.3.2.1.in-addr.arpa", "PTR").code == "NXDOMAIN"
    assert ask(WORLD, f"ip-10-0-1-5.{REGION}.compute.internal", where=INTERNET).code == "NXDOMAIN"


def test_in_the_first_region_the_domain_of_addresses_is_another() -> None:
    world = WORLD.with_records(replace(VPC, region="us-east-1"))
    assert values(ask(world, "ip-10-0-1-5.ec2.internal")) == ["10.0.1.5"]


def test_the_apex_has_name_servers_and_a_start_of_authority() -> None:
    assert values(ask(WORLD, "ecs-navi.local", "NS")) == list(NAME_SERVERS)
    assert ask(WORLD, "ecs-navi.local", "SOA").records[0].ttl == 900


def test_any_is_answered_with_one_type() -> None:
    world = with_sets(a("x.ecs-navi.site.", "192.0.2.1"), RecordSet("ZPUBLIC", "x.ecs-navi.site.", "TXT", 5, ('"t"',)))
    assert len(ask(world, "x.ecs-navi.site", "ANY").records) == 1


def test_every_value_of_a_simple_record_is_answered_in_random_order() -> None:
    addresses = tuple(f"192.0.2.{number}" for number in range(10))
    turns = count()
    orders = {
        tuple(
            record.value
            for record in ask(
                with_sets(a("x.ecs-navi.site.", *addresses)), "x.ecs-navi.site", choose=lambda n: next(turns) % n
            ).records
        )
        for _ in range(5)
    }
    assert len(orders) > 1
    assert {tuple(sorted(order)) for order in orders} == {addresses}


def test_the_names_of_a_view() -> None:
    world = WORLD.with_records(instance(1))
    assert names(view(world)) == (
        ("backend.ecs-navi.local.", "A"),
        (f"dualstack.{BALANCER.dns_name}.", "A"),
        ("ecs-navi.site.", "A"),
        (f"{BALANCER.dns_name}.", "A"),
    )
