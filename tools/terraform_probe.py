"""Ask the real AWS provider what its schema does not tell: defaults, forced replacement, computed blocks.

The provider runs in its debug mode and speaks plugin protocol 5 over a unix socket; its messages have the wire form of
protocol 6, so the same stubs serve. Each question is one PlanResourceChange with made-up values: planning touches
neither network nor credentials.
"""

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from tf.gen import tfplugin_pb2 as pb

from tsubo.terraform.schema import Block, parse_block
from tsubo.terraform.values import conform, decode, encode, is_known

Values = dict[str, Any]
BlockPath = tuple[str, ...]

CANDIDATES: tuple[tuple[str, str], ...] = (
    ("one", "two"),
    ('{"a":1}', '{"a":2}'),
    ("arn:aws:iam::123456789012:role/one", "arn:aws:iam::123456789012:role/two"),
    ("10.0.0.0/16", "10.1.0.0/16"),
    ("1", "2"),
    ('[{"name":"one","image":"one"}]', '[{"name":"two","image":"two"}]'),
)
"""Pairs of texts to try in turn: some types refuse what is not JSON, an ARN, a CIDR block or a number."""

SEEDS: dict[str, Values] = {
    name: {"port": 80, "protocol": "HTTP", "vpc_id": "vpc-1", "target_type": "ip"}
    for name in ("aws_lb_target_group", "aws_alb_target_group")
}
"""What a type needs before it can be planned, though its schema calls it optional."""

CONFIGURATION = {
    "access_key": "probe",
    "secret_key": "probe",
    "region": "ap-northeast-1",
    "skip_credentials_validation": True,
    "skip_requesting_account_id": True,
    "skip_metadata_api_check": "true",
    "skip_region_validation": True,
}


class ProbedProvider:
    """The real provider as a running process. Use as a context manager."""

    def __init__(self, executable: Path) -> None:
        self._executable = executable

    def __enter__(self) -> "ProbedProvider":
        self._process = subprocess.Popen(
            [self._executable, "-debug"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if match := re.search(r"TF_REATTACH_PROVIDERS='(.*)'", line):
                (reattach,) = json.loads(match[1]).values()
                break
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._channel = grpc.insecure_channel(f"unix://{reattach['Addr']['String']}", options=options)
        self._configure()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._channel.close()
        self._process.terminate()
        self._process.wait()

    def _call(self, method: str, request: Any, response: Any) -> Any:
        call = self._channel.unary_unary(
            f"/tfplugin5.Provider/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString,
        )
        return call(request)

    def _configure(self) -> None:
        schema = self._call("GetSchema", pb.GetProviderSchema.Request(), pb.GetProviderSchema.Response)
        block = schema.provider.block
        values: Values = {attribute.name: CONFIGURATION.get(attribute.name) for attribute in block.attributes}
        values |= {nested.type_name: [] for nested in block.block_types}
        request = pb.ConfigureProvider.Request(config=pb.DynamicValue(msgpack=encode(values)))
        response = self._call("Configure", request, pb.ConfigureProvider.Response)
        if response.diagnostics:
            raise SystemExit(f"the provider refuses its configuration: {response.diagnostics}")

    def plan(self, name: str, prior: Values | None, proposed: Values, config: Values) -> "Planned | None":
        """Return what the provider plans, or None where it refuses the made-up values."""
        request = pb.PlanResourceChange.Request(
            type_name=name,
            prior_state=pb.DynamicValue(msgpack=encode(prior)),
            proposed_new_state=pb.DynamicValue(msgpack=encode(proposed)),
            config=pb.DynamicValue(msgpack=encode(config)),
        )
        response = self._call("PlanResourceChange", request, pb.PlanResourceChange.Response)
        if any(diagnostic.severity == pb.Diagnostic.ERROR for diagnostic in response.diagnostics):
            return None
        replaced = {
            tuple(step.attribute_name for step in path.steps if step.attribute_name)
            for path in response.requires_replace
        }
        return Planned(decode(response.planned_state.msgpack), replaced)


class Planned:
    def __init__(self, state: Values, replaced: set[BlockPath]) -> None:
        self.state = state
        self.replaced = replaced


def probe_type(provider: ProbedProvider, name: str, compact: Values) -> None:
    """Write defaults and flags into a type's compact block."""
    prober = _Prober(provider, name, parse_block(compact))
    if prober.find_accepted_texts():
        prober.probe_defaults(compact)
        prober.probe_replacements(compact)


class _Prober:
    def __init__(self, provider: ProbedProvider, name: str, block: Block) -> None:
        self._provider = provider
        self._name = name
        self._block = block
        self._texts = CANDIDATES[0]

    def find_accepted_texts(self) -> bool:
        """Choose texts for required attributes with which the type can be planned at all."""
        for texts in CANDIDATES:
            self._texts = texts
            planned = self._create(self._configuration(self._with_block(())))
            if planned is not None:
                break
        return planned is not None

    def probe_defaults(self, compact: Values) -> None:
        """Find defaults by planning a creation with nothing optional, then one with each optional block."""
        planned = self._create(self._configuration(self._with_block(())))
        if planned is not None:
            self._note_defaults(compact, self._configuration(self._with_block(())), planned.state)
        for path, nested in _nested_blocks(compact):
            values = self._configuration(self._with_block(path))
            planned = self._create(values)
            if planned is not None:
                found, configured = _at(planned.state, path), _at(values, path)
                if isinstance(found, dict) and isinstance(configured, dict):
                    self._note_defaults(nested[4], configured, found)

    def _note_defaults(self, compact: Values, configured: Values, planned: Values) -> None:
        for name, attribute in compact.get("a", {}).items():
            value = planned.get(name)
            given = configured.get(name) is not None or name in ("id", "tags_all")
            if not given and value not in (None, "") and is_known(value):
                attribute[2:] = [value]
        for name, nested in compact.get("b", {}).items():
            if not configured.get(name) and nested[0] != "single" and not is_known(planned.get(name)):
                nested[3] = "c"

    def probe_replacements(self, compact: Values) -> None:
        """Find what replaces a resource by planning a change of one attribute at a time."""
        for path, name, attribute in _settable_attributes(compact):
            if self._replaces(path, name, attribute[0]):
                attribute[1] += "f"
        for path, nested in _nested_blocks(compact):
            if nested[0] != "single":
                self._probe_removal(path, nested)

    def _replaces(self, path: BlockPath, name: str, attribute_type: Any) -> bool:
        """Say whether a change replaces the resource, asking with the first texts that make the provider plan one."""
        for texts in dict.fromkeys((self._texts, *CANDIDATES)):
            before, after = (_sample(attribute_type, text, index) for index, text in enumerate(texts))
            old = self._configuration(self._with_block(path, {name: before}))
            new = self._configuration(self._with_block(path, {name: after}))
            planned = self._update(old, new)
            if planned is not None and (planned.replaced or planned.state != old | {"id": "one"}):
                return any(replaced[: len(path) + 1] == (*path, name) for replaced in planned.replaced)
        return False

    def _probe_removal(self, path: BlockPath, nested: list[Any]) -> None:
        old = self._configuration(self._with_block(path))
        new = self._configuration(self._with_block(path[:-1]))
        planned = self._update(old, new)
        if planned is None:
            return
        if any(replaced[: len(path)] == path for replaced in planned.replaced):
            nested[3] += "f"
        if nested[1] == 0 and _at(planned.state, path):
            nested[3] += "k"

    def _create(self, configuration: Values) -> Planned | None:
        return self._provider.plan(self._name, None, configuration, configuration)

    def _update(self, old: Values, new: Values) -> Planned | None:
        prior = old | {"id": "one"}
        proposed = new | {"id": "one"}
        return self._provider.plan(self._name, prior, proposed, new)

    def _configuration(self, values: Values) -> Values:
        return conform(self._block, self._filled(self._block, values))

    def _filled(self, block: Block, values: Values) -> Values:
        """Return values with everything required added."""
        filled = dict(values)
        for name, attribute in block.attributes.items():
            if attribute.required and name not in filled:
                filled[name] = _sample(attribute.type, self._texts[0], 0)
        for name, nested in block.blocks.items():
            given = filled.get(name) or [{}] * (nested.min_items if nested.nesting != "single" else 0)
            if nested.nesting == "single":
                filled[name] = self._filled(nested.block, given) if isinstance(given, dict) else None
            else:
                filled[name] = [self._filled(nested.block, element) for element in given]
        return filled

    def _with_block(self, path: BlockPath, innermost: Values | None = None) -> Values:
        """Return values with one block at a path, holding `innermost`."""
        block, shapes, outers = self._block, [], []
        for name in path:
            outers.append(block)
            shapes.append(block.blocks[name].nesting)
            block = block.blocks[name].block
        values = dict(innermost or {})
        for name, nesting, outer in reversed(list(zip(path, shapes, outers, strict=True))):
            values = {name: values if nesting == "single" else [values]}
            if "type" in outer.attributes and outer is not self._block:
                values["type"] = name.replace("_", "-")
        return SEEDS.get(self._name, {}) | values


def _sample(attribute_type: Any, text: str, index: int) -> Any:
    if isinstance(attribute_type, str):
        return {"string": text, "number": index + 1, "bool": bool(index)}[attribute_type]
    kind, inner = attribute_type
    if kind in ("list", "set"):
        return [_sample(inner, text, index)]
    if kind == "map":
        return {"key": _sample(inner, text, index)}
    return {name: _sample(element, text, index) for name, element in inner.items()}


def _nested_blocks(compact: Values, path: BlockPath = ()) -> Iterator[tuple[BlockPath, list[Any]]]:
    for name, nested in compact.get("b", {}).items():
        if name != "timeouts":
            yield (*path, name), nested
            yield from _nested_blocks(nested[4], (*path, name))


def _settable_attributes(compact: Values) -> Iterator[tuple[BlockPath, str, list[Any]]]:
    blocks = itertools.chain([((), ["", 0, 0, "", compact])], _nested_blocks(compact))
    for path, nested in blocks:
        for name, attribute in nested[4].get("a", {}).items():
            if ("o" in attribute[1] or "r" in attribute[1]) and name not in ("id", "tags", "tags_all"):
                yield path, name, attribute


def _at(values: Any, path: BlockPath) -> Any:
    """Return the first element of the block at a path, or None."""
    for name in path:
        values = values.get(name) if isinstance(values, dict) else None
        if isinstance(values, list):
            values = values[0] if values else None
    return values
