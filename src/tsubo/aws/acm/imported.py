"""ImportCertificate: a certificate that was made elsewhere, with its private key, as PEM text."""

import dataclasses
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tsubo.aws.acm.lookup import find_certificate, invalid
from tsubo.aws.acm.tags import parse_tags
from tsubo.aws.operations import Call, Request, Response
from tsubo.model.acm import Certificate
from tsubo.model.supply import uuid_text

CURVES = {"secp256r1": "EC_prime256v1", "secp384r1": "EC_secp384r1", "secp521r1": "EC_secp521r1"}


def import_certificate(call: Call, request: Request) -> Response:
    """ImportCertificate: a new one, or the contents of one imported before."""
    contents = _contents(request)
    if request.get("CertificateArn"):
        standing = find_certificate(call, request)
        if standing.type != "IMPORTED":
            raise invalid("Only an imported certificate can be imported again")
        if request.get("Tags"):
            raise invalid("Tags cannot be set when a certificate is imported again")
        certificate = dataclasses.replace(standing, created_at=call.now, **contents)
    else:
        certificate = Certificate(
            arn=call.arn("acm", f"certificate/{uuid_text(call.supply)}"),
            region=call.region,
            created_at=call.now,
            validation_method="NONE",
            status="ISSUED",
            type="IMPORTED",
            options=(("CertificateTransparencyLoggingPreference", "DISABLED"),),
            tags=parse_tags(request.get("Tags")),
            **contents,
        )
    call.put(certificate)
    return {"CertificateArn": certificate.arn}


def _contents(request: Request) -> dict[str, Any]:
    """Return what a certificate's PEM text says, as fields of the record. Raises ValidationException."""
    pem = _text(request.get("Certificate"))
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise invalid("The certificate is not PEM-encoded or is not valid.") from error
    key_pem = _text(request.get("PrivateKey"))
    _check_key(certificate, key_pem)
    names = _names(certificate)
    return {
        "domain_name": names[0],
        "subject_alternative_names": names,
        "key_algorithm": _key_algorithm(certificate),
        "not_before": certificate.not_valid_before_utc.timestamp(),
        "not_after": certificate.not_valid_after_utc.timestamp(),
        "serial": certificate.serial_number.to_bytes(20, "big").lstrip(b"\0").hex(":"),
        "certificate_pem": pem,
        "chain_pem": _text(request.get("CertificateChain")) or None,
        "private_key_pem": key_pem,
    }


def _check_key(certificate: x509.Certificate, key_pem: str) -> None:
    try:
        key = serialization.load_pem_private_key(key_pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise invalid("The private key is not PEM-encoded or is not valid.") from error
    if key.public_key() != certificate.public_key():
        raise invalid("The private key does not match the certificate's public key.")


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the common name, if there is one, and the alternative names."""
    common = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        common += alternatives.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        pass
    if not common:
        raise invalid("The certificate names no domain.")
    return tuple(dict.fromkeys(common))


def _key_algorithm(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA_{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES:
        return CURVES[key.curve.name]
    raise invalid("The certificate's key algorithm is not supported.")


def _text(blob: bytes | str | None) -> str:
    try:
        return blob.decode() if isinstance(blob, bytes) else blob or ""
    except UnicodeDecodeError as error:
        raise invalid("The certificate is not PEM-encoded or is not valid.") from error
