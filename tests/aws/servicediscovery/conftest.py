"""A region with two VPCs, and one with the namespace `navi.local` and a service in it."""

from typing import Any

import pytest

from tests.aws.direct import NETWORK, Direct
from tsubo.aws.servicediscovery import OPERATIONS


@pytest.fixture
def empty() -> Direct:
    """A region with a network and nothing of Cloud Map."""
    return Direct(OPERATIONS, *NETWORK)


@pytest.fixture
def cloud_map(empty: Direct) -> Direct:
    """The same region with the private namespace `navi.local` in vpc-1."""
    created = empty("CreatePrivateDnsNamespace", Name="navi.local", Vpc="vpc-1", CreatorRequestId="first")
    assert operation(empty, created)["Status"] == "SUCCESS"
    return empty


def operation(cloud_map: Direct, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the operation that an asynchronous call answered with."""
    found: dict[str, Any] = cloud_map("GetOperation", OperationId=answer["OperationId"])["Operation"]
    return found


def namespace_id(cloud_map: Direct, name: str = "navi.local") -> str:
    """Return the id of the first namespace of a name."""
    return next(n.namespace_id for n in cloud_map.world.namespaces.values() if n.name == name)


def create_service(cloud_map: Direct, *types: str, **members: Any) -> dict[str, Any]:
    """Create a service `web` with records of these types (A where none is named), and return it."""
    request: dict[str, Any] = {
        "Name": "web",
        "DnsConfig": {
            "NamespaceId": namespace_id(cloud_map),
            "DnsRecords": [{"Type": record, "TTL": 60} for record in types or ("A",)],
        },
        **members,
    }
    created: dict[str, Any] = cloud_map("CreateService", request)["Service"]
    return created
