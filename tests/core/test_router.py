"""Routers: what AWS's route tables say is what the Linux tables do. aws/alb-vpc-terraform.md sections 2.5, 2.6."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from tests.core.vpc_world import associated, empty_world, interface, table, vpc_records
from tsubo.core.router import DEFAULT_CLIENT, INTERNET, network, stable_numbers
from tsubo.model.linux import DeviceAddress, Network, RouteEntry, Router
from tsubo.model.vpc import InternetGateway, Route, Vpc
from tsubo.model.world import World

WORLD = empty_world().with_records(
    *vpc_records("a", "203.0.113.5"),
    interface("node", "a", "public", "10.0.1.20", (), owner="load_balancer", public_ip="203.0.113.20"),
    interface("task", "a", "private", "10.0.10.10", ()),
)


def router_of(world: World, resource: str = "vpc-a") -> Router:
    return next(r for r in network(world).routers if r.namespace == world.engine.namespace(resource))


def lookup(router: Router, source: str, destination: str) -> RouteEntry | None:
    """Find a route as the kernel does: rules by priority, the longest prefix of each table, on after a `throw`."""
    for rule in sorted(router.rules, key=lambda rule: rule.priority):
        if ipaddress.ip_address(source) in ipaddress.ip_network(rule.source):
            found = longest(router, rule.table, destination)
            if found is not None and found.kind != "throw":
                return found
    for known in router.interfaces:
        if known.address == destination:
            return RouteEntry(f"{destination}/32", device=known.router_device)
    return longest(router, "main", destination)


def longest(router: Router, table_name: str, destination: str) -> RouteEntry | None:
    def prefix(entry: RouteEntry) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network("0.0.0.0/0" if entry.destination == "default" else entry.destination)

    entries = [r for r in router.routes if r.table == table_name and ipaddress.ip_address(destination) in prefix(r)]
    return max(entries, key=lambda entry: prefix(entry).prefixlen, default=None)


def device(world: World, source: str, destination: str) -> str | None:
    """Return the device a packet leaves by; None if it vanishes."""
    found = lookup(router_of(world), source, destination)
    assert found is not None
    return found.device


def test_each_subnet_follows_its_own_table() -> None:
    assert device(WORLD, "10.0.1.20", "198.51.100.10") == "igw"
    assert device(WORLD, "10.0.10.10", "198.51.100.10") == "enat-a"
    assert device(WORLD, "10.0.20.10", "198.51.100.10") is None


def test_the_vpc_itself_is_local_for_all() -> None:
    for source in ("10.0.1.20", "10.0.20.10"):
        assert device(WORLD, source, "10.0.10.10") == "etask"
        assert device(WORLD, source, "10.0.10.99") is None


def test_a_subnet_without_association_uses_the_main_table() -> None:
    main = table(
        "a", "main", (Route("0.0.0.0/0", gateway_id="igw-a"),), WORLD.route_tables["rtb-main-a"].associations[0]
    )
    assert device(WORLD.with_records(main), "10.0.20.10", "198.51.100.10") == "igw"


def test_a_route_whose_target_is_gone_is_a_black_hole() -> None:
    nat_gone = WORLD.without(WORLD.network_interfaces["eni-nat-a"])
    assert device(nat_gone, "10.0.10.10", "198.51.100.10") is None
    detached = WORLD.with_records(InternetGateway("igw-a", "ap-northeast-1", None))
    assert device(detached, "10.0.1.20", "198.51.100.10") is None
    another = WORLD.with_records(
        table("a", "public", (Route("0.0.0.0/0", gateway_id="igw-other"),), associated("a", "public"))
    )
    assert device(another, "10.0.1.20", "198.51.100.10") is None


def test_a_black_hole_hides_a_shorter_route() -> None:
    routes = (Route("0.0.0.0/0", gateway_id="igw-a"), Route("198.51.100.0/24", nat_gateway_id="nat-gone"))
    world = WORLD.with_records(table("a", "public", routes, associated("a", "public")))
    assert device(world, "10.0.1.20", "198.51.100.10") is None
    assert device(world, "10.0.1.20", "198.51.99.10") == "igw"


def test_ipv6_routes_are_left_out() -> None:
    routes = (Route("0.0.0.0/0", gateway_id="igw-a"), Route("::/0", gateway_id="igw-a"))
    assert router_of(WORLD.with_records(table("a", "public", routes, associated("a", "public")))) == router_of(WORLD)


@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFFFFFF), st.integers(0, 32), st.sampled_from(["igw-a", "nat-a", "gone"])),
        max_size=8,
    ),
    st.integers(0, 0xFFFFFFFF),
)
def test_the_longest_prefix_wins(routes: list[tuple[int, int, str]], destination_number: int) -> None:
    by_network = {ipaddress.IPv4Network((number, length), strict=False): target for number, length, target in routes}
    records = tuple(
        Route(str(n), gateway_id=None if t == "nat-a" else t, nat_gateway_id="nat-a" if t == "nat-a" else None)
        for n, t in by_network.items()
        if not ipaddress.IPv4Network("10.0.0.0/16").supernet_of(n)
    )
    world = WORLD.with_records(table("a", "public", records, associated("a", "public")))
    destination = ipaddress.IPv4Address(destination_number)
    covering = [ipaddress.IPv4Network(r.destination_cidr) for r in records]
    covering = [n for n in covering if destination in n]
    expected = None
    if destination not in ipaddress.IPv4Network("10.0.0.0/16") and covering:
        target = by_network[max(covering, key=lambda n: n.prefixlen)]
        expected = {"igw-a": "igw", "nat-a": "enat-a", "gone": None}[target]
        assert device(world, "10.0.1.20", str(destination)) == expected
    elif str(destination) not in {i.private_ip for i in world.network_interfaces.values()}:
        assert device(world, "10.0.1.20", str(destination)) is None


def test_the_router_has_the_gateways_and_the_resolver() -> None:
    on_loopback = {a.address for a in router_of(WORLD).addresses if a.device == "lo"}
    gateways = {"10.0.1.1/32", "10.0.10.1/32", "10.0.20.1/32"}
    assert on_loopback == gateways | {"10.0.0.2/32", "169.254.169.253/32", "169.254.170.2/32"}


def test_without_dns_support_there_is_no_resolver() -> None:
    world = WORLD.with_records(Vpc("vpc-a", "ap-northeast-1", "10.0.0.0/16", enable_dns_support=False))
    addresses = {a.address for a in router_of(world).addresses}
    assert "10.0.0.2/32" not in addresses
    assert "169.254.169.253/32" not in addresses
    assert "10.0.0.2" not in router_of(world).ruleset


def test_interfaces_say_where_they_live() -> None:
    by_id = {i.interface_id: i for i in network(WORLD).interfaces}
    assert {key: i.kind for key, i in by_id.items()} == {"eni-nat-a": "nat", "eni-node": "host", "eni-task": "task"}
    task = by_id["eni-task"]
    assert (task.namespace, task.router_namespace) == ("tsubo-0a1b2c3d-eni-task", "tsubo-0a1b2c3d-vpc-a")
    assert (task.address, task.prefix_length, task.gateway) == ("10.0.10.10", 24, "10.0.10.1")
    assert "masquerade" in by_id["eni-nat-a"].ruleset
    assert not task.ruleset


def test_an_interface_with_nothing_behind_it_is_not_made() -> None:
    world = WORLD.with_records(interface("spare", "a", "private", "10.0.10.50", (), owner="user"))
    assert network(world) == network(WORLD)


def test_the_internet_knows_the_public_addresses_that_work() -> None:
    assert public_routes(WORLD) == {"203.0.113.5/32", "203.0.113.20/32"}
    in_private_subnet = interface("hidden", "a", "private", "10.0.10.60", (), public_ip="203.0.113.60")
    assert public_routes(WORLD.with_records(in_private_subnet)) == public_routes(WORLD)
    assert public_routes(WORLD.with_records(InternetGateway("igw-a", "ap-northeast-1", None))) == set()


def public_routes(world: World) -> set[str]:
    routes = router_of(world, INTERNET).routes
    assert all(r.source == DEFAULT_CLIENT for r in routes if r.gateway is not None)
    return {r.destination for r in routes if r.gateway is not None}


def test_two_vpcs_of_one_range_have_links_and_devices_of_their_own() -> None:
    both = network(WORLD.with_records(*vpc_records("b", "203.0.113.6")))
    assert len({(link.peer_namespace, link.peer_device) for link in both.links}) == 2
    assert len(link_addresses(both)) == 4
    assert link_addresses(network(WORLD)) < link_addresses(both), "a second VPC moved the first one's link"


def link_addresses(net: Network) -> set[DeviceAddress]:
    addresses = {a for router in net.routers for a in router.addresses if a.device != "lo"}
    for address in addresses:
        assert ipaddress.IPv4Interface(address.address) in ipaddress.IPv4Network("169.254.0.0/17")
    return {DeviceAddress("", a.address) for a in addresses}


@given(st.sets(st.text(min_size=1), max_size=30), st.integers(0, 5))
def test_numbers_are_distinct_even_when_there_are_only_just_enough(keys: set[str], spare: int) -> None:
    numbers = stable_numbers(keys, len(keys) + spare)
    assert set(numbers) == keys
    assert len(set(numbers.values())) == len(keys)
    assert all(0 <= number < len(keys) + spare for number in numbers.values())


def test_equal_worlds_give_equal_networks() -> None:
    reversed_world = World(
        WORLD.engine,
        **{
            name: dict(reversed(list(getattr(WORLD, name).items())))
            for name in ("vpcs", "subnets", "route_tables", "network_interfaces", "security_groups")
        },
        internet_gateways=WORLD.internet_gateways,
        nat_gateways=WORLD.nat_gateways,
    )
    assert network(reversed_world) == network(WORLD)
