"""How the owner of a domain proves that it is theirs: the DNS record, or the mails that a certificate waits for.

Source: aws/alb-vpc-terraform.md section 4. The engine's loop looks for the records and issues the certificate; nobody
can answer a mail here, so a certificate validated by mail stays pending.
"""

import hashlib
import re
from collections.abc import Iterable

from tsubo.aws.acm.lookup import invalid
from tsubo.aws.operations import Call, Response
from tsubo.model.acm import Certificate, ValidationOption

MAIL_BOXES = ("administrator", "hostmaster", "postmaster", "webmaster", "admin")
VALIDATION_ZONE = "acm-validations.aws."
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_DOMAIN = re.compile(rf"(\*\.)?({_LABEL}\.)+{_LABEL}")


def check_domain(name: str) -> str:
    """Return a domain name that a certificate can have, lower-case; raise ValidationException for any other."""
    if not _DOMAIN.fullmatch(name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'domainName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern of a fully qualified domain name"
        )
    return name.lower()


def validation_options(call: Call, domains: Iterable[str]) -> tuple[ValidationOption, ...]:
    """Return the DNS record that proves each domain: one for a domain and its wildcard, the same on every request."""
    return tuple(_option(call.account_id, domain) for domain in domains)


def validation_shapes(certificate: Certificate) -> list[Response]:
    """Return the DomainValidationOptions of a certificate in the form AWS answers."""
    status = {"ISSUED": "SUCCESS", "PENDING_VALIDATION": "PENDING_VALIDATION"}.get(certificate.status, "FAILED")
    records = {option.domain_name: _record_shape(option) for option in certificate.validation_options}
    return [
        {
            "DomainName": domain,
            "ValidationDomain": domain,
            "ValidationStatus": status,
            "ValidationMethod": certificate.validation_method,
            **(records.get(domain) or {"ValidationEmails": [f"{box}@{_base(domain)}" for box in MAIL_BOXES]}),
        }
        for domain in certificate.subject_alternative_names
    ]


def _option(account_id: str, domain: str) -> ValidationOption:
    base = _base(domain)
    digest = hashlib.sha256(f"{account_id}/{base}".encode()).hexdigest()
    # AWS writes a part of the target in letters only.
    letters = "".join(chr(ord("a") + int(digit, 16)) for digit in digest[54:])
    return ValidationOption(
        domain_name=domain,
        record_name=f"_{digest[:32]}.{base}.",
        record_value=f"_{digest[22:54]}.{letters}.{VALIDATION_ZONE}",
    )


def _record_shape(option: ValidationOption) -> Response:
    record = {"Name": option.record_name, "Type": option.record_type, "Value": option.record_value}
    return {"ResourceRecord": record}


def _base(domain: str) -> str:
    return domain.removeprefix("*.")
