"""moto's request parsers with AWS's refusals: what is of the wrong type is an error, not a guess.

Goes in: a shape of the model and what the client sent for it. Comes out: the value in boto3's form, or
MalformedRequest.
Only `wire.py` uses this module; the two are all that reaches into moto's wire formats.
"""

import json
from collections.abc import Mapping
from typing import Any

from moto.core.parse import EC2QueryParser, JSONParser, QueryParser, RestXMLParser


class MalformedRequest(ValueError):
    """A body that is not what its service's model says; the text is for the caller."""


JSON_TYPE_NAMES: Mapping[type, str] = {
    str: "STRING_VALUE",
    bool: "BOOLEAN_VALUE",
    int: "NUMBER_VALUE",
    float: "NUMBER_VALUE",
}


class StrictJsonParser(JSONParser):  # type: ignore[misc]
    """moto's parser, which takes any JSON value for any shape, with AWS's refusals."""

    def _parse_body_as_json(self, body_contents: bytes) -> Any:
        if not body_contents:
            return {}
        try:
            return json.loads(body_contents)
        except (ValueError, RecursionError) as error:
            raise MalformedRequest(f"The request body is not JSON: {error}") from error

    def _parse_structure(self, shape: Any, value: Any) -> Any:
        if not shape.is_document_type:
            expect(dict, value, "Structure")
        return super()._parse_structure(shape, value)

    def _parse_map(self, shape: Any, value: Any) -> Any:
        expect(dict, value, "Map")
        return super()._parse_map(shape, {key: element for key, element in value.items() if element is not None})

    def _parse_list(self, shape: Any, value: Any) -> Any:
        expect(list, value, "List")
        return super()._parse_list(shape, value)

    def _parse_string(self, shape: Any, value: Any) -> Any:
        expect(str, value, "String")
        return value

    def _parse_boolean(self, shape: Any, value: Any) -> Any:
        expect(bool, value, "Boolean")
        return value

    def _parse_integer(self, shape: Any, value: Any) -> Any:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        expect(int, value, "Integer")
        return value

    def _parse_float(self, shape: Any, value: Any) -> Any:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else expect(float, value, "Float")

    def _parse_timestamp(self, shape: Any, value: Any) -> Any:
        if isinstance(value, bool | dict | list):
            expect(float, value, "Timestamp")
        return super()._parse_timestamp(shape, value)

    _parse_long = _parse_byte = _parse_short = _parse_integer
    _parse_double = _parse_float
    _parse_character = _parse_string


def expect(kind: type, value: Any, name: str) -> Any:
    """Return a JSON value of the kind its shape asks for; raise MalformedRequest for another (True is no integer)."""
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    if isinstance(value, dict):
        raise MalformedRequest("Start of structure or map found where not expected.")
    if isinstance(value, list):
        raise MalformedRequest("Start of list found where not expected.")
    article = "an" if name == "Integer" else "a"
    raise MalformedRequest(f"{JSON_TYPE_NAMES.get(type(value), 'NULL_VALUE')} can not be converted to {article} {name}")


class StrictQueryParser(QueryParser):  # type: ignore[misc]
    """moto's parser, which takes any text for a boolean, with a refusal of what is none."""

    def _parse_boolean(self, shape: Any, query_params: Any, prefix: str = "") -> Any:
        return boolean_of(prefix, self._default_handle(shape, query_params, prefix))

    def _parse_integer(self, shape: Any, query_params: Any, prefix: str = "") -> Any:
        return integer_of(prefix, self._default_handle(shape, query_params, prefix))

    _parse_long = _parse_integer


class StrictEc2Parser(EC2QueryParser, StrictQueryParser):  # type: ignore[misc]
    """EC2's dialect of the same."""


def boolean_of(name: str, value: Any) -> Any:
    """Return a boolean parameter; an absent one passes through as moto's mark of absence."""
    if not isinstance(value, str):
        return value
    if value.lower() not in ("true", "false"):
        raise MalformedRequest(f"Invalid value '{value}' for {name}: must be true or false.")
    return value.lower() == "true"


def integer_of(name: str, value: Any) -> Any:
    """Return an integer parameter; an absent one passes through as moto's mark of absence."""
    try:
        return int(value) if isinstance(value, str) else value
    except ValueError:
        raise MalformedRequest(f"Invalid value '{value}' for {name}: must be an integer.") from None


class GuardedXmlParser(RestXMLParser):  # type: ignore[misc]
    """moto's parser without document types, by which a small body could grow to any size."""

    def _parse_xml_string_to_dom(self, xml_string: bytes) -> Any:
        if b"<!DOCTYPE" in xml_string:
            raise MalformedRequest("A document type is not allowed.")
        return super()._parse_xml_string_to_dom(xml_string)


PARSERS: Mapping[str, Any] = {
    "ec2": StrictEc2Parser,
    "query": StrictQueryParser,
    "json": StrictJsonParser,
    "rest-xml": GuardedXmlParser,
}
"""The parser of each protocol that our services speak."""
