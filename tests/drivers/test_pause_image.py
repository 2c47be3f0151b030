"""The pause program: small, and it really waits."""

import io
import os
import platform
import subprocess
import tarfile
from pathlib import Path

import pytest

from tsubo.drivers.pause_image import pause_image_archive, pause_program


def test_it_is_129_bytes() -> None:
    assert len(pause_program()) == 129


def test_the_archive_holds_it_executable() -> None:
    with tarfile.open(fileobj=io.BytesIO(pause_image_archive())) as archive:
        (entry,) = archive.getmembers()
        assert (entry.name, entry.mode) == ("pause", 0o755)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the program is for x86-64")
def test_it_waits_until_it_is_ended(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(pause_program())
    program.chmod(0o755)
    process = subprocess.Popen([str(program)])
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        assert os.readlink(f"/proc/{process.pid}/exe") == str(program)
    finally:
        process.kill()
        process.wait()
