"""The local certificate authority: what it issues verifies, and its key is nobody else's."""

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from tsubo.drivers.certificate_authority import CertificateAuthority


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    made = CertificateAuthority(tmp_path)
    made.ensure("test authority")
    return made


def test_a_certificate_verifies_for_each_of_its_names(authority: CertificateAuthority) -> None:
    issued = authority.issue(["example.test", "*.api.example.test"])
    root = x509.load_pem_x509_certificate(authority.certificate_path.read_bytes())
    leaf = x509.load_pem_x509_certificate(issued.certificate_pem.encode())
    for name in ("example.test", "one.api.example.test"):
        verifier = PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName(name))
        assert verifier.verify(leaf, [])[-1] == root


def test_key_and_certificate_belong_together(authority: CertificateAuthority, tmp_path: Path) -> None:
    issued = authority.issue(["example.test"])
    pem = tmp_path / "both.pem"
    pem.write_text(issued.private_key_pem + issued.certificate_pem)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pem)
    assert issued.not_before < issued.not_after


def test_the_key_is_readable_by_its_owner_only(authority: CertificateAuthority, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600


def test_it_is_made_once(authority: CertificateAuthority) -> None:
    before = authority.certificate_path.read_bytes()
    authority.ensure("another name")
    assert authority.certificate_path.read_bytes() == before
