"""Random VPCs and random questions about them, from a seed: for `why`, the simulator and real packets to agree on."""

import random
from dataclasses import dataclass

from tests.core.vpc_world import (
    REGION,
    associated,
    egress,
    empty_world,
    group,
    ingress,
    interface,
    subnet,
    table,
    vpc_records,
)
from tsubo.core.router import DEFAULT_CLIENT
from tsubo.model.explanation import Destination, Endpoint, Protocol
from tsubo.model.vpc import (
    InternetGateway,
    NatGateway,
    NetworkAcl,
    NetworkAclAssociation,
    NetworkAclEntry,
    NetworkInterface,
    Route,
    RouteTableAssociation,
    SecurityGroupRule,
    Vpc,
)
from tsubo.model.world import Record, World

PORTS = (80, 443, 8080)
KINDS = ("one", "two", "three", "four")
GROUPS = ("sg-1", "sg-2", "sg-3")
WEB_HOST = "198.51.100.10"
CLIENT = "198.18.7.7"
NAT_ADDRESS = "203.0.113.5"
RANGES = ("0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/16", "10.0.1.0/24", "10.0.2.7/24", f"{CLIENT}/32", "203.0.113.0/24")
RULE_PORTS = ((-1, -1), (80, 80), (443, 443), (80, 443), (0, 65535))
ACL_PORTS = ((-1, -1), (0, 65535), (80, 80), (80, 443), (1024, 65535), (1024, 65535))
PROTOCOLS: tuple[Protocol, ...] = ("tcp", "tcp", "tcp", "udp", "icmp")
MOST_INTERFACES = 6


@dataclass(frozen=True)
class Question:
    """From where to where. `start.network_interface_id` is None for the internet."""

    start: Endpoint
    destination: Destination


class RandomVpc:
    """The world of a seed, and questions about it. Beside it stands `vpc-b`, of the same range, with a public task."""

    def __init__(self, seed: int, engine_id: str = "0a1b2c3d") -> None:
        self._random = random.Random(seed)
        self.kinds = KINDS[: self._random.randint(2, len(KINDS))]
        gateway = [InternetGateway("igw-a", REGION, "vpc-a")] if self._chance(0.85) else []
        records: list[Record] = [
            *self._other_vpc(),
            Vpc("vpc-a", REGION, "10.0.0.0/16", enable_dns_support=self._chance(0.8)),
            *gateway,
            *(subnet("a", kind, f"10.0.{number}.0/24") for number, kind in enumerate(self.kinds, start=1)),
            *self._nat_gateway(),
            table("a", "main", (), RouteTableAssociation("main-a", main=True)),
            *(self._table(kind) for kind in self.kinds if self._chance(0.9)),
            *(record for name in GROUPS for record in self._group(name)),
            *(self._acl(kind) for kind in self.kinds if self._chance(0.4)),
            *(self._interface(number) for number in range(self._random.randint(3, MOST_INTERFACES))),
        ]
        self.world: World = empty_world(engine_id).with_records(*records)

    def questions(self, count: int) -> list[Question]:
        """Return random questions."""
        return [self._question() for _ in range(count)]

    def interfaces(self) -> list[NetworkInterface]:
        """Return the interfaces that can send and answer."""
        return [i for i in self.world.network_interfaces.values() if i.owner != "nat_gateway" and i.vpc_id == "vpc-a"]

    def _question(self) -> Question:
        interfaces = self.interfaces()
        sender = None if self._chance(0.2) else self._random.choice(interfaces)
        start = Endpoint("internet", self._random.choice((CLIENT, DEFAULT_CLIENT)))
        if sender is not None:
            start = Endpoint(sender.owner_id, sender.private_ip, sender.network_interface_id)
        public = [i.public_ip for i in self.world.network_interfaces.values() if i.public_ip]
        odd = ["10.0.1.1", "10.0.2.99", "10.0.0.2", "169.254.169.253", "10.0.1.5", "203.0.113.99", WEB_HOST, WEB_HOST]
        address = self._random.choice(
            [i.private_ip for i in interfaces] if self._chance(0.6) else [*public, *public, *odd]
        )
        protocol = self._random.choice(PROTOCOLS)
        port = 53 if self._chance(0.05) else self._random.choice(PORTS)
        return Question(start, Destination(address, port, address=address, protocol=protocol))

    def _other_vpc(self) -> list[Record]:
        open_group = group("sg-b", "b", egress("sg-b"), ingress("sg-b", "-1", (-1, -1), cidr="0.0.0.0/0"))
        task = interface("b", "b", "public", "10.0.1.10", ("sg-b",), public_ip="203.0.113.77")
        return [*vpc_records("b", "203.0.113.6"), *open_group, task]

    def _nat_gateway(self) -> list[Record]:
        kind = self._random.choice(self.kinds)
        address = f"10.0.{self.kinds.index(kind) + 1}.5"
        public_ip = NAT_ADDRESS if self._chance(0.85) else None
        nat = interface("nat-a", "a", kind, address, (), owner="nat_gateway", public_ip=public_ip)
        gateway = NatGateway(
            "nat-a", nat.subnet_id, "vpc-a", REGION, 0.0, state="available", network_interface_id="eni-nat-a"
        )
        return [nat, gateway]

    def _table(self, kind: str) -> Record:
        targets = (
            Route("0.0.0.0/0", gateway_id="igw-a"),
            Route("0.0.0.0/0", gateway_id="igw-a"),
            Route("0.0.0.0/0", nat_gateway_id="nat-a"),
            Route("0.0.0.0/0", nat_gateway_id="nat-a"),
            Route("0.0.0.0/0", nat_gateway_id="nat-gone"),
            Route("0.0.0.0/0", gateway_id="igw-b"),
            None,
        )
        closer = (Route("198.51.100.0/24", gateway_id="igw-a"), Route("198.18.0.0/15", nat_gateway_id="nat-a"))
        routes = [r for r in (self._random.choice(targets),) if r] + [r for r in closer if self._chance(0.1)]
        return table("a", kind, tuple(routes), associated("a", kind))

    def _group(self, name: str) -> list[Record]:
        rules = [self._rule(name, number) for number in range(self._random.randint(0, 5))]
        return group(name, "a", *rules, *([egress(name)] if self._chance(0.7) else []))

    def _rule(self, name: str, number: int) -> SecurityGroupRule:
        referenced = self._random.choice(GROUPS) if self._chance(0.5) else None
        cidr = None if referenced else self._random.choice(RANGES)
        protocol = self._random.choice(("tcp", "tcp", "6", "udp", "icmp", "-1"))
        ports = self._random.choice(RULE_PORTS)
        if protocol == "icmp":
            ports = self._random.choice(((-1, -1), (8, -1), (8, 0), (0, 0), (3, 4)))
        return SecurityGroupRule(
            f"sgr-{name}-{number}", name, REGION, self._chance(0.25), protocol, *ports, cidr=cidr,
            referenced_group_id=referenced,
        )  # fmt: skip

    def _acl(self, kind: str) -> NetworkAcl:
        entries = tuple(self._acl_entry() for _ in range(self._random.randint(1, 5)))
        everything = tuple(NetworkAclEntry(500, out, "-1", True, "0.0.0.0/0") for out in (True, False))
        return NetworkAcl(
            f"acl-{kind}", "vpc-a", REGION, False, (*entries, *(everything if self._chance(0.7) else ())),
            (NetworkAclAssociation(f"aclassoc-{kind}", f"subnet-{kind}-a"),),
        )  # fmt: skip

    def _acl_entry(self) -> NetworkAclEntry:
        return NetworkAclEntry(
            self._random.randint(1, 499), self._chance(0.5), self._random.choice(("tcp", "6", "17", "1", "-1")),
            self._chance(0.6), self._random.choice(RANGES), *self._random.choice(ACL_PORTS),
        )  # fmt: skip

    def _interface(self, number: int) -> NetworkInterface:
        kind = self._random.choice(self.kinds)
        groups = tuple(self._random.sample(GROUPS, self._random.choice((1, 1, 1, 2))))
        public_ip = f"203.0.113.{100 + number}" if self._chance(0.5) else None
        address = f"10.0.{self.kinds.index(kind) + 1}.{10 + number}"
        return interface(f"t{number}", "a", kind, address, groups, public_ip=public_ip)

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability
