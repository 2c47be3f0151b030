"""The same operations as boto3 sees them: through the endpoint's signatures, wire and store, without a socket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.aws.conftest import ENGINE, ENGINE_KEY
from tests.aws.ec2.conftest import REGION, CountingSupply
from tsubo.aws.dispatch import Target
from tsubo.aws.endpoint import Endpoint
from tsubo.aws.message import HttpRequest
from tsubo.aws.signature import Verifier
from tsubo.aws.store import Store

URL = "http://127.0.0.1:4566"


class NoForwarder:
    """Stands where moto would: none of these calls may need it."""

    def forward(self, request: HttpRequest, target: Target) -> NoReturn:
        raise AssertionError(f"{target.operation} is not ours")


class RawBody:
    """What botocore expects under a response's content."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    store = Store(tmp_path / "store.sqlite", ENGINE)
    endpoint = Endpoint(
        store=store,
        supply=CountingSupply(),
        verifier=Verifier(ENGINE_KEY, lambda key, token: None),
        breadth=NoForwarder(),
    )

    def send(request: Any, **_: Any) -> AWSResponse:
        parts = urlsplit(request.url)
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        headers["host"] = parts.netloc
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        answer = endpoint.handle(HttpRequest(request.method, parts.path, parts.query, headers, body))
        return AWSResponse(request.url, answer.status, dict(answer.headers), RawBody(answer.body))

    ec2 = boto3.client(
        "ec2",
        region_name=REGION,
        endpoint_url=URL,
        aws_access_key_id=ENGINE_KEY.access_key_id,
        aws_secret_access_key=ENGINE_KEY.secret_access_key,
        config=Config(retries={"max_attempts": 0}),
    )
    ec2.meta.events.register("before-send.ec2", send)
    yield ec2
    store.close()


def test_a_vpc_from_its_making_to_its_end(client: Any) -> None:
    tags = [{"Key": "Name", "Value": "main"}]
    vpc_id = client.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}])[
        "Vpc"
    ]["VpcId"]
    client.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    assert client.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]
    subnet_id = client.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    gateway_id = client.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    client.attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id)
    main_filter = [{"Name": "association.main", "Values": ["true"]}, {"Name": "vpc-id", "Values": [vpc_id]}]
    [table] = client.describe_route_tables(Filters=main_filter)["RouteTables"]
    table_id = table["RouteTableId"]
    client.create_route(RouteTableId=table_id, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway_id)
    [acl] = client.describe_network_acls(Filters=[{"Name": "default", "Values": ["true"]}])["NetworkAcls"]
    assert acl["Associations"][0]["SubnetId"] == subnet_id
    [vpc] = client.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["ma*"]}])["Vpcs"]
    assert (vpc["VpcId"], vpc["Tags"]) == (vpc_id, tags)
    with pytest.raises(ClientError, match="has dependencies and cannot be deleted") as refused:
        client.delete_vpc(VpcId=vpc_id)
    assert refused.value.response["Error"]["Code"] == "DependencyViolation"
    client.detach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id)
    client.delete_internet_gateway(InternetGatewayId=gateway_id)
    client.delete_subnet(SubnetId=subnet_id)
    client.delete_vpc(VpcId=vpc_id)
    assert client.describe_vpcs()["Vpcs"] == []


def test_groups_addresses_and_nat_gateways(client: Any) -> None:
    vpc_id = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet_id = client.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group_id = client.create_security_group(GroupName="web", Description="web", VpcId=vpc_id)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": group_id}]}
    rules = client.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[permission])
    assert rules["SecurityGroupRules"][0]["ReferencedGroupInfo"]["GroupId"] == group_id
    [group] = client.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group_id
    allocation_id = client.allocate_address(Domain="vpc")["AllocationId"]
    made = client.create_nat_gateway(SubnetId=subnet_id, AllocationId=allocation_id)["NatGateway"]
    pages = client.get_paginator("describe_nat_gateways").paginate(Filter=[{"Name": "vpc-id", "Values": [vpc_id]}])
    [shown] = [each for page in pages for each in page["NatGateways"]]
    assert (shown["NatGatewayId"], shown["State"]) == (made["NatGatewayId"], "pending")
    assert shown["CreateTime"].tzinfo is not None
    options = client.describe_dhcp_options()["DhcpOptions"]
    assert options[0]["DhcpConfigurations"][1]["Values"] == [{"Value": "AmazonProvidedDNS"}]


def test_a_dry_run_ends_in_an_error_of_its_own(client: Any) -> None:
    with pytest.raises(ClientError, match="Request would have succeeded") as dry:
        client.allocate_address(DryRun=True)
    assert dry.value.response["Error"]["Code"] == "DryRunOperation"
    assert dry.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert client.describe_addresses()["Addresses"] == []
