"""nftables through its own library: a file of rules is loaded into a namespace in one transaction, without a process.

A context made inside a namespace stays bound to it, whichever thread uses it. There is one per namespace, kept because
closing one after a change waits for the kernel to free the old rules (about 12 ms); `forget` closes it, which a
namespace that shall end needs.
"""

import ctypes
import os
import threading
from dataclasses import dataclass
from functools import cache

from tsubo.drivers import netns


@dataclass(frozen=True)
class _Context:
    """The library's context and the namespace it is bound to: a name can be given to another one."""

    pointer: int
    identity: netns.Identity | None


_contexts: dict[str, _Context] = {}
_turn = threading.Lock()
"""Guards the contexts, and the library: it does not promise to be safe for two threads at once."""


class RulesetError(Exception):
    """nftables refused a ruleset. The message holds its own words and the line they are about."""


def load(namespace: str, ruleset: str) -> None:
    """Load a file of nft commands into a namespace: all of it, or nothing.

    Raises:
        RulesetError: the text is refused.
        NamespaceError: there is no such namespace.
    """
    _run(namespace, ruleset)


def listing(namespace: str) -> str:
    """Return the rules in force in a namespace, as `nft list ruleset` prints them."""
    return _run(namespace, "list ruleset\n")


def forget(namespace: str) -> None:
    """Close what is kept for a namespace, if anything is."""
    with _turn:
        context = _contexts.pop(namespace, None)
        if context is not None:
            _library().nft_ctx_free(context.pointer)


def _run(namespace: str, commands: str) -> str:
    """Run commands in a namespace and return what they print."""
    # A file, not a buffer: the library names the line of an error for files only.
    descriptor = os.memfd_create("ruleset")
    with os.fdopen(descriptor, "wb") as file, _turn:
        file.write(commands.encode())
        file.flush()
        library, context = _library(), _context(namespace)
        library.nft_ctx_buffer_error(context)
        library.nft_ctx_buffer_output(context)
        path = f"/proc/self/fd/{descriptor}"
        if library.nft_run_cmd_from_filename(context, path.encode()) != 0:
            reason = _text(library.nft_ctx_get_error_buffer(context)).replace(path, "line")
            raise RulesetError(f"nftables refused the rules of {namespace}: {reason}")
        return _text(library.nft_ctx_get_output_buffer(context))


def _context(namespace: str) -> int:
    """Return the context of a namespace, made when it is needed first."""
    identity = netns.identity(namespace)
    kept = _contexts.get(namespace)
    if kept is not None:
        if identity is not None and kept.identity == identity:
            return kept.pointer
        _library().nft_ctx_free(_contexts.pop(namespace).pointer)
    pointer: int = netns.run_in(namespace, lambda: _library().nft_ctx_new(0))
    _contexts[namespace] = _Context(pointer, identity)
    return pointer


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace").strip()


@cache
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
