"""Elastic Load Balancing v2: load balancers, listeners, rules, target groups, targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tsubo.model.vpc import Tags


@dataclass(frozen=True)
class LoadBalancer:
    """An application load balancer. CreateLoadBalancer writes it `provisioning`; the loop gives each subnet a
    node (an ENI whose `owner_id` is this ARN) and says `active`."""

    arn: str
    name: str
    region: str
    dns_name: str
    canonical_hosted_zone_id: str
    scheme: Literal["internet-facing", "internal"]
    vpc_id: str
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    created_at: float
    state: Literal["provisioning", "active", "failed"] = "provisioning"
    state_reason: str | None = None
    ip_address_type: str = "ipv4"
    type: str = "application"
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.arn


@dataclass(frozen=True)
class HealthCheck:
    """Times in seconds. `port` is `traffic-port` or a number as text; `matcher` is AWS's: `200`, `200-299,301`."""

    enabled: bool = True
    protocol: str = "HTTP"
    port: str = "traffic-port"
    path: str = "/"
    interval_seconds: int = 30
    timeout_seconds: int = 5
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    matcher: str = "200"


@dataclass(frozen=True)
class TargetGroup:
    arn: str
    name: str
    region: str
    protocol: str
    port: int
    vpc_id: str
    target_type: str
    health_check: HealthCheck
    protocol_version: str = "HTTP1"
    ip_address_type: str = "ipv4"
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.arn

    @property
    def deregistration_delay_seconds(self) -> float:
        return float(self.attributes.get("deregistration_delay.timeout_seconds", "300"))


@dataclass(frozen=True)
class WeightedTargetGroup:
    target_group_arn: str
    weight: int = 1


@dataclass(frozen=True)
class Redirect:
    status_code: str
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


@dataclass(frozen=True)
class FixedResponse:
    status_code: str
    content_type: str = "text/plain"
    message_body: str = ""


@dataclass(frozen=True)
class Action:
    """One action; the field named by `type` is set. Authentication actions are kept but not run."""

    type: str
    order: int | None = None
    target_groups: tuple[WeightedTargetGroup, ...] = ()
    stickiness_enabled: bool = False
    stickiness_seconds: int | None = None
    redirect: Redirect | None = None
    fixed_response: FixedResponse | None = None
    authentication: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Condition:
    """One condition. `field` as AWS names it (`host-header`, `path-pattern`, ...); `values` are alternatives.

    For `http-header`, `header_name` is set; for `query-string`, `query` holds (key, value) pairs with key maybe None.
    """

    field: str
    values: tuple[str, ...] = ()
    header_name: str | None = None
    query: tuple[tuple[str | None, str], ...] = ()


@dataclass(frozen=True)
class Listener:
    """A listener. Its default action is kept here, not as a rule."""

    arn: str
    load_balancer_arn: str
    region: str
    port: int
    protocol: str
    default_actions: tuple[Action, ...]
    ssl_policy: str | None = None
    certificate_arns: tuple[str, ...] = ()
    """The default certificate first, then those added for SNI."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.arn


@dataclass(frozen=True)
class Rule:
    arn: str
    listener_arn: str
    region: str
    priority: int
    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.arn


TargetState = Literal["initial", "healthy", "unhealthy", "unused", "draining", "unavailable"]


@dataclass(frozen=True)
class Target:
    """A registered target. RegisterTargets or the loop makes it, Deregister* sets `draining_since`;
    state, reason and description are what the health checker reported (status)."""

    target_group_arn: str
    address: str
    port: int
    registered_at: float
    availability_zone: str | None = None
    draining_since: float | None = None
    state: TargetState = "initial"
    reason: str | None = "Elb.RegistrationInProgress"
    description: str | None = "Target registration is in progress"

    @property
    def key(self) -> str:
        return f"{self.target_group_arn}/{self.address}:{self.port}"
