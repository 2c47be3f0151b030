"""Terraform's plugin messages from our values: schemas, states, paths, diagnostics.

The stubs are those of the PyPI package `tf`; see `protocol`.
"""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from tf.gen import tfplugin_pb2 as pb

from tsubo.terraform.calls import CallError
from tsubo.terraform.changes import Path
from tsubo.terraform.schema import Block, Kind, NestedBlock, load
from tsubo.terraform.values import Values, decode, encode

Message = Any
"""A protobuf message; the stubs are untyped to us."""

_NESTING = {
    "single": pb.Schema.NestedBlock.SINGLE,
    "list": pb.Schema.NestedBlock.LIST,
    "set": pb.Schema.NestedBlock.SET,
}


@cache
def schema_message(kind: Kind, name: str) -> Message:
    """Return the schema of a type as Terraform asks for it."""
    schema = load(kind, name)
    return pb.Schema(version=schema.version, block=_block_message(schema.block))


def _block_message(block: Block) -> Message:
    return pb.Schema.Block(
        attributes=[
            pb.Schema.Attribute(
                name=name,
                type=json.dumps(attribute.type).encode(),
                required=attribute.required,
                optional=attribute.optional,
                computed=attribute.computed,
                sensitive=attribute.sensitive,
            )
            for name, attribute in block.attributes.items()
        ],
        block_types=[_nested_message(name, nested) for name, nested in block.blocks.items()],
    )


def _nested_message(name: str, nested: NestedBlock) -> Message:
    return pb.Schema.NestedBlock(
        type_name=name,
        block=_block_message(nested.block),
        nesting=_NESTING[nested.nesting],
        min_items=nested.min_items,
        max_items=nested.max_items,
    )


def state_message(state: Values | None) -> Message:
    """Return a state (None: no resource) as Terraform takes it."""
    return pb.DynamicValue(msgpack=encode(state))


def state_of(message: Message) -> Values | None:
    """Return the state, configuration or plan in a message; None for null."""
    state: Values | None = decode(message.msgpack) if message.msgpack else None
    return state


def path_message(path: Path) -> Message:
    """Return the path of an attribute."""
    return pb.AttributePath(
        steps=[
            pb.AttributePath.Step(element_key_int=step)
            if isinstance(step, int)
            else pb.AttributePath.Step(attribute_name=step)
            for step in path
        ]
    )


def error_messages(error: Exception) -> Iterable[Message]:
    """Return an error as diagnostics: its cause in AWS's words, and what to do next where that is known."""
    if isinstance(error, CallError):
        return [pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=error.message, detail=error.hint)]
    return [
        pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary="Tsubo's provider failed", detail=f"{type(error)}: {error}")
    ]
