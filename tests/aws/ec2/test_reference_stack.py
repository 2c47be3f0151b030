"""The VPC of the example, made, described and deleted as terraform does it (aws/alb-vpc-terraform.md section 6.2)."""

from typing import Any

import pytest

from tests.aws.ec2.conftest import REGION, Ec2

SUBNETS = {
    "public-1a": ("10.0.1.0/24", "a"),
    "public-1c": ("10.0.2.0/24", "c"),
    "private-1a": ("10.0.10.0/24", "a"),
    "private-1c": ("10.0.11.0/24", "c"),
}
ANYWHERE = "0.0.0.0/0"


class Stack:
    """What terraform's state would hold of the example's VPC."""

    def __init__(self, ec2: Ec2) -> None:
        self.ec2 = ec2
        self.vpc = ec2(
            "CreateVpc", CidrBlock="10.0.0.0/16", InstanceTenancy="default", AmazonProvidedIpv6CidrBlock=False,
            TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "ecs-navi-vpc"}]}],
        )["Vpc"]["VpcId"]  # fmt: skip
        ec2("ModifyVpcAttribute", VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.subnets = {name: ec2.subnet(self.vpc, cidr, f"{REGION}{zone}") for name, (cidr, zone) in SUBNETS.items()}
        self.gateway = ec2.internet_gateway(self.vpc)
        self.address = ec2("AllocateAddress", Domain="vpc")
        self.nat_gateway = ec2(
            "CreateNatGateway", SubnetId=self.subnets["public-1a"], AllocationId=self.address["AllocationId"]
        )["NatGateway"]["NatGatewayId"]
        ec2.nat_gateway_comes_up(self.nat_gateway, "10.0.1.4")
        self.tables = {
            "public": self.table({"GatewayId": self.gateway}),
            "private": self.table({"NatGatewayId": self.nat_gateway}),
        }
        self.associations = [
            ec2("AssociateRouteTable", RouteTableId=self.tables[name.split("-")[0]], SubnetId=subnet)["AssociationId"]
            for name, subnet in self.subnets.items()
        ]
        self.balancer_group = self.group("ecs-navi-sg", [{"IpRanges": [{"CidrIp": ANYWHERE}]}], 443)
        self.proxy_group = self.group("ecs-navi-proxy-nginx-sg", [self.from_groups(self.balancer_group)], 80)
        self.backend_group = self.group(
            "ecs-navi-backend-sg", [self.from_groups(self.balancer_group, self.proxy_group)], 80
        )

    def table(self, target: dict[str, str]) -> str:
        table_id = self.ec2("CreateRouteTable", VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2("CreateRoute", RouteTableId=table_id, DestinationCidrBlock=ANYWHERE, **target)
        return str(table_id)

    def group(self, name: str, peers: list[dict[str, Any]], port: int) -> str:
        """Make a group as the provider does: it revokes what AWS put into it, then authorizes what is written."""
        group_id = self.ec2.group(self.vpc, name)
        everything: dict[str, Any] = {"IpProtocol": "-1", "FromPort": 0, "ToPort": 0}
        opened = [everything | {"IpRanges": [{"CidrIp": ANYWHERE}]}]
        self.ec2("RevokeSecurityGroupEgress", GroupId=group_id, IpPermissions=opened)
        opened_v6 = [everything | {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]
        code = self.ec2.error("RevokeSecurityGroupEgress", GroupId=group_id, IpPermissions=opened_v6)
        assert code == "InvalidPermission.NotFound"
        permissions = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port} | each for each in peers]
        self.ec2("AuthorizeSecurityGroupIngress", GroupId=group_id, IpPermissions=permissions)
        self.ec2("AuthorizeSecurityGroupEgress", GroupId=group_id, IpPermissions=opened)
        return group_id

    @staticmethod
    def from_groups(*group_ids: str) -> dict[str, Any]:
        return {"UserIdGroupPairs": [{"GroupId": group_id} for group_id in group_ids]}


@pytest.fixture
def stack(ec2: Ec2) -> Stack:
    return Stack(ec2)


def by_vpc(stack: Stack, operation: str, result: str, **more: str) -> list[dict[str, Any]]:
    filters = [{"Name": "vpc-id", "Values": [stack.vpc]}]
    filters += [{"Name": name.replace("__", "."), "Values": [value]} for name, value in more.items()]
    found: list[dict[str, Any]] = stack.ec2(operation, Filters=filters)[result]
    return found


def test_the_provider_finds_what_came_with_the_vpc(stack: Stack) -> None:
    """aws/alb-vpc-terraform.md section 6.9, item 5."""
    [main] = by_vpc(stack, "DescribeRouteTables", "RouteTables", association__main="true")
    assert main["Routes"] == [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}
    ]
    [acl] = by_vpc(stack, "DescribeNetworkAcls", "NetworkAcls", default="true")
    assert len(acl["Associations"]) == len(SUBNETS)
    filters = [{"Name": "vpc-id", "Values": [stack.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    [group] = stack.ec2("DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    assert group["IpPermissions"][0]["UserIdGroupPairs"] == [{"GroupId": group["GroupId"], "UserId": "123456789012"}]
    attribute = stack.ec2("DescribeVpcAttribute", VpcId=stack.vpc, Attribute="enableDnsHostnames")
    assert attribute["EnableDnsHostnames"] == {"Value": True}


def test_every_route_is_active_and_every_association_shows(stack: Stack) -> None:
    tables = {table["RouteTableId"]: table for table in by_vpc(stack, "DescribeRouteTables", "RouteTables")}
    public, private = tables[stack.tables["public"]], tables[stack.tables["private"]]
    assert [route["State"] for route in public["Routes"] + private["Routes"]] == ["active"] * 4
    assert public["Routes"][1]["GatewayId"] == stack.gateway
    assert private["Routes"][1]["NatGatewayId"] == stack.nat_gateway
    shown = [one["RouteTableAssociationId"] for table in (public, private) for one in table["Associations"]]
    assert shown == stack.associations


def test_the_nat_gateway_shows_its_addresses(stack: Stack) -> None:
    [nat_gateway] = stack.ec2("DescribeNatGateways", NatGatewayIds=[stack.nat_gateway])["NatGateways"]
    assert (nat_gateway["State"], nat_gateway["ConnectivityType"]) == ("available", "public")
    [address] = nat_gateway["NatGatewayAddresses"]
    assert (address["PublicIp"], address["PrivateIp"]) == ("203.0.113.2", "10.0.1.4")
    [elastic] = stack.ec2("DescribeAddresses", AllocationIds=[stack.address["AllocationId"]])["Addresses"]
    assert elastic["NetworkInterfaceId"] == address["NetworkInterfaceId"]
    assert elastic["AssociationId"] == address["AssociationId"]


def test_groups_show_one_permission_per_protocol_and_port(stack: Stack) -> None:
    """aws/alb-vpc-terraform.md section 6.9, item 4."""
    [group] = stack.ec2("DescribeSecurityGroups", GroupIds=[stack.backend_group])["SecurityGroups"]
    [permission] = group["IpPermissions"]
    assert (permission["IpProtocol"], permission["FromPort"], permission["ToPort"]) == ("tcp", 80, 80)
    assert {pair["GroupId"] for pair in permission["UserIdGroupPairs"]} == {stack.balancer_group, stack.proxy_group}
    [egress] = group["IpPermissionsEgress"]
    assert "FromPort" not in egress
    assert egress["IpRanges"] == [{"CidrIp": ANYWHERE}]


def test_destroy_in_reverse_leaves_nothing_but_the_default_options(stack: Stack) -> None:
    ec2 = stack.ec2
    assert ec2.error("DeleteVpc", VpcId=stack.vpc) == "DependencyViolation"
    assert ec2.error("DeleteSecurityGroup", GroupId=stack.proxy_group) == "DependencyViolation"
    for group in (stack.backend_group, stack.proxy_group, stack.balancer_group):
        ec2("DeleteSecurityGroup", GroupId=group)
    for association in stack.associations:
        ec2("DisassociateRouteTable", AssociationId=association)
    for table in stack.tables.values():
        ec2("DeleteRouteTable", RouteTableId=table)
    detach = {"InternetGatewayId": stack.gateway, "VpcId": stack.vpc}
    ec2("DeleteNatGateway", NatGatewayId=stack.nat_gateway)
    assert ec2.error("DeleteSubnet", SubnetId=stack.subnets["public-1a"]) == "DependencyViolation"
    assert ec2.error("DetachInternetGateway", **detach) == "DependencyViolation"
    assert ec2.error("ReleaseAddress", AllocationId=stack.address["AllocationId"]) == "InvalidIPAddress.InUse"
    ec2.nat_gateway_goes_down(stack.nat_gateway)
    ec2("ReleaseAddress", AllocationId=stack.address["AllocationId"])
    ec2("DetachInternetGateway", **detach)
    ec2("DeleteInternetGateway", InternetGatewayId=stack.gateway)
    for subnet in stack.subnets.values():
        ec2("DeleteSubnet", SubnetId=subnet)
    ec2("DeleteVpc", VpcId=stack.vpc)
    world = ec2.world
    left = [kind for kind in vars(world) if kind != "engine" and getattr(world, kind)]
    assert left == ["nat_gateways", "dhcp_options"]
    [nat_gateway] = ec2("DescribeNatGateways", NatGatewayIds=[stack.nat_gateway])["NatGateways"]
    assert nat_gateway["State"] == "deleted"


def test_the_same_calls_make_the_same_world(stack: Stack) -> None:
    assert Stack(Ec2()).ec2.world == stack.ec2.world
