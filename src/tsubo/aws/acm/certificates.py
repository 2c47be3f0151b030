"""Certificates: RequestCertificate, DescribeCertificate, ListCertificates, GetCertificate, DeleteCertificate and
UpdateCertificateOptions. Source: aws/alb-vpc-terraform.md section 4.

RequestCertificate writes the record `PENDING_VALIDATION`; the engine's loop issues it from the local CA.
"""

import dataclasses
from collections.abc import Mapping

from tsubo.aws.acm.lookup import find_certificate, invalid, moment, users_of
from tsubo.aws.acm.tags import parse_tags
from tsubo.aws.acm.validation import check_domain, validation_options, validation_shapes
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.aws.paging import InvalidToken, page
from tsubo.model.acm import Certificate
from tsubo.model.supply import uuid_text

PAGE_SIZE = 1000
TOKEN_LIFETIME_SECONDS = 3600
KEY_ALGORITHMS = ("RSA_2048", "EC_prime256v1", "EC_secp384r1")
LISTED_KEY_TYPES = ("RSA_1024", "RSA_2048")
"""What ListCertificates lists when the caller does not ask for key types."""
DEFAULT_OPTIONS = {"CertificateTransparencyLoggingPreference": "ENABLED", "Export": "DISABLED"}


def request_certificate(call: Call, request: Request) -> Response:
    """RequestCertificate: a public one, validated by DNS or mail. The same token and names are the same certificate."""
    if request.get("CertificateAuthorityArn"):
        raise invalid("Private certificate authorities are not supported by Tsubo")
    domain = check_domain(request.get("DomainName") or "")
    names = dict.fromkeys((domain, *map(check_domain, request.get("SubjectAlternativeNames") or ())))
    method = _one_of("ValidationMethod", request.get("ValidationMethod") or "EMAIL", ("DNS", "EMAIL"))
    new = Certificate(
        arn=call.arn("acm", f"certificate/{uuid_text(call.supply)}"),
        region=call.region,
        domain_name=domain,
        created_at=call.now,
        subject_alternative_names=tuple(names),
        validation_method=method,
        validation_options=validation_options(call, names) if method == "DNS" else (),
        key_algorithm=_one_of("KeyAlgorithm", request.get("KeyAlgorithm") or "RSA_2048", KEY_ALGORITHMS),
        options=_options(DEFAULT_OPTIONS, request.get("Options") or {}),
        idempotency_token=request.get("IdempotencyToken"),
        tags=parse_tags(request.get("Tags")),
    )
    certificate = _requested_before(call, new) or new
    if certificate is new:
        call.put(new)
    return {"CertificateArn": certificate.arn}


def describe_certificate(call: Call, request: Request) -> Response:
    """DescribeCertificate: all but the certificate itself."""
    certificate = find_certificate(call, request)
    users = users_of(call, certificate)
    shape: Response = {
        "CertificateArn": certificate.arn,
        "DomainName": certificate.domain_name,
        "SubjectAlternativeNames": list(certificate.subject_alternative_names),
        "Subject": f"CN={certificate.domain_name}",
        "Status": certificate.status,
        "KeyAlgorithm": certificate.key_algorithm,
        "SignatureAlgorithm": "SHA256WITHRSA" if certificate.key_algorithm.startswith("RSA") else "SHA256WITHECDSA",
        "InUseBy": users,
        "Type": certificate.type,
        "RenewalEligibility": "ELIGIBLE" if users and certificate.type == "AMAZON_ISSUED" else "INELIGIBLE",
        "Options": dict(certificate.options),
        **_times(certificate),
    }
    if certificate.type == "AMAZON_ISSUED":
        shape["Issuer"] = "Amazon"
        shape["DomainValidationOptions"] = validation_shapes(certificate)
    if certificate.serial is not None:
        shape["Serial"] = certificate.serial
    return {"Certificate": shape}


def list_certificates(call: Call, request: Request) -> Response:
    """ListCertificates: by status and key type."""
    statuses = request.get("CertificateStatuses")
    key_types = (request.get("Includes") or {}).get("keyTypes") or LISTED_KEY_TYPES
    chosen = [
        certificate
        for certificate in sorted(call.world.certificates.values(), key=lambda each: (each.created_at, each.arn))
        if certificate.region == call.region
        and certificate.key_algorithm in key_types
        and (not statuses or certificate.status in statuses)
    ]
    try:
        shown, following = page(chosen, request.get("NextToken"), int(request.get("MaxItems") or PAGE_SIZE))
    except InvalidToken as error:
        raise invalid("The next token is not valid") from error
    summaries = [_summary(call, certificate) for certificate in shown]
    return {"CertificateSummaryList": summaries} | ({"NextToken": following} if following else {})


def get_certificate(call: Call, request: Request) -> Response:
    """GetCertificate: the certificate and its chain, as PEM text, once it is issued."""
    certificate = find_certificate(call, request)
    if certificate.certificate_pem is None:
        raise AwsError("RequestInProgressException", f"Certificate {certificate.arn} is not issued yet")
    chain = {"CertificateChain": certificate.chain_pem} if certificate.chain_pem else {}
    return {"Certificate": certificate.certificate_pem, **chain}


def delete_certificate(call: Call, request: Request) -> None:
    """DeleteCertificate: one that no load balancer uses."""
    certificate = find_certificate(call, request)
    if users_of(call, certificate):
        raise AwsError(
            "ResourceInUseException", f"Certificate {certificate.arn} in account {call.account_id} is in use."
        )
    call.delete(certificate)


def update_certificate_options(call: Call, request: Request) -> None:
    """UpdateCertificateOptions: those named."""
    certificate = find_certificate(call, request)
    options = _options(dict(certificate.options), request.get("Options") or {})
    call.put(dataclasses.replace(certificate, options=options))


def _requested_before(call: Call, new: Certificate) -> Certificate | None:
    for certificate in call.world.certificates.values():
        same_names = certificate.subject_alternative_names == new.subject_alternative_names
        same_request = certificate.region == new.region and certificate.idempotency_token == new.idempotency_token
        recent = call.now - certificate.created_at < TOKEN_LIFETIME_SECONDS
        if new.idempotency_token and same_request and same_names and recent:
            return certificate
    return None


def _options(standing: Mapping[str, str], requested: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    changed = {name: value for name, value in requested.items() if name in DEFAULT_OPTIONS and value}
    return tuple({**standing, **changed}.items())


def _times(certificate: Certificate) -> Response:
    created = "ImportedAt" if certificate.type == "IMPORTED" else "CreatedAt"
    times = {
        created: certificate.created_at,
        "IssuedAt": certificate.issued_at,
        "NotBefore": certificate.not_before,
        "NotAfter": certificate.not_after,
    }
    return {name: moment(seconds) for name, seconds in times.items() if seconds is not None}


def _summary(call: Call, certificate: Certificate) -> Response:
    users = users_of(call, certificate)
    return {
        "CertificateArn": certificate.arn,
        "DomainName": certificate.domain_name,
        "SubjectAlternativeNameSummaries": list(certificate.subject_alternative_names),
        "HasAdditionalSubjectAlternativeNames": False,
        "Status": certificate.status,
        "Type": certificate.type,
        "KeyAlgorithm": certificate.key_algorithm,
        "InUse": bool(users),
        "RenewalEligibility": "ELIGIBLE" if users and certificate.type == "AMAZON_ISSUED" else "INELIGIBLE",
        **_times(certificate),
    }


def _one_of(member: str, value: str, values: tuple[str, ...]) -> str:
    if value not in values:
        raise invalid(f"The {member} '{value}' is not supported by Tsubo; it must be one of {', '.join(values)}")
    return value
