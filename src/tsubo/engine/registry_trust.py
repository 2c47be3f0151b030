"""Letting this machine's docker find the registry under AWS's names: an opt-in, and its undoing.

Without it nothing of the machine is touched. With it `123456789012.dkr.ecr.REGION.amazonaws.com` means the engine's
loopback address (a marked block in /etc/hosts), the registry answers HTTPS there by a certificate of the engine's
authority, and docker trusts that authority for these names alone (/etc/docker/certs.d).
"""

import os
from collections.abc import Sequence

from tsubo.drivers.certificate_authority import CertificateAuthority
from tsubo.drivers.docker_certificates import DockerCertificates
from tsubo.drivers.hosts_file import HostsFile
from tsubo.drivers.reload import replace_file, request_reload
from tsubo.engine.errors import BUSY, MACHINE, UserError
from tsubo.engine.home import Home
from tsubo.engine.registry_address import certificate_files, read_address

REMEDY = "taken out by `tsubo registry disable` and by `tsubo down`"


def enable(home: Home, hosts: Sequence[str]) -> None:
    """Have these host names mean the engine's registry. Raises UserError, and then leaves nothing behind."""
    engine_id = home.settings.engine_id
    others = {owner for owner in HostsFile().owners(hosts).values() if owner != engine_id}
    if others:
        raise UserError(
            f"Another engine ({', '.join(sorted(others))}) has these names in /etc/hosts.",
            "Disable it there first: tsubo --home DIR registry disable",
            BUSY,
        )
    authority = CertificateAuthority(home.path / "ca")
    issued = authority.issue(hosts)
    certificate, key = certificate_files(home.path)
    replace_file(key, issued.private_key_pem.encode())
    replace_file(certificate, (issued.certificate_pem + issued.chain_pem).encode())
    request_reload(home.socket("registry"))
    address = read_address(home.path)
    if address is None or not address.https:
        disable(home)
        problem = address.problem if address else None
        raise UserError(
            problem or "The registry does not run.", "Docker calls a registry on port 443; free it there.", MACHINE
        )
    try:
        HostsFile().put(engine_id, address.address, hosts, REMEDY)
        DockerCertificates().put(engine_id, hosts, authority.certificate_path.read_bytes())
    except OSError as error:
        disable(home)
        raise UserError(f"{error.filename} cannot be written: {error.strerror}.", "Run it as root.", MACHINE) from error


def disable(home: Home) -> bool:
    """Undo `enable`. Return whether there was anything to undo."""
    for file in certificate_files(home.path):
        file.unlink(missing_ok=True)
    request_reload(home.socket("registry"))
    return withdraw(home.settings.engine_id)


def withdraw(engine_id: str) -> bool:
    """Take an engine's names and certificates out of the machine. Return whether there were any."""
    if os.geteuid() != 0:
        return False
    certificates = DockerCertificates().remove(engine_id)
    return HostsFile().remove(engine_id) or certificates


def enabled_hosts(home: Home) -> list[str]:
    """Return the host names that mean the engine's registry on this machine."""
    return HostsFile().names(home.settings.engine_id)
