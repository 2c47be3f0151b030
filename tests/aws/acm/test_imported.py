"""Imported certificates. The PEM texts are made here, by the library a user would make them with."""

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.aws.checked import Checked

BEGIN, END = datetime(2023, 1, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certificate_pem(key: Key, common_name: str | None, *names: str) -> bytes:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    name = x509.Name(attributes)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x0102)
        .not_valid_before(BEGIN)
        .not_valid_after(END)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def test_an_imported_certificate_says_what_stands_in_it(acm: Checked, key: Key) -> None:
    pem = certificate_pem(key, "a.example", "a.example", "b.example")
    tags = [{"Key": "Name", "Value": "a"}]
    arn = acm("ImportCertificate", Certificate=pem, PrivateKey=key_pem(key), Tags=tags)["CertificateArn"]
    certificate = acm("DescribeCertificate", CertificateArn=arn)["Certificate"]
    assert certificate["Type"] == "IMPORTED"
    assert certificate["Status"] == "ISSUED"
    assert (certificate["DomainName"], certificate["Serial"]) == ("a.example", "01:02")
    assert certificate["SubjectAlternativeNames"] == ["a.example", "b.example"]
    assert certificate["KeyAlgorithm"] == "EC_prime256v1"
    assert (certificate["NotBefore"], certificate["NotAfter"]) == (BEGIN, END)
    assert "ImportedAt" in certificate
    assert "DomainValidationOptions" not in certificate
    assert acm("GetCertificate", CertificateArn=arn) == {"Certificate": pem.decode()}
    assert acm("ListTagsForCertificate", CertificateArn=arn)["Tags"] == tags


def test_importing_again_keeps_the_arn(acm: Checked, key: Key) -> None:
    first = certificate_pem(key, None, "a.example")
    arn = acm("ImportCertificate", Certificate=first, PrivateKey=key_pem(key))["CertificateArn"]
    other = rsa.generate_private_key(65537, 2048)
    again: dict[str, Any] = {
        "CertificateArn": arn,
        "Certificate": certificate_pem(other, "b.example"),
        "PrivateKey": key_pem(other),
        "CertificateChain": first,
    }
    assert acm("ImportCertificate", again)["CertificateArn"] == arn
    certificate = acm.world.certificates[arn]
    assert (certificate.domain_name, certificate.key_algorithm) == ("b.example", "RSA_2048")
    assert certificate.chain_pem == first.decode()
    tagged = {**again, "Tags": [{"Key": "a", "Value": "b"}]}
    assert acm.refused("ImportCertificate", tagged).code == "ValidationException"
    requested = acm("RequestCertificate", DomainName="c.example", ValidationMethod="DNS")["CertificateArn"]
    assert acm.refused("ImportCertificate", {**again, "CertificateArn": requested}).code == "ValidationException"


def test_what_is_no_certificate_or_no_key_of_it(acm: Checked, key: Key) -> None:
    pem, key_text = certificate_pem(key, "a.example"), key_pem(key)
    stranger = key_pem(ec.generate_private_key(ec.SECP256R1()))
    nameless = certificate_pem(key, None)
    for certificate, private_key in ((b"x", key_text), (b"\xff", key_text), (pem, b"x"), (pem, stranger)):
        error = acm.refused("ImportCertificate", Certificate=certificate, PrivateKey=private_key)
        assert error.code == "ValidationException"
    refused = acm.refused("ImportCertificate", Certificate=nameless, PrivateKey=key_text)
    assert refused.message == "The certificate names no domain."
