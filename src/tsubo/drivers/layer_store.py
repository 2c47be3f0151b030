"""The registry's files: layers and configurations by digest, and uploads on their way to become one.

    DIRECTORY/blobs/sha256/ab/abcd...   what is complete; its name is its SHA-256
    DIRECTORY/uploads/ID                what is still coming

Controller and registry process share the directory: a file comes into being by one rename, so each sees it whole.
"""

import hashlib
import os
import re
import time
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
UPLOAD_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UNUSED_SECONDS = 3600.0
"""How long a layer that no manifest names is kept: a push brings the layers first."""


class LayerError(ValueError):
    """An upload is not known, or its content is not what its digest says."""


class LayerStore:
    """The files of one engine's registry. Any number of objects and processes may use the same directory."""

    def __init__(self, directory: Path) -> None:
        self._blobs = directory / "blobs" / "sha256"
        self._uploads = directory / "uploads"

    # What is complete

    def path(self, digest: str) -> Path | None:
        """Return the file of a digest; None if it is not here. Looking it up keeps it from being swept for a while."""
        if not DIGEST.fullmatch(digest):
            return None
        path = self._path(digest)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def size(self, digest: str) -> int | None:
        """Return how many bytes a layer has; None if it is not here."""
        path = self.path(digest)
        return path.stat().st_size if path else None

    def _path(self, digest: str) -> Path:
        name = digest.removeprefix("sha256:")
        return self._blobs / name[:2] / name

    # What is on its way

    def begin(self) -> str:
        """Begin an upload and return its id."""
        self._uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
        upload_id = str(uuid.uuid4())
        (self._uploads / upload_id).touch(mode=0o600)
        return upload_id

    def upload_path(self, upload_id: str) -> Path | None:
        """Return the file of an upload; None if there is no such upload."""
        path = self._uploads / upload_id
        return path if UPLOAD_ID.fullmatch(upload_id) and path.exists() else None

    def received(self, upload_id: str) -> int | None:
        """Return how many bytes of an upload are here; None if there is no such upload."""
        path = self.upload_path(upload_id)
        return path.stat().st_size if path else None

    def append(self, upload_id: str, data: bytes) -> int:
        """Add bytes to an upload and return how many there are now. Raises LayerError if there is no such upload."""
        with self.open_upload(upload_id) as file:
            file.write(data)
            return file.tell()

    def open_upload(self, upload_id: str) -> BinaryIO:
        """Open an upload to add to it. Raises LayerError if there is no such upload."""
        return self._known(upload_id).open("ab")

    def finish(self, upload_id: str, digest: str) -> int:
        """Make an upload the layer of this digest; return its size. Raises LayerError; the upload then stays."""
        upload = self._known(upload_id)
        with upload.open("rb") as file:
            found = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
            if found != digest:
                raise LayerError(f"the content's digest is {found}")
            # On disk before it is acknowledged, as is whatever the store says of it.
            os.fsync(file.fileno())
        path = self._path(digest)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        size = upload.stat().st_size
        os.utime(upload)
        os.replace(upload, path)
        return size

    def cancel(self, upload_id: str) -> bool:
        """Drop an upload. Return False if there is none of that id."""
        path = self.upload_path(upload_id)
        if path is not None:
            path.unlink(missing_ok=True)
        return path is not None

    def _known(self, upload_id: str) -> Path:
        path = self.upload_path(upload_id)
        if path is None:
            raise LayerError(f"there is no upload {upload_id}")
        return path

    # What nobody needs any more

    def sweep(self, named: Collection[str], now: float | None = None) -> int:
        """Remove the layers that no manifest names, and uploads that rest; return how many files that were."""
        oldest = (time.time() if now is None else now) - UNUSED_SECONDS
        swept = 0
        for path in self._files():
            if f"sha256:{path.name}" not in named and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
                swept += 1
        return swept

    def _files(self) -> Iterator[Path]:
        yield from self._blobs.glob("*/*")
        yield from self._uploads.glob("*")
