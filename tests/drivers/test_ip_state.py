"""The comparison of what a namespace is with what it should be. The answers are as iproute2 6.1 gave them."""

from tsubo.drivers.ip_state import State, corrections, interface_route, parse
from tsubo.model.linux import DeviceAddress, Interface, PolicyRule, RouteEntry, Router

ANSWERS = """
[{"ifname":"lo","flags":["LOOPBACK","UP"],"addr_info":[
  {"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host"},
  {"family":"inet","local":"10.0.1.1","prefixlen":32,"scope":"global"},
  {"family":"inet6","local":"::1","prefixlen":128,"scope":"host"}]},
 {"ifname":"igw","flags":["UP"],"addr_info":[{"family":"inet","local":"169.254.1.2","prefixlen":30,"scope":"global"}]},
 {"ifname":"etask","flags":[],"addr_info":[]}]
[{"ifname":"igw","flags":["UP"]},{"ifname":"etask","flags":[]}]
[{"priority":0,"src":"all","table":"local"},{"priority":100,"src":"10.0.1.0","srclen":24,"table":"1001"},
 {"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]
[{"dst":"default","gateway":"169.254.1.1","dev":"igw","table":"1001","flags":["onlink"]},
 {"type":"throw","dst":"10.0.0.0/16","table":"1001","flags":[]},
 {"type":"blackhole","dst":"default","flags":[]},
 {"dst":"203.0.113.5","gateway":"169.254.1.2","dev":"va","prefsrc":"198.18.0.1","flags":["onlink"]},
 {"dst":"10.0.1.20","dev":"etask","scope":"link","flags":["linkdown"]}]
"""

TASK = Interface("eni-task", "task", "ns-task", "ns-router", "etask", "10.0.1.20", 24, "10.0.1.1", "02:00:0a:00:01:14")
ROUTER = Router(
    "ns-router",
    addresses=(DeviceAddress("lo", "10.0.1.1/32"), DeviceAddress("igw", "169.254.1.2/30")),
    rules=(PolicyRule(100, "10.0.1.0/24", "1001"),),
    routes=(
        RouteEntry("default", kind="blackhole"),
        RouteEntry("10.0.0.0/16", "1001", "throw"),
        RouteEntry("default", "1001", device="igw", gateway="169.254.1.1"),
        RouteEntry("203.0.113.5/32", device="va", gateway="169.254.1.2", source="198.18.0.1"),
    ),
    interfaces=(TASK,),
)


def test_a_router_that_is_as_it_should_be_needs_nothing() -> None:
    assert corrections(ROUTER, parse(ANSWERS)) == []


def test_devices_and_routes_are_read() -> None:
    state = parse(ANSWERS)
    assert state.links == {"igw", "etask"}
    assert state.up == {"lo", "igw"}
    assert interface_route(TASK) in state.routes


def test_an_empty_namespace_gets_everything_but_the_routes_to_interfaces() -> None:
    assert corrections(ROUTER, State()) == [
        "link set igw up",
        "link set lo up",
        "addr replace 169.254.1.2/30 dev igw",
        "addr replace 10.0.1.1/32 dev lo",
        "route replace throw 10.0.0.0/16 table 1001 proto static",
        "route replace 203.0.113.5/32 via 169.254.1.2 dev va onlink src 198.18.0.1 table main proto static",
        "route replace default via 169.254.1.1 dev igw onlink table 1001 proto static",
        "route replace blackhole default table main proto static",
        "rule add priority 100 from 10.0.1.0/24 lookup 1001",
    ]


def test_what_is_too_much_goes_after_what_is_missing_came() -> None:
    bare = Router(
        "ns-router", addresses=(DeviceAddress("lo", "10.0.2.1/32"),), rules=(PolicyRule(100, "10.0.2.0/24", "7"),)
    )
    commands = corrections(bare, parse(ANSWERS))
    assert commands[:2] == ["addr replace 10.0.2.1/32 dev lo", "rule add priority 100 from 10.0.2.0/24 lookup 7"]
    assert "rule del priority 100 from 10.0.1.0/24 lookup 1001" in commands
    assert "route del 10.0.1.20/32 dev etask table main proto static" in commands
    assert "addr del 10.0.1.1/32 dev lo" in commands


def test_a_route_that_changes_is_replaced_and_not_removed() -> None:
    changed = Router("ns-router", routes=(RouteEntry("default", "1001", "blackhole"),))
    commands = corrections(changed, parse(ANSWERS))
    assert "route replace blackhole default table 1001 proto static" in commands
    assert not any("del default" in command and "1001" in command for command in commands)
