"""The network with real packets: two VPCs of the same range, beside each other, each with what AWS would let through.

Sources: aws/alb-vpc-terraform.md sections 2.1 to 2.10.
"""

import contextlib
import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.vpc_world import REGION, egress, empty_world, group, ingress, interface, vpc_records
from tests.lab.packets import (
    SILENCE_SECONDS,
    Server,
    attempt,
    connect,
    container_process,
    datagram_arrives,
    namespaces,
    root_namespace,
    wait_until,
)
from tsubo.core import router
from tsubo.drivers import netns, nft
from tsubo.drivers.network import NetworkDriver
from tsubo.model.linux import Interface
from tsubo.model.vpc import NetworkAcl, NetworkAclAssociation, NetworkAclEntry
from tsubo.model.world import World

pytestmark = pytest.mark.lab

WEB_HOST = "198.51.100.10"
CLIENT = "198.18.7.7"
RESOLVER = "10.0.0.2"


def describe(engine_id: str) -> World:
    """Two VPCs. In `a`: web admits clients and the load balancer; the load balancer admits all to 80."""
    return empty_world(engine_id).with_records(
        *vpc_records("a", "203.0.113.5"),
        *group("sg-web", "a", egress("sg-web"), *(ingress("sg-web", source=s) for s in ("sg-client", "sg-balancer"))),
        ingress("sg-web", "udp", (5000, 5000), source="sg-client"),
        *group("sg-client", "a", egress("sg-client")),
        *group("sg-stranger", "a", egress("sg-stranger")),
        *group("sg-mute", "a"),
        *group("sg-balancer", "a", egress("sg-balancer"), ingress("sg-balancer", cidr="0.0.0.0/0")),
        ingress("sg-balancer", ports=(8080, 8080), source="sg-client"),
        ingress("sg-balancer", ports=(8081, 8081), cidr="203.0.113.5/32"),
        interface(
            "balancer", "a", "public", "10.0.1.20", ("sg-balancer",), owner="load_balancer", public_ip="203.0.113.20"
        ),
        interface("web", "a", "private", "10.0.10.10", ("sg-web",)),
        interface("client", "a", "private", "10.0.10.11", ("sg-client",)),
        interface("stranger", "a", "private", "10.0.10.12", ("sg-stranger",)),
        interface("mute", "a", "private", "10.0.10.13", ("sg-mute", "sg-client-less")),
        interface("isolated", "a", "isolated", "10.0.20.10", ("sg-client",)),
        interface("unnamed", "a", "public", "10.0.1.30", ("sg-client",)),
        *vpc_records("b", "203.0.113.6"),
        *group("sg-b", "b", egress("sg-b"), ingress("sg-b", source="sg-b")),
        interface("web-b", "b", "private", "10.0.10.10", ("sg-b",)),
        interface("client-b", "b", "private", "10.0.10.11", ("sg-b",)),
    )


class Lab:
    """A running network with a process behind each task, and servers."""

    def __init__(self, world: World, stack: contextlib.ExitStack) -> None:
        self.world = world
        self.driver = NetworkDriver(world.engine)
        self._stack = stack
        self.apply(world)
        self.pids: dict[str, int] = {}
        for each in self.network.interfaces:
            if each.kind == "task":
                self.pids[each.interface_id] = stack.enter_context(container_process())
                self.driver.plug(each, self.pids[each.interface_id])

    def apply(self, world: World) -> None:
        self.network = router.network(world)
        self.driver.apply(self.network)

    def namespace(self, name: str) -> str:
        resource = name if name in ("internet", "vpc-a", "vpc-b") else f"eni-{name}"
        return self.world.engine.namespace(resource)

    def interface(self, name: str) -> Interface:
        return next(i for i in self.network.interfaces if i.interface_id == f"eni-{name}")

    def serve(self, name: str, port: int, address: str = "0.0.0.0") -> None:
        server = Server(self.namespace(name), port, name, address)
        self._stack.callback(server.close)

    def attempt(self, client: str, address: str, port: int, source: str | None = None) -> str:
        return attempt(self.namespace(client), address, port, source)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    engine_id = hashlib.sha256(str(tmp_path_factory.mktemp("engine")).encode()).hexdigest()[:8]
    world = describe(engine_id)
    with contextlib.ExitStack() as stack:
        stack.callback(NetworkDriver.destroy, world.engine)
        lab = Lab(world, stack)
        for name, port in (("web", 80), ("web", 81), ("web-b", 80), ("client", 80), ("balancer", 80)):
            lab.serve(name, port)
        for name, port in (("balancer", 81), ("balancer", 8080), ("balancer", 8081), ("nat-a", 80)):
            lab.serve(name, port)
        lab.serve("internet", 80, WEB_HOST)
        yield lab


def test_group_reference_admits_inside_one_subnet_and_across(lab: Lab) -> None:
    assert lab.attempt("client", "10.0.10.10", 80) == "web 10.0.10.11"
    assert lab.attempt("isolated", "10.0.10.10", 80) == "web 10.0.20.10"
    assert lab.attempt("balancer", "10.0.10.10", 80) == "web 10.0.1.20"


def test_a_denied_connection_times_out_inside_one_subnet_too(lab: Lab) -> None:
    assert lab.attempt("stranger", "10.0.10.10", 80) == "timeout"
    assert lab.attempt("client", "10.0.10.10", 81) == "timeout"
    assert lab.attempt("web", "10.0.10.11", 80) == "timeout"


def test_a_group_without_egress_lets_nothing_out_but_dns(lab: Lab) -> None:
    assert lab.attempt("mute", "10.0.1.20", 80) == "timeout"
    assert dns_answers(lab, "mute")


def test_admitted_but_nobody_listens_is_refused_at_once(lab: Lab) -> None:
    without_server = ingress("sg-web", ports=(99, 99), source="sg-client")
    lab.apply(lab.world.with_records(without_server))
    assert lab.attempt("client", "10.0.10.10", 99) == "refused"
    lab.apply(lab.world)


def test_an_address_that_nobody_has_is_silent_in_the_same_subnet_too(lab: Lab) -> None:
    assert lab.attempt("client", "10.0.10.99", 80) == "timeout"
    assert lab.attempt("client", "10.0.20.99", 80) == "timeout"


def test_a_faked_source_is_dropped(lab: Lab) -> None:
    web, client, stranger = (lab.namespace(name) for name in ("web", "client", "stranger"))
    assert datagram_arrives(client, "10.0.10.11", web, "10.0.10.10", 5000)
    assert not datagram_arrives(stranger, "10.0.10.11", web, "10.0.10.10", 5000)


def test_vpcs_of_the_same_range_do_not_see_each_other(lab: Lab) -> None:
    assert lab.attempt("client-b", "10.0.10.10", 80) == "web-b 10.0.10.11"
    assert lab.attempt("client-b", "10.0.10.12", 80) == "timeout"
    assert lab.attempt("client-b", "10.0.1.20", 80) == "timeout"


def test_private_subnets_go_out_with_the_address_of_their_nat_gateway(lab: Lab) -> None:
    assert lab.attempt("client", WEB_HOST, 80) == "internet 203.0.113.5"
    assert lab.attempt("client", WEB_HOST, 81) == "refused"
    assert lab.attempt("client", "8.8.8.8", 80) == "timeout"
    assert lab.attempt("client-b", WEB_HOST, 80) == "internet 203.0.113.6"


def test_without_route_or_public_address_there_is_no_way_out(lab: Lab) -> None:
    assert lab.attempt("isolated", WEB_HOST, 80) == "timeout"
    assert lab.attempt("unnamed", WEB_HOST, 80) == "timeout"
    unnamed, balancer, internet = (lab.namespace(name) for name in ("unnamed", "balancer", "internet"))
    assert not datagram_arrives(unnamed, "10.0.1.30", internet, WEB_HOST, 5000)
    assert datagram_arrives(balancer, "10.0.1.20", internet, WEB_HOST, 5000, seen_as="203.0.113.20")


def test_a_public_address_goes_out_as_itself(lab: Lab) -> None:
    assert lab.attempt("balancer", WEB_HOST, 80) == "internet 203.0.113.20"


def test_nothing_unsolicited_passes_a_nat_gateway(lab: Lab) -> None:
    assert lab.attempt("internet", "203.0.113.5", 80, CLIENT) == "timeout"
    assert lab.attempt("client", "10.0.1.5", 80) == "timeout"


def test_the_internet_reaches_a_public_address_as_its_group_allows(lab: Lab) -> None:
    assert lab.attempt("internet", "203.0.113.20", 80, CLIENT) == f"balancer {CLIENT}"
    assert lab.attempt("internet", "203.0.113.20", 80) == f"balancer {router.DEFAULT_CLIENT}"
    assert lab.attempt("internet", "203.0.113.20", 81, CLIENT) == "timeout"
    assert lab.attempt("internet", "203.0.113.99", 80, CLIENT) == "timeout"


def test_a_public_name_is_reached_by_nat_and_group_references_do_not_match_there(lab: Lab) -> None:
    assert lab.attempt("client", "203.0.113.20", 80) == "balancer 203.0.113.5"
    assert lab.attempt("client", "10.0.1.20", 8080) == "balancer 10.0.10.11"
    assert lab.attempt("client", "203.0.113.20", 8080) == "timeout"
    assert lab.attempt("client", "203.0.113.20", 8081) == "balancer 203.0.113.5"
    assert lab.attempt("client-b", "203.0.113.20", 80) == "balancer 203.0.113.6"


def test_an_established_flow_outlives_its_rule(lab: Lab) -> None:
    rule = ingress("sg-web", source="sg-client")
    with connect(lab.namespace("client"), "10.0.10.10", 80) as flow:
        assert flow.recv(100) == b"web 10.0.10.11"
        lab.apply(lab.world.without(rule))
        assert lab.attempt("client", "10.0.10.10", 80) == "timeout"
        flow.sendall(b"still here")
        assert flow.recv(100) == b"still here"
    lab.apply(lab.world)
    assert lab.attempt("client", "10.0.10.10", 80) == "web 10.0.10.11"


def test_network_acls_are_stateless_and_not_consulted_inside_a_subnet(lab: Lab) -> None:
    def acl(*entries: NetworkAclEntry) -> World:
        association = NetworkAclAssociation("aclassoc-1", "subnet-private-a")
        return lab.world.with_records(NetworkAcl("acl-1", "vpc-a", REGION, False, entries, (association,)))

    http_in = NetworkAclEntry(100, False, "tcp", True, "0.0.0.0/0", 80, 80)
    replies_out = NetworkAclEntry(100, True, "6", True, "0.0.0.0/0", 1024, 65535)
    lab.apply(acl(http_in))
    assert lab.attempt("isolated", "10.0.10.10", 80) == "timeout"
    assert lab.attempt("client", "10.0.10.10", 80) == "web 10.0.10.11"
    assert dns_answers(lab, "client")
    lab.apply(acl(http_in, replies_out))
    assert lab.attempt("isolated", "10.0.10.10", 80) == "web 10.0.20.10"
    lab.apply(acl(NetworkAclEntry(99, False, "-1", False, "10.0.20.0/24"), http_in, replies_out))
    assert lab.attempt("isolated", "10.0.10.10", 80) == "timeout"
    lab.apply(lab.world)


def dns_answers(lab: Lab, client: str) -> bool:
    """Say whether a datagram from a task to the resolver's port is answered (by a stand-in)."""
    with (
        netns.socket_in(lab.namespace("vpc-a"), socket.AF_INET, socket.SOCK_DGRAM) as resolver,
        netns.socket_in(lab.namespace(client), socket.AF_INET, socket.SOCK_DGRAM) as stub,
    ):
        resolver.bind((RESOLVER, 53))
        resolver.settimeout(SILENCE_SECONDS)
        stub.settimeout(SILENCE_SECONDS)
        stub.connect((RESOLVER, 53))
        stub.send(b"question")
        try:
            question, sender = resolver.recvfrom(100)
            resolver.sendto(b"answer", sender)
            return question == b"question" and stub.recv(100) == b"answer"
        except TimeoutError:
            return False


def test_a_resolver_that_is_away_is_silent_and_only_dns_is_served(lab: Lab) -> None:
    with netns.socket_in(lab.namespace("client"), socket.AF_INET, socket.SOCK_DGRAM) as stub:
        stub.settimeout(SILENCE_SECONDS)
        stub.connect((RESOLVER, 53))
        stub.send(b"question")
        with pytest.raises(TimeoutError):
            stub.recv(100)
    lab.serve("vpc-a", 9999)
    for address in (RESOLVER, "10.0.10.1", "169.254.169.253"):
        assert lab.attempt("client", address, 9999) == "timeout"


def test_dns_leaves_no_trace_in_connection_tracking(lab: Lab) -> None:
    assert dns_answers(lab, "client")
    path = Path("/proc/thread-self/net/stat/nf_conntrack")
    before = netns.run_in(lab.namespace("vpc-a"), path.read_text).split("\n")[1].split()[0]
    for _ in range(5):
        assert dns_answers(lab, "client")
    after = netns.run_in(lab.namespace("vpc-a"), path.read_text).split("\n")[1].split()[0]
    assert int(after, 16) <= int(before, 16)


def test_a_link_deleted_by_hand_comes_back_when_asked(lab: Lab) -> None:
    for namespace, device in (
        (lab.namespace("vpc-a"), lab.interface("web").router_device),
        (lab.namespace("vpc-a"), "igw"),
    ):
        netns.batch(namespace, [f"link del {device}"])
    assert lab.attempt("client", "10.0.10.10", 80) == "timeout"
    assert lab.attempt("client", WEB_HOST, 80) == "timeout"
    assert "eni-web" not in lab.driver.observe()
    lab.driver.apply(lab.network, force=True)
    assert lab.attempt("client", "10.0.10.10", 80) == "web 10.0.10.11"
    assert lab.attempt("client", WEB_HOST, 80) == "internet 203.0.113.5"
    assert "eni-web" in lab.driver.observe()


def test_a_driver_without_memory_adopts_what_stands(lab: Lab) -> None:
    with connect(lab.namespace("client"), "10.0.10.10", 80) as flow:
        assert flow.recv(100) == b"web 10.0.10.11"
        lab.driver = NetworkDriver(lab.world.engine)
        lab.driver.apply(lab.network)
        flow.sendall(b"still here")
        assert flow.recv(100) == b"still here"
    assert lab.driver.observe() == {i.interface_id for i in lab.network.interfaces}


def test_an_interface_moves_to_the_namespace_of_a_new_process(lab: Lab) -> None:
    moved = lab.interface("unnamed")
    with container_process() as pid:
        lab.driver.plug(moved, pid)
        lab.driver.plug(moved, pid)
        assert netns.pids(moved.namespace) == [pid]
        assert lab.attempt("unnamed", "10.0.10.10", 80) == "web 10.0.1.30"
        lab.driver.unplug(moved.interface_id, moved.router_namespace)
        lab.driver.unplug(moved.interface_id, moved.router_namespace)
        assert not netns.exists(moved.namespace)
        assert moved.interface_id not in lab.driver.observe()
    lab.driver.plug(moved, lab.pids[moved.interface_id])


def test_what_leaves_the_world_leaves_the_machine(lab: Lab) -> None:
    gone = lab.world.network_interfaces["eni-balancer"]
    lab.apply(lab.world.without(gone))
    assert not netns.exists(lab.namespace("balancer"))
    assert lab.interface("web").router_device in netns.devices(lab.namespace("vpc-a"))
    assert "ebalancer" not in netns.devices(lab.namespace("vpc-a"))
    without_gateway = lab.world.without(lab.world.internet_gateways["igw-b"])
    lab.apply(without_gateway)
    assert "igw" not in netns.devices(lab.namespace("vpc-b"))
    assert lab.attempt("client-b", WEB_HOST, 80) == "timeout"
    lab.apply(lab.world)
    assert lab.attempt("client-b", WEB_HOST, 80) == "internet 203.0.113.6"


def test_a_refused_ruleset_says_where_and_changes_nothing(lab: Lab) -> None:
    namespace = lab.namespace("vpc-b")
    before = nft.listing(namespace)
    with pytest.raises(nft.RulesetError, match=r"(?s)line:2:.*dprt") as refusal:
        nft.load(namespace, "add table inet other\nadd chain inet sg c_new { tcp dprt 80 accept; }\n")
    assert namespace in str(refusal.value)
    assert nft.listing(namespace) == before


def test_rules_go_to_the_namespace_that_has_the_name_now(lab: Lab) -> None:
    namespace = lab.namespace("renewed")
    for table in ("first", "second"):
        netns.ensure(namespace)
        nft.load(namespace, f"add table inet {table}\n")
        assert nft.listing(namespace).split() == ["table", "inet", table, "{", "}"]
        netns.delete(namespace)
    nft.forget(namespace)
    with pytest.raises(netns.NamespaceError, match="no network namespace"):
        nft.load(namespace, "add table inet third\n")


def test_a_refused_command_says_which(lab: Lab) -> None:
    with pytest.raises(netns.NamespaceError, match=r"`ip link del nowhere` failed"):
        netns.batch(lab.namespace("vpc-b"), ["link set lo up", "link del nowhere"])
    with pytest.raises(netns.NamespaceError, match="no network namespace"):
        netns.devices("tsubo-00000000-nowhere")


def test_destroy_leaves_nothing_and_touches_no_other_engine(lab: Lab, tmp_path: Path) -> None:
    before, others = root_namespace(), namespaces()
    engine_id = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]
    world = describe(engine_id)
    with contextlib.ExitStack() as stack:
        stack.callback(NetworkDriver.destroy, world.engine)
        second = Lab(world, stack)
        second.serve("web", 80)
        assert second.attempt("client", "10.0.10.10", 80) == "web 10.0.10.11"
        inside = second.pids["eni-web"]
        assert NetworkDriver.destroy(world.engine) == []
        assert not netns.names(world.engine.namespace(""))
        wait_until(lambda: not is_alive(inside))
    assert root_namespace() == before
    assert {name for name in namespaces() if engine_id in name} == set()
    assert {name for name in others if lab.world.engine.engine_id in name} <= namespaces()
    assert lab.attempt("client", "10.0.10.10", 80) == "web 10.0.10.11"


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


@pytest.mark.parametrize("name", ["ruleset.nft", "ruleset-network-acl.nft"])
def test_the_golden_rulesets_are_valid(lab: Lab, name: str) -> None:
    namespace = lab.namespace("golden")
    netns.ensure(namespace)
    nft.load(namespace, (Path(__file__).parents[1] / "core" / "golden" / name).read_text())
    assert "chain c_forward" in nft.listing(namespace)
    netns.delete(namespace)
