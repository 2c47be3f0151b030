"""The local certificate authority: its key and certificate on disk (readable by root only), and what it issues."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tsubo.drivers.reload import replace_file

AUTHORITY_YEARS = 10
CERTIFICATE_DAYS = 395
"""How long ACM's certificates are valid."""
CLOCK_TOLERANCE = datetime.timedelta(minutes=5)


@dataclass(frozen=True)
class IssuedCertificate:
    """A certificate with its key, as PEM text. Times are seconds since the epoch."""

    certificate_pem: str
    chain_pem: str
    private_key_pem: str
    serial: str
    not_before: float
    not_after: float


class CertificateAuthority:
    """Issues certificates. The authority's key is made at first use and stays in its directory."""

    def __init__(self, directory: Path) -> None:
        self.certificate_path = directory / "ca.pem"
        self._key_path = directory / "ca.key"

    def ensure(self, name: str) -> None:
        """Make the authority's key and certificate if they are not there. `name` becomes its common name."""
        if self.certificate_path.exists() and self._key_path.exists():
            return
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCK_TOLERANCE)
            .not_valid_after(now + datetime.timedelta(days=365 * AUTHORITY_YEARS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        # The key first: a certificate without its key would never be replaced.
        replace_file(self._key_path, _key_pem(key))
        replace_file(self.certificate_path, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)

    def issue(self, names: Sequence[str]) -> IssuedCertificate:
        """Issue a certificate for these names (DNS names, wildcards or addresses); the first is its subject."""
        authority = x509.load_pem_x509_certificate(self.certificate_path.read_bytes())
        authority_key = serialization.load_pem_private_key(self._key_path.read_bytes(), password=None)
        assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
            .issuer_name(authority.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCK_TOLERANCE)
            .not_valid_after(now + datetime.timedelta(days=CERTIFICATE_DAYS))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
            .sign(authority_key, hashes.SHA256())
        )
        return IssuedCertificate(
            certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
            chain_pem=authority.public_bytes(serialization.Encoding.PEM).decode(),
            private_key_pem=_key_pem(key).decode(),
            serial=":".join(f"{byte:02x}" for byte in certificate.serial_number.to_bytes(20, "big")).lstrip("0:"),
            not_before=certificate.not_valid_before_utc.timestamp(),
            not_after=certificate.not_valid_after_utc.timestamp(),
        )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
