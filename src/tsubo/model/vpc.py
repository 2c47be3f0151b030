"""EC2 networking: VPCs, subnets, gateways, route tables, groups, addresses, interfaces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Tags = Mapping[str, str]


@dataclass(frozen=True)
class Vpc:
    vpc_id: str
    region: str
    cidr: str
    enable_dns_support: bool = True
    enable_dns_hostnames: bool = False
    enable_network_address_usage_metrics: bool = False
    instance_tenancy: str = "default"
    is_default: bool = False
    dhcp_options_id: str = "default"
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.vpc_id


@dataclass(frozen=True)
class Subnet:
    subnet_id: str
    vpc_id: str
    region: str
    availability_zone: str
    cidr: str
    map_public_ip_on_launch: bool = False
    default_for_az: bool = False
    hostname_type: str = "ip-name"
    resource_name_dns_a_record: bool = False
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.subnet_id


@dataclass(frozen=True)
class InternetGateway:
    internet_gateway_id: str
    region: str
    vpc_id: str | None = None
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.internet_gateway_id


@dataclass(frozen=True)
class Route:
    """One route of a table; exactly one target is set. The `local` route is implied by the VPC and not stored."""

    destination_cidr: str
    gateway_id: str | None = None
    nat_gateway_id: str | None = None
    network_interface_id: str | None = None
    vpc_peering_connection_id: str | None = None
    vpc_endpoint_id: str | None = None


@dataclass(frozen=True)
class RouteTableAssociation:
    association_id: str
    subnet_id: str | None = None
    main: bool = False


@dataclass(frozen=True)
class RouteTable:
    route_table_id: str
    vpc_id: str
    region: str
    routes: tuple[Route, ...] = ()
    associations: tuple[RouteTableAssociation, ...] = ()
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.route_table_id


@dataclass(frozen=True)
class SecurityGroup:
    group_id: str
    vpc_id: str
    region: str
    name: str
    description: str
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.group_id


@dataclass(frozen=True)
class SecurityGroupRule:
    """One rule: one protocol and port range, one source or destination.

    `protocol` is `tcp`, `udp`, `icmp`, another protocol's number, or `-1` for all. Ports are -1 for all
    (for ICMP they are type and code). Exactly one of the four peers is set.
    """

    rule_id: str
    group_id: str
    region: str
    is_egress: bool
    protocol: str
    from_port: int = -1
    to_port: int = -1
    cidr: str | None = None
    cidr_ipv6: str | None = None
    referenced_group_id: str | None = None
    prefix_list_id: str | None = None
    description: str = ""
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.rule_id


@dataclass(frozen=True)
class NetworkAclEntry:
    rule_number: int
    is_egress: bool
    protocol: str
    allow: bool
    cidr: str
    from_port: int = -1
    to_port: int = -1
    icmp_type: int = -1
    icmp_code: int = -1


@dataclass(frozen=True)
class NetworkAclAssociation:
    association_id: str
    subnet_id: str


@dataclass(frozen=True)
class NetworkAcl:
    """A network ACL. The final `*` deny (32767) is implied and not stored."""

    network_acl_id: str
    vpc_id: str
    region: str
    is_default: bool = False
    entries: tuple[NetworkAclEntry, ...] = ()
    associations: tuple[NetworkAclAssociation, ...] = ()
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.network_acl_id


@dataclass(frozen=True)
class Address:
    """An Elastic IP address."""

    allocation_id: str
    public_ip: str
    region: str
    association_id: str | None = None
    network_interface_id: str | None = None
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.allocation_id


@dataclass(frozen=True)
class NatGateway:
    """A NAT gateway. CreateNatGateway writes it `pending`; the loop gives it an interface and says `available`."""

    nat_gateway_id: str
    subnet_id: str
    vpc_id: str
    region: str
    created_at: float
    connectivity_type: str = "public"
    allocation_id: str | None = None
    state: Literal["pending", "available", "deleting", "deleted", "failed"] = "pending"
    deleted_at: float | None = None
    network_interface_id: str | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.nat_gateway_id


InterfaceOwner = Literal["task", "load_balancer", "nat_gateway", "user"]


@dataclass(frozen=True)
class NetworkInterface:
    """An ENI: one address in one subnet, with the groups that guard it.

    `owner` says what sits behind it and `owner_id` which one: a task's ARN, a load balancer's ARN, a NAT
    gateway's id. `public_ip` is what an internet gateway maps to the private address, if anything.
    """

    network_interface_id: str
    subnet_id: str
    vpc_id: str
    region: str
    availability_zone: str
    private_ip: str
    mac: str
    owner: InterfaceOwner
    owner_id: str
    attachment_id: str
    created_at: float
    security_group_ids: tuple[str, ...] = ()
    public_ip: str | None = None
    description: str = ""
    source_dest_check: bool = True
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.network_interface_id


@dataclass(frozen=True)
class FlowLog:
    """A flow log of a VPC, a subnet or an interface (`resource_id`).

    `destination` is an ARN; lines are delivered to CloudWatch Logs only. `interval` (seconds) is how long a record may
    cover.
    """

    flow_log_id: str
    resource_id: str
    region: str
    created_at: float
    traffic_type: Literal["ACCEPT", "REJECT", "ALL"]
    destination_type: str
    destination: str
    log_format: str
    interval: int = 600
    log_group_name: str | None = None
    role_arn: str | None = None
    client_token: str | None = None
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.flow_log_id


@dataclass(frozen=True)
class DhcpOptions:
    dhcp_options_id: str
    region: str
    configurations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.dhcp_options_id


@dataclass(frozen=True)
class VpcEndpoint:
    """A VPC endpoint, kept as a record: the way from a task to the services does not depend on it."""

    vpc_endpoint_id: str
    vpc_id: str
    region: str
    service_name: str
    created_at: float
    type: Literal["Gateway", "Interface"] = "Gateway"
    policy: str = ""
    route_table_ids: tuple[str, ...] = ()
    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    private_dns_enabled: bool = False
    dns_record_ip_type: str = "ipv4"
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.vpc_endpoint_id
