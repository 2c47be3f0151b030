"""What Terraform's two questions come to, as pure functions: what will be (plan), and what is (settle).

`plan_block` joins a configuration with the state before it, the way the real provider does: defaults filled in,
computed values kept or unknown, and a value that only looks different (null and empty, a set in another order, JSON
in another layout) left as it was. `replacing_paths` says what forces a replacement. `settle` writes what the API said
over what Terraform knows, again leaving what only looks different. Source: terraform.md, "Mechanism".
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tsubo.terraform.schema import Attribute, AttributeType, Block, NestedBlock
from tsubo.terraform.values import UNKNOWN, Values, conform, conform_type, is_empty, is_known, same

Alike = Mapping[str, Callable[[Any, Any], bool]]
"""By dotted path of an attribute: whether two of its values mean the same, where `same` is not enough."""
Path = tuple[str | int, ...]


def plan_block(block: Block, prior: Values | None, config: Values, alike: Alike, path: str = "") -> Values:
    """Return the planned values of a block; `prior` is None where the block is new."""
    planned: Values = {}
    for name, attribute in block.attributes.items():
        before = None if prior is None else prior.get(name)
        value = _wanted(attribute, prior is None, before, config.get(name))
        unchanged = prior is not None and alike_values(attribute.type, before, value, alike, path + name)
        planned[name] = before if unchanged else value
    for name, nested in block.blocks.items():
        before = None if prior is None else prior.get(name)
        planned[name] = _plan_nested(nested, prior is None, before, config.get(name), alike, f"{path}{name}.")
    return planned


def _wanted(attribute: Attribute, new: bool, before: Any, configured: Any) -> Any:
    if configured is not None:
        return _filled(attribute.type, configured)
    if attribute.default is not None:
        return attribute.default
    if attribute.computed:
        return UNKNOWN if new else before
    return None


def _filled(attribute_type: AttributeType, value: Any) -> Any:
    """Return a value with the collections inside its objects empty instead of null, as configurations read them."""
    if isinstance(attribute_type, str) or value is UNKNOWN or isinstance(attribute_type[1], str):
        return value
    kind, inner = attribute_type
    if kind in ("list", "set"):
        return [_filled(inner, element) for element in value]
    if kind == "map":
        return {key: _filled(inner, element) for key, element in value.items()}
    return {
        name: _empty(element_type) if value.get(name) is None else _filled(element_type, value[name])
        for name, element_type in inner.items()
    }


def _empty(attribute_type: AttributeType) -> Any:
    if isinstance(attribute_type, str) or attribute_type[0] == "object":
        return None
    return {} if attribute_type[0] == "map" else []


def _plan_nested(nested: NestedBlock, new: bool, before: Any, config: Any, alike: Alike, path: str) -> Any:
    if config is UNKNOWN or nested.nesting == "single":
        return config
    if not config:
        if new:
            return UNKNOWN if nested.computed else []
        return before if before and (nested.computed or nested.kept) else []
    elements = list(before or ())
    if nested.nesting == "list":
        priors = [*elements, *[None] * len(config)]
        return [
            plan_block(nested.block, prior, element, alike, path)
            for prior, element in zip(priors, config, strict=False)
        ]
    return [_plan_set_element(nested.block, elements, element, alike, path) for element in config]


def _plan_set_element(block: Block, priors: list[Values], config: Any, alike: Alike, path: str) -> Any:
    """An element of a set has no identity but its content: it is an old one if planning it changes nothing."""
    if config is UNKNOWN:
        return UNKNOWN
    for prior in priors:
        if plan_block(block, prior, config, alike, path) == prior:
            return prior
    return plan_block(block, None, config, alike, path)


def alike_values(attribute_type: AttributeType, one: Any, other: Any, alike: Alike, path: str) -> bool:
    """Say whether two values of an attribute mean the same."""
    if one is UNKNOWN or other is UNKNOWN:
        return one is other
    if path in alike and one is not None and other is not None and is_known(one) and is_known(other):
        return alike[path](one, other)
    return _same_typed(attribute_type, one, other)


def _same_typed(attribute_type: AttributeType, one: Any, other: Any) -> bool:
    if one is UNKNOWN or other is UNKNOWN:
        return one is other
    if isinstance(attribute_type, str) or is_empty(one) or is_empty(other):
        return same(one, other)
    kind, inner = attribute_type
    if kind == "object":
        return all(_same_typed(element, one.get(name), other.get(name)) for name, element in inner.items())
    if kind == "map":
        return one.keys() == other.keys() and all(_same_typed(inner, one[key], other[key]) for key in one)
    if len(one) != len(other):
        return False
    if kind == "list":
        return all(_same_typed(inner, first, second) for first, second in zip(one, other, strict=True))
    left = list(other)
    for element in one:
        match = next((index for index, rest in enumerate(left) if _same_typed(inner, element, rest)), None)
        if match is None:
            return False
        del left[match]
    return True


def replacing_paths(block: Block, prior: Values, planned: Values, alike: Alike) -> list[Path]:
    """Return the paths of the changes that force a replacement."""
    return list(_replacing(block, prior, planned, alike, (), ""))


def _replacing(block: Block, prior: Values, planned: Values, alike: Alike, path: Path, dotted: str) -> Iterator[Path]:
    for name, attribute in block.attributes.items():
        if attribute.replaces and not alike_values(
            attribute.type, prior.get(name), planned.get(name), alike, dotted + name
        ):
            yield (*path, name)
    for name, nested in block.blocks.items():
        before, after = prior.get(name), planned.get(name)
        if nested.nesting == "single" or before == after:
            continue
        paired = isinstance(before, list) and isinstance(after, list) and len(before) == len(after)
        if nested.nesting == "list" and paired:
            for index, (old, new) in enumerate(zip(before or (), after or (), strict=True)):
                yield from _replacing(nested.block, old, new, alike, (*path, name, index), f"{dotted}{name}.")
        elif nested.replaces:
            yield (*path, name)


def settle(block: Block, known: Values, actual: Values, alike: Alike, path: str = "") -> Values:
    """Return `known` with what the API said written over it; what the API did not say and is unknown becomes null."""
    settled: Values = {}
    for name, attribute in block.attributes.items():
        before = known.get(name)
        if name not in actual:
            settled[name] = without_unknown(before)
            continue
        value = conform_type(attribute.type, actual[name])
        settled[name] = before if alike_values(attribute.type, before, value, alike, path + name) else value
    for name, nested in block.blocks.items():
        before = known.get(name)
        if name not in actual or nested.nesting == "single":
            settled[name] = without_unknown(before, None if nested.nesting == "single" else [])
        else:
            settled[name] = _settle_nested(nested, before, actual[name] or [], alike, f"{path}{name}.")
    return settled


def _settle_nested(nested: NestedBlock, before: Any, actual: list[Values], alike: Alike, path: str) -> list[Values]:
    knowns: list[Values] = [element for element in before if element is not UNKNOWN] if isinstance(before, list) else []
    if nested.nesting == "list" and len(knowns) == len(actual):
        return [settle(nested.block, known, now, alike, path) for known, now in zip(knowns, actual, strict=True)]
    return [_settle_element(nested.block, knowns, now, alike, path) for now in actual]


def _settle_element(block: Block, knowns: list[Values], actual: Values, alike: Alike, path: str) -> Values:
    for known in knowns:
        if settle(block, known, actual, alike, path) == known:
            return known
    return conform(block, actual)


def without_unknown(value: Any, instead: Any = None) -> Any:
    """Return a value with everything unknown in it replaced."""
    if value is UNKNOWN:
        return instead
    if isinstance(value, dict):
        return {key: without_unknown(element) for key, element in value.items()}
    if isinstance(value, list):
        return [without_unknown(element) for element in value]
    return value
