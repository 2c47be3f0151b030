"""aws_iam_policy_document: JSON from blocks, byte for byte as the real provider writes it. No call is made."""

import json
import zlib
from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.table import DataSource
from tsubo.terraform.values import Values

DEFAULT_VERSION = "2012-10-17"
Document = dict[str, Any]

_MEMBERS = (
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
)


def _read(_aws: Aws, values: Values) -> Values:
    document = policy_document(values)
    # Go's encoder, which the real provider uses, escapes these three in texts.
    text, minified = (
        _escaped(json.dumps(document, ensure_ascii=False, **layout))
        for layout in ({"indent": 2}, {"separators": (",", ":")})
    )
    return {"id": str(zlib.crc32(text.encode())), "json": text, "minified_json": minified}


def _escaped(text: str) -> str:
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def policy_document(values: Values) -> Document:
    """Return the document of a data source's arguments. Raises CallError where two statements have one Sid."""
    sources = [values.get("source_json"), *(values.get("source_policy_documents") or ())]
    overrides = [*(values.get("override_policy_documents") or ()), values.get("override_json")]
    version = values.get("version") or DEFAULT_VERSION
    own: Document = {"Version": version}
    if values.get("policy_id"):
        own["Id"] = values["policy_id"]
    own["Statement"] = [_statement(block, version) for block in values.get("statement") or ()]
    document: Document = {"Statement": []}
    for text in filter(None, sources):
        _check_sids(document, source := _parsed(text))
        document = _merged(document, source)
    document = _merged(document, own)
    for text in filter(None, overrides):
        document = _merged(document, _parsed(text))
    ordered = {name: document[name] for name in ("Version", "Id", "Statement") if document.get(name)}
    return ordered


def _check_sids(document: Document, source: Document) -> None:
    taken = {statement.get("Sid") for statement in document["Statement"]}
    for statement in source["Statement"]:
        if statement.get("Sid") and statement["Sid"] in taken:
            raise CallError(
                f"duplicate Sid ({statement['Sid']}) in source_policy_documents; remove it or make it unique"
            )


def _parsed(text: str) -> Document:
    try:
        document: Document = json.loads(text)
    except ValueError as error:
        raise CallError(f"a policy document is not JSON: {error}") from error
    statements = document.get("Statement") or []
    if not isinstance(statements, list):
        raise CallError("a policy document's Statement must be a list, though IAM takes a single object")
    return document | {"Statement": [_reordered(statement) for statement in statements]}


def _reordered(statement: Document) -> Document:
    """Return a statement of a given document as the real provider writes it again: in its own order, and a condition
    of one value with that value alone."""
    ordered = {name: statement[name] for name in _MEMBERS if statement.get(name)}
    if "Condition" in ordered:
        ordered["Condition"] = {
            test: {variable: _alone(value) for variable, value in sorted(variables.items())}
            for test, variables in sorted(statement["Condition"].items())
        }
    for name in ("Principal", "NotPrincipal"):
        if isinstance(ordered.get(name), dict):
            ordered[name] = {
                kind: sorted(texts, reverse=True) if isinstance(texts, list) else texts
                for kind, texts in sorted(ordered[name].items())
            }
    return ordered


def _alone(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _merged(document: Document, other: Document) -> Document:
    """Return a document with another's statements: those with a Sid that it has take that place."""
    statements = list(document["Statement"])
    for statement in other["Statement"]:
        sid = statement.get("Sid")
        place = next((i for i, s in enumerate(statements) if sid and s.get("Sid") == sid), None)
        if place is None:
            statements.append(statement)
        else:
            statements[place] = statement
    return document | {k: v for k, v in other.items() if v} | {"Statement": statements}


def _statement(block: Values, version: str) -> Document:
    def texts(name: str) -> Any:
        return _one_or_many(block.get(name), version)

    values = (
        block.get("sid"),
        block.get("effect") or "Allow",
        texts("actions"),
        texts("not_actions"),
        texts("resources"),
        texts("not_resources"),
        _principals(block.get("principals") or [], version),
        _principals(block.get("not_principals") or [], version),
        _conditions(block.get("condition") or [], version),
    )
    return {name: value for name, value in zip(_MEMBERS, values, strict=True) if value}


def _one_or_many(texts: list[str] | None, version: str) -> str | list[str] | None:
    """One text stands alone, several in descending order."""
    if not texts:
        return None
    replaced = [_with_variables(text, version) for text in texts]
    return replaced[0] if len(replaced) == 1 else sorted(replaced, reverse=True)


def _with_variables(text: str, version: str) -> str:
    """A configuration writes `&{...}` for a policy variable, since `${...}` is Terraform's."""
    if version == DEFAULT_VERSION:
        return text.replace("&{", "${")
    if "&{" in text:
        raise CallError(f"found &{{ sequence in ({text}), which is not supported in document version {version}")
    return text


def _principals(blocks: list[Values], version: str) -> Any:
    if len(blocks) == 1 and blocks[0]["type"] == "*" and blocks[0]["identifiers"] == ["*"]:
        return "*"
    principals: dict[str, Any] = {}
    for block in blocks:
        more = _one_or_many(block["identifiers"], version)
        kind = block["type"]
        principals[kind] = more if kind not in principals else [*_as_list(principals[kind]), *_as_list(more)]
    return dict(sorted(principals.items()))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _conditions(blocks: list[Values], version: str) -> dict[str, dict[str, Any]]:
    conditions: dict[str, dict[str, Any]] = {}
    for block in blocks:
        texts = [_with_variables(text, version) for text in block["values"]]
        conditions.setdefault(block["test"], {})[block["variable"]] = texts[0] if len(texts) == 1 else texts
    return {test: dict(sorted(variables.items())) for test, variables in sorted(conditions.items())}


DATA_SOURCES = {"aws_iam_policy_document": DataSource(_read)}
