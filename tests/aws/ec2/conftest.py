"""EC2 without a wire: operations over a world in memory, each request and answer checked against botocore's model."""

import itertools
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tsubo.aws.ec2 import OPERATIONS
from tsubo.aws.operations import AwsError, Call
from tsubo.model.identity import EngineIdentity
from tsubo.model.vpc import InterfaceOwner, NetworkInterface
from tsubo.model.world import Record, World

REGION = "ap-northeast-1"
NOW = 1_700_000_000.0
MODEL = botocore.session.get_session().get_service_model("ec2")


class CountingSupply:
    """A supply whose texts are counted, so that a test can tell them apart and repeat them."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def text(self, length: int, alphabet: str = "0123456789abcdef") -> str:
        return str(next(self._numbers)).rjust(length, "0")


class Ec2:
    """A region of an account. Calling it runs an operation; one that raises leaves the world as it was."""

    def __init__(self) -> None:
        self.world = World(EngineIdentity("0011aabb"))
        self.supply = CountingSupply()
        self.region = REGION

    def __call__(self, operation: str, **request: Any) -> Any:
        model = MODEL.operation_model(operation)
        check(request, model.input_shape)
        call = Call(self.world, NOW, self.supply, self.region)
        response = OPERATIONS[operation](call, request)
        if operation.startswith(("Describe", "Get")):
            assert not call.written
            assert not call.deleted
        self.world = call.world
        if model.output_shape is None:
            assert response is None
        else:
            check(response, model.output_shape)
        return response

    def error(self, operation: str, **request: Any) -> str:
        """Return the code of the error that an operation ends in, and see that nothing of it stands."""
        before = self.world
        with pytest.raises(AwsError) as raised:
            self(operation, **request)
        assert self.world is before
        assert raised.value.message
        return raised.value.code

    def put(self, *records: Record) -> None:
        """Write what the engine's loop would."""
        self.world = self.world.with_records(*records)

    def remove(self, *records: Record) -> None:
        self.world = self.world.without(*records)

    def vpc(self, cidr: str = "10.0.0.0/16") -> str:
        return str(self("CreateVpc", CidrBlock=cidr)["Vpc"]["VpcId"])

    def subnet(self, vpc_id: str, cidr: str = "10.0.1.0/24", zone: str = f"{REGION}a") -> str:
        made = self("CreateSubnet", VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=zone)
        return str(made["Subnet"]["SubnetId"])

    def group(self, vpc_id: str, name: str = "web") -> str:
        return str(self("CreateSecurityGroup", GroupName=name, Description=name, VpcId=vpc_id)["GroupId"])

    def internet_gateway(self, vpc_id: str) -> str:
        gateway_id = str(self("CreateInternetGateway")["InternetGateway"]["InternetGatewayId"])
        self("AttachInternetGateway", InternetGatewayId=gateway_id, VpcId=vpc_id)
        return gateway_id

    def interface(
        self, subnet_id: str, private_ip: str, owner: InterfaceOwner = "task", **fields: Any
    ) -> NetworkInterface:
        """Make an interface as the engine's loop does."""
        subnet = self.world.subnets[subnet_id]
        interface = NetworkInterface(
            network_interface_id=f"eni-0{self.supply.text(16)}",
            subnet_id=subnet_id,
            vpc_id=subnet.vpc_id,
            region=subnet.region,
            availability_zone=subnet.availability_zone,
            private_ip=private_ip,
            mac="02:00:0a:00:01:05",
            owner=owner,
            owner_id="",
            attachment_id="0f0e0d0c-0b0a-4908-8706-050403020100",
            created_at=NOW,
        )
        interface = replace(interface, **fields)
        self.put(interface)
        return interface

    def nat_gateway_comes_up(self, nat_gateway_id: str, private_ip: str) -> NetworkInterface:
        """Do what the engine's loop does for a pending NAT gateway."""
        nat_gateway = self.world.nat_gateways[nat_gateway_id]
        address = self.world.addresses[nat_gateway.allocation_id or ""]
        interface = self.interface(
            nat_gateway.subnet_id, private_ip, "nat_gateway", owner_id=nat_gateway_id, public_ip=address.public_ip
        )
        identifier = interface.network_interface_id
        self.put(
            replace(nat_gateway, state="available", network_interface_id=identifier),
            replace(address, association_id="eipassoc-1", network_interface_id=identifier),
        )
        return interface

    def nat_gateway_goes_down(self, nat_gateway_id: str) -> None:
        """Do what the engine's loop does for a NAT gateway that is being deleted."""
        nat_gateway = self.world.nat_gateways[nat_gateway_id]
        assert nat_gateway.state == "deleting"
        address = self.world.addresses[nat_gateway.allocation_id or ""]
        self.remove(self.world.network_interfaces[nat_gateway.network_interface_id or ""])
        self.put(
            replace(nat_gateway, state="deleted", deleted_at=NOW),
            replace(address, association_id=None, network_interface_id=None),
        )


def check(parameters: Any, shape: Any) -> None:
    """See that parameters are of a shape of botocore's model; what AWS refuses may be left out or too small."""
    report = ParamValidator().validate(parameters, shape).generate_report()
    allowed = ("Missing required", "valid min value")
    errors = [error for error in report.split("\n") if error and not any(words in error for words in allowed)]
    assert not errors, errors


@pytest.fixture
def ec2() -> Ec2:
    return Ec2()
