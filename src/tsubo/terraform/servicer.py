"""The calls that Terraform makes of a provider; `protocol` has them on the wire.

One `ProviderServicer` serves one run. Each provider configuration of a run (an alias, a region) is a connection of its
own, so configurations are kept by peer, and a peer that never configured is refused. Errors become diagnostics: no
exception leaves a method. Source: terraform.md, "Mechanism".
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tf.gen import tfplugin_pb2 as pb

from tsubo.terraform.accepted import accepted_data_source, accepted_resource
from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.data_sources import DATA_SOURCES
from tsubo.terraform.lifecycle import Lifecycle, PartlyMadeError, read_data_source
from tsubo.terraform.messages import (
    Message,
    error_messages,
    path_message,
    schema_message,
    state_message,
    state_of,
)
from tsubo.terraform.protocol import prepared_configuration
from tsubo.terraform.resources import RESOURCES
from tsubo.terraform.schema import load, type_names
from tsubo.terraform.values import UNKNOWN, conform

logger = logging.getLogger(__name__)
Context = Any
"""grpc's ServicerContext, untyped to us."""


class ProviderServicer:
    """The provider of one run. `used_types` says which types to declare; `admits` who may configure."""

    def __init__(self, aws: Aws, used_types: Callable[[], set[str]], admits: Callable[[str], bool]) -> None:
        self._aws = aws
        self._used_types = used_types
        self._admits = admits
        self._configured: dict[str, Aws] = {}
        self._lock = threading.Lock()

    def get_metadata(self, _request: Message, _context: Context) -> Message:
        return pb.GetMetadata.Response()

    def get_schema(self, _request: Message, _context: Context) -> Message:
        used = self._used_types()
        return pb.GetProviderSchema.Response(
            provider=schema_message("provider", "aws"),
            resource_schemas={name: schema_message("resource", name) for name in used & type_names("resource")},
            data_source_schemas={name: schema_message("data", name) for name in used & type_names("data")},
        )

    def prepare_provider_configuration(self, request: Message, _context: Context) -> bytes:
        return prepared_configuration(request.config)

    def validate_resource_configuration(self, _request: Message, _context: Context) -> Message:
        return pb.ValidateResourceConfig.Response()

    def validate_data_source_configuration(self, _request: Message, _context: Context) -> Message:
        return pb.ValidateDataResourceConfig.Response()

    def configure(self, request: Message, context: Context) -> Message:
        response = pb.ConfigureProvider.Response()
        peer = context.peer()
        with _diagnosing(response):
            if not self._admits(peer):
                raise CallError("this process may not use Tsubo's provider")
            config = state_of(request.config) or {}
            region = config.get("region")
            tags = [block.get("tags") for block in config.get("default_tags") or () if block is not UNKNOWN]
            aws = replace(
                self._aws,
                region=region if isinstance(region, str) and region else self._aws.region,
                default_tags=tags[0] if tags and isinstance(tags[0], dict) else {},
            )
            with self._lock:
                self._configured[peer] = aws
        return response

    def upgrade_resource_state(self, request: Message, _context: Context) -> Message:
        response = pb.UpgradeResourceState.Response()
        with _diagnosing(response):
            block = load("resource", request.type_name).block
            state = json.loads(request.raw_state.json)
            response.upgraded_state.CopyFrom(state_message(conform(block, state)))
        return response

    def read_resource(self, request: Message, context: Context) -> Message:
        response = pb.ReadResource.Response()
        with _diagnosing(response):
            state = state_of(request.current_state) or {}
            found = self._lifecycle(request.type_name, context, state).read(state)
            response.new_state.CopyFrom(state_message(found))
        return response

    def plan_resource_change(self, request: Message, context: Context) -> Message:
        response = pb.PlanResourceChange.Response(legacy_type_system=True)
        with _diagnosing(response):
            if state_of(request.proposed_new_state) is None:
                response.planned_state.CopyFrom(request.proposed_new_state)
                return response
            config = state_of(request.config) or {}
            lifecycle = self._lifecycle(request.type_name, context, config)
            planned, replacing = lifecycle.plan(state_of(request.prior_state), config)
            response.planned_state.CopyFrom(state_message(planned))
            response.requires_replace.extend(path_message(path) for path in replacing)
        return response

    def apply_resource_change(self, request: Message, context: Context) -> Message:
        response = pb.ApplyResourceChange.Response(legacy_type_system=True)
        response.new_state.CopyFrom(request.prior_state)
        with _diagnosing(response):
            prior, planned = state_of(request.prior_state), state_of(request.planned_state)
            lifecycle = self._lifecycle(request.type_name, context, planned or prior or {})
            if planned is None:
                lifecycle.delete(prior or {})
                response.new_state.CopyFrom(state_message(None))
                return response
            try:
                response.new_state.CopyFrom(state_message(lifecycle.apply(prior, planned)))
            except PartlyMadeError as error:
                response.new_state.CopyFrom(state_message(error.state))
                raise error.cause from error
        return response

    def import_resource_state(self, request: Message, context: Context) -> Message:
        response = pb.ImportResourceState.Response()
        with _diagnosing(response):
            state = self._lifecycle(request.type_name, context, {}).import_state(request.id)
            imported = pb.ImportResourceState.ImportedResource(type_name=request.type_name, state=state_message(state))
            response.imported_resources.append(imported)
        return response

    def move_resource_state(self, request: Message, _context: Context) -> Message:
        response = pb.MoveResourceState.Response()
        with _diagnosing(response):
            raise CallError(f"a resource cannot be moved to another type ({request.target_type_name})")
        return response

    def read_data_source(self, request: Message, context: Context) -> Message:
        response = pb.ReadDataSource.Response()
        with _diagnosing(response):
            name = request.type_name
            schema = load("data", name)
            config = state_of(request.config) or {}
            source = DATA_SOURCES.get(name) or accepted_data_source(name, schema)
            state = read_data_source(schema, source, self._aws_for(context, config), config)
            response.state.CopyFrom(state_message(state))
        return response

    def get_functions(self, _request: Message, _context: Context) -> Message:
        return pb.GetFunctions.Response()

    def call_function(self, request: Message, _context: Context) -> Message:
        return pb.CallFunction.Response(error=pb.FunctionError(text=f"no function {request.name}"))

    def stop(self, _request: Message, _context: Context) -> Message:
        self._aws.stopping.set()
        return pb.StopProvider.Response()

    def _lifecycle(self, name: str, context: Context, values: dict[str, Any]) -> Lifecycle:
        schema = load("resource", name)
        return Lifecycle(schema, RESOURCES.get(name) or accepted_resource(name, schema), self._aws_for(context, values))

    def _aws_for(self, context: Context, values: dict[str, Any]) -> Aws:
        """Return the configuration of the calling peer, in the region that the values name, if they do."""
        aws = self._configured.get(context.peer())
        if aws is None:
            raise CallError("the provider was not configured on this connection")
        region = values.get("region")
        return replace(aws, region=region) if isinstance(region, str) and region else aws


@contextmanager
def _diagnosing(response: Message) -> Iterator[None]:
    """Turn an exception into diagnostics of a response."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, CallError):
            logger.exception("a call of Terraform's failed")
        response.diagnostics.extend(error_messages(error))
