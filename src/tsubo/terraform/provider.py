"""Tsubo as Terraform's AWS provider: a gRPC server for the length of a run, and clients warm for the engine's life.

    provider = Provider(endpoint_url, access_key_id, secret_access_key, default_region)
    with provider.serve(used_types) as reattach:    # the value of TF_REATTACH_PROVIDERS

The server listens on 127.0.0.1 on a random port (tcp: over a unix socket two provider configurations could not be told
apart), and serves only processes of the run's user and root. Source: terraform.md, "Mechanism".
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import grpc
from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, grpc_stdio_pb2_grpc

from tsubo.terraform.calls import Aws, Clients
from tsubo.terraform.messages import Message
from tsubo.terraform.protocol import VERSION, provider_handler
from tsubo.terraform.schema import type_names
from tsubo.terraform.servicer import Context, ProviderServicer

WORKERS = 256
"""As many as Terraform's own parallelism: a resource that waits must not keep another from being made."""

PROVIDER_ADDRESSES = ("registry.terraform.io/hashicorp/aws", "registry.opentofu.org/hashicorp/aws")
WARM_SERVICES = ("sts", "ec2", "iam", "logs", "ecr", "route53", "acm", "elbv2", "servicediscovery", "ecs")
SOCKET_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LOOPBACK_IN_PROC = ("0100007F", "0000000000000000FFFF00000100007F")
"""127.0.0.1 as the kernel's two tables write it."""
ESTABLISHED = "01"


class Provider:
    """The provider of one engine; see the module. `default_region` is for configurations that name none."""

    def __init__(self, endpoint_url: str, access_key_id: str, secret_access_key: str, default_region: str) -> None:
        self.default_region = default_region
        self._environment = {
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_ACCESS_KEY_ID": access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret_access_key,
            "AWS_REGION": default_region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._clients = Clients(endpoint_url, access_key_id, secret_access_key)

    def warm(self) -> None:
        """Make the clients that nearly every stack needs and read the schema's file, so that the first run does not
        wait for them: about half a second."""
        type_names("resource")
        for service in WARM_SERVICES:
            self._clients.get(service, self.default_region)

    def environment(self) -> dict[str, str]:
        """Return variables that lead whatever else Terraform calls (a remote state) to our endpoint, never to AWS."""
        return dict(self._environment)

    @contextmanager
    def serve(
        self,
        used_types: Callable[[], set[str]],
        region: str | None = None,
        user_id: int | None = None,
        stopping: threading.Event | None = None,
    ) -> Iterator[str]:
        """Serve one run and yield the value of TF_REATTACH_PROVIDERS.

        `used_types` says which types to declare (asked when Terraform asks); `user_id` whose processes are served
        beside root's; `stopping`, once set, ends retries and waits.
        """
        aws = Aws(self._clients, region or self.default_region, stopping=stopping or threading.Event())
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="provider") as pool:
            unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
            server = grpc.server(pool, options=unlimited)
            servicer = ProviderServicer(aws, used_types, partial(is_process_of, {0, os.getuid(), user_id}))
            server.add_generic_rpc_handlers((provider_handler(servicer),))
            grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(_Controller(), server)
            grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(_Stdio(), server)
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            try:
                yield reattach_value(port)
            finally:
                aws.stopping.set()
                server.stop(grace=None).wait()


def reattach_value(port: int) -> str:
    """Return the value of TF_REATTACH_PROVIDERS that points Terraform and OpenTofu to our server."""
    reattach = {
        "Protocol": "grpc",
        "ProtocolVersion": VERSION,
        "Pid": os.getpid(),
        "Test": True,
        "Addr": {"Network": "tcp", "String": f"127.0.0.1:{port}"},
    }
    return json.dumps(dict.fromkeys(PROVIDER_ADDRESSES, reattach))


def is_process_of(user_ids: set[int | None], peer: str) -> bool:
    """Say whether a peer (`ipv4:127.0.0.1:PORT`, as gRPC writes it) is a local process of one of these users."""
    port = int(peer.rpartition(":")[2])
    local_addresses = {f"{address}:{port:04X}" for address in LOOPBACK_IN_PROC}
    for table in SOCKET_TABLES:
        for line in table.read_text().splitlines()[1:]:
            _number, local, _remote, state, *_queues, user_id = line.split()[:8]
            if local in local_addresses and state == ESTABLISHED:
                return int(user_id) in user_ids
    return False


class _Controller:
    """go-plugin's own service: the server ends with the run, whatever Terraform asks."""

    def Shutdown(self, _request: Message, _context: Context) -> Message:
        return grpc_controller_pb2.Empty()


class _Stdio:
    """go-plugin's stream of a plugin's output: there is none."""

    def StreamStdio(self, _request: Message, _context: Context) -> Iterator[Message]:
        return iter(())
