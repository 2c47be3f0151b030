"""How sets, maps and chains are written in an nftables file: sorted, one element a line, so that two can be compared.

Names carry a prefix that says what they are (`s_` set, `m_` map, `c_` chain, ...); a bare word could be a keyword.
"""

from collections.abc import Iterable, Mapping


def set_block(name: str, element_type: str, elements: Iterable[str]) -> str:
    """Return a set; an empty one is written without elements, as the grammar wants it."""
    return _block("set", name, element_type, sorted(set(elements)))


def map_block(name: str, key_and_value_type: str, elements: Mapping[str, str]) -> str:
    """Return a map (or, with the value type `verdict`, a verdict map)."""
    return _block("map", name, key_and_value_type, [f"{key} : {value}" for key, value in sorted(elements.items())])


def chain_block(name: str, statements: Iterable[str]) -> str:
    """Return a chain; a base chain's first statement is its hook."""
    return "\n".join((f"    chain {name} {{", *(f"        {statement}" for statement in statements), "    }"))


def atomic_table(name: str, blocks: Iterable[str]) -> str:
    """Return a file that replaces the whole table in one transaction, whether or not it was there."""
    return "\n".join((f"add table {name}", f"delete table {name}", f"table {name} {{", "\n\n".join(blocks), "}", ""))


def quoted(name: str) -> str:
    """Return a device name as an element."""
    return f'"{name}"'


def _block(kind: str, name: str, element_type: str, elements: list[str]) -> str:
    lines = [f"    {kind} {name} {{", f"        type {element_type}"]
    if elements:
        lines += ["        elements = {", ",\n".join(f"            {element}" for element in elements), "        }"]
    return "\n".join((*lines, "    }"))
