"""Certificate authorities that docker (and podman) trusts for a registry: DIRECTORY/HOST/NAME.crt.

Both read the directory at each connection, so nothing has to be started again.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path

CERTIFICATES = Path("/etc/docker/certs.d")


class DockerCertificates:
    """The directory, with the files of any number of engines in it."""

    def __init__(self, directory: Path = CERTIFICATES) -> None:
        self._directory = directory

    def put(self, engine_id: str, hosts: Iterable[str], authority: bytes) -> None:
        """Have an engine's certificate authority (PEM) trusted for these registries and no others."""
        self.remove(engine_id)
        for host in hosts:
            (self._directory / host).mkdir(parents=True, exist_ok=True)
            (self._directory / host / _name(engine_id)).write_bytes(authority)

    def remove(self, engine_id: str) -> bool:
        """Remove an engine's files and the directories that are empty then. Return whether there were any."""
        files = list(self._directory.glob(f"*/{_name(engine_id)}"))
        for file in files:
            file.unlink()
            # Others' files keep a directory.
            with contextlib.suppress(OSError):
                file.parent.rmdir()
                self._directory.rmdir()
        return bool(files)


def _name(engine_id: str) -> str:
    return f"tsubo-{engine_id}.crt"
