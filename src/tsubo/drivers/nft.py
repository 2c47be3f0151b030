"""nftables through its own library: a file of rules is loaded into a namespace in one transaction, without a process.

A context made inside a namespace stays bound to it, so each load makes its own (50 microseconds) and nothing is kept
that would outlive the namespace.
"""

import ctypes
import os
import threading

from tsubo.drivers import netns

_library_lock = threading.Lock()
"""libnftables does not promise to be safe for two threads at once."""


class RulesetError(Exception):
    """nftables refused a ruleset. The message holds its own words and the line they are about."""


def load(namespace: str, ruleset: str) -> None:
    """Load a file of nft commands into a namespace: all of it, or nothing.

    Raises:
        RulesetError: the text is refused.
        NamespaceError: there is no such namespace.
    """
    netns.run_in(namespace, lambda: _run(namespace, ruleset))


def listing(namespace: str) -> str:
    """Return the rules in force in a namespace, as `nft list ruleset` prints them."""
    return netns.run_in(namespace, lambda: _run(namespace, "list ruleset\n"))


def _run(namespace: str, commands: str) -> str:
    """Run commands in the namespace of the calling thread and return what they print."""
    library = _library()
    # A file, not a buffer: the library names the line of an error for files only.
    descriptor = os.memfd_create("ruleset")
    with os.fdopen(descriptor, "wb") as file, _library_lock:
        file.write(commands.encode())
        file.flush()
        context = library.nft_ctx_new(0)
        try:
            library.nft_ctx_buffer_error(context)
            library.nft_ctx_buffer_output(context)
            path = f"/proc/self/fd/{descriptor}"
            if library.nft_run_cmd_from_filename(context, path.encode()) != 0:
                reason = _text(library.nft_ctx_get_error_buffer(context)).replace(path, "line")
                raise RulesetError(f"nftables refused the rules of {namespace}: {reason}")
            return _text(library.nft_ctx_get_output_buffer(context))
        finally:
            library.nft_ctx_free(context)


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace").strip()


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libnftables.so.1")
    except OSError as error:
        raise RulesetError(f"The nftables library is missing (Debian package nftables): {error}") from error
    library.nft_ctx_new.restype = ctypes.c_void_p
    for name in ("free", "buffer_error", "buffer_output", "get_error_buffer", "get_output_buffer"):
        getattr(library, f"nft_ctx_{name}").argtypes = [ctypes.c_void_p]
    for name in ("get_error_buffer", "get_output_buffer"):
        getattr(library, f"nft_ctx_{name}").restype = ctypes.c_char_p
    library.nft_run_cmd_from_filename.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    return library
