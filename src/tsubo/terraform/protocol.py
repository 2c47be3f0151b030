"""Terraform's plugin protocol, version 5, on the wire: which calls there are and how their messages are written.

Version 5 and not 6, because Terraform 1.0 honours `legacy_type_system` in 5 only. The stubs at hand are version 6's
(the PyPI package `tf`); the messages have the same wire form in both, but for the one that is written by hand here.
"""

from typing import Any

import grpc
from tf.gen import tfplugin_pb2 as pb

from tsubo.terraform.wire import length_delimited

VERSION = 5
PROVIDER_SERVICE = "tfplugin5.Provider"

CALLS: dict[str, tuple[str, Any]] = {
    "GetMetadata": ("get_metadata", pb.GetMetadata),
    "GetSchema": ("get_schema", pb.GetProviderSchema),
    "PrepareProviderConfig": ("prepare_provider_configuration", pb.ValidateProviderConfig),
    "ValidateResourceTypeConfig": ("validate_resource_configuration", pb.ValidateResourceConfig),
    "ValidateDataSourceConfig": ("validate_data_source_configuration", pb.ValidateDataResourceConfig),
    "Configure": ("configure", pb.ConfigureProvider),
    "UpgradeResourceState": ("upgrade_resource_state", pb.UpgradeResourceState),
    "ReadResource": ("read_resource", pb.ReadResource),
    "PlanResourceChange": ("plan_resource_change", pb.PlanResourceChange),
    "ApplyResourceChange": ("apply_resource_change", pb.ApplyResourceChange),
    "ImportResourceState": ("import_resource_state", pb.ImportResourceState),
    "MoveResourceState": ("move_resource_state", pb.MoveResourceState),
    "ReadDataSource": ("read_data_source", pb.ReadDataSource),
    "GetFunctions": ("get_functions", pb.GetFunctions),
    "CallFunction": ("call_function", pb.CallFunction),
    "Stop": ("stop", pb.StopProvider),
}
"""By the protocol's name of a call: our method, and the messages."""


def provider_handler(servicer: Any) -> grpc.GenericRpcHandler:
    """Return what a gRPC server needs to serve a provider: an object with the methods of CALLS."""
    return grpc.method_handlers_generic_handler(
        PROVIDER_SERVICE,
        {
            name: grpc.unary_unary_rpc_method_handler(
                getattr(servicer, method),
                request_deserializer=messages.Request.FromString,
                response_serializer=serialize,
            )
            for name, (method, messages) in CALLS.items()
        },
    )


def serialize(message: Any) -> bytes:
    """Return a response's bytes; one that is bytes already is sent as it is."""
    content: bytes = message if isinstance(message, bytes) else message.SerializeToString()
    return content


def prepared_configuration(configuration: Any) -> bytes:
    """Return the answer to PrepareProviderConfig, which version 6 does not have: the configuration as it came."""
    return length_delimited(1, configuration.SerializeToString())
