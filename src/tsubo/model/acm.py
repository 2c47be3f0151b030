"""ACM: certificates."""

from dataclasses import dataclass, field

from tsubo.model.vpc import Tags


@dataclass(frozen=True)
class ValidationOption:
    domain_name: str
    record_name: str
    record_value: str
    record_type: str = "CNAME"


@dataclass(frozen=True)
class Certificate:
    """A certificate. RequestCertificate writes it PENDING_VALIDATION; the loop issues it (from the local CA) once
    every validation record stands in a zone that Tsubo serves. Key and PEM text are kept in the store, which only
    root can read."""

    arn: str
    region: str
    domain_name: str
    created_at: float
    subject_alternative_names: tuple[str, ...] = ()
    validation_method: str = "DNS"
    validation_options: tuple[ValidationOption, ...] = ()
    status: str = "PENDING_VALIDATION"
    type: str = "AMAZON_ISSUED"
    key_algorithm: str = "RSA_2048"
    issued_at: float | None = None
    not_before: float | None = None
    not_after: float | None = None
    serial: str | None = None
    certificate_pem: str | None = None
    chain_pem: str | None = None
    private_key_pem: str | None = field(default=None, repr=False)
    options: tuple[tuple[str, str], ...] = ()
    idempotency_token: str | None = None
    tags: Tags = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.arn
