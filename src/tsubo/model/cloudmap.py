"""Cloud Map: namespaces, services, instances, operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tsubo.model.vpc import Tags


@dataclass(frozen=True)
class Namespace:
    namespace_id: str
    arn: str
    name: str
    type: Literal["DNS_PRIVATE", "DNS_PUBLIC", "HTTP"]
    region: str
    created_at: float
    http_name: str
    hosted_zone_id: str | None = None
    description: str | None = None
    creator_request_id: str | None = None
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.namespace_id


@dataclass(frozen=True)
class DnsRecord:
    type: Literal["A", "AAAA", "SRV", "CNAME"]
    ttl: int


@dataclass(frozen=True)
class DiscoveryService:
    """A Cloud Map service (named so because `Service` is ECS's)."""

    service_id: str
    arn: str
    name: str
    namespace_id: str
    region: str
    created_at: float
    type: Literal["DNS_HTTP", "HTTP"] = "DNS_HTTP"
    routing_policy: Literal["MULTIVALUE", "WEIGHTED"] = "MULTIVALUE"
    dns_records: tuple[DnsRecord, ...] = ()
    custom_health_check: bool = False
    health_check_config: Mapping[str, Any] | None = None
    """A Route 53 health check as it was asked for: kept and echoed, not run."""
    description: str | None = None
    creator_request_id: str | None = None
    instances_revision: int = 1
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.service_id


@dataclass(frozen=True)
class Instance:
    """A registered instance. `health` is its live state; the attributes stay as registered."""

    service_id: str
    instance_id: str
    registered_at: float
    attributes: Mapping[str, str] = field(default_factory=dict)
    health: Literal["HEALTHY", "UNHEALTHY"] = "HEALTHY"
    requested_health: Literal["HEALTHY", "UNHEALTHY"] | None = None
    """What UpdateInstanceCustomHealthStatus asked for and has not taken effect yet."""
    requested_at: float | None = None
    creator_request_id: str | None = None

    @property
    def key(self) -> str:
        return f"{self.service_id}/{self.instance_id}"


@dataclass(frozen=True)
class Operation:
    operation_id: str
    type: str
    region: str
    created_at: float
    updated_at: float
    status: Literal["SUBMITTED", "PENDING", "SUCCESS", "FAIL"] = "SUCCESS"
    targets: Mapping[str, str] = field(default_factory=dict)
    error_code: str | None = None
    error_message: str | None = None

    @property
    def key(self) -> str:
        return self.operation_id
