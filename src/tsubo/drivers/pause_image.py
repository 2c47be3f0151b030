"""The image of the container that holds a task's network namespace: one static program that waits.

129 bytes of ELF for x86-64, written out here, so that nothing has to be fetched or compiled: a header, one program
header, and a loop around the pause system call (number 34).
"""

import io
import struct
import tarfile

LOAD_ADDRESS = 0x400000
HEADER_SIZE = 64 + 56
CODE = bytes.fromhex("b8 22 00 00 00 0f 05 eb f7")


def pause_program() -> bytes:
    """Return the program's bytes."""
    size = HEADER_SIZE + len(CODE)
    identification = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = identification + struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, LOAD_ADDRESS + HEADER_SIZE, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    program_header = struct.pack("<IIQQQQQQ", 1, 5, 0, LOAD_ADDRESS, LOAD_ADDRESS, size, size, 0x1000)
    return header + program_header + CODE


def pause_image_archive() -> bytes:
    """Return a tar archive of the image's file system."""
    program = pause_program()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("pause")
        entry.size = len(program)
        entry.mode = 0o755
        archive.addfile(entry, io.BytesIO(program))
    return buffer.getvalue()
