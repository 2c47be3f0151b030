"""A provisioner that does nothing, started by Terraform in place of a built-in one: `... local-exec`.

It speaks the plugin protocol on a unix socket. Terraform starts it about fifteen times in a run, so it imports little
and writes its few messages by hand. Source: terraform.md (provisioners never run).
"""

import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from tsubo.terraform.wire import flag, length_delimited

_TEXT: Any = "string"
_LIST = ["list", "string"]
_MAP = ["map", "string"]
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "local-exec": {
        "command": _TEXT,
        "interpreter": _LIST,
        "working_dir": _TEXT,
        "environment": _MAP,
        "quiet": "bool",
    },
    "remote-exec": {"inline": _LIST, "script": _TEXT, "scripts": _LIST},
    "file": {"source": _TEXT, "content": _TEXT, "destination": _TEXT},
}


def schema_response(name: str) -> bytes:
    """Return the answer to GetSchema: every argument of the built-in provisioner, none required."""
    attributes = b"".join(
        length_delimited(2, _attribute(attribute, kind)) for attribute, kind in ATTRIBUTES[name].items()
    )
    return length_delimited(1, length_delimited(2, attributes))


def _attribute(name: str, kind: Any) -> bytes:
    return length_delimited(1, name.encode()) + length_delimited(2, json.dumps(kind).encode()) + flag(5)


def main(name: str) -> None:
    """Serve until Terraform says that it is done."""
    done = threading.Event()

    def get_schema(_request: bytes, _context: Any) -> bytes:
        return schema_response(name)

    def nothing(_request: bytes, _context: Any) -> bytes:
        return b""

    def provision(_request: bytes, _context: Any) -> Iterator[bytes]:
        yield length_delimited(1, f"not run: provisioner {name} (Tsubo runs no provisioners)".encode())

    def shut_down(_request: bytes, _context: Any) -> bytes:
        done.set()
        return b""

    provisioner = {
        "GetSchema": grpc.unary_unary_rpc_method_handler(get_schema),
        "ValidateProvisionerConfig": grpc.unary_unary_rpc_method_handler(nothing),
        "ProvisionResource": grpc.unary_stream_rpc_method_handler(provision),
        "Stop": grpc.unary_unary_rpc_method_handler(nothing),
    }
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler("tfplugin5.Provisioner", provisioner),
            grpc.method_handlers_generic_handler(
                "plugin.GRPCController", {"Shutdown": grpc.unary_unary_rpc_method_handler(shut_down)}
            ),
        )
    )
    with tempfile.TemporaryDirectory(prefix="tsubo-provisioner-") as folder:
        socket = f"{folder}/socket"
        server.add_insecure_port(f"unix://{socket}")
        server.start()
        print(f"1|5|unix|{socket}|grpc", flush=True)
        done.wait()
        server.stop(grace=None).wait()


if __name__ == "__main__":
    main(sys.argv[1])
