"""Route 53: hosted zones, record sets, changes. Global: no region."""

from dataclasses import dataclass, field

from tsubo.model.vpc import Tags


@dataclass(frozen=True)
class ZoneVpc:
    vpc_id: str
    region: str


@dataclass(frozen=True)
class HostedZone:
    """`zone_id` is without the `/hostedzone/` prefix; `name` is lower-case with a trailing dot.

    `linked_service_description` is set on a zone that Cloud Map owns: the namespace's ARN. The apex NS and SOA
    are derived from `name_servers` and `soa_ttl`, not stored as record sets.
    """

    zone_id: str
    name: str
    private: bool
    caller_reference: str
    created_at: float
    name_servers: tuple[str, ...]
    soa_ttl: int = 900
    vpcs: tuple[ZoneVpc, ...] = ()
    comment: str = ""
    linked_service_principal: str | None = None
    linked_service_description: str | None = None
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.zone_id


@dataclass(frozen=True)
class AliasTarget:
    hosted_zone_id: str
    dns_name: str
    evaluate_target_health: bool = False


@dataclass(frozen=True)
class RecordSet:
    """One record set. `name` is lower-case with a trailing dot; values are in zone-file form."""

    zone_id: str
    name: str
    type: str
    ttl: int | None = None
    values: tuple[str, ...] = ()
    alias: AliasTarget | None = None
    set_identifier: str | None = None
    weight: int | None = None
    multivalue_answer: bool = False
    health_check_id: str | None = None

    @property
    def key(self) -> str:
        return "/".join((self.zone_id, self.name, self.type, self.set_identifier or ""))


@dataclass(frozen=True)
class Change:
    change_id: str
    submitted_at: float
    comment: str = ""

    @property
    def key(self) -> str:
        return self.change_id
