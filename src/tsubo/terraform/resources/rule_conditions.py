"""The conditions of listener rules between Terraform's blocks and ELB's members.

Forms: aws/alb-vpc-terraform.md section 1.4.
"""

from typing import Any

from tsubo.terraform.resources.common import block, given
from tsubo.terraform.values import Values

_CONFIGURATIONS = {
    "host_header": "HostHeaderConfig",
    "path_pattern": "PathPatternConfig",
    "http_request_method": "HttpRequestMethodConfig",
    "http_header": "HttpHeaderConfig",
    "source_ip": "SourceIpConfig",
}


def conditions_of(blocks: list[Values]) -> list[dict[str, Any]]:
    """Return condition blocks as ELB takes them."""
    conditions: list[dict[str, Any]] = []
    for values in blocks:
        for name, member in _CONFIGURATIONS.items():
            part = block(values, name)
            if part is not None:
                configuration = given(
                    Values=part.get("values") or None,
                    RegexValues=part.get("regex_values") or None,
                    HttpHeaderName=part.get("http_header_name"),
                )
                conditions.append({"Field": name.replace("_", "-"), member: configuration})
        queries = [given(Key=query.get("key") or None, Value=query["value"]) for query in values["query_string"] or ()]
        if queries:
            conditions.append({"Field": "query-string", "QueryStringConfig": {"Values": queries}})
    return conditions


def condition_blocks(conditions: list[dict[str, Any]]) -> list[Values]:
    """Return ELB's conditions as blocks."""
    return [_block(condition) for condition in conditions]


def _block(condition: dict[str, Any]) -> Values:
    name = condition["Field"].replace("-", "_")
    if name == "query_string":
        queries = condition["QueryStringConfig"]["Values"]
        return {name: [{"key": query.get("Key"), "value": query["Value"]} for query in queries]}
    configuration = condition.get(_CONFIGURATIONS[name]) or {"Values": condition.get("Values")}
    part: Values = {"values": configuration.get("Values") or [], "regex_values": configuration.get("RegexValues") or []}
    if name == "http_header":
        part["http_header_name"] = configuration.get("HttpHeaderName")
    return {name: [part]}
