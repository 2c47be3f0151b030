"""Resource types and data sources that are accepted, kept and reported, but not run.

Nothing is called. A value that only AWS would know gets a plausible one, so that what refers to it can be evaluated:
an id and an ARN of the right form, a host name that no resolver answers. A resource keeps its values for its life; a
data source gets the same ones each time it is read with the same arguments.
"""

import hashlib
import json
import secrets
from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.schema import AttributeType, Block, Schema
from tsubo.terraform.table import DataSource, ResourceType
from tsubo.terraform.values import UNKNOWN, Values

HOST_NAME_WORDS = ("endpoint", "address", "hostname", "dns_name", "domain_name", "fqdn", "host")
PORTS_BY_ENGINE = {"postgres": 5432, "mysql": 3306, "mariadb": 3306, "aurora": 3306, "redis": 6379, "memcached": 11211}


def accepted_resource(name: str, schema: Schema) -> ResourceType:
    """Return the table of a resource type that is not run."""

    def create(aws: Aws, values: Values) -> Values:
        return plausible_values(name, schema.block, values, aws, secrets.token_hex(9)[:17])

    def read(_aws: Aws, _values: Values) -> Values:
        return {}

    return ResourceType(create=create, read=read, runs=False)


def accepted_data_source(name: str, schema: Schema) -> DataSource:
    """Return the table of a data source that asks nobody."""

    def read(aws: Aws, values: Values) -> Values:
        arguments = json.dumps(values, sort_keys=True, default=repr)
        return plausible_values(name, schema.block, values, aws, hashlib.sha256(arguments.encode()).hexdigest()[:17])

    return DataSource(read)


def plausible_values(name: str, block: Block, values: Values, aws: Aws, digits: str) -> Values:
    """Return a value for each computed attribute that the configuration leaves open. `digits` make it unique."""
    service, _, kind = name.removeprefix("aws_").partition("_")
    own_name = values.get("name") or values.get("identifier") or values.get("bucket")
    identifier = own_name if isinstance(own_name, str) and own_name else f"{kind or service}-{digits}"
    arn = aws.arn(service, f"{kind or service}/{identifier}")

    def text(attribute: str) -> str:
        if attribute == "arn" or attribute.endswith("_arn"):
            return arn
        if attribute.endswith(HOST_NAME_WORDS):
            return f"{identifier}.{service}.{aws.region}.accepted-not-run.invalid"
        if attribute == "owner_id" or attribute.endswith("account_id"):
            return aws.account_id
        return str(identifier) if attribute in ("id", "name") or attribute.endswith(("_id", "_name")) else ""

    def value(attribute: str, attribute_type: AttributeType) -> Any:
        if attribute_type == "string":
            return text(attribute)
        if attribute_type == "number":
            return _port(values) if attribute == "port" else 0
        if isinstance(attribute_type, str):
            return False
        kind, inner = attribute_type
        if kind == "list":
            element = value(attribute.removesuffix("s"), inner)
            return [element] if element else []
        if kind == "object":
            return {member: value(member, member_type) for member, member_type in inner.items()}
        return {} if kind == "map" else []

    return {
        attribute_name: value(attribute_name, attribute.type)
        for attribute_name, attribute in block.attributes.items()
        if attribute.computed and values.get(attribute_name) in (None, UNKNOWN)
    }


def _port(values: Values) -> int:
    engine = str(values.get("engine") or "")
    return next((port for prefix, port in PORTS_BY_ENGINE.items() if engine.startswith(prefix)), 443)
